package main

import (
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// flagRow is a row of the README's table: name and default.
var flagRow = regexp.MustCompile("(?m)^\\| `--([a-z0-9-]+)` \\| (?:`([^`]*)`)? ?\\|")

func TestTheReadmeNamesEveryFlagAndItsDefault(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{}
	for _, row := range flagRow.FindAllStringSubmatch(string(text), -1) {
		written[row[1]] = row[2]
	}
	f, err := parseFlags([]string{"--version"}, os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]string{}
	f.set.VisitAll(func(one *flag.Flag) {
		declared[one.Name] = one.DefValue
		if one.DefValue == "false" { // A switch needs no word about being off.
			declared[one.Name] = ""
		}
	})
	if diff := cmp.Diff(declared, written); diff != "" {
		t.Errorf("flags of --help (-) and of README.md (+):\n%s", diff)
	}
}
