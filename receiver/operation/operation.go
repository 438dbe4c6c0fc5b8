package operation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// Store is what of a store operations need.
type Store interface {
	ledger.Reader
	ledger.Operations
	ledger.Erasures
	Forwards(ctx context.Context, f ledger.OutboxFilter) iter.Seq2[ledger.OutboxRow, error]
	ResendForward(ctx context.Context, id, operation uuid.UUID, now time.Time) error
	Lease(ctx context.Context, name, holder string, now, until time.Time) (bool, error)
}

// Options are what an [Operator] works with. All are mandatory.
type Options struct {
	Store  Store
	Ledger *ledger.Ledger
	// Endpoints and Rates return what is current now.
	Endpoints func() *endpoint.Snapshot
	Rates     func() *money.Table
	// Resent is called with the hosts whose S2S postbacks were requeued.
	Resent func(hosts []string)
	// Holder names this receiver in the lease.
	Holder string
	Logger *slog.Logger
	Clock  func() time.Time
	// NewID gives the ids of operations and of the rows that people make; nil = ids of its own.
	NewID func() uuid.UUID
}

// Operator keeps operations and works them off. It may be used concurrently.
type Operator struct {
	Options
	// asked has a token when there is something to work off.
	asked chan struct{}
	// rowsPerSecond bounds how fast rows are applied.
	rowsPerSecond int
}

// New returns an operator. [Operator.Run] works off what it keeps.
func New(o Options) *Operator {
	if o.NewID == nil {
		o.NewID = ledger.NewIDs(o.Clock).Next
	}
	return &Operator{Options: o, asked: make(chan struct{}, 1), rowsPerSecond: rowsPerSecond}
}

// kind is what the kinds of operations differ in.
type kind interface {
	// check returns an [Invalid] if the request cannot be fulfilled, and completes it. ep is nil for an erasure.
	check(ep *endpoint.Endpoint, q *Request) error
	// rows selects what the operation is about, numbered in the order in which rows take effect.
	rows(ctx context.Context, op *ledger.Operation, s *Spec) ([]ledger.OperationRow, error)
	// apply does what the rows ask for, unless the job is a trial, and writes into them what became of each.
	apply(ctx context.Context, j *job, rows []ledger.OperationRow) error
}

func (o *Operator) kind(name string) (kind, error) {
	switch name {
	case KindReplay:
		return replay{o}, nil
	case KindImport, KindReconcile:
		return imported{o, name == KindReconcile}, nil
	case KindResend:
		return resend{o}, nil
	case KindErase:
		return erase{o}, nil
	case KindCosts:
		return costs{o}, nil
	}
	return nil, Invalid("kind: must be one of " + strings.Join(Kinds(), ", "))
}

// Create keeps a new operation. It returns the former one and false where the same request was made before. The error
// is an [Invalid], or the store's.
func (o *Operator) Create(ctx context.Context, q Request) (op ledger.Operation, added bool, err error) {
	k, err := o.kind(q.Kind)
	if err != nil {
		return op, false, err
	}
	if err := checkNote(q.Note); err != nil {
		return op, false, err
	}
	ep := o.Endpoints().ByName(q.Endpoint)
	if ep == nil && q.Kind != KindErase { // What an endpoint has left behind is erased, too.
		return op, false, Invalid("endpoint: no such endpoint is served")
	}
	if err := k.check(ep, &q); err != nil {
		return op, false, err
	}
	if q.Input != "" && q.Kind != KindErase {
		sum := sha256.Sum256([]byte(q.Input))
		q.Spec.InputSHA256 = hex.EncodeToString(sum[:])
	}
	spec, err := json.Marshal(q.Spec)
	if err != nil {
		return op, false, err
	}
	op = ledger.Operation{
		ID:       o.NewID(),
		Kind:     q.Kind,
		Endpoint: q.Endpoint,
		Actor:    q.Actor,
		Note:     q.Note,
		Created:  o.now(),
		State:    ledger.OperationRunning,
		DryRun:   q.DryRun,
		Spec:     spec,
		Input:    q.Input,
		Total:    -1,
		Revision: 1,
	}
	if !q.DryRun {
		op.Started = op.Created
	}
	if q.Key != "" {
		op.Request = named("request", q.Endpoint+"\x00"+q.Key)
	}
	stored, added, err := o.Store.AddOperation(ctx, op)
	if err != nil {
		return op, false, err
	}
	if !added && (stored.Kind != op.Kind || string(stored.Spec) != string(op.Spec)) {
		return op, false, Invalid("Idempotency-Key: was used for another operation")
	}
	o.Logger.Info("Operation asked for", "operation", stored.ID, "kind", stored.Kind, "endpoint", stored.Endpoint,
		"dry_run", stored.DryRun, "again", !added)
	o.ask()
	return stored, added, nil
}

// Get returns an operation. ErrNotFound if there is none.
func (o *Operator) Get(ctx context.Context, id uuid.UUID) (ledger.Operation, error) {
	return o.Store.Operation(ctx, id)
}

// List yields operations, newest first.
func (o *Operator) List(ctx context.Context, f ledger.OperationFilter) iter.Seq2[ledger.Operation, error] {
	return o.Store.Operations(ctx, f)
}

// Rows yields the rows of an operation.
func (o *Operator) Rows(ctx context.Context, f ledger.OperationRowFilter) iter.Seq2[ledger.OperationRow, error] {
	return o.Store.OperationRows(ctx, f)
}

// StateError says that an operation is in a state in which that cannot be done.
type StateError string

func (e StateError) Error() string { return string(e) }

// maxChanges bounds how often one change is tried while the operation is being worked off.
const maxChanges = 100

// Cancel ends an operation before its time. What it has changed stays. The error is a [StateError], or the store's.
func (o *Operator) Cancel(ctx context.Context, id uuid.UUID) (ledger.Operation, error) {
	for range maxChanges {
		op, err := o.Store.Operation(ctx, id)
		switch {
		case err != nil:
			return op, err
		case op.State == ledger.OperationCancelled:
			return op, nil
		case op.State != ledger.OperationRunning && op.State != ledger.OperationTried:
			return op, StateError("the operation has ended: it is " + string(op.State))
		}
		op.State, op.Ended, op.Input = ledger.OperationCancelled, o.now(), ""
		if saved, err := o.save(ctx, &op, nil); saved || err != nil {
			return op, err
		}
	}
	return ledger.Operation{}, ledger.ErrConflict
}

// now is the time as stores keep it.
func (o *Operator) now() time.Time { return o.Clock().UTC().Truncate(time.Microsecond) }

func (o *Operator) ask() {
	select {
	case o.asked <- struct{}{}:
	default:
	}
}
