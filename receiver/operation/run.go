package operation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	// rowsPerSecond is the share that an operation takes of a receiver: postbacks have the rest.
	rowsPerSecond = 500
	// chunkRows are applied together; after each chunk the operation's place is saved.
	chunkRows = 100
	// savedRows bounds the rows that are written at a time.
	savedRows = 1000
	// leaseFor is longer than a chunk takes. Where it is not, two receivers apply the same rows, which count once.
	leaseFor = 5 * time.Second
	// pollEvery finds what another receiver was asked for.
	pollEvery = time.Second
	// keepFor is for how long operations are kept, with their rows.
	keepFor = 90 * 24 * time.Hour
	// pruneEvery is how often the old ones are looked for.
	pruneEvery = time.Hour
)

const leaseName = "operations"

// errLost ends the work on an operation that somebody else has changed or works off.
var errLost = errors.New("operation changed by another")

// Run works off what is running until ctx ends, if no other receiver does.
func (o *Operator) Run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var pruned time.Time
	for {
		if err := o.turn(ctx, &pruned); err != nil && ctx.Err() == nil && !errors.Is(err, ledger.ErrUnavailable) &&
			!errors.Is(err, ledger.ErrClosed) {
			o.Logger.Warn("Working off operations failed, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-o.asked:
		}
	}
}

// turn works off everything that is running now, the oldest first.
func (o *Operator) turn(ctx context.Context, pruned *time.Time) error {
	var running []uuid.UUID
	for op, err := range o.Store.Operations(ctx, ledger.OperationFilter{State: ledger.OperationRunning}) {
		if err != nil {
			return err
		}
		running = append([]uuid.UUID{op.ID}, running...)
	}
	if now := o.Clock(); now.Sub(*pruned) >= pruneEvery {
		*pruned = now
		if _, err := o.Store.PruneOperations(ctx, now.Add(-keepFor)); err != nil {
			return err
		}
	}
	for _, id := range running {
		if held, err := o.hold(ctx); err != nil || !held {
			return err
		}
		op, err := o.Store.Operation(ctx, id)
		if err != nil {
			return err
		}
		if op.State != ledger.OperationRunning {
			continue
		}
		if err := o.work(ctx, op); err != nil && !errors.Is(err, errLost) {
			return fmt.Errorf("operation %s: %w", id, err)
		}
	}
	return nil
}

func (o *Operator) hold(ctx context.Context) (bool, error) {
	now := o.Clock()
	return o.Store.Lease(ctx, leaseName, o.Holder, now, now.Add(leaseFor))
}

// save keeps the operation and rows, and reports false if somebody else has changed it meanwhile.
func (o *Operator) save(ctx context.Context, op *ledger.Operation, rows []ledger.OperationRow) (bool, error) {
	err := o.Store.SaveOperation(ctx, *op, rows)
	if errors.Is(err, ledger.ErrConflict) {
		return false, nil
	}
	op.Revision++
	return err == nil, err
}

// work goes on with an operation where it was left. What cannot be done at all makes it fail.
func (o *Operator) work(ctx context.Context, op ledger.Operation) error {
	job, err := o.open(&op)
	if err == nil {
		err = job.run(ctx)
	}
	var why Invalid
	if !errors.As(err, &why) {
		return err
	}
	op.State, op.Error, op.Ended, op.Input = ledger.OperationFailed, why.Error(), o.now(), ""
	o.Logger.Warn("Operation failed", "operation", op.ID, "error", why)
	_, err = o.save(ctx, &op, nil)
	return err
}

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
		if err := j.apply(ctx, rows); err != nil {
			return err
		}
		if err := j.keep(ctx, rows); err != nil {
			return err
		}
		if j.trial == nil {
			pause(ctx, time.Duration(len(rows))*time.Second/time.Duration(j.rowsPerSecond)-time.Since(began))
		}
		if held, err := j.hold(ctx); err != nil || !held {
			return errors.Join(err, errLost)
		}
	}
}

