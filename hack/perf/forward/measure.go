package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/forward"
	"github.com/postback-dev/postback-operator/receiver/forward/rule"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/queue"
)

const batch = 64 // rows in one transaction

// rules are the declared ones, by name.
type rules map[string]*rule.Rule

func (r rules) declare(name, address string) error {
	compiled, err := rule.Compile(config.Forward{
		Name: name, Method: http.MethodGet,
		URL: "http://" + address + "/pb?click={external_id}&event={status: lead=install sale=bill}&value={payout}&n={subid}",
	})
	r[name] = compiled
	return err
}

// start runs a worker on each store until stop is called. wake tells the first one of new rows, as the ledger does.
func (r rules) start(stores []ledger.Store) (wake func(hosts []string), stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for i, store := range stores {
		w := forward.New(forward.Options{
			Options: queue.Options{
				Store:  store,
				Grace:  time.Second,
				Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
			},
			Rule:         func(_, name string) *rule.Rule { return r[name] },
			AllowPrivate: func() bool { return true },
		})
		if i == 0 {
			wake = w.Notify
		}
		running.Go(func() { w.Run(ctx) })
	}
	return wake, func() { cancel(); running.Wait() }
}

// row reports version v of the conversion with the subid.
func (r rules) row(name, subid string, v int, now time.Time) ledger.Forward {
	payout := decimal.NewFromInt(12)
	return ledger.Forward{
		ID: uuid.Must(uuid.NewV7()), Rule: name, Host: r[name].Host, Due: now,
		Conversion: &conversion.Conversion{
			ID: uuid.New(), Endpoint: "default/shop", SubID: subid, Type: "lead", Version: v, EndpointCurrency: "USD",
			Payout: money.Amount{Original: payout, Currency: "USD", Converted: &payout}, ConversionTime: now, CreatedAt: now,
			UpdatedAt: now,
		},
		Click: &conversion.Click{Endpoint: "default/shop", SubID: subid, Time: now,
			Params: conversion.Params{{Name: "external_id", Value: subid}}},
	}
}

func write(ctx context.Context, store ledger.Store, rows []ledger.Forward) error {
	for part := range slices.Chunk(rows, batch) {
		err := store.Transact(ctx, ledger.Want{},
			func(*ledger.Book) *ledger.Changes { return &ledger.Changes{Forwards: part} })
		if err != nil {
			return err
		}
	}
	return nil
}

// throughput delivers everything to one host, and fails unless each row came once and is marked.
func throughput(ctx context.Context, o options, name string, stores []ledger.Store) error {
	var got atomic.Int64
	address, shut, err := listen(ctx, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) {
		time.Sleep(o.latency)
		got.Add(1)
	})
	if err != nil {
		return err
	}
	defer shut()
	r, now := rules{}, time.Now()
	if err := r.declare("fast", address); err != nil {
		return err
	}
	rows := make([]ledger.Forward, o.rows)
	for n := range rows {
		rows[n] = r.row("fast", "c"+strconv.Itoa(n%o.conversions), n/o.conversions+1, now)
	}
	began := time.Now()
	if err := write(ctx, stores[0], rows); err != nil {
		return err
	}
	written := time.Since(began)

	before, began := cpu(), time.Now()
	_, stop := r.start(stores)
	err = waitEmpty(ctx, stores[0], func() bool { return int(got.Load()) >= o.rows })
	took, used := time.Since(began), cpu()-before
	stop()
	if err == nil && int(got.Load()) != o.rows {
		err = fmt.Errorf("%s: %d requests for %d postbacks", name, got.Load(), o.rows)
	}
	fmt.Printf("| %s | %d | %d | %.0f | %.0f | %d |\n", name, len(stores), o.rows,
		float64(o.rows)/written.Seconds(), float64(o.rows)/took.Seconds(), used.Microseconds()/int64(o.rows))
	return err
}

// waitEmpty returns when nothing waits any more. Counting costs something, and does not begin before sent says so.
func waitEmpty(ctx context.Context, store ledger.Store, sent func() bool) error {
	deadline := time.Now().Add(5 * time.Minute)
	for !sent() && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	for ; ; time.Sleep(20 * time.Millisecond) {
		counts, err := store.CountForwards(ctx, time.Now())
		switch {
		case err != nil:
			return err
		case counts.Failed > 0:
			return fmt.Errorf("%d postbacks have failed", counts.Failed)
		case counts.Waiting == 0:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("%d postbacks wait after five minutes", counts.Waiting)
		}
	}
}

const (
	hosts  = 100
	rounds = 50
	pace   = 100 * time.Millisecond
)

// fairness writes a postback for each host ten times a second, and measures how long it takes to arrive. A dead host
// takes connections, never answers, and has 5,000 postbacks waiting from the start.
func fairness(ctx context.Context, name string, store ledger.Store, dead int) error {
	var mu sync.Mutex
	var delays []time.Duration
	due := map[string]time.Time{}
	r := rules{}
	arrived := func(_ http.ResponseWriter, request *http.Request) {
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		delays = append(delays, now.Sub(due[request.FormValue("n")]))
	}
	for h := range hosts {
		handler := arrived
		if h < dead {
			handler = func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() }
		}
		address, shut, err := listen(ctx, fmt.Sprintf("127.0.1.%d:0", h+1), handler)
		if err != nil {
			return err
		}
		defer shut()
		if err := r.declare(strconv.Itoa(h), address); err != nil {
			return err
		}
	}
	var backlog []ledger.Forward
	for n := range dead * 5000 {
		backlog = append(backlog, r.row("0", "dead"+strconv.Itoa(n), 1, time.Now()))
	}
	if err := write(ctx, store, backlog); err != nil {
		return err
	}
	wake, stop := r.start([]ledger.Store{store})
	defer stop()
	for round := range rounds {
		now := time.Now()
		var rows []ledger.Forward
		var names []string
		mu.Lock()
		for h := range hosts {
			subid := fmt.Sprintf("h%d-%d", h, round)
			due[subid] = now
			rows = append(rows, r.row(strconv.Itoa(h), subid, 1, now))
			names = append(names, rows[h].Host)
		}
		mu.Unlock()
		if err := write(ctx, store, rows); err != nil {
			return err
		}
		wake(names)
		time.Sleep(time.Until(now.Add(pace)))
	}
	want := (hosts - dead) * rounds
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		mu.Lock()
		n := len(delays)
		mu.Unlock()
		if n >= want {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: %d of %d postbacks arrived", name, n, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(delays)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Printf("| %s | %d | %d | %d | %.1f | %.1f | %.1f |\n", name, hosts, dead, len(delays),
		ms(delays[len(delays)/2]), ms(delays[len(delays)*99/100]), ms(delays[len(delays)-1]))
	return nil
}

func listen(ctx context.Context, address string, handler http.HandlerFunc) (at string, shut func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), func() { _ = server.Close() }, nil
}
