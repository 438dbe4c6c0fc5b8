// Package load drives one HTTP server with keep-alive connections and takes note of every answer. It speaks just enough
// HTTP/1.1 to cost little beside the server that shares the machine with it. Targets are loopback addresses only.
package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Reply is what a test needs of an answer.
type Reply struct {
	Status int
	// Outcome is the X-Postback-Outcome header up to the first `;`.
	Outcome string
}

// Options of a run.
type Options struct {
	// Addr is the server's host:port; the host must be a loopback address. More are further servers, which share the
	// connections evenly.
	Addr        string
	More        []string
	Connections int
	// Requests bounds the run in count, For in time; at least one is mandatory.
	Requests int
	For      time.Duration
	// PerSecond, if set, is how many requests are to begin a second. Latencies then count from the moment at which a
	// request was to begin, so that a server that answers late is not asked less.
	PerSecond float64
	// Path returns the request target of request i, counted from 0.
	Path func(i int) string
	// Method is GET unless set.
	Method string
	// OnReply, if set, is called at the end of each request; err is set when no complete answer came. It is called
	// concurrently.
	OnReply func(i int, reply Reply, err error)
	// Timeout of one request; 30 s unless set.
	Timeout time.Duration
	// Reconnect keeps a connection's worker going after an error; otherwise it stops there.
	Reconnect bool
}

// Summary of a run.
type Summary struct {
	Elapsed   time.Duration
	Latencies []time.Duration // of the answered requests, sorted
	Outcomes  map[string]int  // "status outcome" → answers
	Errors    int
}

// PerSecond is the rate of answered requests.
func (s *Summary) PerSecond() float64 { return float64(len(s.Latencies)) / s.Elapsed.Seconds() }

// Quantile returns the latency that the share q of all answers stayed within.
func (s *Summary) Quantile(q float64) time.Duration {
	if len(s.Latencies) == 0 {
		return 0
	}
	return s.Latencies[min(int(q*float64(len(s.Latencies))), len(s.Latencies)-1)]
}

// Run sends the requests and returns when all are answered, the time is up, or ctx is done.
func Run(ctx context.Context, o Options) (*Summary, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.For)
		defer cancel()
	}
	var (
		next    atomic.Int64
		wg      sync.WaitGroup
		mu      sync.Mutex
		summary = &Summary{Outcomes: map[string]int{}}
		start   = time.Now()
	)
	addrs := append([]string{o.Addr}, o.More...)
	for i := range o.Connections {
		wg.Go(func() {
			w := worker{o: &o, addr: addrs[i%len(addrs)], next: &next, began: start, outcomes: map[Reply]int{}}
			w.run(ctx)
			mu.Lock()
			defer mu.Unlock()
			summary.Latencies = append(summary.Latencies, w.latencies...)
			summary.Errors += w.errors
			for reply, n := range w.outcomes {
				summary.Outcomes[strings.TrimSpace(fmt.Sprintf("%d %s", reply.Status, reply.Outcome))] += n
			}
		})
	}
	wg.Wait()
	summary.Elapsed = time.Since(start)
	slices.Sort(summary.Latencies)
	return summary, nil
}

func (o *Options) check() error {
	if o.Requests == 0 && o.For == 0 {
		return errors.New("load: neither Requests nor For is set")
	}
	for _, text := range append([]string{o.Addr}, o.More...) {
		addr, err := netip.ParseAddrPort(text)
		if err != nil || !addr.Addr().IsLoopback() {
			return fmt.Errorf("load: %q is no loopback address with a port", text)
		}
	}
	if o.Method == "" {
		o.Method = "GET"
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	return nil
}

type worker struct {
	o         *Options
	addr      string
	next      *atomic.Int64
	began     time.Time
	latencies []time.Duration
	outcomes  map[Reply]int
	errors    int

	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func (w *worker) run(ctx context.Context) {
	defer w.disconnect()
	for ctx.Err() == nil {
		i := int(w.next.Add(1) - 1)
		if w.o.Requests > 0 && i >= w.o.Requests {
			return
		}
		start, ok := w.await(ctx, i)
		if !ok {
			return
		}
		reply, err := w.exchange(w.o.Path(i))
		if err == nil {
			w.latencies = append(w.latencies, time.Since(start))
			w.outcomes[reply]++
		} else {
			w.errors++
			w.disconnect()
		}
		if w.o.OnReply != nil {
			w.o.OnReply(i, reply, err)
		}
		if err != nil && !w.o.Reconnect {
			return
		}
	}
}

// await waits until request i is to begin, and returns when that was. It is false when the time is up before.
func (w *worker) await(ctx context.Context, i int) (time.Time, bool) {
	if w.o.PerSecond == 0 {
		return time.Now(), true
	}
	due := w.began.Add(time.Duration(float64(i) / w.o.PerSecond * float64(time.Second)))
	select {
	case <-ctx.Done():
		return due, false
	case <-time.After(time.Until(due)):
		return due, true
	}
}

func (w *worker) disconnect() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

func (w *worker) exchange(path string) (Reply, error) {
	if w.conn == nil {
		conn, err := net.DialTimeout("tcp", w.addr, w.o.Timeout)
		if err != nil {
			time.Sleep(10 * time.Millisecond) // a server that is restarting must not be hammered
			return Reply{}, err
		}
		w.conn, w.in = conn, bufio.NewReaderSize(conn, 4096)
	}
	if err := w.conn.SetDeadline(time.Now().Add(w.o.Timeout)); err != nil {
		return Reply{}, err
	}
	w.out = append(w.out[:0], w.o.Method...)
	w.out = append(append(append(w.out, ' '), path...), " HTTP/1.1\r\nHost: localhost\r\n"...)
	if w.o.Method == "POST" {
		w.out = append(w.out, "Content-Length: 0\r\n"...)
	}
	w.out = append(w.out, "\r\n"...)
	if _, err := w.conn.Write(w.out); err != nil {
		return Reply{}, err
	}
	return readReply(w.in)
}

func readReply(in *bufio.Reader) (Reply, error) {
	var reply Reply
	line, err := in.ReadSlice('\n')
	if err != nil {
		return reply, err
	}
	if len(line) < 12 {
		return reply, fmt.Errorf("load: no HTTP answer: %q", line)
	}
	if reply.Status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return reply, err
	}
	length := 0
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return reply, err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := strings.Cut(string(line), ":")
		switch value = strings.TrimSpace(value); {
		case strings.EqualFold(name, "Content-Length"):
			if length, err = strconv.Atoi(value); err != nil {
				return reply, err
			}
		case strings.EqualFold(name, "X-Postback-Outcome"):
			reply.Outcome, _, _ = strings.Cut(value, ";")
		}
	}
	_, err = in.Discard(length)
	return reply, err
}
