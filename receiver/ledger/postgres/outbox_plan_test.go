package postgres

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// TestALongOutboxIsNotReadWhole holds the plans of a table that was never analyzed against thousands of waiting rows:
// the planner takes those for a few, and would begin with them if it could.
func TestALongOutboxIsNotReadWhole(t *testing.T) {
	store, err := Open(t.Context(), Options{DSN: pgtest.Shared(t).NewDatabase(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	now := time.Now()
	forwards := make([]ledger.Forward, 3000)
	for n := range forwards {
		forwards[n] = ledger.Forward{
			ID: uuid.Must(uuid.NewV7()), Rule: "r", Host: "h", Due: now,
			Conversion: &conversion.Conversion{ID: uuid.New(), Endpoint: "shop/main", SubID: fmt.Sprint("c", n), Version: 1,
				Type: "lead"},
		}
	}
	write := func(*ledger.Book) *ledger.Changes { return &ledger.Changes{Forwards: forwards} }
	if err := store.Transact(t.Context(), ledger.Want{}, write); err != nil {
		t.Fatal(err)
	}
	key := func(n int) ledger.Key { return ledger.KeyOf("shop/main", fmt.Sprint("c", n)) }
	const rows = 99
	claimed := func(row claimRow) []any {
		rows := make([]claimRow, rows)
		for n := range rows {
			rows[n] = row
			rows[n].Key, rows[n].ID = key(n), forwards[n].ID
		}
		sorted := sortedValues(rows, func(r *claimRow) ledger.Key { return r.Key })
		if row.Holder != "" {
			return leaseRows.args(buckets[claimRow](sorted), sorted)
		}
		return postponeRows.args(buckets[claimRow](sorted), sorted)
	}
	queues, sent := make([]queueRow, rows), make([]sentRow, rows)
	for n := range rows {
		queues[n] = queueRow{ledger.Slot{Key: key(n)}, "r", now}
		sent[n] = sentRow{ledger.OutboxRow{ID: forwards[n].ID, Slot: ledger.Slot{Key: key(n)}, Due: now}, "a"}
	}
	queueRows := sortedValues(queues, func(r *queueRow) ledger.Key { return r.Key })
	sentRows := sortedValues(sent, func(r *sentRow) ledger.Key { return r.Slot.Key })
	for name, statement := range map[string]struct {
		sql  string
		args []any
	}{
		"taking the next one out": {resumeRows.plain, resumeRows.args(buckets[queueRow](queueRows), queueRows)},
		"putting aside":           {postponeRows.plain, claimed(claimRow{Now: now})},
		"leasing":                 {leaseRows.plain, claimed(claimRow{Holder: "a", Until: now})},
		"finishing":               {finishRows.plain, finishRows.args(buckets[sentRow](sentRows), sentRows)},
		"claiming":                {readDuePlain, []any{[]string{"a", "h", "z"}, []int32{40, 40, 40}, now}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := explain(t, store, statement.sql, statement.args)
			for _, sign := range []string{"Removed by Join Filter", "actual rows=3000 "} {
				if strings.Contains(plan, sign) {
					t.Errorf("the plan reads all that waits:\n%s", plan)
				}
			}
		})
	}
}
