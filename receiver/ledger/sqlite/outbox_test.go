package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// TestTheFormerOutboxIsTakenOver opens a store of the schema's first version, which has an S2S postback that waits.
func TestTheFormerOutboxIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	first, err := migrations.ReadFile("migrations/0001_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	c := &conversion.Conversion{
		ID: uuid.Must(uuid.NewV7()), Endpoint: "shop/main", SubID: "c1", Slot: conversion.SlotKey{TID: "t", Type: "sale"},
		Type: "sale", Version: 3, EndpointCurrency: "USD", CreatedAt: at, UpdatedAt: at, ConversionTime: at,
	}
	id := uuid.Must(uuid.NewV7())
	script(t, path, string(first)+fmt.Sprintf(`pragma application_id = %d; pragma user_version = 1;
		insert into endpoints (id, name) values (1, 'shop/main');
		insert into forwards (id, endpoint, subid, rule, due, ip, conversion) values (x'%x', 1, 'c1', 'r', %d, '192.0.2.1', '%s')`,
		applicationID, id[:], at.UnixMicro(), encodeJSON(c)))

	store, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	rows, _, err := store.ClaimForwards(t.Context(), ledger.OutboxClaim{
		Holder: "a", Now: at, Until: at.Add(time.Minute), Shares: []ledger.OutboxShare{{Limit: 5}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []ledger.OutboxRow{{
		ID: id, Slot: ledger.Slot{Key: ledger.KeyOf("shop/main", "c1"), SlotKey: c.Slot}, ConversionID: c.ID, Version: 3, Type: "sale",
		Rule: "r", Conversion: c, IP: "192.0.2.1", State: ledger.ForwardWaiting, Due: at, Created: at,
	}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
