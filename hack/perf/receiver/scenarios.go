package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/load"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// scenario is one kind of traffic. Scenarios run in order on one store.
type scenario struct {
	name        string
	receivers   int   // 0 = one; a scenario is left out where the store has fewer
	connections []int // nil = those of the options
	// prepare gives the paths of the requests that are sent before the measurement, untimed.
	prepare func(run, i, clicks int) string
	path    func(run, i, clicks int) string
	outcome string // of every answer: HTTP status and outcome
}

const (
	prepared = 20_000
	// warmUp goes before each measurement, pgbench's as well: the first change of a page after a checkpoint costs the
	// database a copy of the whole page, which is no lasting state.
	warmUp = 3 * time.Second
)

// recorded is the answer to a postback that changed something.
const recorded = "200 recorded"

var scenarios = []scenario{
	{name: newConversions, path: newConversion, outcome: recorded},
	{name: "identical repeat", connections: []int{256}, outcome: "200 duplicate", prepare: newConversion,
		path: func(run, i, clicks int) string { return newConversion(run, i%prepared, clicks) }},
	{name: "status change", connections: []int{256}, outcome: recorded, prepare: newConversion, path: statusChange},
	{name: "unknown subid", connections: []int{256}, outcome: "200 ignored", path: unknownSubID},
	{name: "one hot click", connections: []int{256}, outcome: recorded,
		path: func(run, i, _ int) string { return newConversion(run, i, 1) }},
	{name: "new conversion, two receivers", receivers: 2, connections: []int{256}, path: newConversion, outcome: recorded},
}

// newConversion spreads the requests over the clicks: 80 % over the newest tenth, the rest over all.
func newConversion(run, i, clicks int) string { return conversion(run, i, clicks, "lead") }

func conversion(run, i, clicks int, status string) string {
	click := int(scatter(i) % uint64(clicks))
	if scatter(i+1)%10 < 8 {
		click = clicks - 1 - click%max(clicks/10, 1)
	}
	return fmt.Sprintf("/%s/postback?subid=%s&status=%s&payout=12.50&tid=r%d-%d&sub_id_2=x", receivertest.Key,
		subID(click), status, run, i)
}

// statusChange turns the prepared conversions into sales, then into rejections, and so on. It does not take them in the
// order in which they were made: networks confirm leads hours later, in an order of their own.
func statusChange(run, i, clicks int) string {
	const stride = 7919 // has no divisor in common with prepared, so that each is changed once before any is changed again
	return conversion(run, i*stride%prepared, clicks, []string{"sale", "rejected", "lead"}[i/prepared%3])
}

func unknownSubID(_, i, _ int) string {
	return fmt.Sprintf("/%s/postback?subid=unknown-%d&status=sale&payout=12.50", receivertest.Key, i)
}

func subID(i int) string { return fmt.Sprintf("c%012x", i) }

