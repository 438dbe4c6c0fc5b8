package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// crowd is a port with limits, and the connections that a test has opened to it.
type crowd struct {
	*testing.T
	*Listener
	log *logBuffer
}

func newCrowd(t *testing.T, o ListenerOptions) *crowd {
	t.Helper()
	h := newHarness(t)
	o.Address, o.Logger = "127.0.0.1:0", h.Logger
	if o.Handler == nil {
		o.Handler = h
	}
	listener, err := Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- listener.Serve() }()
	t.Cleanup(func() {
		if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		<-served
	})
	return &crowd{T: t, Listener: listener, log: h.log}
}

// caller is one connection.
type caller struct {
	net.Conn
	*bufio.Reader
}

// Read reads what is buffered first.
func (c caller) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func (c *crowd) dial(from string) caller {
	c.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(c.Context(), "tcp", c.Address())
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(readTimeout)); err != nil {
		c.Fatal(err)
	}
	return caller{conn, bufio.NewReader(conn)}
}

// call sends a postback on the connection and returns the reply's status.
func (c *crowd) call(from caller) int {
	c.Helper()
	c.send(from, "GET "+sale)
	return c.status(from)
}

func (c *crowd) send(from caller, head string) {
	c.Helper()
	if _, err := fmt.Fprintf(from.Conn, "%s HTTP/1.1\r\nHost: h\r\n\r\n", head); err != nil {
		c.Fatal(err)
	}
}

func (c *crowd) status(from caller) int {
	c.Helper()
	resp, err := http.ReadResponse(from.Reader, nil)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		c.Fatal(err)
	}
	return resp.StatusCode
}

// await returns once the status of the connections is as wanted.
func (c *crowd) await(what string, is func(ConnectionStatus) bool) {
	c.Helper()
	for deadline := time.Now().Add(readTimeout); !is(c.Connections()); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			c.Fatalf("%s: %+v", what, c.Connections())
		}
	}
}

// isClosed reports whether the receiver has closed the connection.
func (c *crowd) isClosed(from caller) bool {
	c.Helper()
	if err := from.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		c.Fatal(err)
	}
	_, err := from.ReadByte()
	var timeout net.Error
	return err != nil && (!errors.As(err, &timeout) || !timeout.Timeout())
}

func TestTheLongestIdleConnectionMakesRoom(t *testing.T) {
	c := newCrowd(t, ListenerOptions{MaxConnections: 3})
	var callers []caller
	for i := range 3 {
		callers = append(callers, c.dial("127.0.0.1"))
		if got := c.call(callers[i]); got != 200 {
			t.Fatalf("the %dth of 3 is answered %d", i, got)
		}
		c.await("idle", func(s ConnectionStatus) bool { return s.Idle >= min(i+1, 2) })
	}
	if got := c.call(c.dial("127.0.0.1")); got != 200 {
		t.Errorf("another is answered %d", got)
	}
	c.await("one closed", func(s ConnectionStatus) bool {
		return s.Evicted >= 1 && s.Limit == 3 &&
			!s.LimitReached.IsZero()
	})
	if !c.isClosed(callers[0]) {
		t.Error("the longest idle connection stays open")
	}
	if !strings.Contains(c.log.String(), "Connections are at their limit") {
		t.Errorf("the log does not say so: %s", c.log)
	}
}

func TestWhoHasMostConnectionsMakesRoom(t *testing.T) {
	c := newCrowd(t, ListenerOptions{
		MaxConnections: 6,
		Exempt:         func(peer netip.Addr) bool { return peer == netip.MustParseAddr("127.0.0.9") },
	})
	var callers []caller
	for i, from := range []string{"127.0.0.1", "127.0.0.9", "127.0.0.9", "127.0.0.9", "127.0.0.2", "127.0.0.2"} {
		callers = append(callers, c.dial(from))
		c.call(callers[i])
		c.await("idle", func(s ConnectionStatus) bool { return s.Idle == min(i+1, 5) })
	}
	c.call(c.dial("127.0.0.3"))
	var closed []int
	for i := range callers {
		if c.isClosed(callers[i]) {
			closed = append(closed, i)
		}
	}
	// One of the two of 127.0.0.2; and for the next one, when nobody but the proxy has more than one, that which waited
	// longest.
	if !slices.Equal(closed, []int{0, 4}) {
		t.Errorf("closed are %v", closed)
	}
}

func TestAConnectionThatSendsNothingMakesRoom(t *testing.T) {
	c := newCrowd(t, ListenerOptions{MaxConnections: 2})
	silent := []caller{c.dial("127.0.0.1"), c.dial("127.0.0.1")}
	c.await("two new", func(s ConnectionStatus) bool { return s.New == 2 })
	if got := c.call(c.dial("127.0.0.1")); got != 200 {
		t.Errorf("another is answered %d", got)
	}
	if !c.isClosed(silent[0]) {
		t.Error("the oldest connection stays open")
	}
}

