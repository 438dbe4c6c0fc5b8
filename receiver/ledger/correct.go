package ledger

import (
	"context"
	"errors"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// ErrVersion means that a conversion has another version than the one that was to be changed.
var ErrVersion = errors.New("another version")

// Correction is what a person says of a conversion.
type Correction struct {
	conversion.Correction
	// Slot names the conversion, Version the one that is to be changed.
	Slot    Slot
	Version int
	// Log is the correction's row of the received log, without its outcome.
	Log Received
}

// Correct changes a conversion as a person says, and returns once that is durable. It answers [ErrNotFound] if there is
// no such conversion, and [ErrVersion] if its version is another: what the person has seen is out of date.
func (l *Ledger) Correct(ctx context.Context, c Correction) (Result, error) {
	o := &correctOp{Correction: c}
	if err := l.do(ctx, o); err != nil {
		return Result{}, err
	}
	return o.result, o.err
}

type correctOp struct {
	Correction
	result Result
	err    error
}

func (o *correctOp) key() Key { return o.Slot.Key }

func (o *correctOp) want(w *Want, again bool) {
	w.Keys = append(w.Keys, o.Slot.Key)
	w.Slots = append(w.Slots, o.Slot)
	w.Create = append(w.Create, o.Slot.Key) // An orphan has no click to lock.
	if again {
		w.Receipts = append(w.Receipts, Receipt{Key: o.Slot.Key, ID: o.Log.ID, At: o.Log.At})
	}
}

func (o *correctOp) decide(s *batchState, _ bool) {
	o.result, o.err = Result{}, nil
	if stored, ok := s.book.Receipts[o.Log.ID]; ok {
		o.result = resultOf(stored)
		return
	}
	prev, click := s.slot(o.Slot).now, s.click(o.Slot.Key).now
	switch {
	case prev == nil:
		o.err = ErrNotFound
		return
	case prev.Version != o.Version:
		o.err = ErrVersion
		return
	}
	d := conversion.Correct(&o.Correction.Correction, prev, click)
	o.result = Result{Outcome: d.Outcome, ConversionID: prev.ID, Test: prev.Test}
	if d.Next == nil {
		return
	}
	s.record(o.Slot, d.Next)
	s.forward(o.Rules, d.Forwards, d.Next, click, "")
	o.result.Version = d.Next.Version
	row := o.Log
	row.Kind, row.Type, row.Status = KindManual, d.Next.Type, clip(d.Next.Status, MaxStatus)
	o.result.writeTo(&row)
	s.log(row)
}
