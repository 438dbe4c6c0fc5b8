package postgres

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/paramtext"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// keyRow is what every table's key starts with.
type keyRow struct {
	Bucket          int16
	Endpoint, SubID string
}

var keyColumns = []column[keyRow]{
	col("bucket", "smallint", func(r *keyRow) *int16 { return &r.Bucket }),
	col("endpoint", "text", func(r *keyRow) *string { return &r.Endpoint }),
	col("subid", "text", func(r *keyRow) *string { return &r.SubID }),
}

func keyRowOf(k ledger.Key) keyRow {
	return keyRow{Bucket: int16(k.Bucket), Endpoint: k.Endpoint, SubID: k.SubID}
}

func (r keyRow) key() ledger.Key {
	return ledger.Key{Bucket: uint8(r.Bucket), Endpoint: r.Endpoint, SubID: r.SubID} //nolint:gosec // written from a uint8
}

// slotRow is the key of a conversion.
type slotRow struct {
	keyRow
	TID, SlotType string
}

var slotColumns = append(within(func(r *slotRow) *keyRow { return &r.keyRow }, keyColumns),
	col("tid", "text", func(r *slotRow) *string { return &r.TID }),
	col("slot_type", "text", func(r *slotRow) *string { return &r.SlotType }),
)

func slotRowOf(key ledger.Key, slot conversion.SlotKey) slotRow {
	return slotRow{keyRow: keyRowOf(key), TID: slot.TID, SlotType: slot.Type}
}

func (r slotRow) slot() ledger.Slot {
	return ledger.Slot{Key: r.key(), SlotKey: conversion.SlotKey{TID: r.TID, Type: r.SlotType}}
}

// idRow is the key of what has an id of its own.
type idRow struct {
	keyRow
	ID pgtype.UUID
}

// idColumns names the id as its table does.
func idColumns(name string) []column[idRow] {
	return append(within(func(r *idRow) *keyRow { return &r.keyRow }, keyColumns),
		col(name, "uuid", func(r *idRow) *pgtype.UUID { return &r.ID }))
}

func idRowOf(key ledger.Key, id uuid.UUID) idRow { return idRow{keyRow: keyRowOf(key), ID: uuidOf(id)} }

// amountRow is a money.Amount. There is none unless Original is valid.
type amountRow struct {
	Converted, Original pgtype.Numeric
	Currency            pgtype.Text
	Rate                pgtype.Numeric
	RateDate            pgtype.Timestamptz
	RateSource          pgtype.Text
}

// amountColumns are called after the amount.
func amountColumns(name string) []column[amountRow] {
	return []column[amountRow]{
		col(name, "numeric", func(r *amountRow) *pgtype.Numeric { return &r.Converted }),
		col(name+"_original", "numeric", func(r *amountRow) *pgtype.Numeric { return &r.Original }),
		col(name+"_currency", "text", func(r *amountRow) *pgtype.Text { return &r.Currency }),
		col(name+"_rate", "numeric", func(r *amountRow) *pgtype.Numeric { return &r.Rate }),
		col(name+"_rate_date", "timestamptz", func(r *amountRow) *pgtype.Timestamptz { return &r.RateDate }),
		col(name+"_rate_source", "text", func(r *amountRow) *pgtype.Text { return &r.RateSource }),
	}
}

func amountRowOf(a *money.Amount) amountRow {
	if a == nil {
		return amountRow{}
	}
	row := amountRow{Original: numericOf(a.Original), Currency: pgtype.Text{String: a.Currency, Valid: true}}
	if a.Converted != nil {
		row.Converted, row.Rate = numericOf(*a.Converted), numericOf(a.Rate.Value)
		row.RateDate = timeOf(a.Rate.Date)
		row.RateSource = pgtype.Text{String: a.Rate.Source, Valid: true}
	}
	return row
}

func (r amountRow) amount() *money.Amount {
	if !r.Original.Valid {
		return nil
	}
	a := &money.Amount{Original: decimalOf(r.Original), Currency: r.Currency.String}
	if r.Converted.Valid {
		converted := decimalOf(r.Converted)
		a.Converted = &converted
		a.Rate = money.Rate{Value: decimalOf(r.Rate), Date: timeFrom(r.RateDate), Source: r.RateSource.String}
	}
	return a
}

func numericOf(d decimal.Decimal) pgtype.Numeric {
	return pgtype.Numeric{Int: d.Coefficient(), Exp: d.Exponent(), Valid: true}
}

func decimalOf(n pgtype.Numeric) decimal.Decimal { return decimal.NewFromBigInt(n.Int, n.Exp) }

// timeOf maps the zero time to null.
func timeOf(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()} }

func timeFrom(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// uuidOf maps the zero id to itself; it is null where the column may be.
func uuidOf(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// paramsFrom reads parameters, also those that another program wrote into the column.
func paramsFrom(text []byte) (conversion.Params, error) {
	params, err := paramtext.Decode(string(text))
	if err == nil {
		return params, nil
	}
	var values map[string]string
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, err
	}
	params = make(conversion.Params, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		params = append(params, conversion.Param{Name: name, Value: values[name]})
	}
	return params, nil
}
