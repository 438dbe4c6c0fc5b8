package setup

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/server"
)

const (
	// graceAfterHold is for the answers of requests that have waited as long as they may.
	graceAfterHold = 5 * time.Second
	// opsGrace bounds how long the ops port's last answers may take: nobody's conversion depends on them.
	opsGrace = 2 * time.Second
	// repriceEvery finds what a postback that was judged by the former table has put down after the new one was applied.
	repriceEvery = time.Minute
)

// Run serves until ctx is done. Then the receiver says that it is not ready, serves on for the drain period, finishes
// what is under way, and closes everything: nil means that nothing accepted was lost. A port that fails ends it as
// well.
func (r *Receiver) Run(ctx context.Context) error {
	upkeep, endUpkeep := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	for _, part := range []func(context.Context){
		r.watch.Run, r.ledger.Run, r.operator.Run, r.forward.Run, r.rates.Run,
		r.followRates, r.followDurability, r.followDatabaseSize,
	} {
		running.Go(func() { part(upkeep) })
	}
	listeners := []*server.Listener{r.ops, r.postback}
	if r.admin != nil {
		listeners = append(listeners, r.admin)
	}
	failed := make(chan error, len(listeners))
	for _, listener := range listeners {
		running.Go(func() {
			if err := listener.Serve(); err != nil {
				failed <- err
			}
		})
	}
	running.Go(func() { r.foldReports(upkeep) })
	status := r.watch.Status()
	r.options.Logger.Info("Serving", "address", r.Address(), "ops", r.OpsAddress(), "revision", status.Revision,
		"endpoints", status.Endpoints)

	var err error
	select {
	case <-ctx.Done():
		err = r.drain(failed)
	case err = <-failed:
	}
	err = errors.Join(err, r.finish(endUpkeep))
	running.Wait()
	return errors.Join(err, r.closeStore())
}

func (r *Receiver) closeStore() error {
	err := r.store.Close()
	if r.spool != nil {
		err = errors.Join(err, r.spool.Close())
	}
	return err
}

// drain lets who sends here find out that it has to send elsewhere.
func (r *Receiver) drain(failed <-chan error) error {
	r.draining.Store(true)
	r.options.Logger.Info("Draining", "for", r.options.Drain)
	select {
	case <-time.After(r.options.Drain):
		return nil
	case err := <-failed:
		return err
	}
}

// stopTime is how long a receiver with these options may take to stop.
func (o Options) stopTime() time.Duration { return o.Drain + o.Hold + graceAfterHold + opsGrace }

// finish answers what is under way. The ops port goes last, since it says how that goes.
func (r *Receiver) finish(endUpkeep func()) error {
	ctx, cancel := context.WithTimeout(context.Background(), r.options.Hold+graceAfterHold)
	defer cancel()
	err := r.postback.Shutdown(ctx)
	endUpkeep()
	err = errors.Join(err, r.ledger.Close(ctx))
	ctx, cancel = context.WithTimeout(context.Background(), opsGrace)
	defer cancel()
	if r.admin != nil {
		_ = r.admin.Shutdown(ctx)
	}
	_ = r.ops.Shutdown(ctx)
	return err
}

// abandon closes what a start that failed has opened.
func (r *Receiver) abandon() {
	if r.admin != nil {
		_ = r.admin.Close()
	}
	if r.ops != nil {
		_ = r.ops.Close()
	}
	if r.ledger != nil {
		_ = r.ledger.Close(context.Background())
	}
	if r.store != nil {
		_ = r.closeStore()
	}
}

// reprice asks for what waits for a rate to be looked at again.
func (r *Receiver) reprice(*money.Table) {
	select {
	case r.newRates <- struct{}{}:
	default:
	}
}

// followRates converts what waits for a rate whenever there are new ones.
func (r *Receiver) followRates(ctx context.Context) {
	regularly := time.NewTicker(repriceEvery)
	defer regularly.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.newRates:
		case <-regularly.C:
		}
		if err := r.ledger.Reprice(ctx, r.rates.Table().Convert); err != nil && ctx.Err() == nil {
			r.options.Logger.Warn("Converting what waited for a rate failed, trying again later", "error", err)
		}
	}
}
