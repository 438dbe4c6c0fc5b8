package docs

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/cli/command"
)

var updateCLI = flag.Bool("update-cli", false, "write the output of the commands into cli.md")

// example is a command in a block of its own, and what the terminal shows.
var example = regexp.MustCompile("(?m)^```console\n\\$ kubectl postback ([^\n]*)\n((?:[^`\n][^\n]*\n|\n)*)```$")

// Every command of the page is run in the root of the repository, and the terminal shows what the page says. $R and $P
// are the ports of a receiver as `make run` starts it, $SECRETS what that renders. $W is a receiver that takes changes, $T
// the file with its token.
func TestTheCommandsOfThePageForTheCLI(t *testing.T) {
	page, err := os.ReadFile("cli.md")
	if err != nil {
		t.Fatal(err)
	}
	shop, changed := startShop(t, false), startShop(t, true)
	t.Chdir("..")
	commands := 0
	got := example.ReplaceAllStringFunc(string(page), func(block string) string {
		commands++
		line := example.FindStringSubmatch(block)[1]
		var terminal bytes.Buffer
		args := words(strings.NewReplacer("$R", shop.ops, "$SECRETS", shop.secrets, "$P", shop.public, "$W", changed.ops,
			"$T", changed.token).Replace(line))
		if code := command.Run(t.Context(), "dev", args, strings.NewReader(""), &terminal, &terminal); code == 2 {
			t.Errorf("%s: no such command line: %s", line, terminal.String())
		}
		return "```console\n$ kubectl postback " + line + "\n" + steadied(terminal.String()) + "```"
	})
	if commands < 8 {
		t.Errorf("only %d commands are found in the page", commands)
	}
	if *updateCLI {
		if err := os.WriteFile("docs/cli.md", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(got, string(page)); diff != "" {
		t.Errorf("go test ./docs -run CLI -update-cli would change it:\n%s", diff)
	}
}

// words splits a command line; single quotes keep a word together.
func words(line string) []string {
	var all []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}