func TestAConnectionThatIsBeingAnsweredIsNotClosed(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	c := newCrowd(t, ListenerOptions{MaxConnections: 1, MaxPerSource: 1,
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				held <- struct{}{}
				<-release
			}
		})})
	slow := c.dial("127.0.0.1")
	c.send(slow, "GET /slow")
	<-held
	another := c.dial("127.0.0.2")
	c.send(another, "GET /")
	c.await("the limit is reached", func(s ConnectionStatus) bool {
		return !s.LimitReached.IsZero() && s.Active == 1 &&
			s.Evicted == 0
	})
	close(release)
	if got := c.status(slow); got != 200 {
		t.Errorf("the first is answered %d", got)
	}
	if got := c.status(another); got != 200 {
		t.Errorf("the second, which had to wait, is answered %d", got)
	}
}

func TestASourceHasItsShareOfTheConnections(t *testing.T) {
	c := newCrowd(t, ListenerOptions{
		MaxConnections: 100, MaxPerSource: 2,
		Exempt: func(peer netip.Addr) bool { return peer == netip.MustParseAddr("127.0.0.9") },
	})
	first := c.dial("127.0.0.1")
	c.call(first)
	c.await("one idle", func(s ConnectionStatus) bool { return s.Idle == 1 })
	c.call(c.dial("127.0.0.1"))
	c.await("two idle", func(s ConnectionStatus) bool { return s.Idle == 2 })
	if got := c.call(c.dial("127.0.0.1")); got != 200 || !c.isClosed(first) {
		t.Errorf("the third is answered %d; the first is closed: %t", got, c.isClosed(first))
	}
	for range 2 {
		c.call(c.dial("127.0.0.2"))
	}
	for range 4 {
		c.call(c.dial("127.0.0.9"))
	}
	c.await("all idle", func(s ConnectionStatus) bool { return s.Idle == 8 && s.Evicted == 1 && s.Refused == 0 })
}

func TestASourceWhoseConnectionsAreAllAtWorkGetsNoOther(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	c := newCrowd(t, ListenerOptions{MaxConnections: 100, MaxPerSource: 1,
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				held <- struct{}{}
				<-release
			}
		})})
	defer close(release)
	c.send(c.dial("127.0.0.1"), "GET /slow")
	<-held
	if refused := c.dial("127.0.0.1"); !c.isClosed(refused) {
		t.Error("another connection stays open")
	}
	c.await("one refused", func(s ConnectionStatus) bool { return s.Refused == 1 })
	if !strings.Contains(c.log.String(), "A source has its share") {
		t.Errorf("the log does not say so: %s", c.log)
	}
}

func TestARequestOfAConnectionThatWasClosedIsDropped(t *testing.T) {
	handled := 0
	handler := answered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { handled++ }))
	conn := &connection{}
	serve := func() (cause any) {
		defer func() { cause = recover() }()
		ctx := withConnection(t.Context(), conn)
		handler.ServeHTTP(nil, httptest.NewRequestWithContext(ctx, http.MethodGet, sale, nil))
		return nil
	}
	if cause := serve(); cause != nil || handled != 1 {
		t.Errorf("an open connection: %v, handled %d times", cause, handled)
	}
	conn.evicted.Store(true)
	if cause := serve(); fmt.Sprint(cause) != http.ErrAbortHandler.Error() || handled != 1 {
		t.Errorf("a closed one: %v, handled %d times", cause, handled)
	}
}

func TestRequestsThatAreNoHTTPAreCounted(t *testing.T) {
	c := newCrowd(t, ListenerOptions{})
	for _, test := range []struct {
		head       string
		status     int
		unreadable uint64
	}{
		{"GET " + sale, 200, 0},
		{"GET /" + key + "/postback?subid=c1&status=a sale", 400, 1},
		{"GET " + sale + " HTTP/1.1\r\nX-Long: " + strings.Repeat("x", maxHeaderBytes+8<<10), 431, 2},
		{"GET /nothing", 404, 2},
	} {
		caller := c.dial("127.0.0.1")
		c.send(caller, test.head)
		if got := c.status(caller); got != test.status {
			t.Errorf("%.40q is answered %d, want %d", test.head, got, test.status)
		}
		_ = caller.Close()
		c.await("counted", func(s ConnectionStatus) bool {
			return s.Unreadable == test.unreadable &&
				s.New+s.Active+s.Idle == 0
		})
	}
}

// exhausted is a listener whose process has no descriptor left until one is given back.
type exhausted struct {
	net.Listener
	reserve *reserve
}

func (e exhausted) Accept() (net.Conn, error) {
	if len(e.reserve.files) == e.reserve.size {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	near, _ := net.Pipe()
	return near, nil
}

func TestReservedFilesAreForConnections(t *testing.T) {
	inner := &exhausted{}
	c := limitConnections(inner, ListenerOptions{ReservedFiles: 1})
	inner.reserve = c.reserve
	conn, err := c.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.reserve.files) != 0 {
		t.Errorf("%d descriptors are still kept", len(c.reserve.files))
	}
	if err := conn.Close(); err != nil || len(c.reserve.files) != 1 {
		t.Errorf("after the connection %d descriptors are kept, %v", len(c.reserve.files), err)
	}
	inner.reserve = &reserve{} // none is left, and none to give back
	c.reserve = inner.reserve
	if _, err := c.Accept(); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("without a descriptor: %v", err)
	}
}
