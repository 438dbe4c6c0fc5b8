package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// Transact implements [ledger.Store]. There is one writer at a time, so keys need no locks and Want.Create no rows.
func (s *Store) Transact(ctx context.Context, want ledger.Want, decide func(*ledger.Book) *ledger.Changes) error {
	return s.write(ctx, func(w *writer) (bool, error) {
		book, err := w.read(want)
		if err != nil {
			return false, fmt.Errorf("reading the book: %w", err)
		}
		changes := decide(book)
		if changes == nil {
			return false, nil
		}
		changed, err := w.store(changes)
		if err != nil {
			return false, fmt.Errorf("writing the book: %w", err)
		}
		return changed, nil
	})
}

func (w *writer) read(want ledger.Want) (*ledger.Book, error) {
	book := &ledger.Book{
		Clicks:      make(map[ledger.Key]*conversion.Click, len(want.Keys)),
		Conversions: make(map[ledger.Slot]*conversion.Conversion, len(want.Slots)),
		Held:        map[ledger.Key][]ledger.HeldPostback{},
		Receipts:    make(map[uuid.UUID]ledger.Received, len(want.Receipts)),
	}
	for _, key := range want.Keys {
		if err := w.readClick(book, key); err != nil {
			return nil, err
		}
	}
	for _, slot := range want.Slots {
		if err := w.readConversion(book, slot); err != nil {
			return nil, err
		}
	}
	if len(want.Held) > 0 {
		if err := w.readHeld(book, want.Held); err != nil {
			return nil, err
		}
	}
	for _, receipt := range want.Receipts {
		if err := w.readReceipt(book, receipt); err != nil {
			return nil, err
		}
	}
	return book, nil
}

func (w *writer) readClick(book *ledger.Book, key ledger.Key) error {
	endpoint, err := w.endpoint(key.Endpoint)
	if err != nil {
		return err
	}
	return w.selectClick.query(func(r *row) (err error) {
		book.Clicks[key], err = r.click(key.Endpoint)
		return err
	}, endpoint, key.SubID)
}

func (w *writer) readConversion(book *ledger.Book, slot ledger.Slot) error {
	endpoint, err := w.endpoint(slot.Endpoint)
	if err != nil {
		return err
	}
	return w.selectConversion.query(func(r *row) error {
		c, err := r.conversion()
		c.Endpoint = slot.Endpoint
		book.Conversions[slot] = c
		return err
	}, endpoint, slot.SubID, slot.TID, slot.Type)
}

// readHeld reads the held postbacks of the keys and the slots that those are meant for. Mostly nothing at all is held.
func (w *writer) readHeld(book *ledger.Book, keys []ledger.Key) error {
	some := false
	if err := w.anyHeld.query(func(*row) error { some = true; return nil }); err != nil || !some {
		return err
	}
	for _, key := range keys {
		endpoint, err := w.endpoint(key.Endpoint)
		if err != nil {
			return err
		}
		err = w.selectHeld.query(func(r *row) error {
			held := ledger.HeldPostback{Until: r.time(), Intent: &conversion.Intent{}}
			if err := json.Unmarshal([]byte(r.text()), held.Intent); err != nil {
				return fmt.Errorf("reading a held postback: %w", err)
			}
			book.Held[key] = append(book.Held[key], held)
			return r.err
		}, endpoint, key.SubID)
		if err != nil {
			return err
		}
		for _, held := range book.Held[key] {
			slot := ledger.Slot{Key: key, SlotKey: held.Intent.Slot}
			if err := w.readConversion(book, slot); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) readReceipt(book *ledger.Book, receipt ledger.Receipt) error {
	return w.selectReceipt.query(func(r *row) error {
		stored, err := r.received()
		stored.Endpoint = receipt.Endpoint
		book.Receipts[receipt.ID] = stored
		return err
	}, receipt.ID[:])
}
