// The receiver answers postbacks: it loads one fleet's configuration, records conversions in its store, and serves
// health, metrics and the read API on a second port. It knows nothing of Kubernetes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // Images have no zones of their own.

	"github.com/postback-dev/postback-operator/receiver/setup"
)

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

// version is set by the linker.
var version = "dev"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the program's exit code. Whatever makes it fail is one line on stderr.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		if c, ok := commands[args[0]]; ok {
			return runCommand(c, args[1:], stdout, stderr)
		}
	}
	f, err := parseFlags(args, os.Getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stdout, f.help())
		return 0
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "receiver: %s (see --help)\n", oneLine(err))
		return exitUsage
	case f.showVersion:
		_, _ = fmt.Fprintln(stdout, version)
		return 0
	}
	f.options.Version, f.options.Logger = version, f.logger(stderr)
	ctx, stop := untilSignal(stderr)
	defer stop()
	if err := serve(ctx, f.options); err != nil {
		_, _ = fmt.Fprintf(stderr, "receiver: %s\n", oneLine(err))
		return exitFailure
	}
	return 0
}

func serve(ctx context.Context, o setup.Options) error {
	o.Memory = limitMemory(o)
	receiver, err := setup.Start(ctx, o)
	if err != nil {
		return err
	}
	return receiver.Run(ctx)
}

// oneStop is how long after the first signal others belong to it: who stops a process group often signals its members
// one by one as well.
const oneStop = time.Second

// untilSignal returns a context that the first SIGTERM or SIGINT ends. A second one, later, ends the program at once.
func untilSignal(stderr io.Writer) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		first := time.Now()
		cancel()
		for time.Since(first) < oneStop {
			<-signals
		}
		_, _ = fmt.Fprintln(stderr, "receiver: stopped by a second signal; requests under way were cut off")
		os.Exit(exitFailure)
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}

func (f *flags) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: f.logLevel}
	if f.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
