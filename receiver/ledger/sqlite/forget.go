package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	// scrubPages are looked at in one transaction: postbacks wait no longer.
	scrubPages = 256
	// maxScrubbed bounds the pages of a file of which b-trees can be told from overflow pages: these begin with a page
	// number, whose first byte is below the types of b-trees.
	maxScrubbed = 1 << 25
	// emptyAgain is how long an attempt to empty the write-ahead log waits for the next one.
	emptyAgain = 100 * time.Millisecond
)

// Forget implements [ledger.Erasures]. SQLite overwrites what is deleted (secure_delete), but rows that were moved to
// another page leave a copy in the part of their former page that is not used. So all pages are looked at, a few at a
// time, and these parts are overwritten. Then the write-ahead log, which has the former pages, is emptied.
func (s *Store) Forget(ctx context.Context) error {
	pages, err := s.pages(ctx)
	if err != nil {
		return err
	}
	if pages >= maxScrubbed {
		return fmt.Errorf("a store of %d pages is too large for its unused parts to be overwritten", pages)
	}
	for first := int64(1); first <= pages; first += scrubPages {
		began := time.Now()
		err := s.write(ctx, func(w *writer) (bool, error) {
			return w.scrubPages(first, min(first+scrubPages-1, pages))
		})
		if err != nil {
			return err
		}
		if err := wait(ctx, time.Since(began)); err != nil { // Half of the time is the postbacks'.
			return err
		}
	}
	for {
		emptied := false
		err := s.locked(ctx, func(w *writer) (err error) {
			emptied, err = w.emptyLog()
			return err
		})
		if err != nil || emptied {
			return err
		}
		if err := wait(ctx, emptyAgain); err != nil { // A reader is still in it.
			return err
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ledger.ErrUnavailable, context.Cause(ctx))
	case <-time.After(d):
		return nil
	}
}

func (s *Store) pages(ctx context.Context) (n int64, err error) {
	for n, err := range rows(ctx, s, "pragma page_count", nil, func(r *row) (int64, error) { return r.integer(), r.err }) {
		return n, err
	}
	return 0, nil
}

// scrubPages overwrites what pages do not use. It reports whether anything was.
func (w *writer) scrubPages(first, last int64) (changed bool, err error) {
	read, err := prepare(w.conn, "select data from sqlite_dbpage where pgno = ?")
	if err != nil {
		return false, classify(err)
	}
	defer func() { err = errors.Join(err, read.prepared.Close()) }()
	for number := first; number <= last; number++ {
		var page []byte
		if err := read.query(func(r *row) error {
			data, _ := next[[]byte](r)
			page = append(page, data...)
			return r.err
		}, number); err != nil {
			return changed, err
		}
		if !scrub(page, number == 1) {
			continue
		}
		if _, err := w.once("update sqlite_dbpage set data = ? where pgno = ?", page, number); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// scrub overwrites the unused parts of a b-tree's page, by SQLite's file format: what is between the array of pointers
// to cells and the cells, and the free blocks between these. It reports whether there was anything. Pages of other
// kinds stay as they are.
func scrub(page []byte, first bool) bool {
	head := 0
	if first {
		head = 100 // The file's own header.
	}
	if len(page) < head+12 {
		return false
	}
	number := func(at int) int { return int(binary.BigEndian.Uint16(page[at:])) }
	cells := head + 8
	switch page[head] {
	case 2, 5:
		cells += 4
	case 10, 13:
	default:
		return false
	}
	cells += 2 * number(head+3)
	content := number(head + 5)
	if content == 0 {
		content = 1 << 16
	}
	if cells > content || content > len(page) {
		return false
	}
	changed := zero(page[cells:content])
	for block, before := number(head+1), content-1; block > before && block+4 <= len(page); {
		size := number(block + 2)
		if size < 4 || block+size > len(page) {
			return changed
		}
		changed = zero(page[block+4:block+size]) || changed
		block, before = number(block), block
	}
	return changed
}

// zero overwrites, and reports whether there was anything.
func zero(part []byte) (changed bool) {
	for i, b := range part {
		if b != 0 {
			part[i], changed = 0, true
		}
	}
	return changed
}
