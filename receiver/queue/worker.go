package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	// claimEvery spares the store when connections become free one by one: those of this time are one claim.
	claimEvery = 5 * time.Millisecond
	// maxFinish bounds how many rows are written at a time.
	maxFinish = 256
	// storeTimeout bounds one call of the store.
	storeTimeout = 10 * time.Second
	countEvery   = 15 * time.Second
	pruneEvery   = time.Minute
	reviveEvery  = 10 * time.Minute
	// reviveSlack is by how much clocks may differ, and how long a store may take.
	reviveSlack = 5 * time.Minute
	prunePage   = 1000
)

// Worker has the rows of an outbox delivered. Several, in one process or many, may work on one store.
type Worker struct {
	options Options
	// holder is the name of its leases.
	holder string

	wake    chan struct{}
	results chan delivery
	sending sync.WaitGroup

	// looked and revived are when look and revive last looked, by the clock. Run owns them.
	looked, revived time.Time

	mu     sync.Mutex
	hosts  *hosts
	status Status
	// toldAt is when the log last told that the store is away.
	toldAt time.Time
}

// Run works until ctx ends. Then it claims nothing any more, lets what is under way end for a while, and gives back
// what has not: all leases are ended when it returns, if the store allows.
func (w *Worker) Run(ctx context.Context) {
	finishes, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	var finishing, upkeep sync.WaitGroup
	finishing.Go(func() { w.finishAll(finishes) })
	upkeep.Go(func() { w.every(ctx, countEvery, w.count) })
	upkeep.Go(func() { w.every(ctx, pruneEvery, w.prune) })
	sends, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()

	poll := time.NewTimer(0)
	defer poll.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-poll.C:
			poll.Reset(w.look(ctx))
		case <-w.wake:
		}
		w.claim(ctx, sends)
		pause(ctx, claimEvery)
	}
	within(w.options.Grace, abort, w.sending.Wait)
	close(w.results)
	within(w.options.Grace, giveUp, finishing.Wait)
	upkeep.Wait()
}

// within waits, and cuts short what has taken longer than d.
func within(d time.Duration, cut, wait func()) {
	timer := time.AfterFunc(d, cut)
	defer timer.Stop()
	wait()
}

// look finds the hosts that something is due for, and returns when to look again.
func (w *Worker) look(ctx context.Context) time.Duration {
	w.revive(ctx)
	due, err := bounded(ctx, func(ctx context.Context) (map[string]time.Time, error) {
		return w.options.Store.DueForwards(ctx, w.options.Clock())
	})
	if err != nil {
		w.failed(ctx, "Looking for S2S postbacks failed, trying again", err)
		return w.options.Idle
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range due {
		w.hosts.waiting[name] = true
	}
	w.hosts.forget(w.options.Clock())
	if len(due) > 0 || w.hosts.inFlight > 0 {
		return w.options.Poll
	}
	return w.options.Idle
}

// revive looks at the start, now and then, and when the clock was set back, for rows that a clock which was ahead has
// put off: its own, or another receiver's.
func (w *Worker) revive(ctx context.Context) {
	now := w.options.Clock().Round(0) // the time of the clock, not the time that has passed
	if !now.Before(w.looked) && now.Before(w.revived.Add(reviveEvery)) {
		w.looked = now
		return
	}
	revived, err := bounded(ctx, func(ctx context.Context) (int, error) {
		return w.options.Store.ReviveForwards(ctx, now, now.Add(w.options.Lease+reviveSlack))
	})
	if err != nil {
		w.failed(ctx, "Looking for S2S postbacks that a wrong clock has put off failed, trying again", err)
		return
	}
	w.looked, w.revived = now, now
	if revived > 0 {
		w.options.Logger.Warn("S2S postbacks were put off by a clock that was ahead, and are due now", "postbacks", revived)
	}
}

// claim claims what there is room for, and sends it.
func (w *Worker) claim(ctx, sends context.Context) {
	now := w.options.Clock()
	w.mu.Lock()
	shares := w.hosts.shares(now)
	for _, share := range shares { // A host that something new comes for from now on counts for the next claim.
		delete(w.hosts.waiting, share.Host)
	}
	w.mu.Unlock()
	if len(shares) == 0 {
		return
	}
	claim := ledger.OutboxClaim{Holder: w.holder, Now: now, Until: now.Add(w.options.Lease), Shares: shares}
	var examined map[string]int
	rows, err := bounded(ctx, func(ctx context.Context) (rows []ledger.OutboxRow, err error) {
		rows, examined, err = w.options.Store.ClaimForwards(ctx, claim)
		return rows, err
	})
	if err != nil { // the next look finds them again
		w.failed(ctx, "Claiming S2S postbacks failed, trying again", err)
		return
	}
	w.mu.Lock()
	w.hosts.claimed(shares, rows, examined, now)
	for i := range rows {
		w.hosts.begin(rows[i].Host, now)
	}
	again := len(w.hosts.waiting) > 0
	w.mu.Unlock()
	for _, row := range rows {
		w.sending.Go(func() { w.send(sends, row, claim.Until) })
	}
	if again && len(examined) > 0 {
		w.signal()
	}
}

// send delivers a row. A panic leaves the row to the end of its lease. Its text may hold a part of the URL, so only its
// type is logged.
func (w *Worker) send(ctx context.Context, row ledger.OutboxRow, leaseEnds time.Time) {
	out := delivery{Result: Result{Row: row}, claimed: row.Host, leaseEnds: leaseEnds}
	defer func() {
		if r := recover(); r != nil {
			w.options.Logger.Error("Panic in a delivery", "id", row.ID, "panic", fmt.Sprintf("%T", r), "stack",
				string(debug.Stack()))
			out.leaseEnds = time.Time{}
		}
		w.results <- out
	}()
	out.Result = w.options.Deliver(ctx, row)
}

// finishAll writes down what became of deliveries until there are no more. What ends while that is under way is the
// next batch.
func (w *Worker) finishAll(ctx context.Context) {
	for first := range w.results {
		batch := append(make([]delivery, 0, 1+len(w.results)), first)
		for more := true; more && len(batch) < maxFinish; {
			select {
			case next, ok := <-w.results:
				if more = ok; ok {
					batch = append(batch, next)
				}
			default:
				more = false
			}
		}
		w.finish(ctx, batch)
		w.ended(batch)
	}
}

// finish writes a batch, and tries again while the store is away and the leases last. After that others deliver the
// rows once more.
func (w *Worker) finish(ctx context.Context, batch []delivery) {
	var rows []ledger.OutboxRow
	var leases time.Time
	for i := range batch {
		if !batch[i].leaseEnds.IsZero() {
			rows = append(rows, batch[i].Row)
			leases = batch[i].leaseEnds
		}
	}
	for backoff := 20 * time.Millisecond; len(rows) > 0; backoff = min(2*backoff, 500*time.Millisecond) {
		_, err := bounded(ctx, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, w.options.Store.FinishForwards(ctx, w.holder, w.options.Clock(), rows)
		})
		switch {
		case err == nil:
			return
		case ctx.Err() != nil, w.options.Clock().After(leases):
			w.options.Logger.Warn("S2S postbacks could not be marked and will be sent once more", "postbacks", len(rows),
				"error", err)
			return
		case errors.Is(err, ledger.ErrPoisoned): // of all there is in a row, only the answers come from outside
			forgetAnswers(rows)
		}
		w.failed(ctx, "Marking S2S postbacks failed, trying again", err)
		pause(ctx, backoff)
	}
}

