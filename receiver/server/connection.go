package server

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// connection is one that is open.
type connection struct {
	net.Conn
	owner *connections
	// source is what the connection shares a bound with: the peer's address, of IPv6 its network.
	source netip.Addr
	// exempt: it is of a proxy, which may have any number.
	exempt bool
	close  func() error
	head   heading
	// unanswered: a request, or the beginning of one, has come in and no handler has seen it.
	unanswered atomic.Bool

	// evicted: it is closed for another. What still comes in is not worked on, since its sender cannot get the reply.
	evicted atomic.Bool

	// owner.mu guards the rest. place is where it waits for a request; nil = it is answering one, or closed.
	place *list.Element
	since time.Time
}

// Close implements [net.Conn].
func (c *connection) Close() error { return c.close() }

// CloseWrite ends the writing side, as net/http does before it closes a connection with a request that it has not read.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *connection) leave() error {
	err := c.Conn.Close()
	c.endHead()
	owner := c.owner
	owner.mu.Lock()
	delete(owner.open, c)
	c.answeringLocked()
	if owner.sources[c.source]--; owner.sources[c.source] == 0 {
		delete(owner.sources, c.source)
	}
	owner.mu.Unlock()
	owner.reserve.refill()
	owner.wakeUp()
	return err
}

// answeringLocked takes a connection off the list of those that wait for a request.
func (c *connection) answeringLocked() {
	if c.place != nil {
		c.owner.fresh.Remove(c.place)
		c.owner.idle.Remove(c.place)
		c.place = nil
	}
}

func (c *connection) answering() {
	c.owner.mu.Lock()
	defer c.owner.mu.Unlock()
	c.answeringLocked()
}

// tracked returns the connection below TLS; nil if it is none of [connections].
func tracked(conn net.Conn) *connection {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	found, _ := conn.(*connection)
	return found
}

type connectionKey struct{}

// withConnection is an [http.Server.ConnContext].
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, tracked(conn))
}

// answered notes which connections' requests reach the handler: net/http answers what it cannot read itself, and tells
// nobody. A request that came in just as its connection was closed for another is dropped: its sender repeats it.
func answered(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, _ := r.Context().Value(connectionKey{}).(*connection); conn != nil {
			conn.unanswered.Store(false)
			conn.head.over.Store(true)
			if conn.evicted.Load() {
				panic(http.ErrAbortHandler)
			}
			if len(r.Header) > maxFields {
				conn.unanswered.Store(true)
				answerEmpty(w, tooManyFields)
				return
			}
			conn.endHead()
			if r.ProtoMajor == 1 {
				defer conn.head.over.Store(false)
			}
		}
		handler.ServeHTTP(w, r)
	})
}
