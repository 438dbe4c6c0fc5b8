package ledgertest

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

var (
	noTID  = ""
	tidTwo = "2"
)

// shelf returns conversions of two endpoints, several subids, tids and types, oldest first; some are of one
// millisecond.
func shelf() []*conversion.Conversion {
	var all []*conversion.Conversion
	for n := range 48 {
		c := bareConversion(subid(n%4), fmt.Sprint(n), noon.Add(time.Duration(n/3)*time.Hour), n)
		c.Endpoint = []string{shop, "shop/other", shop}[n%3]
		c.Type = []string{"lead", "sale", "upsell", "sale", "trash"}[n%5]
		switch {
		case n < 8:
			c.Slot.TID, c.Slot.Type = "", fmt.Sprint(n)
		case n%7 == 0:
			c.Slot = conversion.SlotKey{TID: "2", Type: fmt.Sprint(n)}
		}
		all = append(all, c)
	}
	return all
}

func newest(a, b uuid.UUID) int { return bytes.Compare(b[:], a[:]) }

func testConversionFilter(d *desk) {
	all := shelf()
	d.write(&ledger.Changes{Conversions: all})
	slices.SortFunc(all, func(a, b *conversion.Conversion) int { return newest(a.ID, b.ID) })
	for _, f := range []ledger.ConversionFilter{
		{},
		{Endpoint: shop},
		{Endpoint: "shop/none"},
		{SubID: subid(1)},
		{Type: "sale"},
		{TID: &noTID},
		{TID: &tidTwo},
		{ID: all[7].ID},
		{ID: id(noon, 999)},
		{From: noon.Add(5 * time.Hour)},
		{From: noon.Add(5*time.Hour + time.Microsecond)},
		{To: noon.Add(5 * time.Hour)},
		{From: noon.Add(3 * time.Hour), To: noon.Add(9 * time.Hour)},
		{From: noon.Add(9 * time.Hour), To: noon.Add(3 * time.Hour)},
		{Span: ledger.Span{Before: all[20].ID}},
		{Span: ledger.Span{Before: id(noon.Add(5*time.Hour), 999)}},
		{Span: ledger.Span{Oldest: true}},
		{Span: ledger.Span{Oldest: true, After: all[20].ID}, Endpoint: shop},
		{Span: ledger.Span{Oldest: true, Before: all[40].ID}, SubID: subid(1)},
		{Span: ledger.Span{After: all[30].ID}},
		{Endpoint: shop, SubID: subid(2)},
		{Endpoint: shop, SubID: subid(2), TID: &noTID},
		{Endpoint: shop, Type: "sale", From: noon.Add(2 * time.Hour), To: noon.Add(11 * time.Hour)},
		{SubID: subid(3), Type: "sale", TID: &tidTwo},
		{Endpoint: shop, SubID: subid(0), Type: "lead", TID: &noTID, From: noon, To: noon.Add(time.Hour), ID: all[47].ID,
			Span: ledger.Span{Before: all[46].ID}},
		{ID: all[47].ID, Endpoint: "shop/other"},
	} {
		var want []*conversion.Conversion
		for _, c := range all {
			if matches(f, c) {
				want = append(want, c)
			}
		}
		if f.Oldest {
			slices.Reverse(want)
		}
		for _, limit := range []int{0, 1, 7, 1000} {
			got := pages(f, limit, len(want), func(f ledger.ConversionFilter, last uuid.UUID,
				limit int) ([]*conversion.Conversion, uuid.UUID) {
				f.Span, f.Limit = f.Span.From(last), limit
				page := d.conversions(f)
				if len(page) == 0 {
					return nil, uuid.Nil
				}
				return page, page[len(page)-1].ID
			})
			d.same(fmt.Sprintf("%s in pages of %d", describe(f.TID, f), limit), want, got)
		}
	}
}

func matches(f ledger.ConversionFilter, c *conversion.Conversion) bool {
	return (f.Endpoint == "" || f.Endpoint == c.Endpoint) && (f.SubID == "" || f.SubID == c.SubID) &&
		(f.Type == "" || f.Type == c.Type) && (f.TID == nil || *f.TID == c.Slot.TID) && (f.ID == uuid.Nil || f.ID == c.ID) &&
		within(c.CreatedAt, f.From, f.To) && spans(f.Span, c.ID)
}

// spans reports whether a span has a row of that id.
func spans(s ledger.Span, id uuid.UUID) bool {
	return (s.Before == uuid.Nil || newest(s.Before, id) < 0) && (s.After == uuid.Nil || newest(s.After, id) > 0)
}

func within(at, from, to time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (to.IsZero() || at.Before(to))
}

