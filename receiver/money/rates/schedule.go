package rates

import (
	"time"

	"github.com/postback-dev/postback-operator/receiver/money"
)

const (
	// minEvery is the shortest interval between refreshes, and the first pause after a failure.
	minEvery = time.Minute
	// maxRetryAfter bounds how long a provider may send us away.
	maxRetryAfter = 24 * time.Hour
	// reloadEvery is how often the stored sets are read, for what another receiver fetched, and the lease is renewed.
	reloadEvery = time.Minute
	// reloadRetry is the same after the store failed.
	reloadRetry = 5 * time.Second
	// leaseFor outlasts a few renewals, so that the refresher stays the same one.
	leaseFor = 3 * time.Minute
	// oldAfter is the age from which rates are warned of (docs/semantics.md §5), every warnEvery.
	oldAfter  = 48 * time.Hour
	warnEvery = time.Hour
)

// scatter moves d by up to ±10 %; x is in [0,1).
func scatter(d time.Duration, x float64) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*x))
}

// pause is how long to leave a provider alone after so many failures in a row: a minute, doubled each time, up to
// every; longer when the provider says so.
func pause(failures int, every, retryAfter time.Duration, x float64) time.Duration {
	backoff := minEvery
	for n := 1; n < failures && backoff < every; n++ {
		backoff *= 2
	}
	return max(scatter(min(backoff, every), x), min(retryAfter, maxRetryAfter))
}

// dueAt is when the source is to be asked next; the zero time when that is overdue by itself. Call it with r.mu held.
func (r *Refresher) dueAt(s *source) time.Time {
	if s.failures > 0 {
		return s.retryAt
	}
	set, ok := r.sets[s.provider.Name]
	if !ok || r.ahead(set) || set.Fetched.Before(s.changedAt) {
		return time.Time{}
	}
	return set.Fetched.Add(scatter(r.every, s.jitter))
}

// ahead reports whether a set was fetched by a clock that was ahead: it would be kept for as long as that was.
func (r *Refresher) ahead(set money.Set) bool { return set.Fetched.After(r.o.Clock().Add(minEvery)) }
