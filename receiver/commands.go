package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
	"github.com/postback-dev/postback-operator/receiver/setup"
)

// A command works on an embedded store instead of serving. Its name is the program's first argument.
type command struct {
	usage string
	run   func(ctx context.Context, set *flag.FlagSet, args []string, stdout io.Writer) error
}

var commands = map[string]command{
	"backup":  {"receiver backup --store sqlite:///PATH --to FILE", backup},
	"check":   {"receiver check --store sqlite:///PATH", check},
	"restore": {"receiver restore --store sqlite:///PATH --from FILE", restore},
	"erase": {
		"receiver erase --store URL | --store-file FILE [--endpoint NAMESPACE/NAME] --subid SUBID | --ip ADDRESS | " +
			"--parameter NAME=VALUE", erase,
	},
	"migrate": {"receiver migrate --from URL | --from-file FILE --to URL | --to-file FILE", migrate},
	"reports": {"receiver reports rebuild --store URL | --store-file FILE [--endpoint NAMESPACE/NAME]", rebuildReports},
}

const commandsHelp = `
Commands for an embedded store:

  receiver backup --store sqlite:///PATH --to FILE     copy the store into a new file, while a receiver serves from it;
                                                       FILE - writes to the standard output
  receiver check --store sqlite:///PATH                read the whole store and say whether it is intact
  receiver restore --store sqlite:///PATH --from FILE  put a backup in the store's place; no receiver may have it open

Of any store:

  receiver erase --store URL --subid SUBID             erase addresses, user agents, queries, bodies and parameters of a
                                                       click. Instead of --subid: --ip ADDRESS, or --parameter
                                                       NAME=VALUE; for one endpoint alone: --endpoint NAMESPACE/NAME;
                                                       --note says why.
                                                       No receiver may have a SQLite store open: ask that one for the
                                                       operation
  receiver reports rebuild --store URL                 make the sums of reports again from the rows; for one endpoint:
                                                       --endpoint NAMESPACE/NAME. --store-file FILE reads a DSN
  receiver migrate --from URL --to URL                 copy everything into a new store of the other engine; no receiver
                                                       may have either open. --from-file and --to-file read a DSN

`

// errUsage marks an error of the command line.
var errUsage = errors.New("usage")

// runCommand returns the exit code of the command, as run does.
func runCommand(c command, args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("receiver", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	ctx, stop := untilSignal(stderr)
	defer stop()
	err := c.run(ctx, set, args, stdout)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stdout, commandsHelp)
		return 0
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintf(stderr, "receiver: %s (%s)\n", oneLine(err), c.usage)
		return exitUsage
	}
	_, _ = fmt.Fprintf(stderr, "receiver: %s\n", oneLine(err))
	return exitFailure
}

func backup(ctx context.Context, set *flag.FlagSet, args []string, stdout io.Writer) error {
	target := set.String("to", "", "")
	path, err := storePath(set, args)
	if err != nil {
		return err
	}
	switch *target {
	case "":
		return fmt.Errorf("%w: --to is missing", errUsage)
	case "-":
		return sqlite.BackupTo(ctx, path, stdout)
	}
	if err := sqlite.Backup(ctx, path, *target); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s holds everything that was recorded; it was checked\n", *target)
	return err
}

func check(ctx context.Context, set *flag.FlagSet, args []string, stdout io.Writer) error {
	path, err := storePath(set, args)
	if err != nil {
		return err
	}
	if err := sqlite.Check(ctx, path); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s is intact\n", path)
	return err
}

func restore(ctx context.Context, set *flag.FlagSet, args []string, stdout io.Writer) error {
	source := set.String("from", "", "")
	path, err := storePath(set, args)
	if err != nil {
		return err
	}
	if *source == "" {
		return fmt.Errorf("%w: --from is missing", errUsage)
	}
	replaced, err := sqlite.Restore(ctx, *source, path, time.Now())
	if err != nil {
		return err
	}
	if replaced != "" {
		_, _ = fmt.Fprintf(stdout, "The store that was there is now %s\n", replaced)
	}
	_, err = fmt.Fprintf(stdout, "%s is restored: start the receiver\n", path)
	return err
}

