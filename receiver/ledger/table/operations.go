package table

import (
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// Operations are kept by id. The endpoint is a name, in every engine.
var Operations = Table[ledger.Operation]{Name: "operations", Columns: []Column[ledger.Operation]{
	Of("id", UUID, func(o *ledger.Operation) *uuid.UUID { return &o.ID }),
	Of("kind", Text, func(o *ledger.Operation) *string { return &o.Kind }),
	Of("endpoint", Text, func(o *ledger.Operation) *string { return &o.Endpoint }),
	Of("actor", Text, func(o *ledger.Operation) *string { return &o.Actor }).Null(),
	Of("note", Text, func(o *ledger.Operation) *string { return &o.Note }).Null(),
	Of("created_at", Time, func(o *ledger.Operation) *time.Time { return &o.Created }),
	Of("started_at", Time, func(o *ledger.Operation) *time.Time { return &o.Started }).Null(),
	Of("ended_at", Time, func(o *ledger.Operation) *time.Time { return &o.Ended }).Null(),
	Of("state", Text, func(o *ledger.Operation) *string { return (*string)(&o.State) }),
	Of("dry_run", Boolean, func(o *ledger.Operation) *bool { return &o.DryRun }),
	encoded("spec", JSON, func(o *ledger.Operation) raw { return raw{&o.Spec} }),
	encoded("counts", JSON, func(o *ledger.Operation) raw { return raw{&o.Counts} }),
	Of("input", Text, func(o *ledger.Operation) *string { return &o.Input }).Null(),
	Of("total", Integer, func(o *ledger.Operation) *int { return &o.Total }),
	Of("cursor_row", Integer, func(o *ledger.Operation) *int { return &o.Cursor }),
	Of("revision", Integer, func(o *ledger.Operation) *int { return &o.Revision }),
	Of("error", Text, func(o *ledger.Operation) *string { return &o.Error }).Null(),
	Of("request", UUID, func(o *ledger.Operation) *uuid.UUID { return &o.Request }).Null(),
}}

// Changed returns the columns that saving an operation writes: without an input that stays.
func Changed(op *ledger.Operation) []Column[ledger.Operation] {
	if op.Input != "" {
		return Operations.Without("id", "request", "input")
	}
	return Operations.Without("id", "request")
}

// OperationRows are kept by operation and number.
var OperationRows = Table[ledger.OperationRow]{Name: "operation_rows", Columns: []Column[ledger.OperationRow]{
	Of("operation", UUID, func(r *ledger.OperationRow) *uuid.UUID { return &r.Operation }),
	Of("number", Integer, func(r *ledger.OperationRow) *int { return &r.Number }),
	Of("origin", UUID, func(r *ledger.OperationRow) *uuid.UUID { return &r.Origin }).Null(),
	Of("subid", Text, func(r *ledger.OperationRow) *string { return &r.SubID }).Null(),
	Of("tid", Text, func(r *ledger.OperationRow) *string { return &r.TID }).Null(),
	Of("input", Text, func(r *ledger.OperationRow) *string { return &r.Input }).Null(),
	Of("outcome", Text, func(r *ledger.OperationRow) *string { return &r.Outcome }).Null(),
	Of("reason", Text, func(r *ledger.OperationRow) *string { return &r.Reason }).Null(),
	encoded("result", JSON, func(r *ledger.OperationRow) raw { return raw{&r.Result} }),
}}
