// Command manager is the operator of Postback. `manager help` lists what it does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // Images have no zones of their own.

	"github.com/postback-dev/postback-operator/controllers/offline"
	"github.com/postback-dev/postback-operator/controllers/setup"
)

// version is set by the linker.
var version = "dev"

const usage = `usage:
  manager run --receiver-image IMAGE [flags]     run the operator; manager run --help lists the flags
  manager render -f FILE|DIR|- [-f ...] -o DIR   render declarations offline, without a cluster
  manager version                                print the version
`

// errUsage is what the user gets the usage for.
var errUsage = errors.New("wrong arguments")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "manager: %v\n%s", err, usage)
		os.Exit(2) //nolint:gocritic // nothing is left to stop
	case err != nil:
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(os.Stderr, "manager: %s\n", strings.TrimRight(line, "\n"))
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: name a command", errUsage)
	}
	switch command := args[0]; command {
	case "render":
		return render(ctx, args[1:], stdin, stdout, stderr)
	case "run":
		return operate(ctx, args[1:], stdout, stderr)
	case "version":
		_, err := fmt.Fprintln(stdout, version)
		return err
	case "help", "-h", "--help":
		_, err := fmt.Fprint(stdout, usage)
		return err
	default:
		return fmt.Errorf("%w: no command %q", errUsage, command)
	}
}

// gcPercent is how much the heap may grow over what is in use before the garbage is collected, unless GOGC says
// otherwise.
const gcPercent = 25

func operate(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	options, err := setup.Parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		_, err := fmt.Fprint(stdout, "flags of manager run:\n"+setup.Usage())
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	// The caches are most of the memory and hardly change: collecting sooner costs little and saves a third of it.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	setup.UseLogs(options)
	return setup.Run(ctx, options)
}

func render(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	options := offline.Options{Stdin: stdin, Out: stdout, Notices: stderr, Now: time.Now()}
	flags := flag.NewFlagSet("render", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("f", "file or folder to read, - for standard input; repeatable", func(path string) error {
		options.Paths = append(options.Paths, path)
		return nil
	})
	flags.StringVar(&options.Dir, "o", "", "folder to write to")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, err = fmt.Fprint(stdout, usage)
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%w: %q stands without -f", errUsage, flags.Arg(0))
	case len(options.Paths) == 0:
		return fmt.Errorf("%w: -f is missing", errUsage)
	case options.Dir == "":
		return fmt.Errorf("%w: -o is missing", errUsage)
	}
	return offline.Render(ctx, options)
}
