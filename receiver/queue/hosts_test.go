package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

var noon = time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC)

func newTestHosts(o Options, names ...string) *hosts {
	h := newHosts(o.withDefaults())
	for _, name := range names {
		h.waiting[name] = true
	}
	return h
}

func (h *hosts) roomOf(now time.Time) map[string]int {
	rooms := map[string]int{}
	for _, share := range h.shares(now) {
		rooms[share.Host] = share.Limit
	}
	return rooms
}

// deliver lets n deliveries to a host begin and end.
func (h *hosts) deliver(name string, n int, failing bool, now time.Time) {
	for range n {
		h.begin(name, now)
	}
	for range n {
		h.end(name, Result{Sent: true, Failing: failing}, now)
	}
}

func TestAHostBeginsSmallAndGrowsWithItsAnswers(t *testing.T) {
	h := newTestHosts(Options{Connections: 100, HostConnections: 8}, "a")
	for round, want := range []int{2, 4, 8, 8} {
		room := h.roomOf(noon)["a"]
		if room != want {
			t.Errorf("round %d: room for %d, want %d", round, room, want)
		}
		h.deliver("a", room, false, noon)
	}
	if h.inFlight != 0 || h.unproven != 0 {
		t.Errorf("%d and %d are left", h.inFlight, h.unproven)
	}
}

func TestAHostThatFailsIsLeftAloneLongerEachTime(t *testing.T) {
	h := newTestHosts(Options{}, "a")
	h.deliver("a", 30, false, noon)
	h.deliver("a", 1, true, noon)
	if room := h.roomOf(noon)["a"]; room != 31 {
		t.Errorf("one failure leaves room for %d", room)
	}
	now := noon
	h.deliver("a", 2, true, now)
	var pauses []time.Duration
	for range 10 {
		host := h.at("a")
		pauses = append(pauses, host.pausedUntil.Sub(now))
		if room := h.roomOf(host.pausedUntil.Add(-1)); len(room) != 0 {
			t.Errorf("room %v while it is left alone", room)
		}
		now = host.pausedUntil
		if room := h.roomOf(now)["a"]; room != 1 {
			t.Errorf("room for %d after that, want a single trial", room)
		}
		h.deliver("a", 1, true, now)
	}
	if want := []time.Duration{250e6, 500e6, 1e9, 2e9, 4e9, 8e9, 16e9, 30e9, 30e9, 30e9}; !cmp.Equal(want, pauses) {
		t.Errorf("pauses %v, want %v", pauses, want)
	}
	h.deliver("a", 1, false, now)
	if room := h.roomOf(now)["a"]; room != 2 {
		t.Errorf("room for %d after an answer, want 2", room)
	}
}

func TestAHostMayAskToBeLeftAlone(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{time.Minute: time.Minute, time.Hour: maxAskedPause} {
		h := newTestHosts(Options{}, "a")
		h.begin("a", noon)
		h.end("a", Result{Sent: true, Failing: true, RetryAfter: asked}, noon)
		if got := h.at("a").pausedUntil.Sub(noon); got != want {
			t.Errorf("left alone for %s, want %s", got, want)
		}
	}
}

func TestHostsThatDoNotAnswerNeverHaveAllConnections(t *testing.T) {
	h := newTestHosts(Options{Connections: 20}, "good")
	h.deliver("good", 1, false, noon)
	for n := range 50 {
		h.waiting[fmt.Sprint("dead", n)] = true
	}
	for range 20 {
		for name, room := range h.roomOf(noon) {
			for range room {
				if name != "good" {
					h.begin(name, noon)
				}
			}
		}
	}
	if h.inFlight != 10 || h.unproven != 10 {
		t.Errorf("%d in flight, %d of them unproven, want 10", h.inFlight, h.unproven)
	}
	if room := h.roomOf(noon)["good"]; room == 0 {
		t.Error("no room for the host that answers")
	}
}

func TestConnectionsAreSharedOut(t *testing.T) {
	h := newTestHosts(Options{Connections: 30}, "a", "b", "c")
	for _, name := range []string{"a", "b", "c"} {
		h.deliver(name, 40, false, noon)
	}
	if diff := cmp.Diff(map[string]int{"a": 10, "b": 10, "c": 10}, h.roomOf(noon)); diff != "" {
		t.Error(diff)
	}
	h.at("a").limit = 2
	for range 3 { // whoever is first
		if sum := h.roomOf(noon); sum["a"] != 2 || sum["a"]+sum["b"]+sum["c"] < 22 {
			t.Errorf("shares %v", sum)
		}
	}
	many := newTestHosts(Options{Connections: 400})
	for n := range 3 * maxHosts {
		many.waiting[fmt.Sprint(n)] = true
	}
	first, second := many.roomOf(noon), many.roomOf(noon)
	if len(first) > maxHosts || cmp.Equal(first, second) {
		t.Errorf("%d hosts in one claim, and the same ones in the next", len(first))
	}
}

func TestTheRateOfAHostIsLimited(t *testing.T) {
	h := newTestHosts(Options{HostRate: 10}, "a", "b")
	h.at("a").limit, h.at("a").proven = 64, true
	h.deliver("a", h.roomOf(noon)["a"], false, noon)
	if room := h.roomOf(noon); room["a"] != 0 || room["b"] == 0 {
		t.Errorf("room %v after a second's worth", room)
	}
	if room := h.roomOf(noon.Add(500 * time.Millisecond))["a"]; room != 5 {
		t.Errorf("room for %d after half a second, want 5", room)
	}
}

func TestClaimsSayWhoMayHaveMore(t *testing.T) {
	h := newTestHosts(Options{})
	shares := []ledger.OutboxShare{{Host: "more", Limit: 2}, {Host: "none", Limit: 2}, {Host: "postponed", Limit: 2}}
	rows := []ledger.OutboxRow{{Host: "more"}, {Host: "more"}, {Host: "none"}}
	h.claimed(shares, rows, map[string]int{"more": 2, "none": 1, "postponed": 1}, noon)
	if diff := cmp.Diff(map[string]bool{"more": true}, h.waiting); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"none", "postponed"} {
		h.begin(name, noon)
		h.end(name, Result{Sent: true, Row: ledger.OutboxRow{State: ledger.ForwardDelivered}}, noon)
	}
	if diff := cmp.Diff(map[string]bool{"more": true, "postponed": true}, h.waiting); diff != "" {
		t.Errorf("after deliveries: %s", diff)
	}
}

func TestHostsAreForgotten(t *testing.T) {
	h := newTestHosts(Options{})
	h.deliver("old", 1, false, noon)
	h.begin("busy", noon)
	h.deliver("new", 1, false, noon.Add(forgetAfter))
	h.forget(noon.Add(forgetAfter + 1))
	if len(h.known) != 2 || h.known["old"] != nil {
		t.Errorf("%d are known", len(h.known))
	}
}
