package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
	"github.com/postback-dev/postback-operator/receiver/setup"
)

// bench is a store under measurement with the receiver that works on it.
type bench struct {
	options
	out       *results
	name, url string
	// server and database are PostgreSQL's; nil and empty for the embedded store.
	server   *pgtest.Server
	database string
	world    world
	receiver *receivertest.Process // or nil
	// visits are the clicks for postbacks, turns how many times these were sent.
	visits, turns int
	// rebuilt is how many conversions a second a rebuild has added up.
	rebuilt float64
}

// newDatabase makes a bench of a new database.
func newDatabase(ctx context.Context, o options, server *pgtest.Server, name string, out *results) (*bench, error) {
	b := &bench{options: o, out: out, name: "PostgreSQL", server: server, database: name, url: server.DSN(name)}
	b.world = world{endpoints: 1}
	return b, server.Exec(ctx, "postgres", "create database "+name)
}

// open opens the store for the tool itself.
func (b *bench) open(ctx context.Context) (ledger.Store, error) {
	return setup.OpenStore(ctx, setup.Options{Store: b.url})
}

// start starts a receiver, unless there is one.
func (b *bench) start(ctx context.Context) error {
	if b.receiver != nil {
		return nil
	}
	dir, err := os.MkdirTemp(b.dir, "config-")
	if err != nil {
		return err
	}
	if err := receivertest.WriteConfig(dir, receivertest.Fleet(), b.world.declared()...); err != nil {
		return err
	}
	b.receiver, err = receivertest.Start(ctx, receivertest.Options{Program: b.program, Config: dir, Store: b.url})
	return err
}

// declared are the endpoints of a world. The first has the keys of postbacks and clicks.
func (w world) declared() []config.Endpoint {
	all := make([]config.Endpoint, w.endpoints)
	for n := range all {
		e := receivertest.Endpoint()
		e.Namespace, e.Name, _ = strings.Cut(endpointName(n), "/")
		if n > 0 {
			e.Keys[0].SHA256 = config.Digest(fmt.Sprintf("%s-%d", receivertest.Key, n))
			e.ClickTokens[0].SHA256 = config.Digest(fmt.Sprintf("%s-%d", receivertest.ClickToken, n))
		}
		all[n] = e
	}
	return all
}

// stop ends the receiver, so that the next one begins with nothing in memory.
func (b *bench) stop() error {
	if b.receiver == nil {
		return nil
	}
	stopped := b.receiver
	b.receiver = nil
	return stopped.Stop()
}

// close ends the receiver, and says what it printed if it does not end well.
func (b *bench) close() error { return b.stop() }

// addVisits makes clicks for postbacks to come.
func (b *bench) addVisits(ctx context.Context) error {
	const visits = 100_000
	if b.visits > 0 {
		return nil
	}
	err := b.receiver.AddClicks(ctx, visits, func(i int) string { return fmt.Sprintf("v%x", i) })
	b.visits = visits
	return err
}

// newConversion is the target of a postback that makes a conversion which is not there yet.
func (b *bench) newConversion(i int) string {
	return fmt.Sprintf("/%s/postback?subid=v%x&status=lead&payout=12.50&tid=n%d-%d&sub_id_2=x", receivertest.Key,
		i*7919%b.visits, b.turns, i)
}

// processorTime is that of the receiver and the database.
func (b *bench) processorTime() (time.Duration, error) {
	receiver, err := b.receiver.CPU()
	if err != nil {
		return 0, err
	}
	store, err := b.server.CPU()
	return receiver + store, err
}

// holdFolding keeps receivers from adding to the sums until the function is called that it returns.
func holdFolding(ctx context.Context, store ledger.Store) (release func() error, err error) {
	const lease, holder, wait = "reports", "perf", time.Minute
	for start := time.Now(); ; {
		now := time.Now()
		held, err := store.Lease(ctx, lease, holder, now, now.Add(ledger.LeaseSlack/2))
		switch {
		case err != nil:
			return nil, err
		case held:
			return func() error {
				now := time.Now()
				_, err := store.Lease(ctx, lease, holder, now, now)
				return err
			}, nil
		case time.Since(start) > wait:
			return nil, errors.New("a receiver does not let go of its lease for adding to the sums")
		}
		time.Sleep(500 * time.Millisecond)
	}
}
