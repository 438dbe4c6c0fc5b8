// Package ledgertest is the conformance suite of the ledger's engines: what every [ledger.Store] must do, whatever it
// stores in. An engine's own test calls [Run]. The package knows the interface only and imports no engine.
package ledgertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// Engine is what the suite must know about the engine it tests.
type Engine struct {
	// Place prepares an empty database, and returns what opens a store on it. The suite calls open several times for one
	// place, to see what is still there; unless Shared is set, it closes each store before it opens the next. It closes
	// every store that it opened.
	Place func(t *testing.T) (open func() (ledger.Store, error))
	// Shared says that several stores may be open on one database at the same time.
	Shared bool
	// WholeDays says that the received log is pruned by days.
	WholeDays bool
}

// Run runs the suite, each test in a place of its own.
func Run(t *testing.T, engine Engine) {
	for _, test := range []struct {
		name string
		run  func(*desk)
	}{
		{"an empty store has nothing", testEmpty},
		{"a batch reads what the one before wrote", testReadYourWrites},
		{"a batch whose context has ended writes nothing", testEndedContext},
		{"a batch whose decision panics writes nothing", testPanic},
		{"a batch writes all or nothing", testAllOrNothing},
		{"a full batch fits", testFullBatch},
		{"a click comes back as it was", testClicks},
		{"clicks are paged through, each once", testClickFilter},
		{"a click is stored once, whoever races", testClickRace},
		{"a placeholder is no click", testPlaceholder},
		{"a conversion comes back as it was", testConversions},
		{"the received log comes back as it was", testReceivedLog},
		{"receipts are those of the rows that are there", testReceipts},
		{"a signature finds the row that counts", testSigned},
		{"held postbacks wait with their slots", testHeld},
		{"held postbacks are settled in the received log", testSettled},
		{"holds expire", testExpiredHolds},
		{"what waits for a rate is paged through", testPendingRates},
		{"history tells every version in order", testHistory},
		{"conversions are filtered and paged through", testConversionFilter},
		{"the received log is filtered and paged through", testReceivedFilter},
		{"a reader may stop early", testStopEarly},
		{"facts are the sums of the rows", testFacts},
		{"cells are the sums of the rows, whatever happened", testCells},
		{"the journal is read in pages, each row once", testJournal},
		{"the journal goes on behind rows that are gone", testJournalAfterPruning},
		{"rates are kept by source", testRates},
		{"a lease has one holder", testLease},
		{"a lease that is raced for has one holder", testLeaseRace},
		{"pruning takes the old and nothing else", testPrune},
		{"old clicks are found and deleted, except those with a conversion", testOldClicks},
		{"old test clicks are found, and deleted with all that came of them", testOldTests},
		{"an S2S postback comes back as it was", testForwards},
		{"an S2S postback has one sender, until its lease ends", testForwardLease},
		{"an S2S postback waits for the older ones of its conversion", testForwardOrder},
		{"a row behind many others does not keep those of other conversions", testForwardMargin},
		{"claims are for hosts that have room", testForwardShares},
		{"a retry comes when it is due, and has its host", testForwardRetry},
		{"what has failed can be sent again, and nothing else", testForwardResend},
		{"the outbox is filtered and paged through", testForwardFilter},
		{"the outbox is counted", testForwardCounts},
		{"what a clock that was ahead has put off is not stuck", testForwardRevive},
		{"pruning takes old S2S postbacks that have ended", testForwardPrune},
		{"concurrent senders keep every conversion in order", testForwardSenders},
		{"an operation comes back as it was, once a request", testOperations},
		{"an operation and its rows are saved by who knows its revision", testOperationRows},
		{"pruning takes old operations that have ended, with their rows", testPruneOperations},
		{"a person's rows are found, by whatever name", testErasable},
		{"what is erased is gone from each table, and nothing else", testErase},
		{"rows without a click are erased", testEraseRows},
		{"a store that is opened again has everything", testReopen},
		{"concurrent batches leave the books in order", testConcurrentBatches},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(newDesk(t, engine)) })
	}
	if engine.Shared {
		t.Run("two stores of one database leave the books in order", func(t *testing.T) { testTwoStores(newDesk(t, engine)) })
		t.Run("senders of two stores keep every conversion in order",
			func(t *testing.T) { testForwardSendersOfTwoStores(newDesk(t, engine)) })
	}
}

// desk is one test with its place and an open store.
type desk struct {
	*testing.T
	engine Engine
	open   func() (ledger.Store, error)
	store  ledger.Store
}

func newDesk(t *testing.T, engine Engine) *desk {
	d := &desk{T: t, engine: engine, open: engine.Place(t)}
	d.store = d.another()
	t.Cleanup(func() { d.close() })
	return d
}

