// Package unique decides whether a visit is a campaign's first one of its visitor. It has no clock and no store.
package unique

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/receiver/click/visit"
)

const (
	// cookieFor is for how long a visitor is known by the cookie of their last click, addressFor by their address and
	// browser.
	cookieFor  = 24 * time.Hour
	addressFor = time.Hour
	// maxVisitors bounds a generation: both together take 10 MB at most.
	maxVisitors = 1 << 17
)

// Visitors are those whose visits this receiver has seen. They are remembered in two generations: a full or old one
// takes the place of the one before. So, with more than [maxVisitors] new visitors an hour, some are known for less
// than that. It may be used concurrently.
type Visitors struct {
	seed maphash.Seed
	max  int

	// mu guards what follows: when each visitor was last seen, and since when the present generation is filled.
	mu              sync.Mutex
	present, former map[uint64]time.Time
	since           time.Time
}

// New returns visitors of whom none was seen yet.
func New() *Visitors {
	return &Visitors{seed: maphash.MakeSeed(), max: maxVisitors, present: map[uint64]time.Time{}}
}

// First reports whether the visit is the campaign's first one of its visitor: by the cookie of their last click, within
// 24 hours; without one of this campaign, by address and browser within an hour. It remembers the visit.
func (v *Visitors) First(of visit.Visit) bool {
	seen := v.seen(v.key(of), of.At)
	if last := of.LastClick(); !last.IsZero() {
		return of.At.Sub(last) >= cookieFor
	}
	return !seen
}

// Forget undoes [Visitors.First] for a visit that was not recorded.
func (v *Visitors) Forget(of visit.Visit) {
	key := v.key(of)
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.present, key)
	delete(v.former, key)
}

func (v *Visitors) key(of visit.Visit) uint64 {
	var h maphash.Hash
	h.SetSeed(v.seed)
	for _, part := range [...]string{of.Campaign.Alias, of.IP, of.UserAgent} {
		_, _ = h.WriteString(part) // Never fails.
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// seen remembers a visitor and reports whether they were seen in the hour before.
func (v *Visitors) seen(key uint64, at time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	last, ok := v.present[key]
	if !ok {
		last, ok = v.former[key]
	}
	if _, again := v.present[key]; !again && (len(v.present) >= v.max || at.Sub(v.since) >= addressFor) {
		v.former, v.present, v.since = v.present, map[uint64]time.Time{}, at
	}
	v.present[key] = at
	return ok && at.Sub(last) < addressFor
}
