// Package talkers owns who sends most. Its memory is bounded, however many senders there are. It knows neither HTTP nor
// the clock.
package talkers

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ratelimit"
)

const (
	// Window is for how long requests count.
	Window = slots * slotTime
	// slots is into how many parts the window is divided: the oldest is forgotten as a whole.
	slots    = 10
	slotTime = time.Minute
)

// Talker is one that sends much.
type Talker struct {
	// Name is a source's address, of IPv6 its /64, or "namespace/name" of an endpoint.
	Name string
	// Requests within the window, at least so many, and those of them that were refused.
	Requests, Refused int64
}

// Talkers counts requests by their source and by the endpoint that they are for. All methods may be called
// concurrently.
type Talkers struct {
	mu        sync.Mutex
	sources   window[netip.Addr]
	endpoints window[string]
}

// New returns talkers that have heard nobody.
func New() *Talkers { return &Talkers{} }

// Count counts a request. The endpoint is empty if the request is for none.
func (t *Talkers) Count(source netip.Addr, endpoint string, refused bool, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sources.at(now).count(ratelimit.Network(source), refused)
	if endpoint != "" {
		t.endpoints.at(now).count(endpoint, refused)
	}
}

// Top returns up to n sources and up to n endpoints that have sent most, and were sent most, within the last ten
// minutes.
func (t *Talkers) Top(n int, now time.Time) (sources, endpoints []Talker) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sources.top(n, now, netip.Addr.String), t.endpoints.top(n, now, func(name string) string { return name })
}

// window is a ring of summaries, each of one minute.
type window[K comparable] [slots]summary[K]

// at returns the summary of the minute, empty if it is a new one.
func (w *window[K]) at(now time.Time) *summary[K] {
	minute := now.Unix() / int64(slotTime/time.Second)
	s := &w[minute%slots]
	if s.minute != minute {
		*s = summary[K]{minute: minute, index: make(map[K]int, capacity)}
	}
	return s
}

func (w *window[K]) top(n int, now time.Time, name func(K) string) []Talker {
	first := now.Unix()/int64(slotTime/time.Second) - slots + 1
	sums := map[K]Talker{}
	for i := range w {
		if w[i].minute < first {
			continue
		}
		for _, c := range w[i].counters {
			sum := sums[c.key]
			sum.Requests += c.requests - c.inherited
			sum.Refused += c.refused
			sums[c.key] = sum
		}
	}
	all := make([]Talker, 0, len(sums))
	for key, sum := range sums {
		sum.Name = name(key)
		all = append(all, sum)
	}
	slices.SortFunc(all, func(a, b Talker) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Name, b.Name))
	})
	return all[:min(n, len(all))]
}
