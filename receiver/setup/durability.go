package setup

import (
	"context"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	durabilityEvery = time.Minute
	// durabilityRetry is how soon a store that did not answer is asked again.
	durabilityRetry = 5 * time.Second
	// durabilityTimeout bounds what a start waits for.
	durabilityTimeout = 5 * time.Second
)

// checkDurability asks the store what its commits survive, and keeps the answer. It returns when to ask again; a store
// that does not answer keeps the level that it had.
func (r *Receiver) checkDurability(ctx context.Context) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, durabilityTimeout)
	defer cancel()
	level, detail, err := r.store.Durability(ctx)
	if err != nil {
		r.options.Logger.Debug("The store does not say what its commits survive", "error", err)
		return durabilityRetry
	}
	before := r.durability.Swap(string(level))
	switch {
	case before == string(level), detail == "":
	case r.options.RequireSynchronous && level != ledger.DurabilitySync:
		r.options.Logger.Error("Not ready: commits are to be synchronous and are not", "durability", level, "detail", detail)
	default:
		r.options.Logger.Info("Durability of commits", "durability", level, "detail", detail)
	}
	return durabilityEvery
}

// followDurability asks again every minute: a DBA may take the standby away.
func (r *Receiver) followDurability(ctx context.Context) {
	for {
		timer := time.NewTimer(r.checkDurability(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// durabilityLevel is the level that the store last reported, "" while it never has.
func (r *Receiver) durabilityLevel() string {
	level, _ := r.durability.Load().(string)
	return level
}
