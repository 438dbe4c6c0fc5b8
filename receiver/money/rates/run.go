package rates

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/receiver/money"
)

// leaseName is the lease whose holder fetches.
const leaseName = "rates"

// Load takes up the stored sets. Call it before postbacks are served; [Refresher.Run] does it every minute.
func (r *Refresher) Load(ctx context.Context) error {
	sets, err := r.o.Store.LoadRates(ctx)
	if err != nil {
		return fmt.Errorf("loading rates: %w", err)
	}
	r.mu.Lock()
	for _, set := range sets {
		r.adopt(set)
	}
	r.mu.Unlock()
	r.publish()
	return nil
}

// adopt keeps a set unless a newer one is known. Call it with r.mu held.
func (r *Refresher) adopt(set money.Set) {
	if known, ok := r.sets[set.Source]; ok && !set.Fetched.After(known.Fetched) && !r.ahead(known) {
		return
	}
	r.sets[set.Source] = set
	for _, s := range r.sources {
		if s.provider.Name == set.Source && s.failedAt.Before(set.Fetched) {
			s.failures, s.lastError, s.failedAt, s.retryAt = 0, "", time.Time{}, time.Time{}
			s.jitter = r.o.Random()
		}
	}
}

// Run keeps the table current until ctx ends, then gives the lease back. It fetches while this process holds the lease,
// and otherwise takes over what the holder stored.
func (r *Refresher) Run(ctx context.Context) {
	defer r.release(ctx)
	for {
		timer := time.NewTimer(r.step(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-r.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// step does what is due and returns how long nothing will be.
func (r *Refresher) step(ctx context.Context) time.Duration {
	err := r.Load(ctx)
	if err == nil {
		err = r.campaign(ctx)
	}
	r.noteStore(ctx, err)
	if err == nil {
		r.refresh(ctx)
	}
	r.warnOfAge()
	if err != nil {
		return reloadRetry
	}
	return r.untilDue()
}

// campaign takes or renews the lease, if there is anything to fetch.
func (r *Refresher) campaign(ctx context.Context) error {
	r.mu.Lock()
	idle := len(r.sources) == 0
	r.mu.Unlock()
	leading := false
	var err error
	if !idle {
		now := r.o.Clock()
		if leading, err = r.o.Store.Lease(ctx, leaseName, r.o.Holder, now, now.Add(leaseFor)); err != nil {
			err = fmt.Errorf("leasing: %w", err)
		}
	}
	r.mu.Lock()
	r.leading = leading && err == nil
	r.mu.Unlock()
	return err
}

// release lets another receiver take over at once.
func (r *Refresher) release(ctx context.Context) {
	r.mu.Lock()
	leading := r.leading
	r.leading = false
	r.mu.Unlock()
	if !leading {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	now := r.o.Clock()
	if _, err := r.o.Store.Lease(ctx, leaseName, r.o.Holder, now, now); err != nil {
		r.o.Logger.Debug("Giving back the lease on rates failed", "error", err)
	}
}

// noteStore logs when the store starts to fail, or fails differently.
func (r *Refresher) noteStore(ctx context.Context, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	r.mu.Lock()
	news := text != r.storeError && ctx.Err() == nil
	if news {
		r.storeError = text
	}
	r.mu.Unlock()
	if news && err != nil {
		r.o.Logger.Warn("Exchange rates are not kept current", "error", err)
	}
}

// refresh asks the providers that are due, all at once, each failing alone. Only the holder of the lease does.
func (r *Refresher) refresh(ctx context.Context) {
	r.mu.Lock()
	var due []*source
	now := r.o.Clock()
	for _, s := range r.sources {
		if r.leading && !r.dueAt(s).After(now) {
			due = append(due, s)
		}
	}
	client := r.client
	r.mu.Unlock()
	var asked sync.WaitGroup
	for _, s := range due {
		asked.Go(func() { r.ask(ctx, client, s) })
	}
	asked.Wait()
	r.publish()
}

func (r *Refresher) ask(ctx context.Context, client *http.Client, s *source) {
	set, err := fetch(ctx, client, s.provider, r.o.Clock())
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		text := describe(err, s.provider)
		retry := r.fail(s, text, retryAfter(err))
		r.o.Logger.Warn("Fetching exchange rates failed", "source", s.provider.Name, "error", text, "retry", retry)
		return
	}
	if !r.succeed(s, set) {
		return
	}
	r.o.Logger.Info("Fetched exchange rates", "source", set.Source, "date", set.Date.Format(time.DateOnly), "currencies",
		len(set.Rates))
	if err := r.o.Store.SaveRates(ctx, set); err != nil {
		r.o.Logger.Warn("Storing exchange rates failed", "source", set.Source, "error", err)
	}
}

// succeed takes up what a source said, unless it was taken from the configuration meanwhile.
func (r *Refresher) succeed(s *source, set money.Set) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.sources, s) {
		return false
	}
	r.adopt(set)
	return true
}

// fail notes a failed attempt and returns when the next one is due.
func (r *Refresher) fail(s *source, text string, retryAfter time.Duration) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.failures++
	s.failedAt = r.o.Clock()
	s.lastError = text
	s.retryAt = s.failedAt.Add(pause(s.failures, r.every, retryAfter, r.o.Random()))
	return s.retryAt
}

// warnOfAge warns when even the newest set is old.
func (r *Refresher) warnOfAge() {
	if age, due := r.oldAge(); due {
		r.o.Logger.Warn("Exchange rates are old", "age", age.Round(time.Minute).String())
	}
}

// oldAge returns the age of the newest set, and whether it is time to warn of it.
func (r *Refresher) oldAge() (age time.Duration, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	newest := time.Time{}
	for _, s := range r.sources {
		if set, ok := r.sets[s.provider.Name]; ok && set.Fetched.After(newest) {
			newest = set.Fetched
		}
	}
	now := r.o.Clock()
	age = now.Sub(newest)
	if newest.IsZero() || age <= oldAfter || now.Sub(r.warnedAt) < warnEvery {
		return age, false
	}
	r.warnedAt = now
	return age, true
}

func (r *Refresher) untilDue() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait, now := reloadEvery, r.o.Clock()
	for _, s := range r.sources {
		if r.leading {
			wait = min(wait, r.dueAt(s).Sub(now))
		}
	}
	return max(wait, time.Second)
}
