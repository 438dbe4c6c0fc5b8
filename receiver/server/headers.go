package server

import (
	"errors"
	"sync/atomic"
	"time"
)

const (
	// maxHeaderBytes leaves room above the longest allowed URL, so that one that is too long gets its 414.
	maxHeaderBytes = 32 << 10
	// maxFields is how many header fields a request may have. In memory each takes many times its size.
	maxFields = 100
	// shortHead is what every connection may send of a header before its request reaches the handler, shortSecureHead with
	// TLS, whose handshake counts.
	shortHead       = 1 << 10
	shortSecureHead = 4 << 10
	// connectionsPerLongHead is of how many connections one may be sending more than that.
	connectionsPerLongHead = 32
	minLongHeads           = 4
)

// errLongHead means that too many connections were sending a long header.
var errLongHead = errors.New("too many long headers")

// longHeads bounds how many connections are sending a long header at a time: net/http takes 50 times its size for one
// that consists of short fields. It is a semaphore.
type longHeads chan struct{}

func newLongHeads(connections int) longHeads {
	if connections <= 0 {
		return nil
	}
	return make(longHeads, max(connections/connectionsPerLongHead, minLongHeads))
}

// heading is the header that a connection is sending. The zero heading is at its beginning.
type heading struct {
	// over: the handler has the request. It stays so with HTTP/2, which bounds headers by itself.
	over atomic.Bool
	sent atomic.Int64
	long atomic.Bool // it holds a place in longHeads
}

// Read implements [net.Conn]. It reads a header by small steps, and does not go on with a long one while many others
// do.
func (c *connection) Read(p []byte) (int, error) {
	if c.head.over.Load() || c.owner.longHeads == nil {
		return c.Conn.Read(p)
	}
	if !c.head.long.Load() {
		p = p[:min(len(p), shortHead)]
	}
	n, err := c.Conn.Read(p)
	if c.head.sent.Add(int64(n)) > c.owner.shortHead && !c.head.long.Load() {
		if !c.awaitLongHead() {
			return 0, errLongHead
		}
	}
	return n, err
}

// awaitLongHead takes a place for a long header; false = none was free for as long as a header may take.
func (c *connection) awaitLongHead() bool {
	select {
	case c.owner.longHeads <- struct{}{}:
	default:
		timeout := time.NewTimer(readHeaderTimeout)
		defer timeout.Stop()
		select {
		case c.owner.longHeads <- struct{}{}:
		case <-timeout.C:
			return false
		case <-c.owner.done:
			return false
		}
	}
	c.head.long.Store(true)
	return true
}

// endHead gives back what the header has taken.
func (c *connection) endHead() {
	if c.head.long.CompareAndSwap(true, false) {
		<-c.owner.longHeads
	}
	c.head.sent.Store(0)
}
