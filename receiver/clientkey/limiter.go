package clientkey

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxSources bounds how many sources are remembered: with 200 bytes for each, some 13 MB.
const maxSources = 1 << 16

// source is who shares one allowance. Within an IPv6 /64 addresses are free to choose.
type source struct {
	endpoint  string
	perMinute int
	network   netip.Addr
}

// Limiter bounds how many postbacks each source may send to an endpoint by client keys. Its memory is bounded: sources
// that have not been seen for long are forgotten, at the latest when as many others have come. All methods may be called
// concurrently.
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

// Allow reports whether one more postback may come from ip at now: perMinute at once, and as many again in each minute.
func (l *Limiter) Allow(endpoint string, perMinute int, ip netip.Addr, now time.Time) bool {
	s := source{endpoint: endpoint, perMinute: perMinute, network: Network(ip)}
	l.mu.Lock()
	defer l.mu.Unlock()
	limit, known := l.recent[s]
	if !known {
		if limit, known = l.former[s]; !known {
			limit = rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)
		}
		if len(l.recent) >= l.half {
			l.recent, l.former = map[source]*rate.Limiter{}, l.recent
		}
		l.recent[s] = limit
	}
	return limit.AllowN(now, 1)
}

// Network returns what an address shares its allowance with: itself, of IPv6 the /64.
func Network(ip netip.Addr) netip.Addr {
	if ip.Is6() && !ip.Is4In6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return ip
}
