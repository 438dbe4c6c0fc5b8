package ledger

import (
	"context"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// Change is what a row of an operation has changed.
type Change struct {
	Result
	// Before and After are the slot's versions around the row; nil for none. They are not known when Repeated.
	Before, After *conversion.Conversion
	// Forwards are the rules whose S2S postbacks became due.
	Forwards []string
	// Repeated: an earlier attempt has committed the row, and Result is from the received log.
	Repeated bool
}

// ApplyRows records what the rows of an operation ask for, in their order where they share a subid, and returns once
// all of that is durable. A row whose Log.ID is in the received log already has taken effect, and does not a second
// time: after an error the same rows may be applied again. They wait in the lanes behind postbacks, and are never
// spooled.
func (l *Ledger) ApplyRows(ctx context.Context, rows []Postback) ([]Change, error) {
	applied := make([]rowOp, len(rows))
	ops := make([]op, len(rows))
	for i := range rows {
		applied[i].Postback = rows[i]
		ops[i] = &applied[i]
	}
	if err := l.doAll(ctx, ops); err != nil {
		return nil, err
	}
	changes := make([]Change, len(rows))
	for i := range applied {
		changes[i] = applied[i].change
	}
	return changes, nil
}

// rowOp is a postback that may have been committed by somebody who has forgotten it since.
type rowOp struct {
	postbackOp
	change Change
}

func (o *rowOp) want(w *Want, _ bool) { o.postbackOp.want(w, true) }

func (o *rowOp) decide(s *batchState, _ bool) {
	o.change = Change{}
	if stored, ok := s.book.Receipts[o.Log.ID]; ok {
		o.change.Result, o.change.Repeated = resultOf(stored), true
		return
	}
	first := len(s.out.Forwards)
	if in := o.Intent; in != nil {
		o.change.Before = s.slot(slotOf(in)).now
	}
	o.postbackOp.decide(s, false)
	o.change.Result = o.result
	if in := o.Intent; in != nil {
		o.change.After = s.slot(slotOf(in)).now
	}
	for _, f := range s.out.Forwards[first:] {
		o.change.Forwards = append(o.change.Forwards, f.Rule)
	}
}

func slotOf(in *conversion.Intent) Slot {
	return Slot{Key: KeyOf(in.Endpoint, in.SubID), SlotKey: in.Slot}
}

// Trial tells what rows of an operation would do, and writes nothing: the decisions are those of the lanes, on what is
// committed, read without locks. Rows see what the ones before them would have done. It is for one goroutine.
type Trial struct {
	ledger *Ledger
	// changed is what the rows so far would have left.
	clicks map[Key]*conversion.Click
	slots  map[Slot]*conversion.Conversion
	signed map[uuid.UUID]Received
}

// NewTrial returns a trial of which nothing has been applied.
func (l *Ledger) NewTrial() *Trial {
	return &Trial{ledger: l, clicks: map[Key]*conversion.Click{}, slots: map[Slot]*conversion.Conversion{},
		signed: map[uuid.UUID]Received{}}
}

// ApplyRows is [Ledger.ApplyRows], except that nothing is recorded.
func (t *Trial) ApplyRows(ctx context.Context, rows []Postback) ([]Change, error) {
	applied := make([]rowOp, len(rows))
	var want Want
	for i := range rows {
		applied[i].Postback = rows[i]
		applied[i].postbackOp.want(&want, false)
	}
	book, err := t.read(ctx, want.normalized())
	if err != nil {
		return nil, err
	}
	s := newBatchState(book, &t.ledger.opt)
	changes := make([]Change, len(rows))
	for i := range applied {
		applied[i].decide(s, false)
		changes[i] = applied[i].change
	}
	t.keep(s.changes())
	return changes, nil
}

// read makes the book of what is committed, with what the rows before would have changed of it.
func (t *Trial) read(ctx context.Context, want Want) (*Book, error) {
	book := &Book{Clicks: map[Key]*conversion.Click{}, Conversions: map[Slot]*conversion.Conversion{},
		Signed: map[uuid.UUID]Received{}}
	for _, key := range want.Keys {
		click, err := t.ledger.store.Click(ctx, key.Endpoint, key.SubID)
		if err != nil {
			return nil, err
		}
		if click != nil {
			book.Clicks[key] = click
		}
		if changed, ok := t.clicks[key]; ok {
			book.Clicks[key] = changed
		}
		for c, err := range t.ledger.store.Conversions(ctx, ConversionFilter{Endpoint: key.Endpoint, SubID: key.SubID}) {
			if err != nil {
				return nil, err
			}
			book.Conversions[Slot{Key: key, SlotKey: c.Slot}] = c
		}
	}
	for _, slot := range want.Slots {
		if changed, ok := t.slots[slot]; ok {
			book.Conversions[slot] = changed
		}
	}
	for _, signed := range want.Signed {
		if err := t.readSigned(ctx, book, signed); err != nil {
			return nil, err
		}
	}
	return book, nil
}

func (t *Trial) readSigned(ctx context.Context, book *Book, signed Signed) error {
	if row, ok := t.signed[signed.Signature]; ok {
		book.AddSigned(row)
		return nil
	}
	of := ReceivedFilter{Endpoint: signed.Endpoint, SubID: signed.SubID}
	for row, err := range t.ledger.store.Received(ctx, of) {
		if err != nil {
			return err
		}
		if row.Signature == signed.Signature {
			book.AddSigned(row)
		}
	}
	return nil
}

func (t *Trial) keep(changes *Changes) {
	for _, c := range changes.NewClicks {
		t.clicks[KeyOf(c.Endpoint, c.SubID)] = c
	}
	for _, c := range changes.UpdatedClicks {
		t.clicks[KeyOf(c.Endpoint, c.SubID)] = c
	}
	for _, c := range changes.Conversions {
		t.slots[Slot{Key: KeyOf(c.Endpoint, c.SubID), SlotKey: c.Slot}] = c
	}
	for _, row := range changes.Received {
		if row.Signature != uuid.Nil && row.Outcome != conversion.Ignored {
			t.signed[row.Signature] = row
		}
	}
}
