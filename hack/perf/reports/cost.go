package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/load"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// withoutReports makes a database take neither what the sums are made of nor the order of the journal: the statements
// of the receiver stay the same, and write nothing.
var withoutReports = []string{
	"create rule discard as on insert to report_changes do instead nothing",
	"drop index received_tx",
}

// measureCost compares what a postback takes of the processors with what it takes on a database that keeps no sums and
// no journal, alternately on two databases of one server.
func measureCost(ctx context.Context, o options, server *pgtest.Server, out *results) (err error) {
	const mostPercent = 4.0
	whole, err := newDatabase(ctx, o, server, "perf_whole", out)
	if err != nil {
		return err
	}
	bare, err := newDatabase(ctx, o, server, "perf_bare", out)
	if err != nil {
		return err
	}
	benches := []*bench{whole, bare}
	defer func() { err = errors.Join(err, whole.close(), bare.close()) }()
	for _, b := range benches {
		if err := b.start(ctx); err != nil {
			return err
		}
		if b == bare {
			for _, sql := range withoutReports {
				if err := server.Exec(ctx, b.database, sql); err != nil {
					return err
				}
			}
		}
		if err := b.addVisits(ctx); err != nil {
			return err
		}
		if err := server.Exec(ctx, b.database, "vacuum analyze"); err != nil {
			return err
		}
	}
	each := map[*bench][]time.Duration{}
	for i := range 1 + 2*o.rounds {
		for _, b := range benches {
			used, err := b.timeEach(ctx)
			if err != nil {
				return err
			}
			if i > 0 { // The first turn warms up.
				each[b] = append(each[b], used)
			}
		}
	}
	with, without := median(each[whole]), median(each[bare])
	more := 100 * (float64(with)/float64(without) - 1)
	out.add(row{
		store: "PostgreSQL",
		what: fmt.Sprintf("processor time of a postback, with and without journal and sums, median of %d "+
			"turns (least %s and %s)", len(each[whole]), inMicroseconds(slices.Min(each[whole])),
			inMicroseconds(slices.Min(each[bare]))),
		measured: fmt.Sprintf("%s and %s, %+.1f %%", inMicroseconds(with), inMicroseconds(without), more),
		goal:     fmt.Sprintf("at most %.0f %% more", mostPercent), met: more <= mostPercent,
	})
	return nil
}

// timeEach is a turn: the processor time of a postback, of the receiver and the database, without the one who sends.
func (b *bench) timeEach(ctx context.Context) (time.Duration, error) {
	before, err := b.processorTime()
	if err != nil {
		return 0, err
	}
	summary, err := b.send(ctx, load.Options{Connections: fastest, For: b.measureFor})
	if err != nil {
		return 0, err
	}
	after, err := b.processorTime()
	return (after - before) / time.Duration(len(summary.Latencies)), err
}
