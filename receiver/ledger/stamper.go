package ledger

import (
	"sync/atomic"
	"time"
)

// Stamper gives the stamps that order one receiver's postbacks. It may be used concurrently.
type Stamper struct {
	clock func() time.Time
	last  atomic.Int64
}

// NewStamper returns a stamper that goes by clock.
func NewStamper(clock func() time.Time) *Stamper { return &Stamper{clock: clock} }

// Follow makes all further stamps greater than stamp: what another process has given, by a clock that was ahead.
func (s *Stamper) Follow(stamp int64) {
	for {
		last := s.last.Load()
		if last >= stamp || s.last.CompareAndSwap(last, stamp) {
			return
		}
	}
}

// Next returns the microseconds since 1970, or one more than it returned before if the clock has not moved on since.
func (s *Stamper) Next() int64 {
	for {
		last := s.last.Load()
		next := max(s.clock().UnixMicro(), last+1)
		if s.last.CompareAndSwap(last, next) {
			return next
		}
	}
}
