package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/setup"
)

// storeVariable is the environment variable for --store: a store's URL may hold a password, and every process can read
// the arguments of every other.
const storeVariable = "POSTBACK_STORE"

const intro = `The receiver answers postbacks of one fleet's endpoints and records their conversions.

  receiver --config DIR --store sqlite:///var/lib/postback/store.db

It stops on SIGTERM or SIGINT: not ready from then on, it serves for the drain period, finishes what is under way, and
exits with 0. Exit codes: 1 = it could not start or go on, 2 = a flag is wrong.

`

// flags are the command line.
type flags struct {
	set         *flag.FlagSet
	options     setup.Options
	logFormat   string
	logLevel    slog.Level
	spoolSize   byteSize
	reserve     byteSize
	showVersion bool
}

// parseFlags reads the command line; flag.ErrHelp asks for [flags.help].
func parseFlags(args []string, getenv func(string) string) (*flags, error) {
	f := &flags{set: flag.NewFlagSet("receiver", flag.ContinueOnError)}
	f.set.SetOutput(io.Discard)
	f.set.Usage = func() {}
	f.declare()
	f.declareStore()
	if err := f.set.Parse(args); err != nil {
		return f, err
	}
	if f.options.Store == "" && f.options.StoreFile == "" {
		f.options.Store = getenv(storeVariable)
	}
	if f.showVersion {
		return f, nil
	}
	f.options.Spool.MaxBytes, f.options.FreeSpaceReserve = int64(f.spoolSize), int64(f.reserve)
	return f, errors.Join(f.check(), f.checkLimits(), f.checkStore())
}

func (f *flags) declare() {
	o, set := &f.options, f.set
	set.StringVar(&o.Config, "config", "", "`DIR` fleet's configuration documents, followed while running (mandatory)")
	set.StringVar(&o.Listen, "listen", ":8080", "`HOST:PORT` port for postbacks and clicks")
	set.StringVar(&o.OpsListen, "ops-listen", ":8081", "`HOST:PORT` port for health, metrics and the read API")
	set.BoolVar(&o.Console, "console", false, "serve web pages over what was recorded on the ops port, on loopback only")
	set.StringVar(&o.ConsoleViews, "console-views", "", "file in which the console keeps the pages that people have named")
	set.StringVar(&o.OpsTokenFile, "ops-token-file", "",
		"`FILE` bearer token of the read API; without one the API answers on loopback only")
	set.StringVar(&o.AdminListen, "admin-listen", "",
		"`HOST:PORT` port for the subset of Keitaro's Admin API; off without one")
	set.StringVar(&o.AdminKeyFile, "admin-key-file", "",
		"`FILE` key of that API, at least 24 characters; read again for every request")
	set.StringVar(&o.AdminCostKeyFile, "admin-cost-key-file", "",
		"`FILE` another key of that API, which may also update the costs of clicks")
	set.StringVar(&o.TLSCertFile, "tls-cert-file", "",
		"`FILE` PEM certificate that turns on TLS for --listen; read again when it changes")
	set.StringVar(&o.TLSKeyFile, "tls-key-file", "", "`FILE` PEM key of the certificate")
	set.DurationVar(&o.Hold, "hold", 20*time.Second,
		"`DURATION` time a request may wait for the store before it is answered 503; set it below the proxy's timeout")
	set.DurationVar(&o.Drain, "drain", 5*time.Second,
		"`DURATION` time to serve on after SIGTERM, while load balancers find out")
	set.DurationVar(&o.KeepReceived, "retention-received", 90*24*time.Hour,
		"`DURATION` time for which the log of received postbacks is kept; 0 = forever")
	set.DurationVar(&o.KeepHistory, "retention-history", 0,
		"`DURATION` time for which former versions of conversions are kept; 0 = forever")
	set.DurationVar(&o.KeepClicks, "retention-clicks", 0,
		"`DURATION` time for which clicks are kept that have no conversion, at least the longest clickLookback of the "+
			"endpoints; 0 = forever")
	set.DurationVar(&o.KeepForwards, "retention-forwards", 30*24*time.Hour,
		"`DURATION` time for which S2S postbacks are kept after they were delivered or given up; 0 = forever")
	set.IntVar(&o.ForwardConnections, "forward-host-connections", 64,
		"`NUMBER` S2S postbacks under way to one host at most")
	set.Float64Var(&o.ForwardRate, "forward-host-rate", 0,
		"`NUMBER` S2S postbacks sent to one host in a second at most, by this receiver; 0 = no limit")
	set.IntVar(&o.MaxConnections, "max-connections", 0,
		"`NUMBER` connections to --listen that are open at a time, the longest idle one is closed for another; 0 = as "+
			"many as fit into memory and open files")
	set.IntVar(&o.MaxPerSource, "max-connections-per-source", 0,
		"`NUMBER` of these from one address that is no trusted proxy; 0 = a quarter")
	set.IntVar(&o.MaxRequests, "max-requests", 0,
		"`NUMBER` requests to --listen in flight at a time, further ones are answered 503; 0 = as many as fit into memory")
	set.BoolVar(&o.H2C, "h2c", false, "speak HTTP/2 without TLS as well")
	set.StringVar(&f.logFormat, "log-format", "text", "`FORMAT` log on stderr: text or json")
	set.TextVar(&f.logLevel, "log-level", slog.LevelInfo, "`LEVEL` least level that is logged: debug, info, warn or error")
	set.BoolVar(&f.showVersion, "version", false, "print the version and exit")
}

