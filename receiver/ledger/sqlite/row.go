package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/paramtext"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// The columns in the order of the functions that read and write them; the endpoint comes first or, as its name, last.
const (
	clickColumns      = "subid, time, campaign, ip, user_agent, params, cost, visitor_fields"
	conversionColumns = "id, subid, tid, slot_type, type, previous_type, status, payout, currency, original_payout, " +
		"original_currency, rate, rate_date, rate_source, cost, params, sender, warnings, click_time, conversion_time, " +
		"sale_time, created_at, updated_at, version, request_id, stamp, writer, pinned"
	receivedColumns = "id, at, stamp, key_id, ip, method, query, body, subid, tid, type, outcome, reason, warnings, conversion"
)

func clickValues(endpoint int64, c *conversion.Click) []driver.Value {
	return []driver.Value{
		endpoint, c.SubID, micros(c.Time), text(c.Campaign), text(c.IP), text(c.UserAgent),
		text(string(paramtext.Encode(c.Params))), encodeAmount(c.Cost), text(paramtext.JoinWords(c.VisitorFields)),
	}
}

func (r *row) click(endpoint string) (*conversion.Click, error) {
	c := &conversion.Click{
		Endpoint: endpoint, SubID: r.text(), Time: r.time(), Campaign: r.text(), IP: r.text(), UserAgent: r.text(),
		Params: r.params(), Cost: r.amount(), VisitorFields: paramtext.SplitWords[string](r.text()),
	}
	return c, r.err
}

func conversionValues(endpoint int64, c *conversion.Conversion) []driver.Value {
	return []driver.Value{
		endpoint, c.ID[:], c.SubID, c.Slot.TID, c.Slot.Type, c.Type, text(c.PreviousType), text(c.Status),
		number(c.Payout.Converted), text(c.EndpointCurrency), c.Payout.Original.String(), text(c.Payout.Currency),
		rate(c.Payout), micros(c.Payout.Rate.Date), text(c.Payout.Rate.Source),
		encodeAmount(c.Cost), text(string(paramtext.Encode(c.Params))), text(c.From), text(paramtext.JoinWords(c.Warnings)),
		micros(c.ClickTime), micros(c.ConversionTime), micros(c.SaleTime), micros(c.CreatedAt), micros(c.UpdatedAt),
		int64(c.Version), c.RequestID[:], c.Stamp, string(c.Writer), flag(c.Pinned),
	}
}

func (r *row) conversion() (*conversion.Conversion, error) {
	c := &conversion.Conversion{
		ID: r.uuid(), SubID: r.text(), Slot: conversion.SlotKey{TID: r.text(), Type: r.text()},
		Type: r.text(), PreviousType: r.text(), Status: r.text(),
	}
	c.Payout.Converted = r.number()
	c.EndpointCurrency = r.text()
	if original := r.number(); original != nil {
		c.Payout.Original = *original
	}
	c.Payout.Currency = r.text()
	if value := r.number(); value != nil {
		c.Payout.Rate.Value = *value
	}
	c.Payout.Rate.Date, c.Payout.Rate.Source = r.time(), r.text()
	c.Cost, c.Params, c.From, c.Warnings = r.amount(), r.params(), r.text(), r.warnings()
	c.ClickTime, c.ConversionTime, c.SaleTime, c.CreatedAt, c.UpdatedAt = r.time(), r.time(), r.time(), r.time(), r.time()
	c.Version, c.RequestID, c.Stamp = int(r.integer()), r.uuid(), r.integer()
	c.Writer, c.Pinned = conversion.Writer(r.text()), r.integer() != 0
	return c, r.err
}

func receivedValues(endpoint int64, p *ledger.Received) []driver.Value {
	return []driver.Value{
		endpoint, p.ID[:], micros(p.At), p.Stamp, text(p.KeyID), text(p.IP), text(p.Method), text(p.Query), text(p.Body),
		text(p.SubID), text(p.TID), text(p.Type), string(p.Outcome), text(string(p.Reason)), text(paramtext.JoinWords(p.Warnings)), id(p.Conversion),
	}
}

func (r *row) received() (ledger.Received, error) {
	p := ledger.Received{
		ID: r.uuid(), At: r.time(), Stamp: r.integer(), KeyID: r.text(), IP: r.text(), Method: r.text(), Query: r.text(),
		Body: r.text(), SubID: r.text(), TID: r.text(), Type: r.text(), Outcome: conversion.Outcome(r.text()),
		Reason: conversion.Reason(r.text()), Warnings: r.warnings(), Conversion: r.uuid(),
	}
	return p, r.err
}

// text saves the byte that an empty string would cost its row, and the look-up indexes their entry.
func text(s string) driver.Value {
	if s == "" {
		return nil
	}
	return s
}

func flag(set bool) driver.Value {
	if set {
		return int64(1)
	}
	return int64(0)
}

func micros(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func id(u uuid.UUID) driver.Value {
	if u == uuid.Nil {
		return nil
	}
	return u[:]
}

func number(d *decimal.Decimal) driver.Value {
	if d == nil {
		return nil
	}
	return d.String()
}

func rate(a money.Amount) driver.Value {
	if a.Pending() {
		return nil
	}
	return a.Rate.Value.String()
}

func encodeAmount(a *money.Amount) driver.Value {
	if a == nil {
		return nil
	}
	return encodeJSON(a)
}

// encodeJSON is for this program's own types, which all can be encoded.
func encodeJSON(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encoding %T: %v", v, err))
	}
	return string(encoded)
}

// row reads one result row column by column; its first error sticks, and only zero values follow.
type row struct {
	values []driver.Value
	err    error
}

func next[T any](r *row) (v T, ok bool) {
	if r.err != nil {
		return v, false
	}
	if len(r.values) == 0 {
		r.err = errors.New("row has too few columns")
		return v, false
	}
	value := r.values[0]
	r.values = r.values[1:]
	if value == nil {
		return v, false
	}
	if v, ok = value.(T); !ok {
		r.err = fmt.Errorf("column holds a %T, expected a %T", value, v)
	}
	return v, ok
}

func (r *row) text() string {
	s, _ := next[string](r)
	return s
}

func (r *row) integer() int64 {
	n, _ := next[int64](r)
	return n
}

func (r *row) time() time.Time {
	n, ok := next[int64](r)
	if !ok {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func (r *row) uuid() uuid.UUID {
	b, ok := next[[]byte](r)
	if !ok {
		return uuid.Nil
	}
	u, err := uuid.FromBytes(b)
	r.fail(err)
	return u
}

func (r *row) number() *decimal.Decimal {
	s, ok := next[string](r)
	if !ok {
		return nil
	}
	d, err := decimal.NewFromString(s)
	r.fail(err)
	return &d
}

func (r *row) params() conversion.Params {
	params, err := paramtext.Decode(r.text())
	r.fail(err)
	return params
}

func (r *row) amount() *money.Amount {
	s, ok := next[string](r)
	if !ok {
		return nil
	}
	a := &money.Amount{}
	r.fail(json.Unmarshal([]byte(s), a))
	return a
}

func (r *row) warnings() []conversion.Warning {
	return paramtext.SplitWords[conversion.Warning](r.text())
}

func (r *row) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}
