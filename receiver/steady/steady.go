// Package steady notices that the machine's clock was set. What cannot be undone, such as deleting what is old, is not
// to be done by a time that may be wrong. It imports nothing of the receiver.
package steady

import (
	"log/slog"
	"sync"
	"time"
)

const (
	// tolerance is by how much the clock may be corrected without anybody minding: leap seconds, a drift that is made up.
	tolerance = time.Minute
	// Rest is for how long a clock that was set is not trusted. A wrong time is mostly noticed and set right within it.
	Rest = time.Hour
)

// Watch compares the clock with one that nobody can set. It may be used concurrently.
type Watch struct {
	clock   func() time.Time
	elapsed func() time.Duration
	logger  *slog.Logger

	mu sync.Mutex
	// start is what the clock showed when nothing had elapsed, by what it shows now.
	start time.Time
	// trusted is from which elapsed time on the clock is trusted.
	trusted time.Duration
}

// New returns a watch of clock, whose time is trusted at first. elapsed is the time since any moment; it never jumps.
func New(clock func() time.Time, elapsed func() time.Duration, logger *slog.Logger) *Watch {
	w := &Watch{clock: clock, elapsed: elapsed, logger: logger}
	w.start = w.now().Add(-elapsed())
	return w
}

// Settled reports whether the clock has run evenly for [Rest]. It has to be called every few seconds.
func (w *Watch) Settled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	elapsed := w.elapsed()
	start := w.now().Add(-elapsed)
	if by := start.Sub(w.start); by.Abs() > tolerance {
		w.logger.Warn("The clock was set: nothing is deleted or given up for lack of a click for a while", "by", by, "for",
			Rest)
		w.start, w.trusted = start, elapsed+Rest
	}
	return elapsed >= w.trusted
}

// now has no monotonic reading, by which differences would be computed instead.
func (w *Watch) now() time.Time { return w.clock().Round(0) }
