// Package rollup keeps the cells of reports up to date: what batches have left behind is added to them a moment later,
// by one receiver of a store at a time. It imports no engine. What a cell is, and that each change is added once, is
// the business of package report and of the store.
package rollup

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	// every is how long changes wait at most while nothing hinders.
	every = time.Second
	// leaseFor is for how long a receiver keeps the others from the same work: they take over after that.
	leaseFor = 30 * time.Second
	// leaseName names the lease.
	leaseName = "reports"
)

// Store is the part of a store that the worker needs.
type Store interface {
	FoldReports(ctx context.Context) (int, error)
	ReportsBehind(ctx context.Context) (time.Time, error)
	Lease(ctx context.Context, name, holder string, now, until time.Time) (bool, error)
}

// Options are what a [Worker] works with. All are mandatory.
type Options struct {
	Store Store
	// Holder names this receiver.
	Holder string
	Clock  func() time.Time
	Logger *slog.Logger
	// Lag is called with how far the cells are behind, whenever the worker has looked.
	Lag func(time.Duration)
}

// Worker folds changes into cells.
type Worker struct {
	Options
	// until is when the lease ends, zero without one.
	until time.Time
}

// New returns a worker.
func New(o Options) *Worker { return &Worker{Options: o} }

// Run works until ctx ends. Failures are logged, unless the store is away, and tried again at the next turn.
func (w *Worker) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := w.Turn(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, ledger.ErrUnavailable) {
			w.Logger.Warn("Adding to the sums of reports failed, trying again", "error", err)
		}
	}
}

// Turn adds everything that is there, if it is this receiver's turn, and says how far the cells are behind.
func (w *Worker) Turn(ctx context.Context) error {
	behind, err := w.Store.ReportsBehind(ctx)
	if err != nil {
		return err
	}
	if behind.IsZero() {
		w.Lag(0)
		return nil
	}
	w.Lag(max(0, w.Clock().Sub(behind)))
	mine, err := w.lease(ctx)
	if err != nil || !mine {
		return err
	}
	for {
		began := time.Now()
		folded, err := w.Store.FoldReports(ctx)
		if err != nil || folded == 0 {
			return err
		}
		pause(ctx, time.Since(began)) // A large backlog leaves half of the store's time to the rest.
	}
}

// lease takes or renews the lease when less than half of it is left.
func (w *Worker) lease(ctx context.Context) (bool, error) {
	now := w.Clock()
	if w.until.Sub(now) > leaseFor/2 {
		return true, nil
	}
	until := now.Add(leaseFor)
	mine, err := w.Store.Lease(ctx, leaseName, w.Holder, now, until)
	if w.until = until; err != nil || !mine {
		w.until = time.Time{}
	}
	return mine, err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
