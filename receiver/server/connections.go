package server

import (
	"container/list"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ratelimit"
)

const (
	// firstRequest is how long a new connection has for its request before it may be closed for another sender's.
	firstRequest = time.Second
	// remindEvery is how often the log repeats that a limit is reached.
	remindEvery = time.Minute
)

// ConnectionStatus is what the connections of a listener are doing.
type ConnectionStatus struct {
	// New ones have sent no request yet, Active ones wait for a reply, Idle ones have got it.
	New, Active, Idle int
	Limit             int
	// LimitReached is when a connection last had to be closed, or to wait, because of the limit; zero = never.
	LimitReached time.Time
	// Evicted counts the connections that were closed for those of others, Refused those that were closed at once because
	// their source had its share, Unreadable the requests that were no HTTP, or broken off within their header.
	Evicted, Refused, Unreadable uint64
}

// connections is a listener that bounds how many connections are open at a time, in all and of each source. At a bound
// one that has waited long for a request is closed, so that a new sender gets in. While every connection is answering a
// request, new ones wait.
type connections struct {
	net.Listener
	limit, perSource int
	// exempt reports whether an address speaks for many, as a proxy does; nil = none does.
	exempt  func(netip.Addr) bool
	reserve *reserve
	// longHeads bounds the headers that are longer than shortHead bytes and still coming in.
	longHeads longHeads
	shortHead int64
	logger    *slog.Logger

	unreadable atomic.Uint64
	// freed has a token when a connection was closed; done is closed with the listener.
	freed chan struct{}
	done  chan struct{}
	end   func() error

	mu   sync.Mutex
	open map[*connection]struct{}
	// fresh and idle are the connections that wait for their first or next request, as *connection: the longest first.
	fresh, idle      *list.List
	sources          map[netip.Addr]int
	reached          time.Time
	reminded         [2]time.Time // when the log last said so: of the limit, of a source
	evicted, refused uint64
}

func limitConnections(listener net.Listener, o ListenerOptions) *connections {
	c := &connections{
		Listener: listener, limit: o.MaxConnections, perSource: o.MaxPerSource, exempt: o.Exempt, logger: o.Logger,
		reserve: newReserve(o.ReservedFiles), longHeads: newLongHeads(o.MaxConnections), shortHead: shortHead,
		freed: make(chan struct{}, 1), done: make(chan struct{}),
		open: map[*connection]struct{}{}, fresh: list.New(), idle: list.New(), sources: map[netip.Addr]int{},
	}
	if o.Certificate != nil {
		c.shortHead = shortSecureHead
	}
	c.end = sync.OnceValue(func() error {
		close(c.done)
		c.reserve.close()
		return listener.Close()
	})
	return c
}

// Accept implements [net.Listener].
func (c *connections) Accept() (net.Conn, error) {
	for {
		if !c.awaitRoom() {
			return nil, net.ErrClosed
		}
		accepted, err := c.Listener.Accept()
		switch {
		case (errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)) && c.reserve.spend():
		case err != nil:
			return nil, err
		default:
			if admitted := c.admit(accepted); admitted != nil {
				return admitted, nil
			}
			_ = accepted.Close()
		}
	}
}

// Close implements [net.Listener]. It may be called again, as net/http does.
func (c *connections) Close() error { return c.end() }

// awaitRoom returns when one more connection may be opened; false = the listener is closed.
func (c *connections) awaitRoom() bool {
	for !c.makeRoom() {
		select {
		case <-c.freed:
		case <-time.After(firstRequest): // Then a new connection may be closed.
		case <-c.done:
			return false
		}
	}
	return true
}

// makeRoom reports whether one more connection may be opened, and closes one if that takes it.
func (c *connections) makeRoom() bool {
	c.mu.Lock()
	if c.limit <= 0 || len(c.open) < c.limit {
		c.mu.Unlock()
		return true
	}
	now := time.Now()
	c.reached = now
	c.remindLocked(0, now, "Connections are at their limit: the longest idle ones are closed for new ones", "limit",
		c.limit)
	longest := c.evictLocked(now, func(*connection) bool { return true })
	c.mu.Unlock()
	if longest == nil {
		return false
	}
	_ = longest.Close()
	return true
}

// candidates is how many of the connections that have waited longest are looked at when one is to be closed.
const candidates = 64

