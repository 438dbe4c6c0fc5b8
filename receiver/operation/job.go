package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// job is an operation that is being worked off.
type job struct {
	*Operator
	kind   kind
	op     *ledger.Operation
	spec   Spec
	counts Counts
	// trial is nil unless nothing is to be changed.
	trial *ledger.Trial
}

func (o *Operator) open(op *ledger.Operation) (*job, error) {
	k, err := o.kind(op.Kind)
	if err != nil {
		return nil, err
	}
	j := &job{Operator: o, kind: k, op: op}
	if err := json.Unmarshal(op.Spec, &j.spec); err != nil {
		return nil, fmt.Errorf("reading what an operation is to do: %w", err)
	}
	if op.DryRun { // What it has told so far counts from here only.
		j.trial = o.Ledger.NewTrial()
		op.Cursor, op.Counts = 0, nil
	}
	j.counts, err = CountsOf(op)
	return j, err
}

// errNotServed ends an operation whose endpoint has gone.
const errNotServed = Invalid("endpoint: is not served any more")

func (j *job) endpoint() (*endpoint.Endpoint, error) {
	if ep := j.Endpoints().ByName(j.op.Endpoint); ep != nil {
		return ep, nil
	}
	return nil, errNotServed
}

func (j *job) run(ctx context.Context) error {
	if j.op.Total < 0 {
		if err := j.selectRows(ctx); err != nil {
			return err
		}
	}
	for {
		began := time.Now()
		rows, err := j.next(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return j.end(ctx)
		}
		if err := j.kind.apply(ctx, j, rows); err != nil {
			return err
		}
		if err := j.keep(ctx, rows); err != nil {
			return err
		}
		if j.trial == nil {
			pause(ctx, time.Duration(len(rows))*time.Second/time.Duration(j.perSecond())-time.Since(began))
		}
		if held, err := j.hold(ctx); err != nil || !held {
			return errors.Join(err, errLost)
		}
	}
}

// perSecond is how many rows are applied in a second at most.
func (j *job) perSecond() int {
	if j.spec.PerSecond > 0 {
		return min(j.spec.PerSecond, j.rowsPerSecond)
	}
	return j.rowsPerSecond
}

// selectRows takes down what the operation is about. Nobody looks at the rows before Total says that they are all
// there.
func (j *job) selectRows(ctx context.Context) error {
	var rows []ledger.OperationRow
	err := j.holding(ctx, func(ctx context.Context) (err error) {
		rows, err = j.kind.rows(ctx, j.op, &j.spec)
		return err
	})
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Operation = j.op.ID
	}
	for start := 0; start < len(rows); start += savedRows {
		if saved, err := j.save(ctx, j.op, rows[start:min(start+savedRows, len(rows))]); err != nil || !saved {
			return errors.Join(err, errLost)
		}
		if held, err := j.hold(ctx); err != nil || !held {
			return errors.Join(err, errLost)
		}
	}
	j.op.Total, j.op.Input = len(rows), ""
	if saved, err := j.save(ctx, j.op, nil); err != nil || !saved {
		return errors.Join(err, errLost)
	}
	return nil
}

// next returns the rows behind the cursor.
func (j *job) next(ctx context.Context) ([]ledger.OperationRow, error) {
	var rows []ledger.OperationRow
	filter := ledger.OperationRowFilter{Operation: j.op.ID, After: j.op.Cursor, Limit: min(chunkRows, j.perSecond())}
	for row, err := range j.Store.OperationRows(ctx, filter) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, ctx.Err()
}

// keep saves the rows with their results, and where to go on.
func (j *job) keep(ctx context.Context, rows []ledger.OperationRow) (err error) {
	for i := range rows {
		result, err := ResultOf(&rows[i])
		if err != nil {
			return err
		}
		j.counts.add(&rows[i], &result)
	}
	j.op.Cursor = rows[len(rows)-1].Number
	if j.op.Counts, err = json.Marshal(j.counts); err != nil {
		return err
	}
	if saved, err := j.save(ctx, j.op, rows); err != nil || !saved {
		return errors.Join(err, errLost)
	}
	return nil
}

func (j *job) end(ctx context.Context) error {
	if finishing, ok := j.kind.(interface{ finish(context.Context) error }); ok && !j.op.DryRun {
		if err := j.holding(ctx, finishing.finish); err != nil {
			return err
		}
	}
	j.op.State = ledger.OperationDone
	if j.op.DryRun {
		j.op.State = ledger.OperationTried
	}
	j.op.Ended = j.now()
	if saved, err := j.save(ctx, j.op, nil); err != nil || !saved {
		return errors.Join(err, errLost)
	}
	j.Logger.Info("Operation has ended", "operation", j.op.ID, "kind", j.op.Kind, "state", j.op.State,
		"rows", j.counts.Rows)
	return nil
}
