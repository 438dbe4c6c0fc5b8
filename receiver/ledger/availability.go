package ledger

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// availableStore is a store of which is known whether it answers.
type availableStore struct {
	Store
	*availability
}

// Transact implements [Store] and takes note of what the attempt says about the store. One that was canceled says
// nothing.
func (s availableStore) Transact(ctx context.Context, want Want, decide func(*Book) *Changes) error {
	err := s.Store.Transact(ctx, want, decide)
	switch {
	case err == nil:
		s.answered()
	case errors.Is(err, ErrUnavailable) && !errors.Is(ctx.Err(), context.Canceled):
		s.failed(err)
	}
	return err
}

// availability knows whether the store answered last, and logs when that changes and not for every attempt.
type availability struct {
	clock  func() time.Time
	logger *slog.Logger
	gone   atomic.Bool
	mu     sync.Mutex
	since  time.Time
}

func (a *availability) away() bool { return a.gone.Load() }

// failed takes note of an attempt that failed with ErrUnavailable.
func (a *availability) failed(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gone.CompareAndSwap(false, true) {
		a.since = a.clock()
		a.logger.Warn("Store unavailable, trying again", "error", err)
	}
}

// answered takes note of a commit.
func (a *availability) answered() {
	if !a.gone.Load() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gone.CompareAndSwap(true, false) {
		a.logger.Info("Store available again", "away_for", a.clock().Sub(a.since))
	}
}
