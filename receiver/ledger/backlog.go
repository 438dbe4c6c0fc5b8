package ledger

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

const (
	// drainLanes deliver side by side: more do not help a database (measured), fewer do not catch up with the intake.
	drainLanes = 4
	// drainRound is how many records the lanes deliver together before they are removed from the spool. It must be above
	// twice what the lanes append meanwhile, see [backlog.yield].
	drainRound = 1024
)

// backlog is what waits in the spool, and its way to the store. While it is not empty every new postback goes behind
// it, hence the store sees the postbacks of one subid in the order in which they came; a lane that finds it empty knows
// that whatever it had appended is committed, because records are removed only after that.
type backlog struct {
	ledger *Ledger
	spool  Spool
	lanes  []*lane
	// wake has a token when there may be something to deliver; busy is set from then until the spool is empty.
	wake chan struct{}
	busy atomic.Bool
	// clogged: the last removal failed.
	clogged atomic.Bool

	mu sync.Mutex
	// ended is closed at the end of the round under way.
	ended chan struct{}
}

func newBacklog(l *Ledger, spool Spool) *backlog {
	b := &backlog{ledger: l, spool: spool, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	for i := range drainLanes {
		b.lanes = append(b.lanes, &lane{ledger: l, index: len(l.lanes) + i})
	}
	if n := spool.Len(); n > 0 {
		l.opt.Logger.Warn("Delivering postbacks that a former process has spooled", "postbacks", n)
		b.busy.Store(true)
		b.wakeUp()
	}
	return b
}

func (b *backlog) empty() bool { return b == nil || b.spool.Len() == 0 }

func (b *backlog) wakeUp() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take spools the postbacks of a batch and answers them. It returns the other operations, which nothing but the store
// can keep.
func (b *backlog) take(ln *lane, batch []*task) (others []*task) {
	var postbacks []Postback
	var tasks []*task
	for _, t := range ln.dropAbandoned(batch) {
		if o, ok := t.op.(*postbackOp); ok {
			postbacks, tasks = append(postbacks, o.Postback), append(tasks, t)
		} else {
			others = append(others, t)
		}
	}
	if len(tasks) == 0 {
		return others
	}
	err := b.spool.Append(postbacks)
	if err == nil {
		if b.busy.CompareAndSwap(false, true) {
			b.ledger.opt.Logger.Warn("Spooling postbacks until the store has taken them")
		}
		b.wakeUp()
		for _, t := range tasks {
			t.op.(*postbackOp).spooled()
		}
	}
	ln.answerAll(tasks, err)
	return others
}

// spooled is the result of a postback that is durable and not yet decided. One that needs no decision has its outcome.
func (o *postbackOp) spooled() {
	o.result = resultOf(o.Log)
	if o.Intent != nil {
		o.result = Result{Outcome: conversion.Spooled}
	}
}

// yield gives the backlog priority over a lane, while the store takes what is delivered. The lane waits for the end of
// a round, and when little is left until all is delivered: between two rounds each lane appends one batch at most,
// which is less than a round removes, and the last rounds are not followed by another. So the backlog ends, however
// much comes in.
func (b *backlog) yield() {
	timer := time.NewTimer(b.ledger.opt.Patience) // the store may have just gone silent
	defer timer.Stop()
	for {
		b.mu.Lock()
		ended := b.ended // taken before looking, so that no end is missed
		b.mu.Unlock()
		if b.ledger.store.away() || b.empty() {
			return
		}
		select {
		case <-ended:
		case <-timer.C:
			return
		case <-b.ledger.ctx.Done():
			return
		}
		if b.spool.Len() > drainRound {
			return
		}
	}
}

// run delivers what is in the spool whenever there is something, until the ledger stops.
func (b *backlog) run() {
	for {
		select {
		case <-b.ledger.ctx.Done():
			return
		case <-b.wake:
		}
		if b.empty() {
			continue
		}
		if b.drain() && b.busy.CompareAndSwap(true, false) {
			b.ledger.opt.Logger.Info("The spool is empty: postbacks go to the store directly again")
		}
	}
}

// drain delivers rounds until the spool is empty. It reports false when the ledger stops first.
func (b *backlog) drain() bool {
	backoff := firstBackoff
	for !b.empty() {
		if b.ledger.ctx.Err() != nil {
			return false
		}
		if err := b.round(); err != nil {
			b.ledger.opt.Logger.Error("The spool cannot be delivered, trying again", "error", err)
			pause(b.ledger.ctx, backoff)
			backoff = min(2*backoff, lastBackoff)
			continue
		}
		backoff = firstBackoff
	}
	return true
}

// round delivers the first records and removes them. An error is the spool's, which could not be read, or set a record
// aside.
func (b *backlog) round() error {
	defer func() {
		b.mu.Lock()
		close(b.ended)
		b.ended = make(chan struct{})
		b.mu.Unlock()
	}()
	records, err := b.spool.Next(drainRound)
	if err != nil || len(records) == 0 {
		return err
	}
	shares := make([][]*task, len(b.lanes))
	for _, r := range records {
		t := &task{ctx: b.ledger.ctx, op: &spooledOp{postbackOp{Postback: r.Postback}, r.Seq}, again: true}
		to := int(t.op.key().Bucket) % len(shares)
		shares[to] = append(shares[to], t)
	}
	errs := make([]error, len(shares))
	var delivering sync.WaitGroup
	for i, share := range shares {
		delivering.Go(func() { errs[i] = b.deliver(b.lanes[i], share) })
	}
	delivering.Wait()
	if err := errors.Join(errs...); err != nil || b.ledger.ctx.Err() != nil {
		return err
	}
	b.forget(records[len(records)-1].Seq)
	return nil
}

// forget removes what is delivered. What the spool cannot remove it forgets for now, which is logged when it begins.
func (b *backlog) forget(through int64) {
	err := b.spool.Remove(through)
	if failed := err != nil; b.clogged.Swap(failed) != failed && failed {
		b.ledger.opt.Logger.Error("Delivered postbacks cannot be removed from the spool", "error", err)
	}
}

// spooledOp is a postback that comes from the spool. It, too, may have been tried before.
type spooledOp struct {
	postbackOp
	seq int64
}

// deliver returns nil when the store has all of the share, but for what it refuses, or when the ledger stops. What is
// delivered a second time is found by its receipt.
func (b *backlog) deliver(ln *lane, share []*task) error {
	backoff := firstBackoff
	for len(share) > 0 && b.ledger.ctx.Err() == nil {
		batch := share[:min(len(share), b.ledger.opt.MaxBatch)]
		err := ln.attempt(b.ledger.ctx, batch)
		switch {
		case err == nil:
			share, backoff = share[len(batch):], firstBackoff
			continue
		case !errors.Is(err, ErrPoisoned):
			if backoff == firstBackoff && !errors.Is(err, ErrUnavailable) && b.ledger.ctx.Err() == nil {
				b.ledger.opt.Logger.Error("Spooled postbacks cannot be delivered, trying again", "error", err)
			}
			pause(b.ledger.ctx, backoff)
			backoff = min(2*backoff, lastBackoff)
			continue
		case len(batch) > 1:
			half := len(batch) / 2
			err = errors.Join(b.deliver(ln, batch[:half]), b.deliver(ln, batch[half:]))
		default:
			err = b.spool.DeadLetter(batch[0].op.(*spooledOp).seq, err)
		}
		if err != nil {
			return err
		}
		share = share[len(batch):]
	}
	return nil
}