// scatter is the finaliser of SplitMix64: a fixed, well-spread function of i.
func scatter(i int) uint64 {
	z := (uint64(i) + 1) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// tally counts what was acknowledged on one store.
type tally struct{ recorded, created, received int }

// bench is a store under measurement.
type bench struct {
	options
	store     store
	receivers []*receivertest.Process
	// run numbers the measurements, so that each has transaction ids of its own.
	run   int
	total tally
	out   *report
}

func measureStore(ctx context.Context, o options, s store, program, dir string, out *report) (err error) {
	b := &bench{options: o, store: s, out: out}
	defer func() { err = errors.Join(err, b.finish(ctx, err == nil)) }()
	if err := b.start(ctx, program, dir, s.Receivers()); err != nil {
		return err
	}
	if err := b.addClicks(ctx, 0, o.clicks); err != nil {
		return err
	}
	if o.baseline {
		if err := s.Baseline(ctx, o, dir, out); err != nil {
			return err
		}
	}
	for _, sc := range o.selected() {
		if err := b.measureScenario(ctx, sc); err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
	}
	if o.grow <= o.clicks {
		return nil
	}
	if err := b.addClicks(ctx, o.clicks, o.grow); err != nil {
		return err
	}
	b.clicks = o.grow
	return b.measure(ctx, scenario{name: fmt.Sprintf("%s, %d clicks", newConversions, o.grow), path: newConversion,
		outcome: recorded}, 256)
}

// start starts receivers on the bench's store, with a configuration in a directory of its own.
func (b *bench) start(ctx context.Context, program, dir string, receivers int) error {
	config, err := os.MkdirTemp(dir, "config-")
	if err != nil {
		return err
	}
	if err := receivertest.WriteConfig(config, receivertest.Fleet(), receivertest.Endpoint()); err != nil {
		return err
	}
	for range receivers {
		receiver, err := receivertest.Start(ctx, receivertest.Options{Program: program, Config: config, Store: b.store.URL()})
		if err != nil {
			return err
		}
		b.receivers = append(b.receivers, receiver)
	}
	return nil
}

// finish stops the receivers and, if all went well until then, verifies what they stored.
func (b *bench) finish(ctx context.Context, verify bool) (err error) {
	for _, r := range b.receivers {
		err = errors.Join(err, r.Stop())
	}
	if err == nil && verify {
		err = b.store.Verify(ctx, b.clicks, b.total, b.out)
	}
	return err
}

func (b *bench) addClicks(ctx context.Context, first, end int) error {
	start := time.Now()
	err := b.receivers[0].AddClicks(ctx, end-first, func(i int) string { return subID(first + i) })
	fmt.Fprintf(os.Stderr, "%s: %d clicks loaded in %s\n", b.store.Name(), end-first, time.Since(start).Round(time.Second))
	return err
}

func (b *bench) measureScenario(ctx context.Context, sc scenario) error {
	connections := sc.connections
	if connections == nil {
		connections = b.connections
	}
	for _, n := range connections {
		if err := b.measure(ctx, sc, n); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) measure(ctx context.Context, sc scenario, connections int) error {
	if sc.receivers > len(b.receivers) {
		return nil
	}
	b.run++
	if sc.prepare != nil {
		everyone := scenario{path: sc.prepare, outcome: recorded}
		if _, err := b.send(ctx, everyone, load.Options{Connections: 256, Requests: prepared}, 0); err != nil {
			return fmt.Errorf("preparing: %w", err)
		}
	}
	if err := b.store.Settle(ctx); err != nil {
		return err
	}
	warm, err := b.send(ctx, sc, load.Options{Connections: connections, For: warmUp}, 0)
	if err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	before, err := b.processorTime()
	if err != nil {
		return err
	}
	summary, err := b.send(ctx, sc, load.Options{Connections: connections, For: b.measureFor}, len(warm.Latencies))
	if err != nil {
		return err
	}
	after, err := b.processorTime()
	if err != nil {
		return err
	}
	memory, err := b.receivers[0].Memory()
	if err != nil {
		return err
	}
	row := rowOf(b.store.Name(), sc.name, connections, summary, after.minus(before))
	row.megabytes = memory / 1_000_000
	b.out.add(row)
	return nil
}

// send runs a scenario from its request first on, and counts the acknowledgements; any other answer than the one that
// the scenario is about is an error.
func (b *bench) send(ctx context.Context, sc scenario, o load.Options, first int) (*load.Summary, error) {
	o.Addr = b.receivers[0].Addr
	for _, r := range b.receivers[1:max(sc.receivers, 1)] {
		o.More = append(o.More, r.Addr)
	}
	o.Path = func(i int) string { return sc.path(b.run, first+i, b.clicks) }
	summary, err := load.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	n := summary.Outcomes[sc.outcome]
	if summary.Errors > 0 || len(summary.Outcomes) != 1 || n == 0 {
		return nil, fmt.Errorf("%d requests failed; answers: %v, expected only %q", summary.Errors, summary.Outcomes,
			sc.outcome)
	}
	b.total.received += n
	if sc.outcome == recorded {
		b.total.recorded += n
		if sc.prepare == nil {
			b.total.created += n
		}
	}
	return summary, nil
}

// cpu is processor time, of the receivers and of the store's own processes.
type cpu struct{ receiver, store time.Duration }

func (b *bench) processorTime() (t cpu, err error) {
	for _, r := range b.receivers {
		used, err := r.CPU()
		if err != nil {
			return t, err
		}
		t.receiver += used
	}
	t.store, err = b.store.CPU()
	return t, err
}

func (t cpu) minus(u cpu) cpu { return cpu{t.receiver - u.receiver, t.store - u.store} }
