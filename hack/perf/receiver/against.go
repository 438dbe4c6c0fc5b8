package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/load"
)

// Two builds take turns, often and shortly, so that both see the same of whatever else the machine does.
const (
	turns    = 25
	turn     = 2 * time.Second
	againstN = 256 // connections
)

// contender is a build under comparison, on a database of its own.
type contender struct {
	name  string
	bench *bench
	// sent is how many requests there were: turns go on where the former ended, and meet new clicks.
	sent int
	// each has the processor time per request of every turn.
	receiver, store []time.Duration
}

// measureAgainst compares this build with another by the processor time that a new conversion takes.
func measureAgainst(ctx context.Context, o options, program string, out io.Writer, dir string) (err error) {
	shared, err := startPostgres(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shared.Stop()) }()
	contenders := []*contender{{name: "this build"}, {name: "the other"}}
	for i, c := range contenders {
		s, err := shared.with(ctx, fmt.Sprintf("perf_%d", i))
		if err != nil {
			return err
		}
		c.bench = &bench{options: o, store: s, out: &report{w: out}}
		defer func() { err = errors.Join(err, c.bench.finish(ctx, err == nil)) }()
		if err := c.bench.start(ctx, []string{program, o.against}[i], dir, 1); err != nil {
			return err
		}
		if err := c.bench.addClicks(ctx, 0, o.clicks); err != nil {
			return err
		}
		if err := s.Settle(ctx); err != nil {
			return err
		}
	}
	for i := range 1 + turns {
		for _, c := range contenders {
			if err := c.take(ctx, i > 0); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	fmt.Fprintf(out, "| build | CPU µs each, receiver + store, median of %d turns | best |\n|---|---|---|\n", turns)
	for _, c := range contenders {
		fmt.Fprintf(out, "| %s | %.1f + %.1f | %.1f + %.1f |\n", c.name,
			median(c.receiver), median(c.store), micros(slices.Min(c.receiver)), micros(slices.Min(c.store)))
	}
	return nil
}

// take is one turn; the first is not counted.
func (c *contender) take(ctx context.Context, counts bool) error {
	before, err := c.bench.processorTime()
	if err != nil {
		return err
	}
	summary, err := c.bench.send(ctx, scenario{path: newConversion, outcome: recorded},
		load.Options{Connections: againstN, For: turn}, c.sent)
	if err != nil {
		return err
	}
	c.sent += len(summary.Latencies)
	after, err := c.bench.processorTime()
	if err != nil || !counts {
		return err
	}
	used, n := after.minus(before), time.Duration(len(summary.Latencies))
	c.receiver, c.store = append(c.receiver, used.receiver/n), append(c.store, used.store/n)
	return nil
}

func median(times []time.Duration) float64 {
	return micros(slices.Sorted(slices.Values(times))[len(times)/2])
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
