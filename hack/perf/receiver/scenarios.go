package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/load"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// scenario is one kind of traffic. Scenarios run in order on one store; run numbers keep their transaction ids apart.
type scenario struct {
	name        string
	connections []int // nil = those of the options
	// prepare gives the paths of the requests that are sent before the measurement, untimed.
	prepare func(run int, i, clicks int) string
	path    func(run int, i, clicks int) string
	outcome string
}

const prepared = 20_000

var scenarios = []scenario{
	{name: "new conversion", path: newConversion, outcome: "200 recorded"},
	{name: "identical repeat", connections: []int{256}, outcome: "200 duplicate", prepare: newConversion,
		path: func(run, i, clicks int) string { return newConversion(run, i%prepared, clicks) }},
	{name: "status change", connections: []int{256}, outcome: "200 recorded", prepare: newConversion, path: statusChange},
	{name: "unknown subid", connections: []int{256}, outcome: "200 ignored", path: unknownSubID},
	{name: "one hot click", connections: []int{256}, outcome: "200 recorded",
		path: func(run, i, _ int) string { return newConversion(run, i, 1) }},
}

// newConversion spreads the requests over the clicks: 80 % over the newest tenth, the rest over all.
func newConversion(run, i, clicks int) string { return conversion(run, i, clicks, "lead") }

func conversion(run, i, clicks int, status string) string {
	click := int(scatter(i) % uint64(clicks))
	if scatter(i+1)%10 < 8 {
		click = clicks - 1 - click%max(clicks/10, 1)
	}
	return fmt.Sprintf("/%s/postback?subid=%s&status=%s&payout=12.50&tid=r%d-%d&sub_id_2=x", receivertest.Key, subID(click), status, run, i)
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

func measureStore(ctx context.Context, o options, s store, program, dir string, out io.Writer) error {
	config := filepath.Join(dir, "config-"+s.Name())
	if err := os.MkdirAll(config, 0o700); err != nil {
		return err
	}
	if err := receivertest.WriteConfig(config, receivertest.Fleet(), receivertest.Endpoint()); err != nil {
		return err
	}
	receiver, err := receivertest.Start(ctx, receivertest.Options{Program: program, Config: config, Store: s.URL()})
	if err != nil {
		return err
	}
	defer receiver.Kill()
	start := time.Now()
	if err := receiver.AddClicks(ctx, o.clicks, subID); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: %d clicks loaded in %s\n", s.Name(), o.clicks, time.Since(start).Round(time.Second))

	if err := s.Baseline(ctx, o, dir, out); err != nil {
		return err
	}
	var total tally
	run := 0
	for _, sc := range o.selected() {
		connections := sc.connections
		if connections == nil {
			connections = o.connections
		}
		for _, n := range connections {
			run++
			if err := measureScenario(ctx, o, sc, n, run, s, receiver, &total, out); err != nil {
				return err
			}
		}
	}
	if err := receiver.Stop(); err != nil {
		return err
	}
	return s.Verify(ctx, o.clicks, total)
}

func measureScenario(ctx context.Context, o options, sc scenario, connections, run int, s store,
	receiver *receivertest.Process, total *tally, out io.Writer) error {
	if sc.prepare != nil {
		summary, err := load.Run(ctx, load.Options{Addr: receiver.Addr, Connections: 256, Requests: prepared,
			Path: func(i int) string { return sc.prepare(run, i, o.clicks) }})
		if err != nil {
			return err
		}
		if err := total.add(summary, "200 recorded", true); err != nil {
			return fmt.Errorf("%s, preparing: %w", sc.name, err)
		}
	}
	if err := s.Settle(ctx); err != nil {
		return err
	}
	before, err := processorTime(receiver, s)
	if err != nil {
		return err
	}
	summary, err := load.Run(ctx, load.Options{Addr: receiver.Addr, Connections: connections, For: o.measureFor,
		Path: func(i int) string { return sc.path(run, i, o.clicks) }})
	if err != nil {
		return err
	}
	after, err := processorTime(receiver, s)
	if err != nil {
		return err
	}
	if err := total.add(summary, sc.outcome, sc.prepare == nil); err != nil {
		return fmt.Errorf("%s: %w", sc.name, err)
	}
	memory, err := receiver.Memory()
	if err != nil {
		return err
	}
	printRow(out, s.Name(), sc.name, connections, summary, after.minus(before), fmt.Sprint(memory>>20))
	return nil
}

// cpu is processor time, of the receiver and of the store's own processes.
type cpu struct{ receiver, store time.Duration }

func processorTime(receiver *receivertest.Process, s store) (t cpu, err error) {
	if t.receiver, err = receiver.CPU(); err == nil {
		t.store, err = s.CPU()
	}
	return t, err
}

func (t cpu) minus(u cpu) cpu { return cpu{t.receiver - u.receiver, t.store - u.store} }

// add counts a run's acknowledgements; any other answer than the one that the scenario is about is an error.
func (t *tally) add(s *load.Summary, outcome string, creates bool) error {
	if s.Errors > 0 || len(s.Outcomes) != 1 || s.Outcomes[outcome] == 0 {
		return fmt.Errorf("%d requests failed; answers: %v, expected only %q", s.Errors, s.Outcomes, outcome)
	}
	n := s.Outcomes[outcome]
	t.received += n
	if outcome == "200 recorded" {
		t.recorded += n
		if creates {
			t.created += n
		}
	}
	return nil
}
