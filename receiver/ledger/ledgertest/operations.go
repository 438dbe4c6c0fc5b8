package ledgertest

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func fullOperation(at time.Time, n int) ledger.Operation {
	return ledger.Operation{
		ID: id(at, n), Kind: "replay", Endpoint: shop, Actor: awkward, Note: awkward, Created: at,
		Started: at.Add(time.Second), Ended: at.Add(time.Minute), State: ledger.OperationTried, DryRun: true,
		Spec: json.RawMessage(`{"a":1}`), Counts: json.RawMessage(`{"b":[2]}`), Input: awkward, Total: 7, Cursor: 3,
		Revision: 1, Error: awkward, Request: id(at, n+500),
	}
}

func bareOperation(at time.Time, n int) ledger.Operation {
	return ledger.Operation{ID: id(at, n), Kind: "erase", Created: at, State: ledger.OperationRunning, Total: -1,
		Revision: 1}
}

func (d *desk) addOperations(ops ...ledger.Operation) {
	d.Helper()
	for _, op := range ops {
		if stored, added, err := d.store.AddOperation(d.Context(), op); err != nil || !added {
			d.Fatalf("adding: %v, added: %v", err, added)
		} else {
			d.same("what was added", op, stored)
		}
	}
}

func (d *desk) operation(id uuid.UUID) ledger.Operation {
	d.Helper()
	op, err := d.store.Operation(d.Context(), id)
	if err != nil {
		d.Fatal(err)
	}
	return op
}

func (d *desk) operations(f ledger.OperationFilter) (ids []uuid.UUID) {
	d.Helper()
	for op, err := range d.store.Operations(d.Context(), f) {
		if err != nil {
			d.Fatal(err)
		}
		if op.Input != "" {
			d.Error("a list has the input")
		}
		ids = append(ids, op.ID)
	}
	return ids
}

func (d *desk) operationRows(f ledger.OperationRowFilter) (rows []ledger.OperationRow) {
	d.Helper()
	for row, err := range d.store.OperationRows(d.Context(), f) {
		if err != nil {
			d.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func testOperations(d *desk) {
	full, bare := fullOperation(noon, 1), bareOperation(noon, 2)
	d.addOperations(full, bare)
	d.same("a full operation", full, d.operation(full.ID))
	d.same("a bare operation", bare, d.operation(bare.ID))
	if _, err := d.store.Operation(d.Context(), id(noon, 9)); !errors.Is(err, ledger.ErrNotFound) {
		d.Errorf("one that there is not: %v", err)
	}

	again := fullOperation(noon, 3)
	again.Request = full.Request
	stored, added, err := d.store.AddOperation(d.Context(), again)
	if err != nil || added {
		d.Errorf("the same request again: %v, added: %v", err, added)
	}
	d.same("what the same request is answered", full, stored)

	changed := full
	changed.Input, changed.Note = "another", "another"
	for _, input := range []string{full.Input, ""} {
		if err := d.store.SaveOperation(d.Context(), changed, nil); err != nil {
			d.Fatal(err)
		}
		changed.Revision, changed.Input = changed.Revision+1, input
		d.same("an operation whose input was saved", changed, d.operation(full.ID))
		changed.Input = ""
	}

	d.same("all", []uuid.UUID{bare.ID, full.ID}, d.operations(ledger.OperationFilter{}))
	d.same("one endpoint's", []uuid.UUID{full.ID}, d.operations(ledger.OperationFilter{Endpoint: shop}))
	d.same("one kind", []uuid.UUID{bare.ID}, d.operations(ledger.OperationFilter{Kind: "erase"}))
	d.same("what runs", []uuid.UUID{bare.ID}, d.operations(ledger.OperationFilter{State: ledger.OperationRunning}))
	d.same("the first", []uuid.UUID{bare.ID}, d.operations(ledger.OperationFilter{Limit: 1}))
	d.same("the second", []uuid.UUID{full.ID}, d.operations(ledger.OperationFilter{Before: bare.ID}))
}

func testOperationRows(d *desk) {
	op, other := bareOperation(noon, 1), bareOperation(noon, 2)
	d.addOperations(op, other)
	rows := []ledger.OperationRow{
		{Operation: op.ID, Number: 1, Origin: id(noon, 7), SubID: awkward, TID: awkward, Input: awkward, Outcome: "recorded",
			Reason: "x", Result: json.RawMessage(`{"c":3}`)},
		{Operation: op.ID, Number: 2},
		{Operation: op.ID, Number: 5, Outcome: "ignored"},
	}
	op.Cursor, op.Total = 5, 3
	if err := d.store.SaveOperation(d.Context(), op, rows); err != nil {
		d.Fatal(err)
	}
	lost := op
	lost.Note = "overwritten"
	if err := d.store.SaveOperation(d.Context(), lost,
		[]ledger.OperationRow{{Operation: op.ID, Number: 9}}); !errors.Is(err,
		ledger.ErrConflict) {
		d.Errorf("saving what somebody else has changed: %v", err)
	}
	op.Revision++
	d.same("the operation", op, d.operation(op.ID))
	d.same("the rows", rows, d.operationRows(ledger.OperationRowFilter{Operation: op.ID}))
	d.same("those behind the first", rows[1:], d.operationRows(ledger.OperationRowFilter{Operation: op.ID, After: 1}))
	d.same("the first of them", rows[1:2],
		d.operationRows(ledger.OperationRowFilter{Operation: op.ID, After: 1, Limit: 1}))
	d.same("those of an outcome", rows[2:],
		d.operationRows(ledger.OperationRowFilter{Operation: op.ID, Outcome: "ignored"}))
	if rows := d.operationRows(ledger.OperationRowFilter{Operation: other.ID}); len(rows) > 0 {
		d.Errorf("another's rows: %v", rows)
	}

	rows[1].Outcome = "duplicate"
	if err := d.store.SaveOperation(d.Context(), op, rows[1:2]); err != nil {
		d.Fatal(err)
	}
	d.same("the rows, one replaced", rows, d.operationRows(ledger.OperationRowFilter{Operation: op.ID}))
}

func testPruneOperations(d *desk) {
	old, running, young := fullOperation(noon, 1), bareOperation(noon, 2), fullOperation(noon.Add(time.Hour), 3)
	d.addOperations(old, running, young)
	for _, op := range []ledger.Operation{old, young} {
		if err := d.store.SaveOperation(d.Context(), op, []ledger.OperationRow{{Operation: op.ID, Number: 1}}); err != nil {
			d.Fatal(err)
		}
	}
	n, err := d.store.PruneOperations(d.Context(), noon.Add(time.Minute))
	if err != nil || n != 1 {
		d.Errorf("%d deleted, %v", n, err)
	}
	d.same("what is left", []uuid.UUID{young.ID, running.ID}, d.operations(ledger.OperationFilter{}))
	if rows := d.operationRows(ledger.OperationRowFilter{Operation: old.ID}); len(rows) > 0 {
		d.Errorf("the rows of what is gone: %v", rows)
	}
	if left := d.operationRows(ledger.OperationRowFilter{Operation: young.ID}); len(left) != 1 {
		d.Errorf("%d rows are left", len(left))
	}
}
