package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// The isolation is spelt out because the two flights live by it: each statement must see what was committed before it
// began, so that what is read after waiting for a lock is what the lock's former holder left.
const begin = "begin isolation level read committed read write"

// settings apply to one transaction, not to the session: behind pgbouncer a session belongs to nobody.
// A stronger synchronous_commit than "on" is the DBA's to choose. Every statement looks rows up by key; the planner is
// kept from scanning tables that were empty when it last looked, and grow by a million rows before it looks again.
const settings = `select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true),
	set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
	set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true),
	set_config('synchronous_commit',
		case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, true)`

// The first flight.
var (
	createPlaceholders = insertRows(keyColumns,
		"insert into clicks ({columns}, present) {values}, false on conflict do nothing")
	lockClicks = forRows(keyColumns, clickKey, `select t.present, {t.clicks} from {rows} join clicks t on {key}
		order by t.bucket, t.endpoint, t.subid for no key update of t`)
	readSlots = forRows(slotColumns, slotKey, "select {t.conversions} from {rows} join conversions t on {key}")
	readHeld  = forRows(keyColumns, clickKey, "select {t.held} from {rows} join held t on {key}")
	// One slot may have several held postbacks.
	readHeldSlots = forRows(keyColumns, clickKey, `
		select distinct on (c.id) {c.conversions} from {rows} join held t on {key} join conversions c
		on (c.bucket, c.endpoint, c.subid, c.tid, c.slot_type) = (t.bucket, t.endpoint, t.subid, t.tid, t.slot_type)`)
	// A receipt may have been committed here and not yet have reached the standby. Locking its row makes this
	// transaction one that writes, so that its commit waits until the standby has everything before it as well.
	readReceipts = forRows(receiptColumns, idKey, `select {t.received} from {rows} join received t on {key}
		order by t.bucket, t.endpoint, t.subid, t.id for no key update of t`)
	// Another receiver that records a request of that signature holds the lock of its click.
	readSigned = forRows(signedColumns, idKey, "select {t.received} from {rows} join received t on {key}")
)

// Columns that never change, because the key or an index holds them.
var (
	fixedConversionColumns = []string{"endpoint", "subid", "tid", "slot_type", "id", "created_at"}
	changedConversion      = slices.Concat(table.Conversions.Pick(fixedConversionColumns[:slotKey]...),
		table.Conversions.Without(fixedConversionColumns...))
	settledReceived = table.Received.Pick("endpoint", "subid", "id", "outcome", "reason", "warnings", "conversion", "test")
	heldKey         = table.Held.Pick("endpoint", "subid", "request_id")
	pendingColumns  = table.PendingRates.Columns
)

// The second flight. What must not be there yet is inserted without "on conflict", so that a batch which missed
// something that it could not lock fails as a whole, and is tried again.
var (
	insertClicks = insertRows(table.Clicks.Columns, "insert into clicks ({columns}, present) {values}, true")
	updateClicks = forRows(table.Clicks.Columns, clickKey,
		"update clicks t set present = true, {set} from {rows} where {key}")
	insertConversions = insertRows(table.Conversions.Columns, "insert into conversions ({columns}) {values}")
	updateConversions = forRows(changedConversion, slotKey, "update conversions t set {set} from {rows} where {key}")
	insertHistory     = insertRows(table.History.Columns, "insert into conversion_history ({columns}) {values}")
	insertForwards    = insertRows(table.Outbox.Columns, "insert into outbox ({columns}) {values}")
	insertReceived    = insertRows(table.Received.Columns, `insert into received ({columns}, tx) {values},
		(select pg_current_xact_id()::text::bigint + tx_base from postback_schema)`)
	settleReceived = forRows(settledReceived, idKey, "update received t set {set} from {rows} where {key}")
	deleteHeld     = forRows(heldKey, idKey, "delete from held t using {rows} where {key}")
	insertHeld     = insertRows(table.Held.Columns, "insert into held ({columns}) {values}")
	deletePending  = forRows(pendingColumns, len(pendingColumns), "delete from pending_rates t using {rows} where {key}")
	insertPending  = insertRows(pendingColumns, "insert into pending_rates ({columns}) {values} on conflict do nothing")
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
			Signed:      make(map[uuid.UUID]ledger.Received),
		},
		placeholders: make(map[ledger.Key]bool),
	}
	b := s.newBatch()
	b.Queue(begin)
	b.Queue(settings, milliseconds(s.options.StatementTimeout), milliseconds(s.options.LockTimeout))
	createPlaceholders.queue(b, sortedValues(want.Create, keyOfKey), nil)
	lockClicks.queue(b, sortedValues(want.Keys, keyOfKey), reading(clickColumns, st.addClick))
	readSlots.queue(b, sortedValues(want.Slots, keyOfSlot), reading(table.Conversions.Columns, st.addConversion))
	held := sortedValues(want.Held, keyOfKey)
	readHeld.queue(b, held, reading(table.Held.Columns, st.addHeld))
	readHeldSlots.queue(b, held, reading(table.Conversions.Columns, st.addConversion))
	readReceipts.queue(b, sortedValues(want.Receipts, keyOfReceipt), reading(table.Received.Columns, st.addReceipt))
	readSigned.queue(b, sortedValues(want.Signed, keyOfSigned), reading(table.Received.Columns, st.addSigned))
	if err := s.send(ctx, conn, b); err != nil {
		return nil, err
	}
	for _, held := range st.book.Held {
		slices.SortFunc(held, func(a, b ledger.HeldPostback) int {
			return cmp.Or(cmp.Compare(a.Intent.Stamp, b.Intent.Stamp),
				slices.Compare(a.Intent.RequestID[:], b.Intent.RequestID[:]))
		})
	}
	return st, nil
}

