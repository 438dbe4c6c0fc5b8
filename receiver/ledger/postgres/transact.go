package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// The isolation is spelt out because the two flights live by it: each statement must see what was committed before it
// began, so that what is read after waiting for a lock is what the lock's former holder left.
const begin = "begin isolation level read committed read write"

// settings apply to one transaction, not to the session: behind pgbouncer a session belongs to nobody.
// A stronger synchronous_commit than "on" is the DBA's to choose. Every statement looks rows up by key; the planner is kept
// from scanning tables that were empty when it last looked, and grow by a million rows before it looks again.
const settings = `select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true),
	set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
	set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true),
	set_config('synchronous_commit', case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, true)`

// The first flight.
var (
	createPlaceholders = statement[keyRow]{
		params: keyColumns,
		plain:  "insert into clicks (bucket, endpoint, subid, present) " + unnest(keyColumns, 0) + ", false on conflict do nothing",
	}
	lockClicks = where("select "+names("t.", clickColumns)+" from %[1]s join clicks t on %[2]s"+
		" order by t.bucket, t.endpoint, t.subid for no key update of t", keyColumns, keyColumns)
	readSlots = where("select "+names("t.", conversionColumns)+" from %[1]s join conversions t on %[2]s",
		slotColumns, slotColumns)
	readHeld      = where("select "+names("t.", heldColumns)+" from %[1]s join held t on %[2]s", keyColumns, keyColumns)
	readHeldSlots = where("select distinct on (c.id) "+names("c.", conversionColumns)+" from %[1]s join held t on %[2]s"+
		" join conversions c on (c.bucket, c.endpoint, c.subid, c.tid, c.slot_type) = (t.bucket, t.endpoint, t.subid, t.tid, t.slot_type)",
		keyColumns, keyColumns)
	// A receipt may have been committed here and not yet have reached the standby. Locking its row makes this
	// transaction one that writes, so that its commit waits until the standby has everything before it as well.
	readReceipts = where("select "+names("t.", receivedColumns)+" from %[1]s join received t on %[2]s"+
		" order by t.bucket, t.endpoint, t.subid, t.id for no key update of t", idColumns("id"), idColumns("id"))
)

// The second flight. What must not be there yet is inserted without "on conflict", so that a batch which missed
// something that it could not lock fails as a whole, and is tried again.
var (
	insertClicks      = insert("clicks", clickColumns, "")
	updateClicks      = update("clicks", len(keyColumns), clickColumns)
	insertConversions = insert("conversions", conversionColumns, "")
	updateConversions = update("conversions", len(conversionKey), slices.Concat(conversionKey, conversionVersion))
	insertHistory     = insert("conversion_history", conversionColumns, "")
	insertForwards    = insert("outbox", forwardColumns, "")
	insertReceived    = insert("received", receivedColumns, "")
	settleReceived    = update("received", len(receivedKey), slices.Concat(receivedKey, receivedOutcome))
	deleteHeld        = remove("held", idColumns("request_id"))
	insertHeld        = insert("held", heldColumns, "")
	deletePending     = remove("pending_rates", pendingColumns)
	insertPending     = insert("pending_rates", pendingColumns, "on conflict do nothing")
)

// Transact implements [ledger.Store] in two flights: the first locks the clicks in key order and reads, in statements
// of their own, whatever hangs on them; the second writes and commits.
func (s *Store) Transact(ctx context.Context, want ledger.Want, decide func(*ledger.Book) *ledger.Changes) error {
	return s.withConn(ctx, func(conn *pgx.Conn) error {
		state, err := s.read(ctx, conn, want)
		if err != nil {
			return err
		}
		changes := decide(state.book)
		if changes == nil {
			changes = &ledger.Changes{}
		}
		return s.write(ctx, conn, state, changes)
	})
}

// state is what the first flight found.
type state struct {
	book *ledger.Book
	// placeholders are the keys that are locked and have no click.
	placeholders map[ledger.Key]bool
}

