package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func testEmpty(d *desk) {
	key := ledger.KeyOf(shop, "c1")
	book := d.read(ledger.Want{
		Keys: []ledger.Key{key}, Held: []ledger.Key{key}, Slots: []ledger.Slot{{Key: key}},
		Receipts: []ledger.Receipt{{Key: key, ID: id(noon, 1), At: noon}},
	})
	if n := len(book.Clicks) + len(book.Conversions) + len(book.Held) + len(book.Receipts); n != 0 {
		d.Errorf("the book of an empty store has %d entries", n)
	}
	d.same("conversions", 0, len(d.conversions(ledger.ConversionFilter{})))
	d.same("received", 0, len(d.received(ledger.ReceivedFilter{})))
	d.same("pending rates", 0, len(d.pending()))
	if _, err := d.store.History(d.Context(), id(noon, 1)); !errors.Is(err, ledger.ErrNotFound) {
		d.Errorf("history of nothing: %v, want ErrNotFound", err)
	}
	if err := d.store.Ping(d.Context()); err != nil {
		d.Errorf("ping: %v", err)
	}
}

func testReadYourWrites(d *desk) {
	click, c := bareClick("c1"), bareConversion("c1", "t", noon, 1)
	key := ledger.KeyOf(shop, "c1")
	slot := ledger.Slot{Key: key, SlotKey: c.Slot}
	want := ledger.Want{Keys: []ledger.Key{key}, Slots: []ledger.Slot{slot, {Key: key}}}

	d.write(&ledger.Changes{NewClicks: []*conversion.Click{click}, Conversions: []*conversion.Conversion{c}})
	book := d.read(want)
	d.same("clicks", map[ledger.Key]*conversion.Click{key: click}, book.Clicks)
	d.same("conversions", map[ledger.Slot]*conversion.Conversion{slot: c}, book.Conversions)

	sale := *c
	sale.Type, sale.PreviousType, sale.Version = "sale", "lead", 2
	d.write(&ledger.Changes{Conversions: []*conversion.Conversion{&sale}, History: []*conversion.Conversion{c}})
	d.same("conversions after a change", map[ledger.Slot]*conversion.Conversion{slot: &sale}, d.read(want).Conversions)
	d.same("another endpoint's click", 0, len(d.read(ledger.Want{Keys: []ledger.Key{ledger.KeyOf("shop/other",
		"c1")}}).Clicks))
}

func testEndedContext(d *desk) {
	ctx, cancel := context.WithCancel(d.Context())
	cancel()
	changes := everything()
	if err := d.store.Transact(ctx, wantOf(changes), func(*ledger.Book) *ledger.Changes { return changes }); err == nil {
		d.Error("a batch whose context has ended was committed")
	}
	d.wantNothing()
}

func testPanic(d *desk) {
	changes := everything()
	func() {
		defer func() { _ = recover() }()
		err := d.store.Transact(d.Context(), wantOf(changes), func(*ledger.Book) *ledger.Changes { panic("decide") })
		if err == nil {
			d.Error("a batch that was not decided was committed")
		}
	}()
	d.wantNothing()
	d.write(changes)
	d.same("conversions after the panic", changes.Conversions, d.conversions(ledger.ConversionFilter{}))
}

// testAllOrNothing lets a batch fail at its end: its click is there already.
func testAllOrNothing(d *desk) {
	stored := fullClick("known")
	d.write(&ledger.Changes{NewClicks: []*conversion.Click{stored}})
	changes := everything()
	changes.NewClicks = append(changes.NewClicks, bareClick("known"))
	err := d.store.Transact(d.Context(), wantOf(changes), func(*ledger.Book) *ledger.Changes { return changes })
	if !errors.Is(err, ledger.ErrConflict) {
		d.Errorf("a new click that is there already: %v, want ErrConflict", err)
	}
	key := ledger.KeyOf(shop, "known")
	d.same("the click", map[ledger.Key]*conversion.Click{key: stored}, d.read(ledger.Want{Keys: []ledger.Key{key}}).Clicks)
	d.wantNothing()
}