func (st *state) addClick(row *clickRow) error {
	if key := keyOfClick(&row.Click); row.Present {
		st.book.Clicks[key] = &row.Click
	} else {
		st.placeholders[key] = true
	}
	return nil
}

func (st *state) addConversion(c *conversion.Conversion) error {
	st.book.Conversions[slotOf(c)] = c
	return nil
}

func slotOf(c *conversion.Conversion) ledger.Slot {
	return ledger.Slot{Key: keyOfConversion(c), SlotKey: c.Slot}
}

func (st *state) addHeld(held *ledger.HeldPostback) error {
	key := keyOfHeld(held)
	st.book.Held[key] = append(st.book.Held[key], *held)
	return nil
}

func (st *state) addSigned(row *ledger.Received) error {
	st.book.AddSigned(*row)
	return nil
}

func (st *state) addReceipt(row *ledger.Received) error {
	st.book.Receipts[row.ID] = *row
	return nil
}

// write is the second flight.
func (s *Store) write(ctx context.Context, conn *pgx.Conn, st *state, changes *ledger.Changes) error {
	b := s.newBatch()
	st.queueClicks(b, changes)
	st.queueConversions(b, changes)
	queueWaiting(b, changes)
	insertReports.queue(b, sortedValues(changes.Reports, keyOfReports), nil)
	insertReceived.queue(b, sortedValues(changes.Received, keyOfReceived), nil)
	settleReceived.queue(b, sortedValues(changes.Settled, keyOfReceived), nil)
	deleteClicks.queue(b, sortedValues(changes.Expired, keyOfKey), nil)
	queueTests(b, sortedValues(changes.Tests, keyOfKey))
	queueErasures(b, changes)
	queueCommit(b)
	return s.send(ctx, conn, b)
}

// queueClicks inserts the clicks that have no row, and updates those that have one, be it a placeholder.
func (st *state) queueClicks(b *batch, changes *ledger.Changes) {
	stored, fresh := split(sorted(changes.NewClicks, keyOfClick), func(r keyed[conversion.Click]) bool {
		return st.placeholders[r.Key]
	})
	stored = append(stored, sorted(changes.UpdatedClicks, keyOfClick)...)
	sortRows(stored)
	insertClicks.queue(b, fresh, nil)
	updateClicks.queue(b, stored, nil)
}

// queueConversions inserts the slots that the book lacks and updates the others.
func (st *state) queueConversions(b *batch, changes *ledger.Changes) {
	stored, fresh := split(sorted(changes.Conversions, keyOfConversion), func(r keyed[conversion.Conversion]) bool {
		return st.book.Conversions[ledger.Slot{Key: r.Key, SlotKey: r.row.Slot}] != nil
	})
	insertConversions.queue(b, fresh, nil)
	updateConversions.queue(b, stored, nil)
	insertHistory.queue(b, sorted(changes.History, keyOfConversion), nil)
}

// queueWaiting writes what waits: for delivery, for a click, for a rate. Removing goes first: what leaves and comes in
// one batch stays.
func queueWaiting(b *batch, changes *ledger.Changes) {
	forwards := make([]ledger.OutboxRow, len(changes.Forwards))
	for i := range changes.Forwards {
		forwards[i] = changes.Forwards[i].Row()
	}
	insertForwards.queue(b, sortedValues(forwards, keyOfOutbox), nil)
	deleteHeld.queue(b, sortedValues(changes.Release, keyOfHeld), nil)
	insertHeld.queue(b, sortedValues(changes.Hold, keyOfHeld), nil)
	deletePending.queue(b, sortedValues(changes.HaveRate, keyOfPending), nil)
	insertPending.queue(b, sortedValues(changes.AwaitRate, keyOfPending), nil)
}
