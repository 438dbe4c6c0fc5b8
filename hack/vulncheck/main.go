// Command vulncheck looks for known vulnerabilities in what the programs are built from, and call, by govulncheck. The
// database is that of the Go project; where it cannot be reached, its copy in the module golang.org/x/vulndb. Where
// neither can, it says so and passes, so that a check without a network goes on.
//
// A vulnerability in a module fails: a newer version of the module is to be required. One in the standard library is
// the Go installation's; it fails with -strict, as for a release.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Bounds of one scan and one download.
const (
	scanTimeout  = 15 * time.Minute
	fetchTimeout = 2 * time.Minute
)

// errUnreachable means that no database can be reached.
var errUnreachable = errors.New("no database of vulnerabilities can be reached")

func main() {
	strict := flag.Bool("strict", false, "fail also on what a newer Go repairs")
	flag.Parse()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{"./controllers", "./receiver", "./portal"}
	}
	code, err := check(context.Background(), packages, *strict)
	if err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
	}
	os.Exit(code)
}

// check scans the packages and prints what it finds. It returns the exit code.
func check(ctx context.Context, packages []string, strict bool) (int, error) {
	output, err := scan(ctx, "", packages)
	if errors.Is(err, errUnreachable) {
		var copied string
		if copied, err = database(ctx); err == nil {
			output, err = scan(ctx, copied, packages)
		}
	}
	if errors.Is(err, errUnreachable) {
		fmt.Println("vulncheck: not checked:", err)
		return 0, nil
	}
	if err != nil {
		return 1, err
	}
	found, err := parse(output)
	if err != nil {
		return 1, err
	}
	code := 0
	for _, f := range found {
		fmt.Println("vulncheck:", f)
		if strict || !f.standard() {
			code = 1
		}
	}
	return code, nil
}

// scan runs govulncheck and returns its JSON. db is a folder of OSV files; empty means the Go project's database.
func scan(ctx context.Context, db string, packages []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, scanTimeout)
	defer cancel()
	args := []string{"tool", "-modfile=hack/tools/go.mod", "govulncheck", "-format=json"}
	if db != "" {
		args = append(args, "-db=file://"+filepath.ToSlash(db))
	}
	var out, errs bytes.Buffer
	command := exec.CommandContext(ctx, "go", append(args, packages...)...)
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	switch {
	case err == nil:
		return out.Bytes(), nil
	case strings.Contains(errs.String(), "fetching vulnerabilities"):
		return nil, fmt.Errorf("%w: %s", errUnreachable, strings.TrimSpace(errs.String()))
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w within %s", errUnreachable, scanTimeout)
	}
	return nil, fmt.Errorf("govulncheck: %w: %s", err, strings.TrimSpace(errs.String()))
}

// database downloads the newest copy of the database as a module, and returns its folder of OSV files.
func database(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", "golang.org/x/vulndb@latest").Output()
	var module struct{ Dir, Error string }
	if json.Unmarshal(out, &module) != nil || err != nil || module.Error != "" {
		return "", fmt.Errorf("%w, neither by its address nor as a module", errUnreachable)
	}
	return filepath.Join(module.Dir, "data", "osv"), nil
}
