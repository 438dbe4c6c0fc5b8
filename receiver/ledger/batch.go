package ledger

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// batchState is a batch's working copy of the book: later operations see what earlier ones decided, and only what
// remains in the end is written.
type batchState struct {
	book *Book
	opt  *Options
	now  time.Time

	clicks map[Key]*clickEntry
	slots  map[Slot]*slotEntry
	held   map[Key][]*heldEntry
	// touched and written keep the order of the first change, so that the outcome is deterministic.
	touched []*clickEntry
	written []*slotEntry
	holds   []*heldEntry
	logged  []*Received
	out     Changes
}

type clickEntry struct {
	key         Key
	before, now *conversion.Click
	changed     bool
}

type slotEntry struct {
	slot        Slot
	before, now *conversion.Conversion
	changed     bool
}

// heldEntry is a held postback; row is its line in the received log if this very batch writes it.
type heldEntry struct {
	HeldPostback
	row  *Received
	gone bool
}

func newBatchState(book *Book, opt *Options) *batchState {
	return &batchState{
		book: book, opt: opt, now: opt.Clock(),
		clicks: make(map[Key]*clickEntry, len(book.Clicks)), slots: make(map[Slot]*slotEntry, len(book.Clicks)),
		held: map[Key][]*heldEntry{},
	}
}

func (s *batchState) click(k Key) *clickEntry {
	e, ok := s.clicks[k]
	if !ok {
		stored := s.book.Clicks[k]
		e = &clickEntry{key: k, before: stored, now: stored}
		s.clicks[k] = e
	}
	return e
}

func (s *batchState) setClick(k Key, c *conversion.Click) {
	e := s.click(k)
	e.now = c
	if !e.changed {
		e.changed = true
		s.touched = append(s.touched, e)
	}
}

func (s *batchState) slot(k Slot) *slotEntry {
	e, ok := s.slots[k]
	if !ok {
		stored := s.book.Conversions[k]
		e = &slotEntry{slot: k, before: stored, now: stored}
		s.slots[k] = e
	}
	return e
}

// record makes next the slot's current version; the former one becomes history.
func (s *batchState) record(k Slot, next *conversion.Conversion) {
	e := s.slot(k)
	if e.now != nil {
		s.out.History = append(s.out.History, e.now)
	}
	e.now = next
	if !e.changed {
		e.changed = true
		s.written = append(s.written, e)
	}
}

// apply decides an intent and notes everything but the received log's row.
func (s *batchState) apply(in *conversion.Intent) (Result, time.Time) {
	key := KeyOf(in.Endpoint, in.SubID)
	slot := Slot{Key: key, SlotKey: in.Slot}
	prev, click := s.slot(slot).now, s.click(key).now
	d := conversion.Apply(in, prev, click)

	result := Result{Outcome: d.Outcome, Reason: d.Reason, Warnings: in.Warnings, Test: click != nil && click.Test}
	if d.Click != nil {
		s.setClick(key, d.Click)
		click = d.Click
	}
	switch {
	case d.Next != nil:
		s.record(slot, d.Next)
		s.forward(in.Rules, d.Forwards, d.Next, click, in.ReceivedIP)
		result.ConversionID, result.Version = d.Next.ID, d.Next.Version
		if d.Outcome == conversion.Recorded {
			result.Warnings = d.Next.Warnings
		}
	case prev != nil && (d.Outcome == conversion.Duplicate || d.Outcome == conversion.Superseded):
		result.ConversionID = prev.ID
	}
	return result, d.HoldUntil
}

func (s *batchState) forward(rules *conversion.Rules, due []string, c *conversion.Conversion, click *conversion.Click,
	ip string) {
	for _, rule := range due {
		s.out.Forwards = append(s.out.Forwards, Forward{
			ID: s.opt.NewID(), Rule: rule, Host: rules.ForwardHost(rule), Conversion: c, Click: click, IP: ip, Due: s.now,
		})
	}
}

// signed returns the row of the postback whose signature that is, if it has counted: it is in the book, or in this
// batch.
func (s *batchState) signed(signature uuid.UUID) (Received, bool) {
	if signature == uuid.Nil {
		return Received{}, false
	}
	if row, ok := s.book.Signed[signature]; ok && row.Outcome != conversion.Ignored {
		return row, true
	}
	for _, row := range s.logged {
		if row.Signature == signature && row.Outcome != conversion.Ignored {
			return *row, true
		}
	}
	return Received{}, false
}

// log adds a row to the received log, which stays open until the batch is closed.
func (s *batchState) log(row Received) *Received {
	s.logged = append(s.logged, &row)
	return &row
}

func (s *batchState) hold(in *conversion.Intent, until time.Time, row *Received) {
	key := KeyOf(in.Endpoint, in.SubID)
	e := &heldEntry{HeldPostback: HeldPostback{Intent: in, Until: until}, row: row}
	s.held[key] = append(s.heldAt(key), e)
	s.holds = append(s.holds, e)
}