// everything is a batch that writes into every table.
func everything() *ledger.Changes {
	c := bareConversion("c1", "", noon, 1)
	next := *c
	next.Type, next.PreviousType, next.Version = "sale", "lead", 2
	return &ledger.Changes{
		NewClicks:   []*conversion.Click{fullClick("c1")},
		Conversions: []*conversion.Conversion{&next}, History: []*conversion.Conversion{c},
		Forwards: []ledger.Forward{
			{ID: id(noon, 8), Rule: "r", Conversion: &next, Click: fullClick("c1"), IP: "192.0.2.1", Due: noon},
			{ID: id(noon, 9), Rule: "orphans", Conversion: &next, Due: noon},
		},
		Received:  []ledger.Received{fullReceived(noon, 3)},
		Hold:      []ledger.HeldPostback{heldPostback("c2", noon, 4)},
		AwaitRate: []ledger.PendingRate{pendingRate("c1", "", "RUB")},
	}
}

// wantNothing checks that of [everything] nothing was written.
func (d *desk) wantNothing() {
	d.Helper()
	keys := sorted([]ledger.Key{ledger.KeyOf(shop, "c1"), ledger.KeyOf(shop, "c2")})
	book := d.read(ledger.Want{Keys: keys, Held: keys})
	d.same("clicks", 0, len(book.Clicks))
	d.same("held postbacks", 0, len(book.Held))
	d.same("conversions", 0, len(d.conversions(ledger.ConversionFilter{})))
	d.same("received", 0, len(d.received(ledger.ReceivedFilter{})))
	d.same("pending rates", 0, len(d.pending()))
	d.same("forwards", 0, len(d.forwards(ledger.OutboxFilter{})))
	if _, err := d.store.History(d.Context(), id(noon, 1)); !errors.Is(err, ledger.ErrNotFound) {
		d.Errorf("history: %v, want ErrNotFound", err)
	}
}

// testFullBatch writes what 256 postbacks, as many as a lane puts into one batch, write at most.
func testFullBatch(d *desk) {
	const n = 256
	changes := &ledger.Changes{}
	var want ledger.Want
	for i := range n {
		at := noon.Add(time.Duration(i) * time.Millisecond)
		c := bareConversion(subid(i), "", at, i)
		changes.NewClicks = append(changes.NewClicks, fullClick(subid(i)))
		changes.Conversions = append(changes.Conversions, c)
		changes.Forwards = append(changes.Forwards, ledger.Forward{ID: id(at, n+i), Rule: "r", Conversion: c, Due: at})
		row := fullReceived(at, i)
		row.SubID = subid(i)
		changes.Received = append(changes.Received, row)
		changes.Hold = append(changes.Hold, heldPostback(subid(i), at, i))
		changes.AwaitRate = append(changes.AwaitRate, pendingRate(subid(i), "", "RUB"))
		key := ledger.KeyOf(shop, subid(i))
		want.Keys = append(want.Keys, key)
		want.Slots = append(want.Slots, ledger.Slot{Key: key},
			ledger.Slot{Key: key, SlotKey: conversion.SlotKey{TID: "none"}})
		want.Receipts = append(want.Receipts, ledger.Receipt{Key: key, ID: id(at, i), At: at})
	}
	d.write(changes)
	want.Keys = sorted(want.Keys)
	want.Held = want.Keys
	book := d.read(want)
	got := fmt.Sprint(len(book.Clicks), len(book.Conversions), len(book.Held), len(book.Receipts), len(d.pending()),
		len(d.forwards(ledger.OutboxFilter{})))
	d.same("clicks, conversions, held keys, receipts, pending rates, forwards", "256 256 256 256 256 256", got)
	if row := book.Receipts[id(noon, 0)]; row.ID != id(noon, 0) {
		d.Errorf("receipt %+v", row)
	}
}
