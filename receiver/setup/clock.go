package setup

import (
	"context"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/steady"
)

// watchClock sets the clock unless a test did. That one jumps as it likes.
func (r *Receiver) watchClock() {
	if r.options.Clock != nil {
		r.settled = func() bool { return true }
		return
	}
	r.options.Clock = time.Now
	began := time.Now()
	elapsed := func() time.Duration { return time.Since(began) }
	r.settled = steady.New(time.Now, elapsed, r.options.Logger).Settled
}

// stamper gives stamps that are greater than those of the process before, also when the clock was ahead then: a
// postback that has waited in the spool would otherwise be taken for one that is older than what is recorded. While the
// store is away nothing is known of that.
func (r *Receiver) stamper(ctx context.Context) *ledger.Stamper {
	stamper := ledger.NewStamper(r.options.Clock)
	for newest, err := range r.store.Received(ctx, ledger.ReceivedFilter{Limit: 1}) {
		if err == nil {
			stamper.Follow(newest.Stamp)
		}
	}
	return stamper
}