func erase(ctx context.Context, set *flag.FlagSet, args []string, stdout io.Writer) error {
	endpoint, subid := set.String("endpoint", "", ""), set.String("subid", "", "")
	address, parameter := set.String("ip", "", ""), set.String("parameter", "", "")
	note := set.String("note", "asked for by the command", "")
	options, err := anyStore(set, args)
	if err != nil {
		return err
	}
	what := ledger.Selection{Endpoint: *endpoint, SubID: *subid}
	what.Parameter, what.Value, _ = strings.Cut(*parameter, "=")
	if *address != "" {
		// The value is somebody's: it is not repeated.
		if what.IP, err = netip.ParseAddr(*address); err != nil {
			return fmt.Errorf("%w: --ip is no IP address", errUsage)
		}
		what.IP = what.IP.Unmap()
	}
	if _, err := what.By(); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	erased, err := setup.Erase(ctx, options, what, *note)
	switch {
	case err != nil:
		return err
	case erased == ledger.Erasure{}:
		_, err = fmt.Fprintln(stdout, "Nothing was found, and nothing was changed")
		return err
	}
	_, err = fmt.Fprintf(stdout, "Erased from %d clicks, %d versions of conversions, %d received postbacks, %d held "+
		"ones, %d S2S postbacks and %d lines of imports\n",
		erased.Clicks, erased.Conversions, erased.Received, erased.Held, erased.Outbox, erased.Operations)
	return err
}

// anyStore parses the command line and returns the store of either engine that it names.
func anyStore(set *flag.FlagSet, args []string) (setup.Options, error) {
	options := setup.Options{Logger: slog.New(slog.DiscardHandler)}
	set.StringVar(&options.Store, "store", os.Getenv(storeVariable), "")
	set.StringVar(&options.StoreFile, "store-file", "", "")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return options, err
		}
		return options, fmt.Errorf("%w: %w", errUsage, err)
	}
	if set.NArg() > 0 {
		return options, fmt.Errorf("%w: unexpected argument %.64q", errUsage, set.Arg(0))
	}
	if options.Store == "" && options.StoreFile == "" {
		return options, fmt.Errorf("%w: --store is missing, and so is $%s", errUsage, storeVariable)
	}
	return options, nil
}

// storePath parses the command line and returns the file of the embedded store that it names.
func storePath(set *flag.FlagSet, args []string) (string, error) {
	url := set.String("store", os.Getenv(storeVariable), "")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return "", err
		}
		return "", fmt.Errorf("%w: %w", errUsage, err)
	}
	path, embedded := strings.CutPrefix(*url, "sqlite://")
	switch {
	case set.NArg() > 0:
		return "", fmt.Errorf("%w: unexpected argument %.64q", errUsage, set.Arg(0))
	case *url == "":
		return "", fmt.Errorf("%w: --store is missing, and so is $%s", errUsage, storeVariable)
	case !embedded || !strings.HasPrefix(path, "/"):
		return "", fmt.Errorf("%w: the store must be sqlite:///absolute/path.db; PostgreSQL has its own tools, such "+
			"as pg_dump",
			errUsage)
	}
	return path, nil
}

// rebuildReports works on a store of either engine.
func rebuildReports(ctx context.Context, set *flag.FlagSet, args []string, stdout io.Writer) error {
	if len(args) == 0 || args[0] != "rebuild" {
		return fmt.Errorf("%w: reports are only rebuilt", errUsage)
	}
	endpoint := set.String("endpoint", "", "")
	options, err := anyStore(set, args[1:])
	if err != nil {
		return err
	}
	store, err := setup.OpenStore(ctx, options)
	if err != nil {
		return err
	}
	err = store.RebuildReports(ctx, *endpoint)
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, "The sums of reports are those of the clicks and conversions again")
	return err
}

// migrate copies a store of either engine into an empty one of the other.
func migrate(ctx context.Context, set *flag.FlagSet, args []string, stdout io.Writer) error {
	var from, to setup.StoreName
	set.StringVar(&from.URL, "from", "", "")
	set.StringVar(&from.DSNFile, "from-file", "", "")
	set.StringVar(&to.URL, "to", "", "")
	set.StringVar(&to.DSNFile, "to-file", "", "")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	switch {
	case set.NArg() > 0:
		return fmt.Errorf("%w: unexpected argument %.64q", errUsage, set.Arg(0))
	case from == setup.StoreName{}:
		return fmt.Errorf("%w: --from is missing", errUsage)
	case to == setup.StoreName{}:
		return fmt.Errorf("%w: --to is missing", errUsage)
	}
	copied, err := setup.MoveStore(ctx, from, to)
	if err != nil {
		return err
	}
	for _, c := range copied {
		_, _ = fmt.Fprintf(stdout, "%-18s %d\n", c.Table, c.Rows)
	}
	_, err = fmt.Fprintln(stdout, "Everything was copied, counted and summed up: start the receivers on the new store")
	return err
}
