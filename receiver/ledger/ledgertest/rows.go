package ledgertest

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// clicks reads the clicks of the shop's subids.
func (d *desk) clicks(subids ...string) map[ledger.Key]*conversion.Click {
	d.Helper()
	var keys []ledger.Key
	for _, subid := range subids {
		keys = append(keys, ledger.KeyOf(shop, subid))
	}
	return d.read(ledger.Want{Keys: sorted(keys)}).Clicks
}

func testClicks(d *desk) {
	full, bare := fullClick("full"), bareClick("bare")
	d.write(&ledger.Changes{NewClicks: []*conversion.Click{full, bare}})
	fullKey, bareKey := ledger.KeyOf(shop, "full"), ledger.KeyOf(shop, "bare")
	d.same("clicks", map[ledger.Key]*conversion.Click{fullKey: full, bareKey: bare}, d.clicks("full", "bare", "none"))

	updated := *bare
	updated.Params, updated.Cost = full.Params, pendingAmount()
	emptied := *full
	emptied.Params, emptied.Cost = nil, nil
	d.write(&ledger.Changes{UpdatedClicks: []*conversion.Click{&updated, &emptied}})
	got := d.clicks("full", "bare")
	d.same("updated clicks", map[ledger.Key]*conversion.Click{fullKey: &emptied, bareKey: &updated}, got)
	if zone := got[fullKey].Time.Location(); zone != time.UTC {
		d.Errorf("a time comes back in %s, want UTC", zone)
	}
}

// testClickRace adds one click from many sides, without a row that could be locked.
func testClickRace(d *desk) {
	const rounds, racers = 20, 4
	for round := range rounds {
		key := ledger.KeyOf(shop, subid(round))
		var accepted atomic.Int32
		var group sync.WaitGroup
		for range racers {
			group.Go(func() {
				mine := false
				err := persist(d.Context(), d.store, ledger.Want{Keys: []ledger.Key{key}}, func(book *ledger.Book) *ledger.Changes {
					if mine = book.Clicks[key] == nil; mine {
						return &ledger.Changes{NewClicks: []*conversion.Click{fullClick(subid(round))}}
					}
					return &ledger.Changes{}
				})
				if err != nil {
					d.Errorf("round %d: %v", round, err)
				} else if mine {
					accepted.Add(1)
				}
			})
		}
		group.Wait()
		if n := accepted.Load(); n != 1 {
			d.Errorf("round %d: the click was new %d times", round, n)
		}
	}
}

func testPlaceholder(d *desk) {
	key := ledger.KeyOf(shop, "c1")
	want := ledger.Want{Keys: []ledger.Key{key}, Create: []ledger.Key{key}, Held: []ledger.Key{key}}
	for _, reading := range []string{"first", "second"} {
		d.same("clicks at the "+reading+" reading", 0, len(d.read(want).Clicks))
	}
	orphan := bareConversion("c1", "", noon, 1)
	d.write(&ledger.Changes{Conversions: []*conversion.Conversion{orphan}})
	d.same("orphans", []*conversion.Conversion{orphan}, d.conversions(ledger.ConversionFilter{SubID: "c1"}))

	click := fullClick("c1")
	d.write(&ledger.Changes{NewClicks: []*conversion.Click{click}})
	d.same("the click in its place", map[ledger.Key]*conversion.Click{key: click}, d.clicks("c1"))
	d.same("the click, when a placeholder is asked for", map[ledger.Key]*conversion.Click{key: click}, d.read(want).Clicks)

	both := fullClick("c2")
	d.write(&ledger.Changes{NewClicks: []*conversion.Click{both},
		Conversions: []*conversion.Conversion{bareConversion("c2", "", noon, 2)}})
	d.same("a click in the batch of its placeholder", 1, len(d.clicks("c2")))
}