// longestLocked returns which of the connections in question is to be closed for another; nil = none waits. Among those
// that have waited longest for a request it is one of the source with most connections: who floods pays for it, and who
// has one connection keeps it. A new one counts from [firstRequest] on.
func (c *connections) longestLocked(now time.Time, in func(*connection) bool) (longest *connection) {
	consider := func(waiting *list.List, since time.Time) {
		for place, left := waiting.Front(), candidates; place != nil && left > 0; place = place.Next() {
			candidate := place.Value.(*connection)
			if candidate.since.After(since) {
				return
			}
			if in(candidate) {
				left--
				if longest == nil || c.closedBeforeLocked(candidate, longest) {
					longest = candidate
				}
			}
		}
	}
	consider(c.idle, now)
	consider(c.fresh, now.Add(-firstRequest))
	return longest
}

// closedBeforeLocked reports whether one connection rather than another is to be closed. Proxies speak for many: theirs
// count as if each had a source of its own.
func (c *connections) closedBeforeLocked(one, other *connection) bool {
	share := func(of *connection) int {
		if of.exempt {
			return 1
		}
		return c.sources[of.source]
	}
	if a, b := share(one), share(other); a != b {
		return a > b
	}
	return one.since.Before(other.since)
}

// evictLocked takes the connection that is to be closed for another from the rest, for the caller to close; nil = none
// waits.
func (c *connections) evictLocked(now time.Time, in func(*connection) bool) *connection {
	longest := c.longestLocked(now, in)
	if longest != nil {
		c.evicted++
		longest.evicted.Store(true)
	}
	return longest
}

// admit counts a connection; nil = its source has its share, and all of it is answering requests.
func (c *connections) admit(accepted net.Conn) net.Conn {
	peer, _ := netip.ParseAddrPort(accepted.RemoteAddr().String())
	source := ratelimit.Network(peer.Addr().Unmap().WithZone(""))
	exempt := c.exempt != nil && c.exempt(peer.Addr())
	for !exempt && c.fullOf(source) {
		now := time.Now()
		c.mu.Lock()
		c.remindLocked(1, now, "A source has its share of the connections", "source", source, "limit", c.perSource)
		longest := c.evictLocked(now, func(open *connection) bool { return open.source == source })
		if longest == nil {
			c.refused++
		}
		c.mu.Unlock()
		if longest == nil {
			return nil
		}
		_ = longest.Close()
	}
	admitted := &connection{Conn: accepted, owner: c, source: source, exempt: exempt, since: time.Now()}
	admitted.close = sync.OnceValue(admitted.leave)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[admitted] = struct{}{}
	c.sources[source]++
	admitted.place = c.fresh.PushBack(admitted)
	return admitted
}

func (c *connections) fullOf(source netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.perSource > 0 && c.sources[source] >= c.perSource
}

func (c *connections) remindLocked(what int, now time.Time, message string, args ...any) {
	if now.Sub(c.reminded[what]) >= remindEvery {
		c.reminded[what] = now
		c.logger.Warn(message, args...)
	}
}

// status is documented at [Listener.Connections].
func (c *connections) status() ConnectionStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ConnectionStatus{
		New: c.fresh.Len(), Idle: c.idle.Len(), Active: len(c.open) - c.fresh.Len() - c.idle.Len(),
		Limit: c.limit, LimitReached: c.reached,
		Evicted: c.evicted, Refused: c.refused, Unreadable: c.unreadable.Load(),
	}
}

// waiting puts a connection on the list of those that may be closed for another.
func (c *connections) waiting(idle *connection) {
	c.mu.Lock()
	if _, open := c.open[idle]; open && idle.place == nil {
		idle.since = time.Now()
		idle.place = c.idle.PushBack(idle)
	}
	c.mu.Unlock()
	c.wakeUp()
}

// changed is an [http.Server.ConnState].
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	changed := tracked(conn)
	if changed == nil {
		return
	}
	switch state {
	case http.StateActive:
		changed.unanswered.Store(true)
		changed.answering()
	case http.StateIdle:
		changed.unanswered.Store(false)
		c.waiting(changed)
	case http.StateClosed:
		if changed.unanswered.Load() {
			c.unreadable.Add(1)
			c.logger.Debug("A request was no HTTP, or broken off", "source", changed.source)
		}
	}
}

// wakeUp lets a new connection in that waits for one to be closed or idle.
func (c *connections) wakeUp() {
	select {
	case c.freed <- struct{}{}:
	default:
	}
}
