// Command forward measures the delivery of S2S postbacks: how many a second a receiver's worker delivers to one fast
// host, and what one dead host among a hundred costs the others. The worker, the traffic source and, beside them, the
// database share the machine's cores. Everything listens on loopback.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
)

type options struct {
	rows, conversions int
	latency           time.Duration
	stores            string
}

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 30_000, "postbacks to deliver to one fast host")
	flag.IntVar(&o.conversions, "conversions", 10_000, "conversions that they belong to")
	flag.DurationVar(&o.latency, "latency", 0, "time that the fast host takes to answer")
	flag.StringVar(&o.stores, "stores", "sqlite,postgres", "stores to measure")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, o options) error {
	fmt.Printf("load average before: %s\n\n", loadAverage())
	fmt.Println("| store | receivers | postbacks | written per second | delivered per second | CPU µs each, receiver " +
		"and source |")
	fmt.Println("|---|---|---|---|---|---|")
	for name := range strings.SplitSeq(o.stores, ",") {
		for _, receivers := range map[string][]int{"sqlite": {1}, "postgres": {1, 2}}[name] {
			if err := withStores(ctx, name, receivers, func(stores []ledger.Store) error {
				return throughput(ctx, o, name, stores)
			}); err != nil {
				return err
			}
		}
	}
	fmt.Println("\n| store | hosts | of them dead | postbacks to the others | delay p50 ms | p99 ms | most ms |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for name := range strings.SplitSeq(o.stores, ",") {
		for _, dead := range []int{0, 1} {
			if err := withStores(ctx, name, 1, func(stores []ledger.Store) error {
				return fairness(ctx, name, stores[0], dead)
			}); err != nil {
				return err
			}
		}
	}
	fmt.Printf("\nload average after: %s\n", loadAverage())
	return nil
}

// withStores opens an empty store, as many times as there are receivers.
func withStores(ctx context.Context, name string, receivers int, work func([]ledger.Store) error) error {
	open, remove, err := place(ctx, name)
	if err != nil {
		return err
	}
	defer remove()
	var stores []ledger.Store
	defer func() {
		for _, store := range stores {
			_ = store.Close()
		}
	}()
	for range receivers {
		store, err := open()
		if err != nil {
			return err
		}
		stores = append(stores, store)
	}
	return work(stores)
}

func place(ctx context.Context, name string) (open func() (ledger.Store, error), remove func(), err error) {
	if name == "postgres" {
		server, err := pgtest.New(ctx, map[string]string{"shared_buffers": "1GB"})
		if err != nil {
			return nil, nil, err
		}
		open := func() (ledger.Store, error) { return postgres.Open(ctx, postgres.Options{DSN: server.DSN("postgres")}) }
		return open, func() { _ = server.Stop() }, nil
	}
	dir, err := os.MkdirTemp("", "perf-forward-")
	if err != nil {
		return nil, nil, err
	}
	open = func() (ledger.Store, error) {
		return sqlite.Open(ctx, filepath.Join(dir, "store.db"), sqlite.Options{})
	}
	return open, func() { _ = os.RemoveAll(dir) }, nil
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "not known"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// cpu is the processor time that this process has used: the worker's and the traffic source's.
func cpu() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