func forgetAnswers(rows []ledger.OutboxRow) {
	for i := range rows {
		if n := len(rows[i].Attempts); n > 0 {
			rows[i].Attempts[n-1].Answer = ""
		}
	}
}

// ended gives the connections of a batch back.
func (w *Worker) ended(batch []delivery) {
	now := w.options.Clock()
	w.mu.Lock()
	for i := range batch {
		w.hosts.end(batch[i].claimed, batch[i].Result, now)
		if host := batch[i].Row.Host; host != batch[i].claimed {
			w.hosts.waiting[host] = true
		}
	}
	w.mu.Unlock()
	for i := range batch {
		if row := &batch[i].Row; row.State != ledger.ForwardWaiting {
			w.options.Ended(row.State, now.Sub(row.Created))
		}
	}
	w.signal()
}

// every runs a piece of upkeep at once and then regularly.
func (w *Worker) every(ctx context.Context, period time.Duration, work func(context.Context) error) {
	for ctx.Err() == nil {
		if err := work(ctx); err != nil {
			w.failed(ctx, "Upkeep of S2S postbacks failed, trying again later", err)
		}
		pause(ctx, period)
	}
}

func (w *Worker) count(ctx context.Context) error {
	now := w.options.Clock()
	counts, err := bounded(ctx, func(ctx context.Context) (ledger.OutboxCounts, error) {
		return w.options.Store.CountForwards(ctx, now)
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Counts, w.status.CountedAt = counts, now
	return nil
}

func (w *Worker) prune(ctx context.Context) error {
	if w.options.Keep <= 0 || !w.options.Settled() {
		return nil
	}
	for {
		n, err := bounded(ctx, func(ctx context.Context) (int, error) {
			return w.options.Store.PruneForwards(ctx, w.options.Clock().Add(-w.options.Keep), prunePage)
		})
		if err != nil || n < prunePage {
			return err
		}
	}
}

// failed logs a failure of the store, unless it is time to stop. While the store is away, or too slow, it
// logs once a minute.
func (w *Worker) failed(ctx context.Context, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	if errors.Is(err, ledger.ErrUnavailable) {
		now := w.options.Clock()
		w.mu.Lock()
		lately := now.Sub(w.toldAt) < time.Minute
		if !lately {
			w.toldAt = now
		}
		w.mu.Unlock()
		if lately {
			return
		}
	}
	w.options.Logger.Warn(what, "error", err)
}

// bounded calls the store.
func bounded[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return call(ctx)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