// selectRows takes down what the operation is about. Nobody looks at the rows before Total says that they are all
// there.
func (j *job) selectRows(ctx context.Context) error {
	rows, err := j.kind.rows(ctx, j.op, &j.spec)
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
	filter := ledger.OperationRowFilter{Operation: j.op.ID, After: j.op.Cursor, Limit: chunkRows}
	for row, err := range j.Store.OperationRows(ctx, filter) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, ctx.Err()
}

// apply does what the rows ask for, and writes into them what became of it.
func (j *job) apply(ctx context.Context, rows []ledger.OperationRow) error {
	ep, err := j.endpoint()
	if err != nil {
		return err
	}
	var asked []ledger.Postback
	var of []*ledger.OperationRow
	for i := range rows {
		row := &rows[i]
		p, outcome, err := j.kind.postback(ctx, j.op, &j.spec, ep, row)
		if err != nil {
			return err
		}
		if outcome != "" {
			row.Outcome, row.Reason = outcome, ""
			continue
		}
		asked, of = append(asked, p), append(of, row)
	}
	changes, err := j.record(ctx, asked)
	if err != nil {
		return err
	}
	for i := range changes {
		if err := j.complete(ctx, &changes[i]); err != nil {
			return err
		}
		if _, err := settle(of[i], &changes[i], j.trial != nil); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) record(ctx context.Context, asked []ledger.Postback) ([]ledger.Change, error) {
	if j.trial != nil {
		return j.trial.ApplyRows(ctx, asked)
	}
	return j.Ledger.ApplyRows(ctx, asked)
}

// complete finds out what a row has changed that was applied by somebody who was killed before saying so. Which S2S
// postbacks were due is not known then.
func (j *job) complete(ctx context.Context, c *ledger.Change) error {
	if !c.Repeated || c.Version == 0 {
		return nil
	}
	versions, err := j.Store.History(ctx, c.ConversionID)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	for _, version := range versions {
		switch version.Version {
		case c.Version - 1:
			c.Before = version
		case c.Version:
			c.After = version
		}
	}
	return err
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

// Difference is a row that would come out otherwise than its dry run said.
type Difference struct{ Then, Now ledger.OperationRow }

// maxDifferences bounds how many are told.
const maxDifferences = 100

// Start makes a dry run a real one if all of its rows would still come out as it said; otherwise it returns those that
// would not, the first ones of them, and how many there are. The error is a [StateError], an [Invalid], or the store's.
func (o *Operator) Start(ctx context.Context, id uuid.UUID) (op ledger.Operation, differ []Difference, total int,
	err error) {
	if op, err = o.Store.Operation(ctx, id); err != nil {
		return op, nil, 0, err
	}
	if op.State != ledger.OperationTried {
		return op, nil, 0, StateError("only a dry run that has ended can be run: this operation is " + string(op.State))
	}
	revision := op.Revision
	trial := op
	j, err := o.open(&trial)
	if err != nil {
		return op, nil, 0, err
	}
	for {
		then, err := j.next(ctx)
		if err != nil {
			return op, nil, 0, err
		}
		if len(then) == 0 {
			break
		}
		now := append([]ledger.OperationRow(nil), then...)
		if err := j.apply(ctx, now); err != nil {
			return op, nil, 0, err
		}
		for i := range now {
			if then[i].Outcome == now[i].Outcome && then[i].Reason == now[i].Reason &&
				bytes.Equal(compact(then[i].Result), compact(now[i].Result)) {
				continue
			}
			if total++; len(differ) < maxDifferences {
				differ = append(differ, Difference{then[i], now[i]})
			}
		}
		trial.Cursor = then[len(then)-1].Number
	}
	if total > 0 {
		return op, differ, total, nil
	}
	op.DryRun, op.State, op.Started, op.Ended = false, ledger.OperationRunning, o.now(), time.Time{}
	op.Cursor, op.Counts, op.Revision = 0, nil, revision
	saved, err := o.save(ctx, &op, nil)
	if err == nil && !saved {
		err = StateError("somebody else has just run or cancelled this operation")
	}
	o.ask()
	return op, nil, 0, err
}

// compact is JSON without the space that a store may add.
func compact(text json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text
	}
	return b.Bytes()
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
