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

func (o *clickOp) decide(s *batchState, _ bool) {
	key := o.key()
	o.result = ClickDuplicate
	if s.click(key).now == nil {
		o.result = ClickAccepted
		s.setClick(key, o.click)
	}
	s.release(key)
}

// ClickUpdate says what has become known of a click since.
type ClickUpdate struct {
	Endpoint, SubID string
	// Campaign that the click must be of; empty = any.
	Campaign string
	// Params are click fields, sorted by name; none = the click is only read.
	Params conversion.Params
	// Proven as in [conversion.Click.With].
	Proven bool
}

// UpdateClick lays params over a click and returns it once that is durable: as it is then. It is nil, and nothing
// changed, when the endpoint has no such click of that campaign.
func (l *Ledger) UpdateClick(ctx context.Context, u ClickUpdate) (*conversion.Click, error) {
	o := &updateOp{update: u}
	if err := l.do(ctx, o); err != nil {
		return nil, err
	}
	return o.result, nil
}

type updateOp struct {
	update ClickUpdate
	result *conversion.Click
}

func (o *updateOp) key() Key { return KeyOf(o.update.Endpoint, o.update.SubID) }

func (o *updateOp) want(w *Want, _ bool) { w.Keys = append(w.Keys, o.key()) }

func (o *updateOp) decide(s *batchState, _ bool) {
	key := o.key()
	o.result = s.click(key).now
	switch {
	case o.result == nil:
	case o.update.Campaign != "" && o.result.Campaign != o.update.Campaign:
		o.result = nil
	default:
		if updated := o.result.With(o.update.Params, o.update.Proven); updated != nil {
			s.setClick(key, updated)
			o.result = updated
		}
	}
}
