package conversion_test

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// noon is when the first postback of a test is received; the click is a day older.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// rates: EUR is worth 1.10 USD; of nothing else a rate is known.
func convert(original decimal.Decimal, currency, to string) money.Amount {
	a := money.Amount{Original: original, Currency: currency}
	switch {
	case currency == to:
		a.Rate = money.Rate{Value: decimal.NewFromInt(1)}
	case currency == "EUR" && to == "USD":
		a.Rate = money.Rate{Value: decimal.RequireFromString("1.1"), Date: noon.Truncate(24 * time.Hour), Source: "ecb"}
	default:
		return a
	}
	converted := original.Mul(a.Rate.Value).RoundBank(money.Scale)
	a.Converted = &converted
	return a
}

func amount(value, currency string) *money.Amount {
	a := convert(decimal.RequireFromString(value), currency, "USD")
	return &a
}

func number(value string) *decimal.Decimal {
	d := decimal.RequireFromString(value)
	return &d
}

func defaults() *conversion.Rules {
	return &conversion.Rules{
		Currency: "USD",
		Forwards: []conversion.ForwardRule{{Name: "all", Resend: config.ResendOnAnyChange}},
		Policies: config.Policies{
			UnknownClick: config.UnknownClickIgnore,
			HoldFor:      config.Duration(time.Hour),
			Repeat:       config.RepeatOverwrite,
			Slot:         config.SlotTid,
			Transitions:  config.TransitionsAny,
		},
	}
}

func demoClick() *conversion.Click {
	return &conversion.Click{
		Endpoint: "shop/main", SubID: "c1", Time: noon.Add(-24 * time.Hour), Campaign: "spring",
		Params: conversion.Params{{Name: "keyword", Value: "boots"}, {Name: "source", Value: "news"}},
	}
}

// option says one thing that a postback brings along.
type option func(*conversion.Intent)

func payout(value, currency string) option {
	return func(in *conversion.Intent) { in.Payout = amount(value, currency) }
}

func cost(value, currency string) option {
	return func(in *conversion.Intent) { in.Cost = amount(value, currency) }
}
func tid(tid string) option { return func(in *conversion.Intent) { in.Slot.TID = tid } }
func date(t time.Time) option {
	return func(in *conversion.Intent) { in.Date = t }
}

func by(writer conversion.Writer) option { return func(in *conversion.Intent) { in.Writer = writer } }

func word(status string) option { return func(in *conversion.Intent) { in.Status = status } }

// param must be used in the order of the names.
func param(name, value string) option {
	return func(in *conversion.Intent) {
		in.Params = append(in.Params, conversion.Param{Name: name, Value: value})
	}
}

// again makes it a redelivery of the n-th postback of the test, with that one's stamp.
func again(n int) option {
	return func(in *conversion.Intent) { in.Redelivered, in.Stamp = true, stamp(n) }
}

func stamp(n int) int64 { return noon.Add(time.Duration(n) * time.Minute).UnixMicro() }

// requestID is a UUIDv7 of minute n after noon.
func requestID(n int) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(noon.Add(time.Duration(n)*time.Minute).UnixMilli())<<16)
	id[6], id[8], id[15] = 0x70, 0x80, byte(n)
	return id
}

// postback is the n-th of a test, received n minutes after noon.
func postback(n int, rules *conversion.Rules, conversionType string, options ...option) *conversion.Intent {
	in := &conversion.Intent{
		Endpoint: "shop/main", SubID: "c1", Type: conversionType, Status: conversionType,
		Received: noon.Add(time.Duration(n) * time.Minute), RequestID: requestID(n), Stamp: stamp(n), Rules: rules,
	}
	for _, option := range options {
		option(in)
	}
	if rules.Slot == config.SlotTidAndType {
		in.Slot.Type = conversionType
	}
	return in
}

// describe is a conversion in few words: "sale 10 USD = 10, was lead, v2".
func describe(c *conversion.Conversion) string {
	text := fmt.Sprintf("%s %s %s", c.Type, c.Payout.Original, c.Payout.Currency)
	if c.Payout.Pending() {
		text += " pending"
	} else {
		text += fmt.Sprintf(" = %s", c.Payout.Converted)
	}
	if c.PreviousType != "" {
		text += ", was " + c.PreviousType
	}
	return fmt.Sprintf("%s, v%d", text, c.Version)
}

func outcome(d conversion.Decision) string {
	if d.Reason != "" {
		return string(d.Outcome) + " " + string(d.Reason)
	}
	return string(d.Outcome)
}
