package postgres

import (
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// Keys, in the columns' words. Every table's key begins with the bucket, which follows from the endpoint and the subid.
var (
	keyColumns = []table.Column[ledger.Key]{
		table.Of("endpoint", table.Text, func(k *ledger.Key) *string { return &k.Endpoint }),
		table.Of("subid", table.Text, func(k *ledger.Key) *string { return &k.SubID }),
	}
	slotColumns = append(table.Within(func(s *ledger.Slot) *ledger.Key { return &s.Key }, keyColumns),
		table.Of("tid", table.Text, func(s *ledger.Slot) *string { return &s.TID }),
		table.Of("slot_type", table.Text, func(s *ledger.Slot) *string { return &s.Type }))
	receiptColumns = append(table.Within(func(r *ledger.Receipt) *ledger.Key { return &r.Key }, keyColumns),
		table.Of("id", table.UUID, func(r *ledger.Receipt) *uuid.UUID { return &r.ID }))
	signedColumns = append(table.Within(func(s *ledger.Signed) *ledger.Key { return &s.Key }, keyColumns),
		table.Of("signature", table.UUID, func(s *ledger.Signed) *uuid.UUID { return &s.Signature }))
)

// idKey and slotKey are how many columns, besides the bucket, the keys of tables by id and by slot have.
const (
	clickKey = 2
	idKey    = 3
	slotKey  = 4
)

// clickRow is a click, or the placeholder of one.
type clickRow struct {
	conversion.Click
	Present bool
}

var clickColumns = slices.Concat(
	[]table.Column[clickRow]{table.Of("present", table.Boolean, func(r *clickRow) *bool { return &r.Present })},
	table.Within(func(r *clickRow) *conversion.Click { return &r.Click }, table.Clicks.Columns))

// Keys of rows.
func keyOfKey(k *ledger.Key) ledger.Key                   { return *k }
func keyOfSlot(s *ledger.Slot) ledger.Key                 { return s.Key }
func keyOfReceipt(r *ledger.Receipt) ledger.Key           { return r.Key }
func keyOfSigned(s *ledger.Signed) ledger.Key             { return s.Key }
func keyOfClick(c *conversion.Click) ledger.Key           { return ledger.KeyOf(c.Endpoint, c.SubID) }
func keyOfConversion(c *conversion.Conversion) ledger.Key { return ledger.KeyOf(c.Endpoint, c.SubID) }
func keyOfReceived(r *ledger.Received) ledger.Key         { return ledger.KeyOf(r.Endpoint, r.SubID) }
func keyOfHeld(h *ledger.HeldPostback) ledger.Key {
	return ledger.KeyOf(h.Intent.Endpoint, h.Intent.SubID)
}
func keyOfReports(r *ledger.ReportChanges) ledger.Key { return r.Key }
func keyOfPending(p *ledger.PendingRate) ledger.Key   { return p.Key }
func keyOfOutbox(o *ledger.OutboxRow) ledger.Key      { return o.Slot.Key }

// outboxKeyed completes the key of a row that was read.
func outboxKeyed(o *ledger.OutboxRow) *ledger.OutboxRow {
	o.Slot.Key = ledger.KeyOf(o.Slot.Endpoint, o.Slot.SubID)
	return o
}

// uuidOf makes a parameter of a single statement.
func uuidOf(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }
