package postgres

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/paramtext"
)

// receivedRow is a row of the received log.
type receivedRow struct {
	idRow
	Outcome, Reason, Warnings    string
	Conversion                   pgtype.UUID
	KeyID, IP, Method, TID, Type string
	At                           pgtype.Timestamptz
	Stamp                        int64
	Query, Body                  []byte
}

// receivedKey are the columns of the key, receivedOutcome those that change when a held postback is settled.
var (
	receivedKey     = within(func(r *receivedRow) *idRow { return &r.idRow }, idColumns("id"))
	receivedOutcome = []column[receivedRow]{
		col("outcome", "text", func(r *receivedRow) *string { return &r.Outcome }),
		col("reason", "text", func(r *receivedRow) *string { return &r.Reason }),
		col("warnings", "text", func(r *receivedRow) *string { return &r.Warnings }),
		col("conversion", "uuid", func(r *receivedRow) *pgtype.UUID { return &r.Conversion }),
	}
	receivedColumns = slices.Concat(receivedKey, receivedOutcome, []column[receivedRow]{
		col("key_id", "text", func(r *receivedRow) *string { return &r.KeyID }),
		col("ip", "text", func(r *receivedRow) *string { return &r.IP }),
		col("method", "text", func(r *receivedRow) *string { return &r.Method }),
		col("tid", "text", func(r *receivedRow) *string { return &r.TID }),
		col("type", "text", func(r *receivedRow) *string { return &r.Type }),
		col("at", "timestamptz", func(r *receivedRow) *pgtype.Timestamptz { return &r.At }),
		col("stamp", "bigint", func(r *receivedRow) *int64 { return &r.Stamp }),
		col("query", "bytea", func(r *receivedRow) *[]byte { return &r.Query }),
		col("body", "bytea", func(r *receivedRow) *[]byte { return &r.Body }),
	})
)

func receivedRowOf(r ledger.Received) receivedRow {
	return receivedRow{
		idRow: idRowOf(ledger.KeyOf(r.Endpoint, r.SubID), r.ID), KeyID: r.KeyID, At: timeOf(r.At), Stamp: r.Stamp,
		IP: r.IP, Method: r.Method, Query: []byte(r.Query), Body: []byte(r.Body), TID: r.TID, Type: r.Type,
		Outcome: string(r.Outcome), Reason: string(r.Reason), Warnings: paramtext.JoinWords(r.Warnings),
		Conversion: pgtype.UUID{Bytes: r.Conversion, Valid: r.Conversion != uuid.Nil},
	}
}

func (r *receivedRow) received() ledger.Received {
	return ledger.Received{
		ID: r.ID.Bytes, Endpoint: r.Endpoint, KeyID: r.KeyID, At: timeFrom(r.At), Stamp: r.Stamp, IP: r.IP,
		Method: r.Method, Query: string(r.Query), Body: string(r.Body), SubID: r.SubID, TID: r.TID, Type: r.Type,
		Outcome: conversion.Outcome(r.Outcome), Reason: conversion.Reason(r.Reason), Warnings: paramtext.SplitWords[conversion.Warning](r.Warnings),
		Conversion: r.Conversion.Bytes,
	}
}

// heldRow is a postback that waits for its click.
type heldRow struct {
	idRow
	TID, SlotType string
	Until         time.Time
	Intent        []byte
}

var (
	heldKey     = within(func(r *heldRow) *idRow { return &r.idRow }, idColumns("request_id"))
	heldColumns = append(slices.Clone(heldKey),
		col("tid", "text", func(r *heldRow) *string { return &r.TID }),
		col("slot_type", "text", func(r *heldRow) *string { return &r.SlotType }),
		col("until", "timestamptz", func(r *heldRow) *time.Time { return &r.Until }),
		col("intent", "json", func(r *heldRow) *[]byte { return &r.Intent }),
	)
)

func heldKeyOf(h ledger.HeldPostback) idRow {
	return idRowOf(ledger.KeyOf(h.Intent.Endpoint, h.Intent.SubID), h.Intent.RequestID)
}

func heldRowOf(h ledger.HeldPostback) (heldRow, error) {
	text, err := json.Marshal(h.Intent)
	return heldRow{
		idRow: heldKeyOf(h), TID: h.Intent.Slot.TID, SlotType: h.Intent.Slot.Type, Until: h.Until, Intent: text,
	}, err
}

func (r *heldRow) held() (ledger.HeldPostback, error) {
	held := ledger.HeldPostback{Intent: &conversion.Intent{}, Until: r.Until.UTC()}
	if err := json.Unmarshal(r.Intent, held.Intent); err != nil {
		return held, fmt.Errorf("reading a held postback: %w", err)
	}
	return held, nil
}

// pendingRow is what waits for a rate.
type pendingRow struct {
	keyRow
	OfClick              bool
	TID, SlotType        string
	Currency, ToCurrency string
}

// pendingColumns are the table's key and all there is.
var pendingColumns = append(within(func(r *pendingRow) *keyRow { return &r.keyRow }, keyColumns),
	col("of_click", "boolean", func(r *pendingRow) *bool { return &r.OfClick }),
	col("tid", "text", func(r *pendingRow) *string { return &r.TID }),
	col("slot_type", "text", func(r *pendingRow) *string { return &r.SlotType }),
	col("currency", "text", func(r *pendingRow) *string { return &r.Currency }),
	col("to_currency", "text", func(r *pendingRow) *string { return &r.ToCurrency }),
)

func pendingRowOf(p ledger.PendingRate) pendingRow {
	return pendingRow{
		keyRow: keyRowOf(p.Key), OfClick: p.Click, TID: p.Slot.TID, SlotType: p.Slot.Type,
		Currency: p.Currency, ToCurrency: p.ToCurrency,
	}
}

func (r *pendingRow) pending() ledger.PendingRate {
	return ledger.PendingRate{
		Key: r.key(), Click: r.OfClick, Slot: conversion.SlotKey{TID: r.TID, Type: r.SlotType},
		Currency: r.Currency, ToCurrency: r.ToCurrency,
	}
}
