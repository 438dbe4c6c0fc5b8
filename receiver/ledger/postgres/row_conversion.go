package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/paramtext"
)

// conversionRow is one version of a conversion, current or not.
type conversionRow struct {
	slotRow
	ID                         pgtype.UUID
	CreatedAt                  pgtype.Timestamptz
	Type, PreviousType, Status string
	Payout, Cost               amountRow
	EndpointCurrency           string
	Params                     []byte
	From, Warnings             string
	ClickTime, ConversionTime  pgtype.Timestamptz
	SaleTime, UpdatedAt        pgtype.Timestamptz
	Version                    int32
	RequestID                  pgtype.UUID
	Stamp                      int64
	Writer                     string
	Pinned                     bool
}

// conversionKey are the columns of the slot, conversionSteady those that stay as they are with every version.
var (
	conversionKey    = within(func(r *conversionRow) *slotRow { return &r.slotRow }, slotColumns)
	conversionSteady = []column[conversionRow]{
		col("id", "uuid", func(r *conversionRow) *pgtype.UUID { return &r.ID }),
		col("created_at", "timestamptz", func(r *conversionRow) *pgtype.Timestamptz { return &r.CreatedAt }),
	}
	conversionVersion = slices.Concat(
		[]column[conversionRow]{
			col("type", "text", func(r *conversionRow) *string { return &r.Type }),
			col("previous_type", "text", func(r *conversionRow) *string { return &r.PreviousType }),
			col("status", "text", func(r *conversionRow) *string { return &r.Status }),
			col("endpoint_currency", "text", func(r *conversionRow) *string { return &r.EndpointCurrency }),
			col("params", "json", func(r *conversionRow) *[]byte { return &r.Params }),
			col("sender", "text", func(r *conversionRow) *string { return &r.From }),
			col("warnings", "text", func(r *conversionRow) *string { return &r.Warnings }),
			col("click_time", "timestamptz", func(r *conversionRow) *pgtype.Timestamptz { return &r.ClickTime }),
			col("conversion_time", "timestamptz", func(r *conversionRow) *pgtype.Timestamptz { return &r.ConversionTime }),
			col("sale_time", "timestamptz", func(r *conversionRow) *pgtype.Timestamptz { return &r.SaleTime }),
			col("updated_at", "timestamptz", func(r *conversionRow) *pgtype.Timestamptz { return &r.UpdatedAt }),
			col("version", "integer", func(r *conversionRow) *int32 { return &r.Version }),
			col("request_id", "uuid", func(r *conversionRow) *pgtype.UUID { return &r.RequestID }),
			col("stamp", "bigint", func(r *conversionRow) *int64 { return &r.Stamp }),
			col("writer", "text", func(r *conversionRow) *string { return &r.Writer }),
			col("pinned", "boolean", func(r *conversionRow) *bool { return &r.Pinned }),
		},
		within(func(r *conversionRow) *amountRow { return &r.Payout }, amountColumns("payout")),
		within(func(r *conversionRow) *amountRow { return &r.Cost }, amountColumns("cost")),
	)
	conversionColumns = slices.Concat(conversionKey, conversionSteady, conversionVersion)
)

func conversionRowOf(c *conversion.Conversion) conversionRow {
	return conversionRow{
		slotRow: slotRowOf(ledger.KeyOf(c.Endpoint, c.SubID), c.Slot),
		ID:      uuidOf(c.ID), CreatedAt: timeOf(c.CreatedAt),
		Type: c.Type, PreviousType: c.PreviousType, Status: c.Status,
		Payout: amountRowOf(&c.Payout), Cost: amountRowOf(c.Cost), EndpointCurrency: c.EndpointCurrency,
		Params: paramtext.Encode(c.Params), From: c.From, Warnings: paramtext.JoinWords(c.Warnings),
		ClickTime: timeOf(c.ClickTime), ConversionTime: timeOf(c.ConversionTime),
		SaleTime: timeOf(c.SaleTime), UpdatedAt: timeOf(c.UpdatedAt),
		Version: int32(c.Version), RequestID: uuidOf(c.RequestID), Stamp: c.Stamp, //nolint:gosec // counts changes of one slot
		Writer: string(c.Writer), Pinned: c.Pinned,
	}
}

func (r *conversionRow) conversion() (*conversion.Conversion, error) {
	params, err := paramsFrom(r.Params)
	return &conversion.Conversion{
		ID: r.ID.Bytes, Endpoint: r.Endpoint, SubID: r.SubID, Slot: r.slot().SlotKey,
		Type: r.Type, PreviousType: r.PreviousType, Status: r.Status,
		Payout: *r.Payout.amount(), Cost: r.Cost.amount(), EndpointCurrency: r.EndpointCurrency,
		Params: params, From: r.From, Warnings: paramtext.SplitWords[conversion.Warning](r.Warnings),
		ClickTime: timeFrom(r.ClickTime), ConversionTime: timeFrom(r.ConversionTime), SaleTime: timeFrom(r.SaleTime),
		CreatedAt: timeFrom(r.CreatedAt), UpdatedAt: timeFrom(r.UpdatedAt),
		Version: int(r.Version), RequestID: r.RequestID.Bytes, Stamp: r.Stamp,
		Writer: conversion.Writer(r.Writer), Pinned: r.Pinned,
	}, err
}