// declareStore declares the flags of the store and of the spool that replaces it while it is away.
func (f *flags) declareStore() {
	o, set := &f.options, f.set
	set.StringVar(&o.Store, "store", "", "`URL` sqlite:///absolute/path.db or postgres://user:password@host/database; "+
		"better given in $"+storeVariable+" (mandatory, or --store-file)")
	set.StringVar(&o.StoreFile, "store-file", "",
		"`FILE` file with the DSN of a PostgreSQL database, in place of --store; read again for every connection")
	set.IntVar(&o.Database.MaxConnections, "store-max-connections", 8,
		"`NUMBER` connections to the database at most, at least 2")
	set.DurationVar(&o.Database.StatementTimeout, "store-statement-timeout", 5*time.Second,
		"`DURATION` time that the database may take for a statement")
	set.DurationVar(&o.Database.LockTimeout, "store-lock-timeout", 3*time.Second,
		"`DURATION` time that a statement may wait for a lock")
	set.BoolVar(&o.Database.CheckOnly, "store-check-only", false,
		"refuse a database whose schema is not up to date instead of migrating it")
	set.BoolVar(&o.Database.GroupByBucket, "store-group-by-bucket", false,
		"send one statement per bucket, which Citus needs")
	set.BoolVar(&o.RequireSynchronous, "require-synchronous", false,
		"be ready only while the database's commits wait for a standby")
	set.StringVar(&o.Spool.Dir, "spool-dir", "",
		"`DIR` durable directory of this receiver alone, where postbacks wait while the store is away; without one they "+
			"get a 503 after --hold")
	set.TextVar(&f.spoolSize, "spool-size", byteSize(1<<30),
		"`SIZE` bytes that may wait there, also in KiB, MiB or GiB; the files may take twice as much")
	set.TextVar(&f.reserve, "free-space-reserve", byteSize(0),
		"`SIZE` free bytes of the volume of a SQLite store or of the spool below which clicks are not recorded; below "+
			"half of it the log of received postbacks is cut short, below a quarter postbacks are refused; 0 = a twentieth of "+
			"the volume, at most 256MiB")
	set.DurationVar(&o.Spool.Patience, "patience", time.Second,
		"`DURATION` time that the store may fail before postbacks are spooled")
}

func (f *flags) check() error {
	o := &f.options
	switch {
	case f.set.NArg() > 0:
		return fmt.Errorf("unexpected argument %.64q", f.set.Arg(0))
	case o.Config == "":
		return errors.New("--config is missing")
	case o.Store == "" && o.StoreFile == "":
		return errors.New("--store is missing, and so are --store-file and $" + storeVariable)
	case o.Listen == "" || o.OpsListen == "":
		return errors.New("--listen and --ops-listen need HOST:PORT")
	case (o.AdminListen == "") != (o.AdminKeyFile == ""):
		return errors.New("--admin-listen and --admin-key-file go together")
	case o.AdminCostKeyFile != "" && o.AdminListen == "":
		return errors.New("--admin-cost-key-file is for --admin-listen")
	case (o.TLSCertFile == "") != (o.TLSKeyFile == ""):
		return errors.New("--tls-cert-file and --tls-key-file go together")
	case o.Hold <= 0:
		return errors.New("--hold must be above 0")
	case f.logFormat != "text" && f.logFormat != "json":
		return errors.New("--log-format must be text or json")
	}
	return nil
}

func (f *flags) checkLimits() error {
	o := &f.options
	switch {
	case o.Drain < 0 || o.KeepReceived < 0 || o.KeepHistory < 0 || o.KeepForwards < 0 || o.KeepClicks < 0:
		return errors.New("--drain and the --retention- flags must not be negative")
	case o.MaxConnections < 0 || o.MaxPerSource < 0 || o.MaxRequests < 0:
		return errors.New("--max-connections, --max-connections-per-source and --max-requests must not be negative")
	case o.ForwardConnections < 1 || o.ForwardRate < 0:
		return errors.New("--forward-host-connections must be at least 1, and --forward-host-rate not negative")
	}
	return nil
}

func (f *flags) checkStore() error {
	o := &f.options
	switch {
	case o.Store != "" && o.StoreFile != "":
		return errors.New("--store and --store-file exclude each other")
	case o.Database.MaxConnections < 2:
		return errors.New("--store-max-connections must be at least 2")
	case o.Database.StatementTimeout <= 0 || o.Database.LockTimeout <= 0:
		return errors.New("--store-statement-timeout and --store-lock-timeout must be above 0")
	case o.Spool.MaxBytes <= 0:
		return errors.New("--spool-size must be above 0")
	case o.Spool.Patience <= 0 || o.Spool.Dir != "" && o.Spool.Patience >= o.Hold:
		return errors.New("--patience must be above 0 and below --hold")
	}
	return nil
}

// help describes every flag, the word for its value first in its usage, and its default. The store has none: the
// environment's must not be shown.
func (f *flags) help() string {
	text := strings.Builder{}
	text.WriteString(intro)
	f.set.VisitAll(func(one *flag.Flag) {
		value, usage := flag.UnquoteUsage(one)
		fmt.Fprintf(&text, "  %s\n        %s", strings.TrimSpace("--"+one.Name+" "+value),
			strings.TrimPrefix(usage, value+" "))
		if one.DefValue != "" && one.DefValue != "false" {
			fmt.Fprintf(&text, " (default %s)", one.DefValue)
		}
		text.WriteByte('\n')
	})
	text.WriteString(commandsHelp)
	return text.String()
}
