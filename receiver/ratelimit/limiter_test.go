package ratelimit

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestLimits(t *testing.T) {
	l := NewLimiter()
	for _, step := range []struct {
		name, endpoint, ip string
		perMinute          int
		after              time.Duration
		asked, allowed     int
	}{
		{"so many at once", "a/e", "203.0.113.1", 6, 0, 10, 6},
		{"another source", "a/e", "203.0.113.2", 6, 0, 10, 6},
		{"another endpoint", "a/f", "203.0.113.1", 6, 0, 10, 6},
		{"a sixth of a minute later", "a/e", "203.0.113.1", 6, 10 * time.Second, 10, 1},
		{"a minute later", "a/e", "203.0.113.1", 6, 70 * time.Second, 10, 6},
		{"a day later no more", "a/e", "203.0.113.1", 6, 24 * time.Hour, 10, 6},
		{"a network of IPv6", "a/e", "2001:db8:0:1::1", 2, 0, 3, 2},
		{"another address of it", "a/e", "2001:db8:0:1:ffff::2", 2, 0, 3, 0},
		{"the next network", "a/e", "2001:db8:0:2::1", 2, 0, 3, 2},
		{"all addresses together", "a/e", "", 3, 0, 5, 3},
		{"a limit that was raised", "a/e", "2001:db8:0:1::1", 5, 0, 9, 5},
	} {
		t.Run(step.name, func(t *testing.T) {
			allowed := 0
			for range step.asked {
				if l.Allow(step.endpoint, PerMinute(step.perMinute), address(step.ip), noon.Add(step.after)) {
					allowed++
				}
			}
			if allowed != step.allowed {
				t.Errorf("%d of %d, want %d", allowed, step.asked, step.allowed)
			}
		})
	}
}

func TestMemoryIsBoundedAndTheBusyAreRemembered(t *testing.T) {
	const sources = 64
	l := newLimiter(sources)
	busy := netip.MustParseAddr("203.0.113.1")
	allowed := 0
	for i := range 100_000 {
		l.Allow("a/e", PerMinute(5), netip.MustParseAddr(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)), noon)
		if i%10 == 0 && l.Allow("a/e", PerMinute(5), busy, noon) {
			allowed++
		}
		if n := len(l.recent) + len(l.former); n > sources {
			t.Fatalf("%d sources are remembered", n)
		}
	}
	if allowed != 5 {
		t.Errorf("a source that keeps coming was allowed %d postbacks, want 5", allowed)
	}
}

// address reads an address; "" is none.
func address(text string) netip.Addr {
	addr, _ := netip.ParseAddr(text)
	return addr
}
