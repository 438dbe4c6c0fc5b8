package ledger

import (
	"context"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// ClickResult says what became of a click.
type ClickResult int

// The results of adding a click.
const (
	// ClickAccepted means that the click is new.
	ClickAccepted ClickResult = iota
	// ClickDuplicate means that its endpoint has a click of that subid already; nothing changed.
	ClickDuplicate
)

// AddClicks stores clicks and returns what became of each once all of that is durable. A click releases the postbacks
// that were held for it. Of equal subids in one call the first is accepted. After an error some of the clicks may be
// stored: adding all of them again is harmless. When the store lost the answer of a commit, clicks that are new may be
// reported as duplicates: they are there, which is what a caller wants to know.
func (l *Ledger) AddClicks(ctx context.Context, clicks []conversion.Click) ([]ClickResult, error) {
	added := make([]clickOp, len(clicks))
	ops := make([]op, len(clicks))
	for i := range clicks {
		// A copy: the lane may still read it after ctx has ended and the caller has its slice back.
		click := clicks[i]
		added[i].click = &click
		ops[i] = &added[i]
	}
	if err := l.doAll(ctx, ops); err != nil {
		return nil, err
	}
	results := make([]ClickResult, len(clicks))
	for i := range added {
		results[i] = added[i].result
	}
	return results, nil
}

type clickOp struct {
	click  *conversion.Click
	result ClickResult
}

func (o *clickOp) key() Key { return KeyOf(o.click.Endpoint, o.click.SubID) }

func (o *clickOp) want(w *Want, _ bool) {
	key := o.key()
	w.Keys = append(w.Keys, key)
	w.Held = append(w.Held, key)
}

func (o *clickOp) decide(s *sheet, _ bool) {
	key := o.key()
	o.result = ClickDuplicate
	if s.click(key).now == nil {
		o.result = ClickAccepted
		s.setClick(key, o.click)
	}
	s.release(key)
}
