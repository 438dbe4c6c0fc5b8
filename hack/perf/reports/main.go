// Command reports measures what reports cost: how long they take over many conversions, how fast sums are kept and made
// again, what they do to postbacks meanwhile, and what an export takes of the receiver's memory. Everything is read
// through the API of real receivers, on a PostgreSQL of its own and on the embedded store. Stores are filled by the
// ledger's own batches. The load generator, the receivers and the database share the processors.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/load"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

type options struct {
	conversions, embedded int
	exported              int
	measureFor            time.Duration
	rate                  float64
	rounds                int
	only                  string
	program, dir          string
}

func main() {
	var o options
	short := flag.Bool("short", false, "a tenth of the conversions and shorter turns: whether the measurement works")
	flag.IntVar(&o.conversions, "conversions", 10_000_000, "`number` of conversions on PostgreSQL")
	flag.IntVar(&o.embedded, "sqlite", 1_000_000, "`number` of conversions on the embedded store")
	flag.IntVar(&o.exported, "export", 1_000_000, "`number` of rows of the export, about")
	flag.DurationVar(&o.measureFor, "for", 10*time.Second, "`duration` of each turn with postbacks")
	flag.Float64Var(&o.rate, "rate", 1000, "postbacks a second while reports are made")
	flag.IntVar(&o.rounds, "rounds", 5, "`number` of turns of what is compared alternately")
	flag.StringVar(&o.only, "only", "", "comma-separated `parts`, all without it: "+strings.Join(partNames(), ", "))
	flag.Parse()
	if *short {
		o.conversions, o.embedded, o.exported = 1_000_000, 100_000, 500_000
		o.measureFor, o.rounds = 4*time.Second, 2
	}
	if err := o.check(); err != nil {
		fmt.Fprintln(os.Stderr, "reports:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "reports:", err)
		os.Exit(1)
	}
}

// part is one piece of the measurement. Those of one store run in their order, on the store as the former left it.
type part struct {
	name string
	run  func(context.Context, *bench) error
}

// onPostgres need the conversions that are filled in; cost has databases of its own.
var onPostgres = []part{
	{"rebuild", measureRebuild},
	{"reports", measureReports},
	{"export", measureExport},
	{"fold", measureFold},
	{"load", measureLoad},
}

const (
	partCost   = "cost"
	partSQLite = "sqlite"
)

func partNames() []string {
	var names []string
	for _, p := range onPostgres {
		names = append(names, p.name)
	}
	return append(names, partCost, partSQLite)
}

func (o options) wants(part string) bool {
	return o.only == "" || strings.Contains(","+o.only+",", ","+part+",")
}

func (o options) check() error {
	for name := range strings.SplitSeq(o.only, ",") {
		if name != "" && !strings.Contains(","+strings.Join(partNames(), ",")+",", ","+name+",") {
			return fmt.Errorf("-only %q: the parts are %s", name, strings.Join(partNames(), ", "))
		}
	}
	if o.conversions < 1000 || o.embedded < 1000 || o.exported < 1000 || o.rounds < 1 || o.rate <= 0 {
		return errors.New("-conversions, -sqlite and -export need at least 1000, -rounds and -rate more than nothing")
	}
	return nil
}

func measure(ctx context.Context, o options, w io.Writer) (err error) {
	if o.dir, err = os.MkdirTemp("", "perf-reports-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	if o.program, err = receivertest.Build(ctx, o.dir); err != nil {
		return err
	}
	out := newResults(w)
	if o.wantsAnyOf(onPostgres) || o.wants(partCost) {
		if err := measurePostgres(ctx, o, out); err != nil {
			return fmt.Errorf("PostgreSQL: %w", err)
		}
	}
	if o.wants(partSQLite) {
		if err := measureSQLite(ctx, o, out); err != nil {
			return fmt.Errorf("SQLite: %w", err)
		}
	}
	return nil
}

func measurePostgres(ctx context.Context, o options, out *results) (err error) {
	server, err := pgtest.New(ctx, map[string]string{
		"shared_buffers":     "4GB",
		"max_wal_size":       "16GB",
		"checkpoint_timeout": "30min",
		"max_connections":    "100",
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if o.wantsAnyOf(onPostgres) {
		if err := measureFilled(ctx, o, server, out); err != nil {
			return err
		}
	}
	if !o.wants(partCost) {
		return nil
	}
	return measureCost(ctx, o, server, out)
}

func (o options) wantsAnyOf(parts []part) bool {
	for _, p := range parts {
		if o.wants(p.name) {
			return true
		}
	}
	return false
}

// measureFilled runs the parts on a database with all conversions.
func measureFilled(ctx context.Context, o options, server *pgtest.Server, out *results) (err error) {
	b, err := newDatabase(ctx, o, server, "perf", out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	b.world = world{conversions: o.conversions, endpoints: 50, until: time.Now().UTC().Truncate(time.Hour)}
	if err := b.fill(ctx, 2); err != nil {
		return err
	}
	if err := server.Exec(ctx, b.database, "vacuum analyze"); err != nil {
		return err
	}
	for _, p := range onPostgres {
		// Without the sums there is nothing to report.
		if p.name != "rebuild" && !o.wants(p.name) {
			continue
		}
		if err := p.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// measureSQLite has fewer endpoints, as a store of one file does.
func measureSQLite(ctx context.Context, o options, out *results) (err error) {
	b := &bench{options: o, out: out, name: "SQLite", url: "sqlite://" + filepath.Join(o.dir, "postback.db")}
	defer func() { err = errors.Join(err, b.close()) }()
	b.world = world{conversions: o.embedded, endpoints: 5, until: time.Now().UTC().Truncate(time.Hour)}
	if err := b.fill(ctx, 1); err != nil {
		return err
	}
	if err := measureRebuild(ctx, b); err != nil {
		return err
	}
	return measureReportsOfFile(ctx, b)
}

// send runs postbacks that are all to be recorded.
func send(ctx context.Context, o load.Options) (*load.Summary, error) {
	summary, err := load.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	if n := summary.Outcomes["200 recorded"]; n == 0 || summary.Errors > 0 || n != len(summary.Latencies) {
		return nil, fmt.Errorf("%d requests failed; answers: %v", summary.Errors, summary.Outcomes)
	}
	return summary, nil
}
