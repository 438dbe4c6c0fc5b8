package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

const (
	maxConflicts = 20
	firstBackoff = 20 * time.Millisecond
	lastBackoff  = 500 * time.Millisecond
)

// task is an op on its way through a lane.
type task struct {
	// ctx is the caller's: once it ends nobody waits for the answer.
	ctx context.Context
	op  op
	// again says that a former attempt failed in a way that leaves open whether it was committed.
	again bool
	// done takes the answer; it never blocks the lane.
	done chan error
}

// wait returns once the op is durable, has failed, or the caller's context has ended.
func (t *task) wait() error {
	select {
	case err := <-t.done:
		return err
	case <-t.ctx.Done():
		return fmt.Errorf("waiting for the commit: %w", context.Cause(t.ctx))
	}
}

// lane commits the ops of its keys, one batch after the other. There is no timer: what arrives while a commit is under
// way is the next batch.
type lane struct {
	ledger *Ledger
	index  int
	queue  *queue
}

func (l *lane) run() {
	for {
		select {
		case <-l.queue.arrived:
			for batch := l.take(); len(batch) > 0; batch = l.take() {
				l.handle(batch)
			}
		case <-l.ledger.ctx.Done():
			l.answerAll(l.queue.close(), ErrClosed)
			return
		}
	}
}

// take returns the next batch, none once the ledger has to stop.
func (l *lane) take() []*task {
	if l.ledger.ctx.Err() != nil {
		return nil
	}
	return l.queue.take(l.ledger.opt.MaxBatch)
}

// handle commits a batch, or spools it while older postbacks wait there.
func (l *lane) handle(batch []*task) {
	backlog := l.ledger.backlog
	if backlog.empty() {
		l.commit(batch)
		return
	}
	if others := backlog.take(l, batch); l.ledger.store.away() {
		l.answerAll(others, ErrUnavailable)
	} else {
		l.commit(others)
	}
	backlog.yield()
}

func (l *lane) answer(t *task, err error) {
	t.done <- err
	l.ledger.inFlight.Done()
}

// commit answers every task of the batch: when it is durable, when it can't be, or when nobody waits any more. A batch
// that was tried in vain is tried again as redelivered, since nobody knows whether it was committed, and spooled when
// that takes too long.
func (l *lane) commit(batch []*task) {
	ctx, cancel := l.patience()
	defer cancel()
	conflicts, backoff := 0, firstBackoff
	for {
		batch = l.dropAbandoned(batch)
		if len(batch) == 0 {
			return
		}
		err := l.attempt(ctx, batch)
		if err == nil {
			break
		}
		l.ledger.opt.Observer.BatchFailed(l.index, err)
		for _, t := range batch {
			t.again = true
		}
		switch {
		case l.ledger.ctx.Err() != nil:
			l.answerAll(batch, fmt.Errorf("%w: %w", ErrClosed, err))
			return
		case errors.Is(err, ErrConflict) && conflicts < maxConflicts:
			conflicts++
		case errors.Is(err, ErrUnavailable):
			pause(ctx, backoff)
			backoff = min(2*backoff, lastBackoff)
			if ctx.Err() != nil && l.ledger.ctx.Err() == nil {
				l.answerAll(l.ledger.backlog.take(l, batch), err)
				return
			}
		case len(batch) > 1:
			l.commit(batch[:len(batch)/2])
			l.commit(batch[len(batch)/2:])
			return
		default:
			l.ledger.opt.Logger.Error("Refusing one operation", "lane", l.index, "error", err)
			l.answer(batch[0], err)
			return
		}
	}
	l.answerAll(batch, nil)
}

func (l *lane) answerAll(batch []*task, err error) {
	for _, t := range batch {
		l.answer(t, err)
	}
}

// dropAbandoned leaves the tasks that somebody waits for. The others' senders were told that nothing is promised; when
// they send again, the received log or the duplicate rule knows what was committed after all.
func (l *lane) dropAbandoned(batch []*task) []*task {
	return slices.DeleteFunc(batch, func(t *task) bool {
		if t.ctx.Err() == nil {
			return false
		}
		l.answer(t, context.Cause(t.ctx))
		return true
	})
}

// patience bounds the attempts at one batch: with a spool to turn to they end early, otherwise with the ledger.
func (l *lane) patience() (context.Context, context.CancelFunc) {
	if l.ledger.backlog == nil {
		return l.ledger.ctx, func() {}
	}
	return context.WithTimeout(l.ledger.ctx, l.ledger.opt.Patience)
}

// pause waits, but not beyond the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// attempt runs one transaction. A panic in a decision fails the batch as refused data does, so that bisection leaves
// only the guilty operation unanswered for. Its text may hold what a sender sent, so only its type is logged.
func (l *lane) attempt(ctx context.Context, batch []*task) (err error) {
	defer func() {
		if r := recover(); r != nil {
			l.ledger.opt.Logger.Error("Panic in a batch", "lane", l.index, "panic", fmt.Sprintf("%T", r), "stack",
				string(debug.Stack()))
			err = fmt.Errorf("%w: panic while deciding", ErrPoisoned)
		}
	}()
	var want Want
	for _, t := range batch {
		t.op.want(&want, t.again)
	}
	var hosts []string
	began := l.ledger.opt.Clock()
	err = l.ledger.store.Transact(ctx, want.normalized(), func(book *Book) *Changes {
		s := newBatchState(book, &l.ledger.opt)
		for _, t := range batch {
			t.op.decide(s, t.again)
		}
		changes := s.changes()
		hosts = hostsOf(changes.Forwards)
		return changes
	})
	if err == nil {
		l.ledger.opt.Observer.BatchCommitted(l.index, len(batch), l.ledger.opt.Clock().Sub(began))
		if len(hosts) > 0 {
			l.ledger.opt.OnForwards(hosts)
		}
	}
	return err
}

// hostsOf returns where forwards go to, each host once.
func hostsOf(forwards []Forward) (hosts []string) {
	for i := range forwards {
		if !slices.Contains(hosts, forwards[i].Host) {
			hosts = append(hosts, forwards[i].Host)
		}
	}
	return hosts
}

// normalized brings everything into the one lock order and drops repeats.
func (w Want) normalized() Want {
	w.Keys = sortedKeys(w.Keys)
	w.Held = sortedKeys(w.Held)
	w.Create = sortedKeys(w.Create)
	slices.SortFunc(w.Slots, func(a, b Slot) int {
		return cmp.Or(a.Compare(b.Key), cmp.Compare(a.TID, b.TID), cmp.Compare(a.Type, b.Type))
	})
	w.Slots = slices.Compact(w.Slots)
	slices.SortFunc(w.Signed, func(a, b Signed) int {
		return cmp.Or(a.Compare(b.Key), slices.Compare(a.Signature[:], b.Signature[:]))
	})
	w.Signed = slices.Compact(w.Signed)
	return w
}

func sortedKeys(keys []Key) []Key {
	slices.SortFunc(keys, Key.Compare)
	return slices.Compact(keys)
}