func testConversions(d *desk) {
	full, bare := fullConversion("c1", awkward), bareConversion("c1", "", noon, 5)
	d.write(&ledger.Changes{Conversions: []*conversion.Conversion{full, bare}})
	key := ledger.KeyOf(shop, "c1")
	want := map[ledger.Slot]*conversion.Conversion{{Key: key, SlotKey: full.Slot}: full,
		{Key: key, SlotKey: bare.Slot}: bare}
	book := d.read(ledger.Want{Keys: []ledger.Key{key}, Slots: []ledger.Slot{
		{Key: key, SlotKey: full.Slot}, {Key: key, SlotKey: bare.Slot}, {Key: key, SlotKey: conversion.SlotKey{TID: awkward}},
	}})
	d.same("in the book", want, book.Conversions)
	d.same("in the list, newest first", []*conversion.Conversion{bare, full}, d.conversions(ledger.ConversionFilter{}))
	d.same("in the history", []*conversion.Conversion{full}, d.history(full))

	emptied := *bare
	emptied.ID, emptied.Slot, emptied.CreatedAt, emptied.Version = full.ID, full.Slot, full.CreatedAt, full.Version+1
	d.write(&ledger.Changes{Conversions: []*conversion.Conversion{&emptied}, History: []*conversion.Conversion{full}})
	d.same("an overwrite leaves nothing behind", []*conversion.Conversion{full, &emptied}, d.history(full))
}

func testHistory(d *desk) {
	first := bareConversion("c1", "", noon, 1)
	versions := []*conversion.Conversion{first}
	for n := 2; n <= 12; n++ {
		next := *versions[len(versions)-1]
		next.PreviousType, next.Version, next.RequestID = next.Type, n, id(noon, 100-n)
		versions = append(versions, &next)
	}
	other := bareConversion("c1", "other", noon, 200)
	d.write(&ledger.Changes{Conversions: []*conversion.Conversion{first, other}})
	d.write(&ledger.Changes{Conversions: versions[4:5], History: versions[:4]})
	d.write(&ledger.Changes{Conversions: versions[11:], History: versions[4:11]})
	d.same("history", versions, d.history(first))
	d.same("another slot's history", []*conversion.Conversion{other}, d.history(other))
	if _, err := d.store.History(d.Context(), uuid.Nil); !errors.Is(err, ledger.ErrNotFound) {
		d.Errorf("history of nothing: %v, want ErrNotFound", err)
	}
}

func testReceivedLog(d *desk) {
	rows := []ledger.Received{bareReceived(noon, 1), fullReceived(noon, 2), fullReceived(noon.Add(48*time.Hour), 3)}
	d.write(&ledger.Changes{Received: rows})
	slices.Reverse(rows)
	d.same("received", rows, d.received(ledger.ReceivedFilter{}))
}

// testSigned has two rows of one signature: the first one was held, and ignored in the end.
func testSigned(d *desk) {
	ignored, counts, other := fullReceived(noon, 1), fullReceived(noon.Add(time.Hour), 2), fullReceived(noon, 3)
	ignored.Outcome, counts.Signature = conversion.Ignored, ignored.Signature
	d.write(&ledger.Changes{Received: []ledger.Received{counts, ignored, other, bareReceived(noon, 4)}})
	key := ledger.KeyOf(shop, "c1")
	book := d.read(ledger.Want{Keys: []ledger.Key{key}, Signed: []ledger.Signed{
		{Key: key, Signature: counts.Signature}, {Key: key, Signature: id(noon, 5)},
	}})
	d.same("signed", map[uuid.UUID]ledger.Received{counts.Signature: counts}, book.Signed)
}

func testReceipts(d *desk) {
	full, bare := fullReceived(noon, 1), bareReceived(noon.Add(time.Hour), 2)
	d.write(&ledger.Changes{Received: []ledger.Received{full, bare}})
	key := ledger.KeyOf(shop, "c1")
	book := d.read(ledger.Want{Keys: []ledger.Key{key}, Receipts: []ledger.Receipt{
		{Key: key, ID: full.ID, At: full.At}, {Key: ledger.KeyOf(shop, ""), ID: bare.ID, At: bare.At},
		{Key: key, ID: id(noon, 3), At: noon},
	}})
	d.same("receipts", map[uuid.UUID]ledger.Received{full.ID: full, bare.ID: bare}, book.Receipts)
}
