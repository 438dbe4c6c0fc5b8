package ledger

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

const (
	holdsEvery   = time.Second
	pruneEvery   = time.Minute
	prepareEvery = 10 * time.Minute
	// page bounds what one step of the upkeep reads or deletes.
	page = 1000
)

// Run does the upkeep until ctx ends: it expires holds, makes room for the days to come, and deletes what is older than
// the options keep. Failures are
// logged, unless the store is away, and tried again at the next turn. Several receivers of one store may run it at the
// same time.
func (l *Ledger) Run(ctx context.Context) {
	clicks := &clickExpiry{ledger: l}
	var running sync.WaitGroup
	for _, job := range []struct {
		every time.Duration
		run   func(context.Context) error
	}{
		{holdsEvery, l.ExpireHolds}, {pruneEvery, l.prune}, {pruneEvery, clicks.run}, {pruneEvery, l.removeTests},
		{prepareEvery, l.prepare},
	} {
		running.Go(func() { l.repeat(ctx, job.every, job.run) })
	}
	running.Wait()
}

func (l *Ledger) repeat(ctx context.Context, every time.Duration, run func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !l.opt.Settled() {
			continue
		}
		err := run(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrUnavailable) {
			l.opt.Logger.Warn("Upkeep failed, trying again later", "error", err)
		}
	}
}

// ExpireHolds settles the held postbacks whose time is up as ignored, click_not_found.
func (l *Ledger) ExpireHolds(ctx context.Context) error {
	for {
		keys, err := l.store.ExpiredHolds(ctx, l.opt.Clock(), page)
		if err != nil || len(keys) == 0 {
			return err
		}
		ops := make([]op, len(keys))
		for i, k := range keys {
			ops[i] = releaseOp(k)
		}
		if err := l.doAll(ctx, ops); err != nil || len(keys) < page {
			return err
		}
	}
}

func (l *Ledger) prepare(ctx context.Context) error { return l.store.Prepare(ctx, l.opt.Clock()) }

func (l *Ledger) prune(ctx context.Context) error {
	if l.opt.ReceivedFor <= 0 && l.opt.HistoryFor <= 0 {
		return nil
	}
	now := l.opt.Clock()
	before := func(keep time.Duration) time.Time {
		if keep <= 0 {
			return time.Time{}
		}
		return now.Add(-keep)
	}
	for {
		began := time.Now()
		n, err := l.store.Prune(ctx, before(l.opt.ReceivedFor), before(l.opt.HistoryFor), page)
		if err != nil || n < page {
			return err
		}
		pause(ctx, time.Since(began)) // A large backlog leaves half of the store's time to the rest.
	}
}

// releaseOp looks at a key's held postbacks again.
type releaseOp Key

func (o releaseOp) key() Key { return Key(o) }

func (o releaseOp) want(w *Want, _ bool) {
	w.Keys = append(w.Keys, Key(o))
	w.Held = append(w.Held, Key(o))
}

func (o releaseOp) decide(s *batchState, _ bool) { s.release(Key(o)) }

var one = decimal.NewFromInt(1)

// Reprice converts what waits for a rate and can be converted now: to be called when the rates have changed.
func (l *Ledger) Reprice(ctx context.Context, convert conversion.Converter) error {
	var after *PendingRate
	for {
		waiting, err := l.store.PendingRates(ctx, after, page)
		if err != nil || len(waiting) == 0 {
			return err
		}
		after = &waiting[len(waiting)-1]
		var ops []op
		for _, p := range waiting {
			if p.ToCurrency == "" || !convert(one, p.Currency, p.ToCurrency).Pending() {
				ops = append(ops, &repriceOp{PendingRate: p, convert: convert})
			}
		}
		if err := l.doAll(ctx, ops); err != nil {
			return err
		}
	}
}

// repriceOp converts what one entry says is waiting, or strikes out the entry when that is no longer so.
type repriceOp struct {
	PendingRate
	convert conversion.Converter
}

func (o *repriceOp) key() Key { return o.Key }

func (o *repriceOp) slot() Slot { return Slot{Key: o.key(), SlotKey: o.Slot} }

func (o *repriceOp) want(w *Want, _ bool) {
	w.Keys = append(w.Keys, o.key())
	if !o.Click {
		w.Slots = append(w.Slots, o.slot())
	}
}

func (o *repriceOp) decide(s *batchState, _ bool) {
	by := conversion.Repricing{Convert: o.convert, Rules: s.opt.Rules(o.Endpoint), At: s.now, RequestID: s.opt.NewID()}
	var before, now []PendingRate
	if o.Click {
		before, now = o.repriceClick(s, by)
	} else {
		before, now = o.repriceSlot(s, by)
	}
	// An entry that the book no longer backs would be read forever: what waits now takes its place.
	if !slices.Contains(before, o.PendingRate) {
		s.awaitRates([]PendingRate{o.PendingRate}, now)
	}
}

func (o *repriceOp) repriceClick(s *batchState, by conversion.Repricing) (before, now []PendingRate) {
	entry := s.click(o.key())
	before = s.waitingClick(entry.key, entry.now)
	if entry.now != nil && by.Rules != nil {
		if next := conversion.RepriceClick(entry.now, by.Rules.Currency, by); next != nil {
			s.setClick(entry.key, next)
		}
	}
	return before, s.waitingClick(entry.key, entry.now)
}

func (o *repriceOp) repriceSlot(s *batchState, by conversion.Repricing) (before, now []PendingRate) {
	entry, click := s.slot(o.slot()), s.click(o.key()).now
	before = waitingConversion(entry.slot, entry.now)
	if entry.now != nil {
		if d := conversion.Reprice(entry.now, click, by); d.Next != nil {
			s.record(entry.slot, d.Next)
			s.forward(by.Rules, d.Forwards, d.Next, click, "")
			s.log(Received{
				ID:         by.RequestID,
				Kind:       KindRate,
				Endpoint:   d.Next.Endpoint,
				SubID:      d.Next.SubID,
				At:         s.now,
				Stamp:      d.Next.Stamp,
				TID:        d.Next.Slot.TID,
				Type:       d.Next.Type,
				Outcome:    d.Outcome,
				Warnings:   d.Next.Warnings,
				Conversion: d.Next.ID,
				Version:    d.Next.Version,
				Test:       d.Next.Test,
			})
		}
	}
	return before, waitingConversion(entry.slot, entry.now)
}
