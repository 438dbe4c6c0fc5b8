package ledgertest

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// journal reads the journal after a cursor to its end, in pages of about limit rows.
func (d *desk) journal(store ledger.Store, after ledger.Cursor, limit int) ([]ledger.Received, ledger.Cursor) {
	d.Helper()
	var all []ledger.Received
	for {
		rows, next, err := store.ReadJournal(d.Context(), after, limit)
		if err != nil {
			d.Errorf("reading the journal: %v", err)
			return all, after
		}
		if next < after {
			d.Errorf("the cursor goes back from %d to %d", after, next)
		}
		if after = next; len(rows) == 0 {
			return all, after
		}
		all = append(all, rows...)
	}
}

// received writes rows, each in a batch of its own, with versions of one conversion from first on.
func (d *desk) writeVersions(first, n int) []ledger.Received {
	d.Helper()
	rows := make([]ledger.Received, n)
	for i := range rows {
		rows[i] = fullReceived(noon.Add(time.Duration(first+i)*time.Second), first+i)
		rows[i].Version = first + i
		d.write(&ledger.Changes{Received: rows[i : i+1]})
	}
	return rows
}

func testJournal(d *desk) {
	if end, err := d.store.JournalEnd(d.Context()); err != nil || end < 0 {
		d.Errorf("an empty journal ends at %d: %v", end, err)
	}
	rows, start := d.journal(d.store, 0, 10)
	d.same("an empty journal", 0, len(rows))
	first := d.writeVersions(1, 7)
	for _, limit := range []int{1, 2, 3, 7, 100} {
		got, _ := d.journal(d.store, start, limit)
		d.same("all rows", first, got)
	}
	_, middle := d.journal(d.store, start, 100)
	// A row that was received long ago, as from a spool, comes last all the same.
	late := fullReceived(noon.Add(-1000*time.Hour), 99)
	late.Version = 8
	d.write(&ledger.Changes{Received: []ledger.Received{late}})
	got, end := d.journal(d.store, middle, 3)
	d.same("rows after a cursor", []ledger.Received{late}, got)
	if now, err := d.store.JournalEnd(d.Context()); err != nil || now < end {
		d.Errorf("the journal ends at %d, its last row is at %d: %v", now, end, err)
	}
	settled := late
	settled.Outcome, settled.Version = "ignored", 0
	d.write(&ledger.Changes{Settled: []ledger.Received{settled}})
	got, _ = d.journal(d.store, end, 3)
	d.same("what is settled in its place makes no row", 0, len(got))
}

func testJournalAfterPruning(d *desk) {
	d.writeVersions(1, 3)
	_, end := d.journal(d.store, 0, 100)
	d.prune(noon.Add(48*time.Hour), time.Time{}, 100)
	d.same("rows that are left", 0, len(d.received(ledger.ReceivedFilter{})))
	d.reopen()
	more := d.writeVersions(4, 2)
	got, _ := d.journal(d.store, end, 100)
	d.same("the rows since", more, got)
}

// follower reads the journal while others write.
type follower struct {
	stop func() []ledger.Received
}

// follow starts one follower for each size of page.
func (d *desk) follow(store ledger.Store, limits ...int) (all []follower) {
	for _, limit := range limits {
		ended, read := make(chan struct{}), make(chan []ledger.Received)
		go func() {
			var rows []ledger.Received
			var after ledger.Cursor
			for last := false; ; {
				var page []ledger.Received
				page, after = d.journal(store, after, limit)
				rows = append(rows, page...)
				if last {
					read <- rows
					return
				}
				select {
				case <-ended:
					last = true
				case <-time.After(time.Millisecond):
				}
			}
		}()
		all = append(all, follower{func() []ledger.Received {
			close(ended)
			return <-read
		}})
	}
	return all
}

// auditJournal holds that a follower has seen every row once, and the versions of each conversion in their order.
func (d *desk) auditJournal(seen []ledger.Received) {
	d.Helper()
	ids, versions := map[uuid.UUID]bool{}, map[uuid.UUID]int{}
	for _, row := range seen {
		if ids[row.ID] {
			d.Errorf("row %s was read twice", row.ID)
		}
		ids[row.ID] = true
		if row.Version == 0 {
			continue
		}
		if row.Version != versions[row.Conversion]+1 {
			d.Errorf("version %d of %s was read after version %d", row.Version, row.Conversion, versions[row.Conversion])
		}
		versions[row.Conversion] = row.Version
	}
	d.same("rows that were read", len(d.received(ledger.ReceivedFilter{})), len(seen))
	for _, c := range d.conversions(ledger.ConversionFilter{}) {
		d.same("the last version of "+c.ID.String(), c.Version, versions[c.ID])
	}
	if !slices.ContainsFunc(seen, func(r ledger.Received) bool { return r.Version > 1 }) {
		d.Error("nothing was ever overwritten")
	}
}
