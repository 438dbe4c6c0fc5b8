package ledger_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
	"github.com/postback-dev/postback-operator/receiver/money"
)

const endpoint = "shop/main"

// desk is a ledger on a real store whose batches the test can stop and break.
type desk struct {
	*testing.T
	*ledger.Ledger
	store  *flaky
	stamps *ledger.Stamper
	// ids are also those of rows that the ledger makes: the log is in their order.
	ids   *ledger.IDs
	rules conversion.Rules
}

// flaky stands between the ledger and its store.
type flaky struct {
	ledger.Store
	mu sync.Mutex
	// batches counts the attempts, from 1; wants are what they wanted.
	batches int
	wants   []ledger.Want
	// before runs ahead of an attempt, after behind one that was committed; either may fail it.
	before, after func(batch int, want ledger.Want) error
	// seen is shown what each attempt wants to write.
	seen func(*ledger.Changes)
}

func (f *flaky) Transact(ctx context.Context, want ledger.Want, decide func(*ledger.Book) *ledger.Changes) error {
	f.mu.Lock()
	f.batches++
	batch := f.batches
	f.wants = append(f.wants, want)
	f.mu.Unlock()
	if f.before != nil {
		if err := f.before(batch, want); err != nil {
			return err
		}
	}
	err := f.Store.Transact(ctx, want, func(book *ledger.Book) *ledger.Changes {
		changes := decide(book)
		if f.seen != nil {
			f.seen(changes)
		}
		return changes
	})
	if err != nil {
		return err
	}
	if f.after != nil {
		return f.after(batch, want)
	}
	return nil
}

// newDesk opens a ledger that the caller must close before its test bubble ends. prepare sets up the store before the
// ledger starts.
func newDesk(t *testing.T, options ledger.Options, prepare ...func(*flaky)) *desk {
	t.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{T: t, store: &flaky{Store: store}, stamps: ledger.NewStamper(time.Now), ids: ledger.NewIDs(time.Now),
		rules: conversion.Rules{
			Currency: "USD",
			Policies: config.Policies{
				UnknownClick: config.UnknownClickIgnore,
				Repeat:       config.RepeatOverwrite,
				Slot:         config.SlotTid,
				Transitions:  config.TransitionsAny,
			},
		}}
	for _, f := range prepare {
		f(d.store)
	}
	options.Rules = func(string) *conversion.Rules { return &d.rules }
	options.NewID = d.ids.Next
	d.Ledger = ledger.New(d.store, options)
	return d
}

func (d *desk) close() {
	d.Helper()
	if err := d.Close(context.Background()); err != nil {
		d.Errorf("closing the ledger: %v", err)
	}
	if err := d.store.Close(); err != nil {
		d.Errorf("closing the store: %v", err)
	}
}

// postback returns a sale of the click, told apart by its payout.
func (d *desk) postback(subid string, payout int64) ledger.Postback {
	stamp := d.stamps.Next()
	at, id := time.UnixMicro(stamp).UTC(), d.ids.Next()
	amount := decimal.NewFromInt(payout)
	return ledger.Postback{
		Log: ledger.Received{ID: id, Endpoint: endpoint, SubID: subid, At: at, Stamp: stamp, Type: "sale",
			Query: "subid=" + subid},
		Intent: &conversion.Intent{
			Endpoint: endpoint, SubID: subid, Type: "sale", Status: "sale", RequestID: id, Stamp: stamp, Received: at,
			Payout: &money.Amount{Original: amount, Currency: "USD", Converted: &amount}, Rules: &d.rules,
		},
	}
}

// log returns a postback that was ignored before it came to the ledger.
func (d *desk) log() ledger.Postback {
	p := d.postback("", 0)
	p.Intent, p.Log.Outcome, p.Log.Reason = nil, conversion.Ignored, conversion.SubIDMissing
	return p
}

func (d *desk) addClicks(subids ...string) []ledger.ClickResult {
	d.Helper()
	clicks := make([]conversion.Click, len(subids))
	for i, subid := range subids {
		clicks[i] = conversion.Click{Endpoint: endpoint, SubID: subid, Time: time.Now()}
	}
	results, err := d.AddClicks(context.Background(), clicks)
	if err != nil {
		d.Fatalf("adding clicks: %v", err)
	}
	return results
}

func (d *desk) send(p ledger.Postback) ledger.Result {
	d.Helper()
	result, err := d.Postback(context.Background(), p)
	if err != nil {
		d.Fatalf("postback: %v", err)
	}
	return result
}

// answer is what a call in the background came to.
type answer struct {
	ledger.Result
	err error
}

func (d *desk) sendLater(ctx context.Context, p ledger.Postback) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		result, err := d.Postback(ctx, p)
		answers <- answer{result, err}
	}()
	return answers
}

// payouts returns the payouts of the conversion of click "c" without tid, version by version.
func (d *desk) payouts() []string {
	d.Helper()
	var payouts []string
	for current, err := range d.store.Conversions(context.Background(), ledger.ConversionFilter{SubID: "c"}) {
		if err != nil {
			d.Fatal(err)
		}
		versions, err := d.store.History(context.Background(), current.ID)
		if err != nil {
			d.Fatal(err)
		}
		for i, c := range versions {
			if c.Version != i+1 {
				d.Errorf("version %d stands at place %d", c.Version, i+1)
			}
			payout := "pending"
			if !c.Payout.Pending() {
				payout = c.Payout.Converted.String()
			}
			payouts = append(payouts, payout)
		}
	}
	return payouts
}

// outcomes returns the rows of click "c" in the received log, oldest first, with the kind of those that were not
// received.
func (d *desk) outcomes() []string {
	d.Helper()
	var outcomes []string
	for row, err := range d.store.Received(context.Background(), ledger.ReceivedFilter{SubID: "c"}) {
		if err != nil {
			d.Fatal(err)
		}
		kind := ""
		if row.Kind != ledger.KindPostback {
			kind = string(row.Kind) + ": "
		}
		outcomes = append([]string{fmt.Sprint(kind, row.Outcome, " ", row.Reason)}, outcomes...)
	}
	return outcomes
}
