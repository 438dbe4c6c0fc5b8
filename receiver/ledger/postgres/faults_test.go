package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// TestNothingAcknowledgedIsLostOrDoubled disturbs a server under load. Every postback has a slot of its own.
func TestNothingAcknowledgedIsLostOrDoubled(t *testing.T) {
	for name, disturb := range map[string]func(t *testing.T, server *pgtest.Server, dsn string){
		"when the server is killed": func(t *testing.T, server *pgtest.Server, _ string) {
			must(t, server.Kill())
			must(t, server.Start(t.Context()))
		},
		"when the server is restarted": func(t *testing.T, server *pgtest.Server, _ string) {
			must(t, server.Restart(t.Context()))
		},
		"when connections are cut": func(t *testing.T, _ *pgtest.Server, dsn string) {
			queryInt(t, dsn, "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = "+
				"'postback-receiver'")
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := pgtest.Start(t, nil)
			dsn := server.NewDatabase(t)
			store, book := openLedger(t, dsn)
			defer closeLedger(t, store, book)
			load := startLoad(t, book)
			for range 3 {
				load.await(t, 200)
				disturb(t, server, dsn)
			}
			load.await(t, 200)
			load.check(t, load.stop(), dsn)
		})
	}
}

// TestPausedServerHoldsNobodyForEver pauses a server until a flight has been given up: its batch may still be committed
// when the server goes on, and is to be recognised then.
func TestPausedServerHoldsNobodyForEver(t *testing.T) {
	server := pgtest.Start(t, nil)
	dsn := server.NewDatabase(t)
	store := openStore(t, postgres.Options{DSN: dsn, FlightTimeout: 300 * time.Millisecond})
	observer := &failures{first: make(chan error, 1)}
	book := ledger.New(store, ledger.Options{Lanes: 2, Observer: observer})
	defer func() { must(t, book.Close(context.WithoutCancel(t.Context()))) }()
	load := startLoad(t, book)
	load.await(t, 200)
	must(t, server.Pause())
	if err := load.awaitFailure(t, observer); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("a batch failed with %v, want ErrUnavailable", err)
	}
	must(t, server.Continue())
	load.await(t, 200)
	load.check(t, load.stop(), dsn)
}

// failures keeps the first error of a batch.
type failures struct{ first chan error }

func (*failures) BatchCommitted(int, int, time.Duration) {}

func (f *failures) BatchFailed(_ int, err error) {
	select {
	case f.first <- err:
	default:
	}
}

// load is a number of clients that send one postback after the other, each with a tid of its own.
type load struct {
	wg      sync.WaitGroup
	end     context.CancelFunc
	sent    atomic.Int64
	acked   sync.Map
	ackings chan struct{}
}

func startLoad(t *testing.T, book *ledger.Ledger) *load {
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{end: cancel, ackings: make(chan struct{})}
	for range 32 {
		l.wg.Go(func() {
			for ctx.Err() == nil {
				n := l.sent.Add(1)
				tid := fmt.Sprint(n)
				p := newPostback(fmt.Sprintf("hot-%d", n%7), tid, "sale", "1")
				p.Intent.Rules = &addRules
				if _, err := book.Postback(ctx, p); err == nil {
					l.acked.Store(tid, true)
					select {
					case l.ackings <- struct{}{}:
					case <-ctx.Done():
					}
				}
			}
		})
	}
	return l
}

// await waits for n more acknowledgements.
func (l *load) await(t *testing.T, n int) {
	t.Helper()
	timeout := time.NewTimer(2 * time.Minute)
	defer timeout.Stop()
	for range n {
		select {
		case <-l.ackings:
		case <-timeout.C:
			t.Fatal("nothing is acknowledged any more")
		}
	}
}

// awaitFailure waits for a batch to fail, and takes the acknowledgements until then, so that the clients go on sending.
func (l *load) awaitFailure(t *testing.T, observer *failures) error {
	t.Helper()
	timeout := time.NewTimer(2 * time.Minute)
	defer timeout.Stop()
	for {
		select {
		case <-l.ackings:
		case err := <-observer.first:
			return err
		case <-timeout.C:
			t.Fatal("no batch fails")
		}
	}
}

// stop ends the load and returns the tids that were acknowledged.
func (l *load) stop() map[string]bool {
	l.end()
	l.wg.Wait()
	acked := map[string]bool{}
	l.acked.Range(func(tid, _ any) bool {
		acked[tid.(string)] = true
		return true
	})
	return acked
}

// check compares what was acknowledged with what is there, as another receiver sees it.
func (l *load) check(t *testing.T, acked map[string]bool, dsn string) {
	t.Helper()
	stored := 0
	for c, err := range openStore(t, postgres.Options{DSN: dsn}).Conversions(t.Context(), ledger.ConversionFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		stored++
		delete(acked, c.Slot.TID)
		if c.Version != 1 || !c.Payout.Original.Equal(decimal.NewFromInt(1)) {
			t.Errorf("conversion %s has version %d and payout %s: recorded twice", c.Slot.TID, c.Version, c.Payout.Original)
		}
	}
	for tid := range acked {
		t.Errorf("conversion %s was acknowledged and is lost", tid)
	}
	t.Logf("%d sent, %d stored, %d acknowledged and lost", l.sent.Load(), stored, len(acked))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
