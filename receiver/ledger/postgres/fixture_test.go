package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/money"
)

const testEndpoint = "shop/main"

var testRules = conversion.Rules{
	Currency: "USD",
	Forwards: []conversion.ForwardRule{{Name: "source", Resend: config.ResendOnAnyChange}},
	Policies: config.Policies{
		UnknownClick: config.UnknownClickIgnore,
		Repeat:       config.RepeatOverwrite,
		Slot:         config.SlotTid,
		Transitions:  config.TransitionsAny,
	},
}

// orphanRules record what has no click.
var orphanRules = func() conversion.Rules {
	rules := testRules
	rules.UnknownClick = config.UnknownClickRecord
	return rules
}()

// addRules make a postback that is recorded twice visible: its payout is there twice.
var addRules = func() conversion.Rules {
	rules := orphanRules
	rules.Repeat = config.RepeatAdd
	return rules
}()

var stamper = ledger.NewStamper(time.Now)

// openStore opens a store that is closed with the test.
func openStore(tb testing.TB, options postgres.Options) *postgres.Store {
	tb.Helper()
	store, err := postgres.Open(tb.Context(), options)
	if err != nil {
		tb.Fatalf("opening: %v", err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

// openLedger opens a receiver's store and lanes.
func openLedger(tb testing.TB, dsn string) (*postgres.Store, *ledger.Ledger) {
	tb.Helper()
	store, err := postgres.Open(tb.Context(), postgres.Options{DSN: dsn})
	if err != nil {
		tb.Fatalf("opening: %v", err)
	}
	return store, ledger.New(store, ledger.Options{Lanes: 2})
}

func closeLedger(tb testing.TB, store *postgres.Store, book *ledger.Ledger) {
	tb.Helper()
	if err := book.Close(context.WithoutCancel(tb.Context())); err != nil {
		tb.Errorf("closing the lanes: %v", err)
	}
	if err := store.Close(); err != nil {
		tb.Errorf("closing the store: %v", err)
	}
}

// newPostback is a judged postback in the endpoint's own currency.
func newPostback(subid, tid, typ, payout string) ledger.Postback {
	now, id := time.Now().UTC(), uuid.Must(uuid.NewV7())
	amount := decimal.RequireFromString(payout)
	in := &conversion.Intent{
		Endpoint: testEndpoint, SubID: subid, Slot: conversion.SlotKey{TID: tid}, Type: typ, Status: typ,
		Payout: &money.Amount{Original: amount, Currency: "USD", Converted: &amount,
			Rate: money.Rate{Value: decimal.NewFromInt(1)}},
		Received: now, ReceivedIP: "198.51.100.9", RequestID: id, Stamp: stamper.Next(), Rules: &testRules,
	}
	return ledger.Postback{Intent: in, Log: ledger.Received{
		ID: id, Endpoint: testEndpoint, KeyID: "k1", At: now, Stamp: in.Stamp, IP: in.ReceivedIP, Method: "GET",
		Query: "subid=" + subid + "&status=" + typ + "&payout=" + payout + "&tid=" + tid, SubID: subid, TID: tid, Type: typ,
	}}
}
