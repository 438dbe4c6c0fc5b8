package ledger

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/google/uuid"
)

// OperationState says how far an operation is.
type OperationState string

// The states. Whoever has the lease works off what is running.
const (
	OperationRunning OperationState = "running"
	// OperationTried: the dry run has ended, and nothing has been changed.
	OperationTried     OperationState = "dry_run_done"
	OperationDone      OperationState = "done"
	OperationCancelled OperationState = "cancelled"
	OperationFailed    OperationState = "failed"
)

// OperationStates returns all states.
func OperationStates() []OperationState {
	return []OperationState{OperationRunning, OperationTried, OperationDone, OperationCancelled, OperationFailed}
}

// Operation is what a person has many rows changed by: package operation works it off.
type Operation struct {
	// ID is a UUIDv7.
	ID   uuid.UUID
	Kind string
	// Endpoint is "namespace/name"; empty = the operation is about all of them.
	Endpoint string
	// Actor wants it, Note says why.
	Actor, Note string
	// Created is when it was asked for, Started when its rows were first applied; a dry run has no Started. Ended is zero
	// until it has ended.
	Created, Started, Ended time.Time
	State                   OperationState
	// DryRun: nothing is to be changed.
	DryRun bool
	// Spec is what was asked for, Counts what came out, both as JSON of package operation.
	Spec, Counts json.RawMessage
	// Input is the text that came along with Spec, until rows have been made of it. Lists leave it out.
	Input string
	// Total is how many rows there are, -1 before they are selected; Cursor is the number of the last one that was worked
	// off.
	Total, Cursor int
	// Revision counts the changes, so that nobody overwrites another's.
	Revision int
	// Error says why it failed.
	Error string
	// Request names the request that asked for it, so that one which is sent again asks for nothing new; the zero UUID if
	// it has no name.
	Request uuid.UUID
}

// OperationRow is one thing that an operation does, and what became of it.
type OperationRow struct {
	Operation uuid.UUID
	// Number counts from 1, in the order in which rows take effect.
	Number int
	// Origin is the row of the received log, or of the outbox, that it is about; the zero UUID if none.
	Origin     uuid.UUID
	SubID, TID string
	// Input is what was said of it, in words of the operation's kind.
	Input string
	// Outcome is empty until it was worked off. Result is what else is known then, as JSON of package operation.
	Outcome, Reason string
	Result          json.RawMessage
}

// OperationFilter selects operations; zero fields select all.
type OperationFilter struct {
	Endpoint, Kind string
	State          OperationState
	// Before selects what was asked for before that operation: the cursor.
	Before uuid.UUID
	Limit  int
}

// OperationRowFilter selects rows of an operation.
type OperationRowFilter struct {
	Operation uuid.UUID
	// Outcome selects the rows with that outcome; empty selects all.
	Outcome string
	// After selects rows with greater numbers: the cursor.
	After, Limit int
}

// Operations keeps operations and their rows.
type Operations interface {
	// AddOperation keeps a new operation. Where there is one of the same Request already, it returns that one and false.
	AddOperation(ctx context.Context, op Operation) (stored Operation, added bool, err error)
	// SaveOperation replaces the operation whose ID and Revision are those of op, and whose Revision is one more then,
	// and puts rows in the place of those with their numbers: all or nothing. ErrConflict if the revision is another. An
	// empty Input deletes that of the store; any other leaves it, as it may be large and saved many times.
	SaveOperation(ctx context.Context, op Operation, rows []OperationRow) error
	// Operation returns one with its Input. ErrNotFound if there is none.
	Operation(ctx context.Context, id uuid.UUID) (Operation, error)
	// Operations yields matching ones, newest first, without their Input.
	Operations(ctx context.Context, f OperationFilter) iter.Seq2[Operation, error]
	// OperationRows yields matching rows by number.
	OperationRows(ctx context.Context, f OperationRowFilter) iter.Seq2[OperationRow, error]
	// PruneOperations deletes the operations that were asked for before the given time, except those that run, with their
	// rows, and returns how many operations. Of erasures the rows are deleted only: that something was erased stays known.
	PruneOperations(ctx context.Context, before time.Time) (int, error)
}
