package ledger

import (
	"context"
	"time"
)

// clicksAnew is how often clicks are looked through from the start: one that was handed in late may be older than those
// that were looked at.
const clicksAnew = 24 * time.Hour

// clickExpiry deletes clicks that are old and have no conversion, page by page. They are operations like all others:
// they wait in the lanes behind postbacks, and a click that converts at that moment stays.
type clickExpiry struct {
	ledger *Ledger
	// last is the one that was looked at last, nil = none; begun is when the first one was.
	last  *OldClick
	begun time.Time
}

// run looks at what has become old since it last did.
func (e *clickExpiry) run(ctx context.Context) error {
	l := e.ledger
	keep := l.opt.ClicksFor()
	if keep <= 0 {
		return nil
	}
	now := l.opt.Clock()
	if age := now.Sub(e.begun); age < 0 || age >= clicksAnew {
		e.last, e.begun = nil, now
	}
	before := now.Add(-keep)
	for {
		began := time.Now()
		old, err := l.store.OldClicks(ctx, before, e.last, page)
		if err != nil {
			return err
		}
		var ops []op
		for _, click := range old {
			if !click.Converted {
				ops = append(ops, expireOp{click.Key, before})
			}
		}
		if err := l.doAll(ctx, ops); err != nil {
			return err
		}
		if len(old) > 0 {
			e.last = &old[len(old)-1]
		}
		if err := ctx.Err(); err != nil || len(old) < page {
			return err
		}
		pause(ctx, time.Since(began))
	}
}

// expireOp deletes a click that happened before a time.
type expireOp struct {
	click  Key
	before time.Time
}

func (o expireOp) key() Key { return o.click }

func (o expireOp) want(w *Want, _ bool) { w.Keys = append(w.Keys, o.click) }

func (o expireOp) decide(s *batchState, _ bool) {
	if click := s.click(o.click).now; click != nil && click.Time.Before(o.before) {
		s.out.Expired = append(s.out.Expired, o.click)
	}
}

// testsFor is for how long tests are kept: long enough to look at, and too short to pile up.
const testsFor = 7 * 24 * time.Hour

// removeTests deletes test clicks that are old, each with everything that came of it but the received log. They are
// operations like all others, as expired clicks are.
func (l *Ledger) removeTests(ctx context.Context) error {
	before := l.opt.Clock().Add(-testsFor)
	for {
		began := time.Now()
		old, err := l.store.OldTests(ctx, before, page)
		if err != nil || len(old) == 0 {
			return err
		}
		ops := make([]op, len(old))
		for i, key := range old {
			ops[i] = removeTestOp{key, before}
		}
		if err := l.doAll(ctx, ops); err != nil || len(old) < page {
			return err
		}
		pause(ctx, time.Since(began))
	}
}

// removeTestOp removes a test click that happened before a time.
type removeTestOp expireOp

func (o removeTestOp) key() Key { return o.click }

func (o removeTestOp) want(w *Want, _ bool) { w.Keys = append(w.Keys, o.click) }

func (o removeTestOp) decide(s *batchState, _ bool) {
	if click := s.click(o.click).now; click != nil && click.Test && click.Time.Before(o.before) {
		s.out.Tests = append(s.out.Tests, o.click)
	}
}