func (d *desk) another() ledger.Store {
	d.Helper()
	store, err := d.open()
	if err != nil {
		d.Fatalf("opening: %v", err)
	}
	return store
}

func (d *desk) close() {
	d.Helper()
	if d.store == nil {
		return
	}
	if err := d.store.Close(); err != nil {
		d.Errorf("closing: %v", err)
	}
	d.store = nil
}

func (d *desk) reopen() {
	d.Helper()
	d.close()
	d.store = d.another()
}

// read returns what a batch reads.
func (d *desk) read(want ledger.Want) *ledger.Book {
	d.Helper()
	var read *ledger.Book
	err := d.store.Transact(d.Context(), want, func(book *ledger.Book) *ledger.Changes {
		read = book
		return &ledger.Changes{}
	})
	if err != nil {
		d.Fatalf("reading: %v", err)
	}
	return read
}

// write writes the changes in one batch, having locked what they touch.
func (d *desk) write(changes *ledger.Changes) {
	d.Helper()
	calls := 0
	err := d.store.Transact(d.Context(), wantOf(changes), func(*ledger.Book) *ledger.Changes {
		calls++
		return changes
	})
	if err != nil || calls != 1 {
		d.Fatalf("writing: %v, decided %d times", err, calls)
	}
}

func wantOf(changes *ledger.Changes) ledger.Want {
	var want ledger.Want
	for _, c := range slices.Concat(changes.NewClicks, changes.UpdatedClicks) {
		want.Keys = append(want.Keys, ledger.KeyOf(c.Endpoint, c.SubID))
	}
	for _, c := range slices.Concat(changes.Conversions, changes.History) {
		want.Create = append(want.Create, ledger.KeyOf(c.Endpoint, c.SubID))
	}
	for _, c := range changes.Conversions {
		want.Slots = append(want.Slots, ledger.Slot{Key: ledger.KeyOf(c.Endpoint, c.SubID), SlotKey: c.Slot})
	}
	for _, h := range slices.Concat(changes.Hold, changes.Release) {
		want.Create = append(want.Create, ledger.KeyOf(h.Intent.Endpoint, h.Intent.SubID))
	}
	for _, p := range slices.Concat(changes.AwaitRate, changes.HaveRate) {
		want.Keys = append(want.Keys, p.Key)
	}
	want.Keys = append(want.Keys, changes.Tests...)
	want.Create = sorted(want.Create)
	want.Keys = sorted(append(want.Keys, want.Create...))
	return want
}

// sorted returns the keys in the order of locking, without repeats.
func sorted(keys []ledger.Key) []ledger.Key {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, ledger.Key.Compare)
	return slices.Compact(keys)
}

// persist runs a batch like a lane does: a batch that lost to a concurrent one is tried again, 20 times at most.
func persist(ctx context.Context, store ledger.Store, want ledger.Want,
	decide func(*ledger.Book) *ledger.Changes) error {
	var err error
	for range 20 {
		if err = store.Transact(ctx, want, decide); !errors.Is(err, ledger.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("tried 20 times: %w", err)
}

// same compares by value; no elements and no slice are the same.
func (d *desk) same(what string, want, got any) {
	d.Helper()
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		d.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (d *desk) conversions(f ledger.ConversionFilter) []*conversion.Conversion {
	d.Helper()
	var all []*conversion.Conversion
	for c, err := range d.store.Conversions(d.Context(), f) {
		if err != nil {
			d.Fatalf("conversions of %+v: %v", f, err)
		}
		all = append(all, c)
	}
	if f.Limit > 0 && len(all) > f.Limit {
		d.Errorf("%d rows, limit %d", len(all), f.Limit)
	}
	return all
}

func (d *desk) received(f ledger.ReceivedFilter) []ledger.Received {
	d.Helper()
	var all []ledger.Received
	for r, err := range d.store.Received(d.Context(), f) {
		if err != nil {
			d.Fatalf("received of %+v: %v", f, err)
		}
		all = append(all, r)
	}
	if f.Limit > 0 && len(all) > f.Limit {
		d.Errorf("%d rows, limit %d", len(all), f.Limit)
	}
	return all
}

func (d *desk) history(c *conversion.Conversion) []*conversion.Conversion {
	d.Helper()
	versions, err := d.store.History(d.Context(), c.ID)
	if err != nil {
		d.Fatalf("history: %v", err)
	}
	return versions
}

func (d *desk) pending() []ledger.PendingRate {
	d.Helper()
	all, err := d.store.PendingRates(d.Context(), nil, 1000)
	if err != nil {
		d.Fatalf("pending rates: %v", err)
	}
	return all
}

func byStamp(a, b ledger.HeldPostback) int { return cmp.Compare(a.Intent.Stamp, b.Intent.Stamp) }
