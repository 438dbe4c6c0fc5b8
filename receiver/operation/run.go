package operation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

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

// Await works off an operation, unless another receiver does, and returns it when it has ended.
func (o *Operator) Await(ctx context.Context, id uuid.UUID) (ledger.Operation, error) {
	for {
		op, err := o.Store.Operation(ctx, id)
		if err != nil || op.State != ledger.OperationRunning {
			return op, err
		}
		held, err := o.hold(ctx)
		if err == nil && held {
			err = o.work(ctx, op)
		}
		switch {
		case err != nil && !errors.Is(err, errLost):
			return op, err
		case ctx.Err() != nil:
			return op, context.Cause(ctx)
		case !held:
			pause(ctx, pollEvery)
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

// holding does what may take longer than the lease, and keeps the lease meanwhile. If it is lost, the work's context
// ends.
func (o *Operator) holding(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var renewing sync.WaitGroup
	done := make(chan struct{})
	renewing.Go(func() {
		tick := time.NewTicker(leaseFor / 3)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if held, err := o.hold(ctx); err == nil && !held {
				cancel(errLost)
			}
		}
	})
	err := work(ctx)
	close(done)
	renewing.Wait()
	if errors.Is(context.Cause(ctx), errLost) {
		return errLost
	}
	return err
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