// heldAt returns the key's held postbacks in the order of their arrival.
func (s *batchState) heldAt(k Key) []*heldEntry {
	entries, ok := s.held[k]
	if !ok {
		for _, h := range s.book.Held[k] {
			entries = append(entries, &heldEntry{HeldPostback: h})
		}
		slices.SortStableFunc(entries, func(a, b *heldEntry) int { return cmp.Compare(a.Intent.Stamp, b.Intent.Stamp) })
		s.held[k] = entries
	}
	return entries
}

// release ends the wait of the key's held postbacks: all of them when the click is there, otherwise those whose time is
// up.
func (s *batchState) release(k Key) {
	found := s.click(k).now != nil
	for _, h := range s.heldAt(k) {
		switch {
		case h.gone:
		case found:
			in := *h.Intent
			in.Redelivered = true
			result, _ := s.apply(&in)
			s.settle(h, result)
		case !s.now.Before(h.Until):
			s.settle(h, Result{Outcome: conversion.Ignored, Reason: conversion.ClickNotFound, Warnings: h.Intent.Warnings})
		}
	}
}

// settle writes a held postback's final outcome into its row of the received log, and the version that it made into a
// row of its own: readers of the journal have passed the first one.
func (s *batchState) settle(h *heldEntry, r Result) {
	h.gone = true
	if h.row != nil {
		r.writeTo(h.row)
		return
	}
	in := h.Intent
	row := Received{
		ID:       in.RequestID,
		Endpoint: in.Endpoint,
		SubID:    in.SubID,
		At:       in.Received,
		Stamp:    in.Stamp,
		IP:       in.ReceivedIP,
		TID:      in.Slot.TID,
		Type:     in.Type,
		Status:   clip(in.Status, MaxStatus),
	}
	r.writeTo(&row)
	s.out.Settled = append(s.out.Settled, row)
	s.out.Release = append(s.out.Release, h.HeldPostback)
	row.ID, row.Kind, row.At, row.Origin = s.opt.NewID(), KindHold, s.now, in.RequestID
	s.log(row)
}

// changes returns what the batch writes.
func (s *batchState) changes() *Changes {
	for _, e := range s.touched {
		if e.before == nil {
			s.out.NewClicks = append(s.out.NewClicks, e.now)
		} else {
			s.out.UpdatedClicks = append(s.out.UpdatedClicks, e.now)
		}
		s.awaitRates(s.waitingClick(e.key, e.before), s.waitingClick(e.key, e.now))
	}
	for _, e := range s.written {
		s.out.Conversions = append(s.out.Conversions, e.now)
		s.awaitRates(waitingConversion(e.slot, e.before), waitingConversion(e.slot, e.now))
	}
	for _, h := range s.holds {
		if !h.gone {
			s.out.Hold = append(s.out.Hold, h.HeldPostback)
		}
	}
	s.out.Reports = s.reportChanges()
	s.out.Received = make([]Received, len(s.logged))
	for i, row := range s.logged {
		s.out.Received[i] = *row
	}
	return &s.out
}

// awaitRates notes which conversions began and which ceased to wait for a rate.
func (s *batchState) awaitRates(before, now []PendingRate) {
	for _, p := range now {
		if !slices.Contains(before, p) {
			s.out.AwaitRate = append(s.out.AwaitRate, p)
		}
	}
	for _, p := range before {
		if !slices.Contains(now, p) {
			s.out.HaveRate = append(s.out.HaveRate, p)
		}
	}
}

func waitingConversion(slot Slot, c *conversion.Conversion) []PendingRate {
	if c == nil || c.State() != conversion.StatePendingRate {
		return nil
	}
	var waiting []PendingRate
	add := func(currency string) {
		p := PendingRate{Key: slot.Key, Slot: slot.SlotKey, Currency: currency, ToCurrency: c.EndpointCurrency}
		if !slices.Contains(waiting, p) {
			waiting = append(waiting, p)
		}
	}
	if c.Payout.Pending() {
		add(c.Payout.Currency)
	}
	if c.Cost != nil && c.Cost.Pending() {
		add(c.Cost.Currency)
	}
	return waiting
}

// waitingClick asks for the endpoint's currency because a click does not know it.
func (s *batchState) waitingClick(k Key, c *conversion.Click) []PendingRate {
	if c == nil || c.Cost == nil || !c.Cost.Pending() {
		return nil
	}
	rules := s.opt.Rules(k.Endpoint)
	if rules == nil {
		return []PendingRate{{Key: k, Click: true, Currency: c.Cost.Currency}}
	}
	return []PendingRate{{Key: k, Click: true, Currency: c.Cost.Currency, ToCurrency: rules.Currency}}
}