func testReceivedFilter(d *desk) {
	var all []ledger.Received
	for n := range 60 {
		row := bareReceived(noon.Add(time.Duration(n/3)*5*time.Hour), n)
		row.Endpoint = []string{shop, "shop/other", shop}[n%3]
		row.SubID = []string{"", subid(1), subid(2), subid(3)}[n%4]
		row.TID = []string{"", "2", "3"}[n%3]
		row.Type = []string{"", "lead", "sale", "sale", "trash"}[n%5]
		if n%2 == 0 {
			row.Outcome, row.Reason = conversion.Recorded, ""
		} else if n%3 == 0 {
			row.Reason = conversion.StatusUnknown
		}
		all = append(all, row)
	}
	d.write(&ledger.Changes{Received: all})
	slices.SortFunc(all, func(a, b ledger.Received) int { return newest(a.ID, b.ID) })
	for _, f := range []ledger.ReceivedFilter{
		{},
		{Endpoint: shop},
		{Endpoint: "shop/none"},
		{SubID: subid(1)},
		{Type: "sale"},
		{TID: &noTID},
		{TID: &tidTwo},
		{Outcome: conversion.Recorded},
		{Outcome: conversion.Held},
		{Reason: conversion.StatusUnknown},
		{From: noon.Add(25 * time.Hour)},
		{From: noon.Add(25*time.Hour + time.Microsecond)},
		{To: noon.Add(25 * time.Hour)},
		{From: noon.Add(15 * time.Hour), To: noon.Add(70 * time.Hour)},
		{Span: ledger.Span{Before: all[20].ID}},
		{Span: ledger.Span{Before: id(noon.Add(20*time.Hour), 999)}},
		{Span: ledger.Span{Oldest: true}},
		{Span: ledger.Span{Oldest: true, After: all[20].ID}, Endpoint: shop},
		{Span: ledger.Span{Oldest: true, Before: all[40].ID}, SubID: subid(1)},
		{Span: ledger.Span{After: all[30].ID}},
		{Endpoint: shop, SubID: subid(2)},
		{Endpoint: shop, SubID: subid(2), TID: &noTID, Type: "sale", Outcome: conversion.Recorded, From: noon,
			To: noon.Add(90 * time.Hour)},
		{Endpoint: shop, Outcome: conversion.Ignored, Reason: conversion.SubIDMissing,
			Span: ledger.Span{Before: all[11].ID}},
	} {
		var want []ledger.Received
		for _, row := range all {
			if matchesRow(f, row) {
				want = append(want, row)
			}
		}
		if f.Oldest {
			slices.Reverse(want)
		}
		for _, limit := range []int{0, 1, 7, 1000} {
			got := pages(f, limit, len(want), func(f ledger.ReceivedFilter, last uuid.UUID, limit int) ([]ledger.Received,
				uuid.UUID) {
				f.Span, f.Limit = f.Span.From(last), limit
				page := d.received(f)
				if len(page) == 0 {
					return nil, uuid.Nil
				}
				return page, page[len(page)-1].ID
			})
			d.same(fmt.Sprintf("%s in pages of %d", describe(f.TID, f), limit), want, got)
		}
	}
}

func matchesRow(f ledger.ReceivedFilter, r ledger.Received) bool {
	return (f.Endpoint == "" || f.Endpoint == r.Endpoint) && (f.SubID == "" || f.SubID == r.SubID) &&
		(f.Type == "" || f.Type == r.Type) && (f.TID == nil || *f.TID == r.TID) &&
		(f.Outcome == "" || f.Outcome == r.Outcome) &&
		(f.Reason == "" || f.Reason == r.Reason) && within(r.At, f.From, f.To) && spans(f.Span, r.ID)
}

// pages reads to exhaustion; limit 0 reads one page without a limit. It gives up once there are more than expected.
func pages[F, T any](f F, limit, expected int, read func(f F, before uuid.UUID, limit int) ([]T, uuid.UUID)) []T {
	all, last := read(f, uuid.Nil, limit)
	for n := len(all); limit > 0 && n > 0 && len(all) <= expected; {
		var page []T
		page, last = read(f, last, limit)
		n = len(page)
		all = append(all, page...)
	}
	return all
}

func describe(tid *string, f any) string {
	if tid == nil {
		return fmt.Sprintf("%+v", f)
	}
	return fmt.Sprintf("%+v with tid %q", f, *tid)
}

func testStopEarly(d *desk) {
	d.write(&ledger.Changes{Conversions: shelf(),
		Received: []ledger.Received{bareReceived(noon, 1), bareReceived(noon, 2)}})
	for range 30 {
		for _, err := range d.store.Conversions(d.Context(), ledger.ConversionFilter{}) {
			d.same("error", nil, err)
			break
		}
		for _, err := range d.store.Received(d.Context(), ledger.ReceivedFilter{}) {
			d.same("error", nil, err)
			break
		}
	}
	d.write(&ledger.Changes{NewClicks: []*conversion.Click{bareClick("after")}})
	d.same("conversions", 48, len(d.conversions(ledger.ConversionFilter{})))
}
