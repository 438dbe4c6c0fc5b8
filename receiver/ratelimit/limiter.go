// Package ratelimit owns how often sources may do something. It knows neither HTTP nor the clock.
package ratelimit

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxSources bounds how many sources are remembered: with 200 bytes for each, some 13 MB.
const maxSources = 1 << 16

// Limit is how often a source may do something: so often in a second in the long run, and so often at once.
type Limit struct {
	PerSecond float64
	Burst     int
}

// PerMinute returns the limit of n at once, and as many again in each minute.
func PerMinute(n int) Limit { return Limit{PerSecond: float64(n) / 60, Burst: n} }

// source is what shares one allowance.
type source struct {
	scope   string
	limit   Limit
	network netip.Addr
}

// Limiter bounds how often each source does something. Its memory is bounded: sources that have not been seen for long
// are forgotten, at the latest when as many others have come. All methods may be called concurrently.
type Limiter struct {
	mu sync.Mutex
	// recent takes new sources; when it holds half of what may be remembered it becomes former, and what former held is
	// forgotten, but for those that come back meanwhile.
	recent, former map[source]*rate.Limiter
	half           int
}

// NewLimiter returns a limiter that has seen nobody.
func NewLimiter() *Limiter { return newLimiter(maxSources) }

func newLimiter(sources int) *Limiter {
	return &Limiter{recent: map[source]*rate.Limiter{}, half: sources / 2}
}

// Allow reports whether the address may do it once more at now. The scope says what it does, and to whom. All addresses
// count together if there is none: the zero Addr.
func (l *Limiter) Allow(scope string, limit Limit, ip netip.Addr, now time.Time) bool {
	s := source{scope: scope, limit: limit, network: Network(ip)}
	l.mu.Lock()
	defer l.mu.Unlock()
	allowance, known := l.recent[s]
	if !known {
		if allowance, known = l.former[s]; !known {
			allowance = rate.NewLimiter(rate.Limit(limit.PerSecond), limit.Burst)
		}
		if len(l.recent) >= l.half {
			l.recent, l.former = map[source]*rate.Limiter{}, l.recent
		}
		l.recent[s] = allowance
	}
	return allowance.AllowN(now, 1)
}

// Network returns what an address shares its allowance with: itself, of IPv6 the /64, within which addresses are free
// to choose.
func Network(ip netip.Addr) netip.Addr {
	if ip.Is6() && !ip.Is4In6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return ip
}