// read is the first flight.
func (s *Store) read(ctx context.Context, conn *pgx.Conn, want ledger.Want) (*state, error) {
	st := &state{
		book: &ledger.Book{
			Clicks:      make(map[ledger.Key]*conversion.Click, len(want.Keys)),
			Conversions: make(map[ledger.Slot]*conversion.Conversion, len(want.Slots)),
			Held:        make(map[ledger.Key][]ledger.HeldPostback),
			Receipts:    make(map[uuid.UUID]ledger.Received),
		},
		placeholders: make(map[ledger.Key]bool),
	}
	b := s.newBatch()
	b.Queue(begin)
	b.Queue(settings, milliseconds(s.options.StatementTimeout), milliseconds(s.options.LockTimeout))
	createPlaceholders.queue(b, sorted(want.Create, keyRowOf), nil)
	lockClicks.queue(b, sorted(want.Keys, keyRowOf), reading(clickColumns, st.addClick))
	readSlots.queue(b, sorted(want.Slots, func(slot ledger.Slot) slotRow { return slotRowOf(slot.Key, slot.SlotKey) }),
		reading(conversionColumns, st.addConversion))
	held := sorted(want.Held, keyRowOf)
	readHeld.queue(b, held, reading(heldColumns, st.addHeld))
	readHeldSlots.queue(b, held, reading(conversionColumns, st.addConversion))
	readReceipts.queue(b, sorted(want.Receipts, func(r ledger.Receipt) idRow { return idRowOf(r.Key, r.ID) }),
		reading(receivedColumns, st.addReceipt))
	if err := s.send(ctx, conn, b); err != nil {
		return nil, err
	}
	for _, held := range st.book.Held {
		slices.SortFunc(held, func(a, b ledger.HeldPostback) int {
			return cmp.Or(cmp.Compare(a.Intent.Stamp, b.Intent.Stamp), slices.Compare(a.Intent.RequestID[:], b.Intent.RequestID[:]))
		})
	}
	return st, nil
}

func (st *state) addClick(row *clickRow) error {
	if !row.Present {
		st.placeholders[row.key()] = true
		return nil
	}
	click, err := row.click()
	st.book.Clicks[row.key()] = click
	return err
}

func (st *state) addConversion(row *conversionRow) error {
	c, err := row.conversion()
	st.book.Conversions[row.slot()] = c
	return err
}

func (st *state) addHeld(row *heldRow) error {
	held, err := row.held()
	st.book.Held[row.key()] = append(st.book.Held[row.key()], held)
	return err
}

func (st *state) addReceipt(row *receivedRow) error {
	st.book.Receipts[row.ID.Bytes] = row.received()
	return nil
}

// write is the second flight.
func (s *Store) write(ctx context.Context, conn *pgx.Conn, st *state, changes *ledger.Changes) error {
	b := s.newBatch()
	st.queueClicks(b, changes)
	st.queueConversions(b, changes)
	if err := queueWaiting(b, changes); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrPoisoned, err)
	}
	insertReceived.queue(b, sorted(changes.Received, receivedRowOf), nil)
	settleReceived.queue(b, sorted(changes.Settled, receivedRowOf), nil)
	b.Queue("commit").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" { // a failed transaction answers ROLLBACK, and no error
			return fmt.Errorf("%w: commit answered %s", ledger.ErrConflict, tag)
		}
		return nil
	})
	return s.send(ctx, conn, b)
}

// queueClicks inserts the clicks that have no row, and updates those that have one, be it a placeholder.
func (st *state) queueClicks(b *batch, changes *ledger.Changes) {
	stored, fresh := split(sorted(changes.NewClicks, clickRowOf), func(r *clickRow) bool { return st.placeholders[r.key()] })
	stored = append(stored, sorted(changes.UpdatedClicks, clickRowOf)...)
	sortRows(stored)
	insertClicks.queue(b, fresh, nil)
	updateClicks.queue(b, stored, nil)
}

// queueConversions inserts the slots that the book lacks and updates the others.
func (st *state) queueConversions(b *batch, changes *ledger.Changes) {
	stored, fresh := split(sorted(changes.Conversions, conversionRowOf), func(r *conversionRow) bool {
		return st.book.Conversions[r.slot()] != nil
	})
	insertConversions.queue(b, fresh, nil)
	updateConversions.queue(b, stored, nil)
	insertHistory.queue(b, sorted(changes.History, conversionRowOf), nil)
}

// queueWaiting writes what waits: for delivery, for a click, for a rate. Removing goes first: what leaves and comes in
// one batch stays.
func queueWaiting(b *batch, changes *ledger.Changes) error {
	forwards, err := sortedErr(changes.Forwards, forwardRowOf)
	if err != nil {
		return err
	}
	held, err := sortedErr(changes.Hold, heldRowOf)
	if err != nil {
		return err
	}
	insertForwards.queue(b, forwards, nil)
	deleteHeld.queue(b, sorted(changes.Release, heldKeyOf), nil)
	insertHeld.queue(b, held, nil)
	deletePending.queue(b, sorted(changes.HaveRate, pendingRowOf), nil)
	insertPending.queue(b, sorted(changes.AwaitRate, pendingRowOf), nil)
	return nil
}
