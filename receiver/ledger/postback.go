package ledger

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// Postback is one judged postback.
type Postback struct {
	// Log is its row of the received log, with the outcome that stands already when Intent is nil.
	Log Received
	// Intent is what it asks for; nil when there is nothing but the row to write. Log.ID is Intent.RequestID.
	// It must not be changed afterwards, even when the ledger answers with an error.
	Intent *conversion.Intent
}

// Result is what became of a postback.
type Result struct {
	Outcome  conversion.Outcome
	Reason   conversion.Reason
	Warnings []conversion.Warning
	// ConversionID is the conversion that was recorded, repeated or newer; the zero UUID if there is none. Version is the
	// one that was made of it, 0 if none was.
	ConversionID uuid.UUID
	Version      int
	// Test: the click is one.
	Test bool
}

// writeTo completes a row of the received log.
func (r Result) writeTo(row *Received) {
	row.Outcome, row.Reason, row.Warnings, row.Conversion = r.Outcome, r.Reason, r.Warnings, r.ConversionID
	row.Version, row.Test = r.Version, row.Test || r.Test
}

func resultOf(row Received) Result {
	return Result{
		Outcome:      row.Outcome,
		Reason:       row.Reason,
		Warnings:     row.Warnings,
		ConversionID: row.Conversion,
		Version:      row.Version,
		Test:         row.Test,
	}
}

// Postback records a postback and returns once that is durable. Postbacks of one subid take effect in the order of the
// calls. It answers [ErrBusy], at once, when too many wait already. After another error nobody knows whether it is
// stored: its sender is to send it again, which is harmless if it was.
func (l *Ledger) Postback(ctx context.Context, p Postback) (Result, error) {
	o := &postbackOp{Postback: p}
	if err := l.do(ctx, o); err != nil {
		return Result{}, err
	}
	return o.result, nil
}

type postbackOp struct {
	Postback
	result Result
}

// key of a postback that names no click is any: its request id spreads it.
func (o *postbackOp) key() Key {
	if o.Intent == nil && o.Log.SubID == "" {
		return Key{Bucket: o.Log.ID[len(o.Log.ID)-1], Endpoint: o.Log.Endpoint}
	}
	return o.logKey()
}

func (o *postbackOp) logKey() Key {
	return KeyOf(o.Log.Endpoint, o.Log.SubID)
}

func (o *postbackOp) want(w *Want, again bool) {
	if again {
		w.Receipts = append(w.Receipts, Receipt{Key: o.logKey(), ID: o.Log.ID, At: o.Log.At})
	}
	if o.Intent == nil {
		return
	}
	key := KeyOf(o.Intent.Endpoint, o.Intent.SubID)
	w.Keys = append(w.Keys, key)
	w.Slots = append(w.Slots, Slot{Key: key, SlotKey: o.Intent.Slot})
	if o.Log.Signature != uuid.Nil {
		w.Signed = append(w.Signed, Signed{Key: key, Signature: o.Log.Signature})
	}
	switch o.Intent.Rules.UnknownClick {
	case config.UnknownClickHold, config.UnknownClickRecord:
		w.Create = append(w.Create, key)
	}
}

// row completes the postback's row of the received log with what its intent says.
func (o *postbackOp) row() Received {
	row := o.Log
	if in := o.Intent; in != nil {
		row.Kind = cmp.Or(row.Kind, KindOf(in.Writer))
		row.Status = cmp.Or(row.Status, in.Status)
	}
	row.Kind = cmp.Or(row.Kind, KindPostback)
	row.Status = clip(row.Status, MaxStatus)
	return row
}

func (o *postbackOp) decide(s *batchState, again bool) {
	if stored, ok := s.book.Receipts[o.Log.ID]; ok {
		o.result = resultOf(stored)
		return
	}
	row := o.row()
	if o.Intent == nil {
		o.result = resultOf(row)
		s.log(row)
		return
	}
	if first, ok := s.signed(row.Signature); ok {
		row.Signature = uuid.Nil
		o.result = Result{
			Outcome:      conversion.Duplicate,
			Warnings:     row.Warnings,
			ConversionID: first.Conversion,
			Test:         first.Test,
		}
		o.result.writeTo(&row)
		s.log(row)
		return
	}
	in := o.Intent
	if again && !in.Redelivered {
		redelivered := *in
		redelivered.Redelivered = true
		in = &redelivered
	}
	result, holdUntil := s.apply(in)
	result.writeTo(&row)
	if result.Outcome == conversion.Ignored {
		row.Signature = uuid.Nil
	}
	logged := s.log(row)
	if result.Outcome == conversion.Held {
		s.hold(in, holdUntil, logged)
	}
	o.result = result
}
