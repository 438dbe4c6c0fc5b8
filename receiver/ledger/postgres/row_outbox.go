package postgres

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// forwardRow is a row of the outbox as it is written first.
type forwardRow struct {
	idRow
	Rule, Host, TID, SlotType string
	Version                   int32
	ConversionID              pgtype.UUID
	Type                      string
	Conversion, Click         []byte
	IP                        string
	Due, CreatedAt            time.Time
}

var (
	forwardKey     = within(func(r *forwardRow) *idRow { return &r.idRow }, idColumns("id"))
	forwardColumns = append(slices.Clone(forwardKey),
		col("rule", "text", func(r *forwardRow) *string { return &r.Rule }),
		col("host", "text", func(r *forwardRow) *string { return &r.Host }),
		col("tid", "text", func(r *forwardRow) *string { return &r.TID }),
		col("slot_type", "text", func(r *forwardRow) *string { return &r.SlotType }),
		col("version", "integer", func(r *forwardRow) *int32 { return &r.Version }),
		col("conversion_id", "uuid", func(r *forwardRow) *pgtype.UUID { return &r.ConversionID }),
		col("type", "text", func(r *forwardRow) *string { return &r.Type }),
		col("conversion", "json", func(r *forwardRow) *[]byte { return &r.Conversion }),
		col("click", "json", func(r *forwardRow) *[]byte { return &r.Click }),
		col("ip", "text", func(r *forwardRow) *string { return &r.IP }),
		col("due", "timestamptz", func(r *forwardRow) *time.Time { return &r.Due }),
		col("created_at", "timestamptz", func(r *forwardRow) *time.Time { return &r.CreatedAt }),
	)
)

func forwardRowOf(f ledger.Forward) (forwardRow, error) {
	c := f.Conversion
	row := forwardRow{
		idRow: idRowOf(ledger.KeyOf(c.Endpoint, c.SubID), f.ID), ConversionID: uuidOf(c.ID), Type: c.Type, Host: f.Host,
		Rule: f.Rule, TID: c.Slot.TID, SlotType: c.Slot.Type, Version: int32(c.Version), IP: f.IP, Due: f.Due, CreatedAt: f.Due, //nolint:gosec // counts changes of one slot
	}
	var err error
	if row.Conversion, err = json.Marshal(c); err != nil {
		return row, err
	}
	if f.Click != nil {
		row.Click, err = json.Marshal(f.Click)
	}
	return row, err
}

// outboxRow is a row of the outbox as it stands.
type outboxRow struct {
	forwardRow
	finishedRow
}

// finishedRow is what sending changes.
type finishedRow struct {
	State, Reason string
	EndedAt       pgtype.Timestamptz
	Tries         int32
	Attempts      []byte
}

var (
	finishedColumns = []column[finishedRow]{
		col("state", "text", func(r *finishedRow) *string { return &r.State }),
		col("reason", "text", func(r *finishedRow) *string { return &r.Reason }),
		col("ended_at", "timestamptz", func(r *finishedRow) *pgtype.Timestamptz { return &r.EndedAt }),
		col("tries", "integer", func(r *finishedRow) *int32 { return &r.Tries }),
		col("attempts", "json", func(r *finishedRow) *[]byte { return &r.Attempts }),
	}
	outboxColumns = append(within(func(r *outboxRow) *forwardRow { return &r.forwardRow }, forwardColumns),
		within(func(r *outboxRow) *finishedRow { return &r.finishedRow }, finishedColumns)...)
)

func (r *outboxRow) row() (ledger.OutboxRow, error) {
	o := ledger.OutboxRow{
		ID: r.ID.Bytes, Slot: ledger.Slot{Key: r.key(), SlotKey: conversion.SlotKey{TID: r.TID, Type: r.SlotType}},
		ConversionID: r.ConversionID.Bytes, Version: int(r.Version), Type: r.Type, Rule: r.Rule, Host: r.Host, IP: r.IP,
		State: ledger.ForwardState(r.State), Reason: r.Reason, Due: r.Due.UTC(), Created: r.CreatedAt.UTC(),
		Ended: timeFrom(r.EndedAt), Tries: int(r.Tries),
	}
	var err error
	for _, part := range []struct {
		text []byte
		into any
	}{{r.Conversion, &o.Conversion}, {r.Click, &o.Click}, {r.Attempts, &o.Attempts}} {
		if part.text != nil && err == nil {
			err = json.Unmarshal(part.text, part.into)
		}
	}
	return o, err
}

// sentRow is a row of the outbox that its holder has sent, or tried to.
type sentRow struct {
	idRow
	finishedRow
	Host, Holder string
	Due          time.Time
}

var (
	sentKey     = within(func(r *sentRow) *idRow { return &r.idRow }, idColumns("id"))
	sentColumns = slices.Concat(sentKey,
		within(func(r *sentRow) *finishedRow { return &r.finishedRow }, finishedColumns),
		[]column[sentRow]{
			col("host", "text", func(r *sentRow) *string { return &r.Host }),
			col("holder", "text", func(r *sentRow) *string { return &r.Holder }),
			col("due", "timestamptz", func(r *sentRow) *time.Time { return &r.Due }),
		})
)

func sentRowOf(holder string, o *ledger.OutboxRow) (sentRow, error) {
	row := sentRow{
		idRow: idRowOf(o.Slot.Key, o.ID), Host: o.Host, Holder: holder, Due: o.Due,
		finishedRow: finishedRow{State: string(o.State), Reason: o.Reason, EndedAt: timeOf(o.Ended), Tries: int32(o.Tries)}, //nolint:gosec // a few
	}
	var err error
	if len(o.Attempts) > 0 {
		row.Attempts, err = json.Marshal(o.Attempts)
	}
	return row, err
}

// queueRow names what leaves the outbox in one order.
type queueRow struct {
	slotRow
	Rule string
	Now  time.Time
}

var (
	queueKey = append(within(func(r *queueRow) *slotRow { return &r.slotRow }, slotColumns),
		col("rule", "text", func(r *queueRow) *string { return &r.Rule }))
	queueColumns = append(slices.Clone(queueKey), col("now", "timestamptz", func(r *queueRow) *time.Time { return &r.Now }))
)

// dueRow is a row that is due, and what is done with it.
type dueRow struct {
	idRow
	Host    string
	Blocked bool

	Holder     string
	Until, Now time.Time
}

var (
	dueKey     = within(func(r *dueRow) *idRow { return &r.idRow }, idColumns("id"))
	dueColumns = append(slices.Clone(dueKey),
		col("host", "text", func(r *dueRow) *string { return &r.Host }),
		col("blocked", "boolean", func(r *dueRow) *bool { return &r.Blocked }))
	leaseColumns = append(slices.Clone(dueKey),
		col("holder", "text", func(r *dueRow) *string { return &r.Holder }),
		col("leased_until", "timestamptz", func(r *dueRow) *time.Time { return &r.Until }))
	parkColumns = append(slices.Clone(dueKey), col("now", "timestamptz", func(r *dueRow) *time.Time { return &r.Now }))
)
