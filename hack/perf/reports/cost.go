package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/load"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// Statements that make a database take less of what a receiver writes, whose statements stay the same: none of what the
// sums are made of, and none of the order of the journal.
const (
	withoutSums    = "create rule discard as on insert to report_changes do instead nothing"
	withoutJournal = "drop index received_tx"
)

// measureCost compares what a postback takes of the processors with what it takes on databases that keep no sums, or
// neither sums nor a journal, alternately on three databases of one server.
func measureCost(ctx context.Context, o options, server *pgtest.Server, out *results) (err error) {
	const mostPercent = 4.0
	kinds := []struct {
		name    string
		without []string
	}{
		{"perf_whole", nil},
		{"perf_journal", []string{withoutSums}},
		{"perf_bare", []string{withoutSums, withoutJournal}},
	}
	benches := make([]*bench, len(kinds))
	for i, kind := range kinds {
		b, err := newDatabase(ctx, o, server, kind.name, out)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.close()) }()
		if err := b.prepareCost(ctx, kind.without); err != nil {
			return err
		}
		benches[i] = b
	}
	each := make([][]time.Duration, len(benches))
	for turn := range 1 + 2*o.rounds {
		for i, b := range benches {
			used, err := b.timeEach(ctx)
			if err != nil {
				return err
			}
			if turn > 0 { // The first turn warms up.
				each[i] = append(each[i], used)
			}
		}
	}
	whole, journal, bare := median(each[0]), median(each[1]), median(each[2])
	percent := func(with, without time.Duration) float64 { return 100 * (float64(with)/float64(without) - 1) }
	more := percent(journal, bare)
	out.add(row{
		store:    "PostgreSQL",
		what:     fmt.Sprintf("processor time of a postback, with and without journal, median of %d turns", len(each[0])),
		measured: fmt.Sprintf("%s and %s, %+.1f %%", inMicroseconds(journal), inMicroseconds(bare), more),
		goal:     fmt.Sprintf("at most %.0f %% more", mostPercent), met: more <= mostPercent,
	})
	out.add(row{
		store:    "PostgreSQL",
		what:     "the same with and without sums",
		measured: fmt.Sprintf("%s and %s, %+.1f %%", inMicroseconds(whole), inMicroseconds(journal), percent(whole, journal)),
		without:  true,
	})
	return nil
}

// prepareCost starts a receiver, which makes the tables, changes these, and fills in clicks.
func (b *bench) prepareCost(ctx context.Context, statements []string) error {
	if err := b.start(ctx); err != nil {
		return err
	}
	for _, sql := range statements {
		if err := b.server.Exec(ctx, b.database, sql); err != nil {
			return err
		}
	}
	if err := b.addVisits(ctx); err != nil {
		return err
	}
	return b.server.Exec(ctx, b.database, "vacuum analyze")
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
