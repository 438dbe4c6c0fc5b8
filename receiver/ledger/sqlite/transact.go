package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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
		Signed:      make(map[uuid.UUID]ledger.Received, len(want.Signed)),
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
	for _, signed := range want.Signed {
		if err := w.readSigned(book, signed); err != nil {
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
	return w.selectClick.query(func(r *row) error {
		click := &conversion.Click{Endpoint: key.Endpoint}
		book.Clicks[key] = click
		return readInto(r, clickColumns, click)
	}, endpoint, key.SubID)
}

func (w *writer) readConversion(book *ledger.Book, slot ledger.Slot) error {
	endpoint, err := w.endpoint(slot.Endpoint)
	if err != nil {
		return err
	}
	return w.selectConversion.query(func(r *row) error {
		c := &conversion.Conversion{Endpoint: slot.Endpoint}
		book.Conversions[slot] = c
		return readInto(r, conversionColumns, c)
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
			var held ledger.HeldPostback
			if err := readInto(r, heldColumns, &held); err != nil {
				return fmt.Errorf("reading a held postback: %w", err)
			}
			book.Held[key] = append(book.Held[key], held)
			return nil
		}, endpoint, key.SubID)
		if err != nil {
			return err
		}
		slices.SortFunc(book.Held[key], func(a, b ledger.HeldPostback) int {
			return cmp.Or(cmp.Compare(a.Intent.Stamp, b.Intent.Stamp),
				slices.Compare(a.Intent.RequestID[:], b.Intent.RequestID[:]))
		})
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
		stored := ledger.Received{Endpoint: receipt.Endpoint}
		err := readInto(r, receivedColumns, &stored)
		book.Receipts[receipt.ID] = stored
		return err
	}, receipt.ID[:])
}

func (w *writer) readSigned(book *ledger.Book, signed ledger.Signed) error {
	return w.selectSigned.query(func(r *row) error {
		stored := ledger.Received{Endpoint: signed.Endpoint}
		err := readInto(r, receivedColumns, &stored)
		book.AddSigned(stored)
		return err
	}, signed.Signature[:])
}
