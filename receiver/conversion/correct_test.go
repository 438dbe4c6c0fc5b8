package conversion_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/money"
)

func TestAPersonCorrects(t *testing.T) {
	amount := func(value int64) *money.Amount {
		d := decimal.NewFromInt(value)
		return &money.Amount{Original: d, Currency: "USD", Converted: &d}
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rules := &conversion.Rules{
		Currency: "USD",
		Policies: config.Policies{Transitions: config.TransitionsForwardOnly, Repeat: config.RepeatIgnore},
		Forwards: []conversion.ForwardRule{{Name: "f", Resend: config.ResendOnAnyChange}},
	}
	prev := &conversion.Conversion{
		ID: uuid.New(), Type: "rejected", Payout: *amount(10), EndpointCurrency: "USD", Version: 3,
		Stamp: at.Add(time.Hour).UnixMicro(), Writer: conversion.WriterKey, UpdatedAt: at, Status: "cancel",
	}
	for _, c := range []struct {
		name     string
		what     conversion.Correction
		outcome  conversion.Outcome
		typ      string
		payout   string
		pinned   bool
		forwards int
	}{
		{"back to a lead, which no postback may", conversion.Correction{Type: "lead", Pinned: true}, conversion.Recorded,
			"lead", "10", true, 1},
		{"another payout", conversion.Correction{Payout: amount(-2)}, conversion.Recorded, "rejected", "-2", false, 1},
		{"a pin tells no traffic source", conversion.Correction{Pinned: true}, conversion.Recorded, "rejected", "10", true, 0},
		{"what is so already", conversion.Correction{Type: "rejected", Payout: amount(10)}, conversion.Duplicate, "", "",
			false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.what.At, c.what.RequestID, c.what.Stamp, c.what.Rules = at.Add(time.Minute), uuid.New(), at.UnixMicro(), rules
			d := conversion.Correct(&c.what, prev, nil)
			if d.Outcome != c.outcome || len(d.Forwards) != c.forwards {
				t.Fatalf("%s, forwards %v", d.Outcome, d.Forwards)
			}
			if d.Next == nil {
				return
			}
			if d.Next.Type != c.typ || d.Next.Payout.Converted.String() != c.payout || d.Next.Pinned != c.pinned ||
				d.Next.Version != 4 || d.Next.Writer != conversion.WriterPerson || d.Next.PreviousType != "rejected" ||
				d.Next.Stamp <= prev.Stamp || d.Next.Status != "cancel" {
				t.Errorf("%+v", d.Next)
			}
		})
	}
	if prev.Version != 3 || prev.Type != "rejected" {
		t.Error("the version before has been changed")
	}
}
