package ledgertest

import (
	"cmp"
	"slices"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// held reads the subid's held postbacks in the order of their stamps.
func (d *desk) held(subid string) []ledger.HeldPostback {
	d.Helper()
	key := ledger.KeyOf(shop, subid)
	held := d.read(ledger.Want{Keys: []ledger.Key{key}, Held: []ledger.Key{key}}).Held[key]
	slices.SortFunc(held, byStamp)
	return held
}

func testHeld(d *desk) {
	first, second, other := heldPostback("c1", noon, 1), heldPostback("c1", noon.Add(time.Second), 2),
		heldPostback("c2", noon, 3)
	orphan := bareConversion("c1", awkward, noon, 9)
	d.write(&ledger.Changes{Hold: []ledger.HeldPostback{first, other}, Conversions: []*conversion.Conversion{orphan}})
	d.write(&ledger.Changes{Hold: []ledger.HeldPostback{second}})
	d.same("held", []ledger.HeldPostback{first, second}, d.held("c1"))

	key := ledger.KeyOf(shop, "c1")
	book := d.read(ledger.Want{Keys: []ledger.Key{key}, Held: []ledger.Key{key}})
	slot := ledger.Slot{Key: key, SlotKey: orphan.Slot}
	d.same("the held postbacks' slots", map[ledger.Slot]*conversion.Conversion{slot: orphan}, book.Conversions)
	d.same("a held postback makes no click", 0, len(book.Clicks))
	d.same("held, when nobody asks", 0, len(d.read(ledger.Want{Keys: []ledger.Key{key}}).Held))

	click := bareClick("c1")
	d.write(&ledger.Changes{NewClicks: []*conversion.Click{click}, Release: []ledger.HeldPostback{first}})
	d.same("held after a release", []ledger.HeldPostback{second}, d.held("c1"))
	d.same("held elsewhere", []ledger.HeldPostback{other}, d.held("c2"))
	d.same("the click that came", map[ledger.Key]*conversion.Click{key: click}, d.clicks("c1"))
	d.write(&ledger.Changes{Release: []ledger.HeldPostback{second}})
	d.same("held after all are released", 0, len(d.held("c1")))
}

func testSettled(d *desk) {
	row, other := fullReceived(noon, 1), fullReceived(noon, 2)
	row.Outcome, row.Conversion, row.Test = conversion.Held, [16]byte{}, false
	d.write(&ledger.Changes{Received: []ledger.Received{row, other}})

	settled := ledger.Received{
		ID: row.ID, Endpoint: row.Endpoint, At: row.At, SubID: row.SubID, Outcome: conversion.Ignored,
		Reason:   conversion.ClickNotFound,
		Warnings: []conversion.Warning{conversion.CostUnreadable}, Conversion: id(noon, 77), Test: true,
	}
	pruned := bareReceived(noon.Add(-time.Hour), 3)
	d.write(&ledger.Changes{Settled: []ledger.Received{settled, pruned}})

	row.Outcome, row.Reason, row.Warnings = settled.Outcome, settled.Reason, settled.Warnings
	row.Conversion, row.Test = settled.Conversion, settled.Test
	d.same("received", []ledger.Received{other, row}, d.received(ledger.ReceivedFilter{}))
	d.same("by the new outcome", []ledger.Received{row}, d.received(ledger.ReceivedFilter{Outcome: conversion.Ignored}))
}

func testExpiredHolds(d *desk) {
	var holds []ledger.HeldPostback
	for n := range 5 {
		holds = append(holds, heldPostback(subid(n), noon.Add(time.Duration(n)*time.Minute), n),
			heldPostback(subid(n), noon.Add(time.Hour*24), 100+n))
	}
	d.write(&ledger.Changes{Hold: holds})
	for _, tt := range []struct {
		name  string
		now   time.Time
		limit int
		want  int
	}{
		{"a microsecond before", noon.Add(time.Hour - time.Microsecond), 100, 0},
		{"the moment itself", noon.Add(time.Hour), 100, 1},
		{"later", noon.Add(time.Hour + 3*time.Minute), 100, 4},
		{"later, limited", noon.Add(time.Hour + 3*time.Minute), 2, 2},
		{"both of each key", noon.Add(72 * time.Hour), 100, 5},
	} {
		keys, err := d.store.ExpiredHolds(d.Context(), tt.now, tt.limit)
		if err != nil {
			d.Fatal(err)
		}
		if n := len(sorted(keys)); n != tt.want || len(keys) > tt.limit {
			d.Errorf("%s: %v, want %d different keys", tt.name, keys, tt.want)
		}
	}
	keys, err := d.store.ExpiredHolds(d.Context(), noon.Add(time.Hour), 100)
	d.same("the key", []ledger.Key{ledger.KeyOf(shop, subid(0))}, keys)
	d.same("error", nil, err)
}

func testPendingRates(d *desk) {
	var all []ledger.PendingRate
	for n := range 7 {
		key := ledger.KeyOf(shop, subid(n))
		all = append(all, pendingRate(subid(n), "", "RUB"), pendingRate(subid(n), "", "USDT"),
			pendingRate(subid(n), awkward, "RUB"),
			ledger.PendingRate{Key: key, Slot: conversion.SlotKey{TID: "t", Type: "sale"}, Currency: "RUB", ToCurrency: "USD"},
			ledger.PendingRate{Key: key, Click: true, Currency: "RUB", ToCurrency: "USD"},
			ledger.PendingRate{Key: key, Click: true, Currency: "RUB"})
	}
	d.write(&ledger.Changes{AwaitRate: all})
	d.write(&ledger.Changes{AwaitRate: all[:3]})
	for _, limit := range []int{1, 5, len(all), 1000} {
		d.wantPending("all, paged", all, limit)
	}
	d.write(&ledger.Changes{HaveRate: append(slices.Clone(all[:10]), all[10]), AwaitRate: all[10:11]})
	d.write(&ledger.Changes{HaveRate: all[:2]})
	d.wantPending("after some have a rate", all[10:], 4)

	after := all[10]
	d.write(&ledger.Changes{HaveRate: all[10:]})
	got, err := d.store.PendingRates(d.Context(), &after, 10)
	d.same("after an entry that is gone", 0, len(got))
	d.same("error", nil, err)
}

// wantPending pages through what waits for a rate.
func (d *desk) wantPending(what string, want []ledger.PendingRate, limit int) {
	d.Helper()
	var got []ledger.PendingRate
	var after *ledger.PendingRate
	for {
		page, err := d.store.PendingRates(d.Context(), after, limit)
		if err != nil || len(page) > limit {
			d.Fatalf("%s: page of %d, limit %d: %v", what, len(page), limit, err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		if len(got) > len(want) {
			break
		}
		after = &page[len(page)-1]
	}
	want = slices.Clone(want)
	slices.SortFunc(want, comparePending)
	slices.SortFunc(got, comparePending)
	d.same(what, want, got)
}

func comparePending(a, b ledger.PendingRate) int {
	click := func(p ledger.PendingRate) int {
		if p.Click {
			return 1
		}
		return 0
	}
	return cmp.Or(a.Compare(b.Key), cmp.Compare(click(a), click(b)), cmp.Compare(a.Slot.TID, b.Slot.TID),
		cmp.Compare(a.Slot.Type, b.Slot.Type), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.ToCurrency, b.ToCurrency))
}
