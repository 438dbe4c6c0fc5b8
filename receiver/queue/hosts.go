package queue

import (
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	// firstConnections are what a host gets before it has ever answered.
	firstConnections = 2
	// patience is how many failures in a row it takes until a host is left alone, first for firstPause, in the end for
	// lastPause.
	patience   = 3
	firstPause = 250 * time.Millisecond
	lastPause  = 30 * time.Second
	// maxAskedPause bounds the pause of a whole host by what one answer asked for.
	maxAskedPause = 5 * time.Minute
	// forgetAfter is how long a host without deliveries is remembered.
	forgetAfter = 10 * time.Minute
	// maxHosts bounds one claim.
	maxHosts = 128
)

// host is what is known of a place that S2S postbacks go to.
type host struct {
	inFlight int
	// limit of deliveries in flight: it grows by one with every answer and is halved by every failure.
	limit int
	// failures in a row; the host is left alone until pausedUntil.
	failures    int
	pausedUntil time.Time
	// proven: it has answered, and not failed again and again since.
	proven bool
	rate   *rate.Limiter
	// queueing until then: rows wait for others of their conversion, so that one that ends may let another go.
	queueing time.Time
	used     time.Time
}

// hosts share the receiver's connections out. Its owner must not call it concurrently.
type hosts struct {
	options Options
	known   map[string]*host
	// waiting may have something due.
	waiting map[string]bool
	// inFlight of all hosts; unproven of those that have not answered last.
	inFlight, unproven int
	// turn lets another host be the first each time.
	turn int
}

func newHosts(o Options) *hosts {
	return &hosts{options: o, known: map[string]*host{}, waiting: map[string]bool{}}
}

func (h *hosts) at(name string) *host {
	found, ok := h.known[name]
	if !ok {
		found = &host{limit: min(firstConnections, h.options.HostConnections)}
		limit := rate.Inf
		if h.options.HostRate > 0 {
			limit = rate.Limit(h.options.HostRate)
		}
		found.rate = rate.NewLimiter(limit, max(1, int(h.options.HostRate)))
		h.known[name] = found
	}
	return found
}

// shares allots the free connections to the hosts that may have something due, evenly, and what is left to who has
// room. Hosts that do not answer get half of all connections at most, so that they never have them all.
func (h *hosts) shares(now time.Time) []ledger.OutboxShare {
	names := make([]string, 0, len(h.waiting))
	for name := range h.waiting {
		names = append(names, name)
	}
	slices.Sort(names)
	h.turn++
	if len(names) > 0 {
		first := h.turn % len(names)
		names = slices.Concat(names[first:], names[:first])
	}
	free := h.options.Connections - h.inFlight
	unproven := h.options.Connections/2 - h.unproven
	var shares []ledger.OutboxShare
	for i, name := range names {
		if len(shares) == maxHosts {
			break
		}
		host := h.at(name)
		room := min(h.room(host, now), free, max(1, free/(len(names)-i)))
		if !host.proven {
			room = min(room, unproven)
			unproven -= max(0, room)
		}
		if room > 0 {
			shares = append(shares, ledger.OutboxShare{Host: name, Limit: room})
			free -= room
		}
	}
	return shares
}

// room is how many deliveries a host may get now.
func (h *hosts) room(host *host, now time.Time) int {
	if now.Before(host.pausedUntil) {
		return 0
	}
	room := host.limit - host.inFlight
	if h.options.HostRate > 0 {
		room = min(room, int(host.rate.TokensAt(now)))
	}
	return room
}

// begin counts a delivery that begins.
func (h *hosts) begin(name string, now time.Time) {
	host := h.at(name)
	host.inFlight++
	host.used = now
	host.rate.AllowN(now, 1)
	h.inFlight++
	if !host.proven {
		h.unproven++
	}
}

// end counts a delivery that ended, by its result; others may follow it.
func (h *hosts) end(name string, result Result, now time.Time) {
	host := h.at(name)
	before := host.unprovenInFlight()
	host.inFlight--
	h.inFlight--
	switch {
	case !result.Sent:
	case result.Failing:
		host.failed(result.RetryAfter, now)
	default:
		host.answered(h.options.HostConnections)
	}
	h.unproven += host.unprovenInFlight() - before
	if now.Before(host.queueing) && result.Row.State != ledger.ForwardWaiting {
		h.waiting[name] = true
	}
}

func (h *host) unprovenInFlight() int {
	if h.proven {
		return 0
	}
	return h.inFlight
}

func (h *host) answered(most int) {
	h.proven, h.failures, h.pausedUntil = true, 0, time.Time{}
	h.limit = min(most, h.limit+1)
}

// failed makes little of one failure, and leaves a host alone that fails again and again. Failures that come in while
// it is left alone were under way together, and count as one.
func (h *host) failed(retryAfter time.Duration, now time.Time) {
	if !now.Before(h.pausedUntil) {
		h.failures++
	}
	pause := min(retryAfter, maxAskedPause)
	switch {
	case h.failures < 2:
		h.limit = max(1, h.limit-1)
	case h.failures < patience:
		h.limit = max(1, h.limit/2)
	default:
		h.limit, h.proven = 1, false
		pause = max(pause, min(lastPause, firstPause<<min(h.failures-patience, 10)))
	}
	if until := now.Add(pause); until.After(h.pausedUntil) {
		h.pausedUntil = until
	}
}

// claimed notes what a claim has found: hosts with nothing left no longer wait.
func (h *hosts) claimed(shares []ledger.OutboxShare, rows []ledger.OutboxRow, examined map[string]int, now time.Time) {
	claimed := map[string]int{}
	for i := range rows {
		claimed[rows[i].Host]++
	}
	for _, share := range shares {
		if examined[share.Host] >= share.Limit {
			h.waiting[share.Host] = true
		}
		if examined[share.Host] > claimed[share.Host] {
			h.at(share.Host).queueing = now.Add(ledger.PostponeFor(2))
		}
	}
}

// forget drops hosts that nothing was sent to for a while.
func (h *hosts) forget(now time.Time) {
	for name, host := range h.known {
		if host.inFlight == 0 && now.Sub(host.used) > forgetAfter && !h.waiting[name] {
			delete(h.known, name)
		}
	}
}
