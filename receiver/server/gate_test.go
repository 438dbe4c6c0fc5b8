package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/request"
)

// fill takes room until no more is given, and returns how much that was.
func fill(g *Gate, class Class, endpoint string) (taken int) {
	for g.enter(class, endpoint, 1) {
		taken++
	}
	return taken
}

func TestTheGateKeepsRoomForOthers(t *testing.T) {
	refused := map[Class]int{}
	g := NewGate(64, func(c Class) { refused[c]++ })
	if got := fill(g, ClassVisit, "flooded"); got != 24 {
		t.Errorf("visits of one endpoint take %d of 64, want three quarters of the half for visits", got)
	}
	visits := 24
	for i := range 100 {
		visits += fill(g, ClassVisit, fmt.Sprint("also flooded ", i))
	}
	if visits != 32 {
		t.Errorf("visits take %d of 64, want the half", visits)
	}
	if got := fill(g, ClassPostback, "greedy"); got != 24 {
		t.Errorf("postbacks of one endpoint take %d of the 32 that are left, want three quarters", got)
	}
	if got := fill(g, ClassPostback, "another"); got != 6 {
		t.Errorf("postbacks of another endpoint take %d of the 8 that are left, want three quarters", got)
	}
	if refused[ClassVisit] != 101 || refused[ClassPostback] != 2 {
		t.Errorf("refused %v", refused)
	}
}

func TestTheGateGivesRoomBack(t *testing.T) {
	g := NewGate(8, func(Class) {})
	for range 100 {
		if !g.enter(ClassVisit, "a", 1) {
			t.Fatal("room is not given back")
		}
		g.leave(ClassVisit, "a", 1)
	}
	leave, ok := g.Clicks(&http.Request{ContentLength: -1}, "b", 8<<20)
	if !ok || g.taken != 2 {
		t.Errorf("the greatest body takes %d of 8, %t", g.taken, ok)
	}
	leave()
	if g.taken != 0 || g.visits != 0 || len(g.endpoints) != 0 {
		t.Errorf("%d taken, %d by visits, %v", g.taken, g.visits, g.endpoints)
	}
}

func TestLargeBodiesLeaveRoomForOthers(t *testing.T) {
	g := NewGate(460, func(Class) {})
	batches := 0
	for {
		if _, ok := g.Clicks(&http.Request{ContentLength: 8 << 20}, "busy", 8<<20); !ok {
			break
		}
		batches++
	}
	if left := fill(g, ClassPostback, "another"); batches != 2 || left < 100 {
		t.Errorf("%d batches got in, and %d postbacks of another endpoint", batches, left)
	}
}

func TestALargeBodyTakesMoreRoom(t *testing.T) {
	for _, test := range []struct {
		length int64
		places int
	}{{0, 1}, {100, 1}, {64 << 10, 3}, {8 << 20, 257}, {1 << 40, 257}, {-1, 257}} {
		if got := places(test.length, 8<<20); got != test.places {
			t.Errorf("%d bytes take %d places, want %d", test.length, got, test.places)
		}
	}
}

func TestLimitsFitIntoMemory(t *testing.T) {
	for _, test := range []struct {
		memory, files int64
		want          Limits
	}{
		{0, 0, Limits{Connections: 4096, PerSource: 1024, Requests: 2048}},
		{16 << 20, 0, Limits{Connections: 85, PerSource: 21, Requests: 64}},
		{230 << 20, 1 << 20, Limits{Connections: 1226, PerSource: 306, Requests: 460}},
		{230 << 20, 1024, Limits{Connections: 768, PerSource: 192, Requests: 460}},
		{1 << 30, 64, Limits{Connections: 32, PerSource: 16, Requests: 2048}},
		{64 << 30, 1 << 20, Limits{Connections: 4096, PerSource: 1024, Requests: 2048}},
	} {
		if got := LimitsFor(test.memory, test.files); got != test.want {
			t.Errorf("%d MiB, %d files: %+v, want %+v", test.memory>>20, test.files, got, test.want)
		}
	}
}

func TestOverloadIsAnsweredBeforeABodyIsRead(t *testing.T) {
	h := newHarness(t)
	held, release := make(chan struct{}), make(chan struct{})
	h.Pages = func(*http.Request) Page {
		return Page{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { held <- struct{}{}; <-release })}
	}
	var refused []Class
	h.Gate = NewGate(4, func(c Class) { refused = append(refused, c) })
	url, _ := h.serve(t, nil)
	go func() {
		resp, err := http.Get(url + "/link")
		if err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-held
	h.Gate.enter(ClassVisit, "of another", 1)
	for _, head := range []string{"POST /link", "POST /" + pageKey + "/postback"} {
		got := withoutBody(t, url, head)
		if got.status != 503 || got.header.Get("Retry-After") != "5" || !got.last {
			t.Errorf("%s: %d %v", head, got.status, got.header)
		}
	}
	if got := exchange(t, http.DefaultClient, "POST", url+"/"+key+"/postback?subid=c1&status=sale", "",
		""); got.status != 200 {
		t.Errorf("a postback while there is no room for visits: %d", got.status)
	}
	for i := range 4 {
		h.Gate.enter(ClassPostback, fmt.Sprint("flooded ", i), 1)
	}
	if got := withoutBody(t, url, "POST /"+key+"/postback"); got.status != 503 || !got.last {
		t.Errorf("a postback without room: %d", got.status)
	}
	close(release)
	if len(refused) < 4 || refused[0] != ClassVisit || refused[len(refused)-1] != ClassPostback {
		t.Errorf("refused %v", refused)
	}
}

func TestASlowBodyIsNotWaitedForWhereItIsNotWanted(t *testing.T) {
	h := newHarness(t)
	url, _ := h.serve(t, nil)
	for head, status := range map[string]int{
		"POST /wrong/postback":             404,
		"POST /nothing":                    404,
		"PUT /" + key + "/postback":        405,
		"POST /" + listedKey + "/postback": 403,
		"POST " + ClicksPath:               http.StatusTeapot,
		"POST /" + key + "/postback?a=" + strings.Repeat("x", request.MaxURLBytes): 414,
	} {
		if got := withoutBody(t, url, head); got.status != status || !got.last {
			t.Errorf("%.60s: %d, closed %t, want %d", head, got.status, got.last, status)
		}
	}
}

func TestAConnectionIsKeptAfterABodyThatWasRead(t *testing.T) {
	h := newHarness(t)
	url, _ := h.serve(t, nil)
	if got := exchange(t, http.DefaultClient, "POST", url+"/"+key+"/postback", formType,
		"subid=c1&status=sale"); got.status != 200 || got.last {
		t.Errorf("%+v", got)
	}
}

// withoutBody sends a request whose body does not come, and returns the reply, once the connection is closed.
func withoutBody(t *testing.T, url, head string) answer {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// Well below the half minute for which a body is waited for where it is wanted.
	if err := conn.SetDeadline(time.Now().Add(readTimeout / 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nbegin", head); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatalf("%.60s: %v", head, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%.60s: %v", head, err)
	}
	if _, err := reader.ReadByte(); err != io.EOF {
		t.Errorf("%.60s: the connection stays open: %v", head, err)
	}
	return answer{resp.StatusCode, string(text), resp.Header, resp.Close}
}
