package forward_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/forward"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func TestAPostbackIsDeliveredAndMarked(t *testing.T) {
	b, s := newBench(t), newSource(t, nil)
	host := b.rules.declare(t, "r", s.URL+"/SECRET?token=SECRET&c={subid}&v={payout}")
	b.put("r", host, "c1", 1)
	b.start()
	b.until(ledger.ForwardDelivered, 1, 0)
	row := b.rows(ledger.OutboxFilter{})[0]
	if len(row.Attempts) != 1 || row.Attempts[0].Status != 200 || row.Attempts[0].URL != s.URL+"/…?…&c=c1&v=1" ||
		row.Tries != 1 {
		t.Errorf("%+v", row)
	}
	if diff := cmp.Diff(map[string][]string{"c1": {"1"}}, s.got); diff != "" {
		t.Error(diff)
	}
}

func TestAHostThatIsDownForAnHourGetsEverythingInOrder(t *testing.T) {
	const conversions, versions = 20, 3
	b := newBench(t)
	up := b.clock.Now().Add(time.Hour)
	s := newSource(t, func(string, string, int) int {
		if b.clock.Now().Before(up) {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	host := b.rules.declare(t, "r", s.template())
	want := map[string][]string{}
	for n := range conversions {
		for v := 1; v <= versions; v++ {
			subid := fmt.Sprint("c", n)
			b.put("r", host, subid, v)
			want[subid] = append(want[subid], fmt.Sprint(v))
		}
	}
	b.start()
	b.until(ledger.ForwardDelivered, conversions*versions, 20*time.Second)
	if diff := cmp.Diff(want, s.accepted); diff != "" {
		t.Error(diff)
	}
	if b.clock.Now().Before(up) {
		t.Error("delivered while the host was down")
	}
}

func TestFailuresKeepTheOrderOfEveryConversion(t *testing.T) {
	const conversions, versions = 30, 10
	b := newBench(t)
	s := newSource(t, func(_, _ string, n int) int {
		if n%3 == 0 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	host := b.rules.declare(t, "r", s.template())
	want := map[string][]string{}
	var rows []ledger.Forward
	for v := 1; v <= versions; v++ {
		for n := range conversions {
			subid := fmt.Sprint("c", n)
			rows = append(rows, b.row("r", host, subid, v))
			want[subid] = append(want[subid], fmt.Sprint(v))
		}
	}
	b.putAll(rows...)
	b.start()
	b.until(ledger.ForwardDelivered, conversions*versions, time.Minute)
	if diff := cmp.Diff(want, s.accepted); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsGivenUpLetsTheNextGo(t *testing.T) {
	b := newBench(t)
	s := newSource(t, func(_, version string, _ int) int {
		if version == "1" {
			return http.StatusNotFound
		}
		return http.StatusOK
	})
	host := b.rules.declare(t, "r", s.template())
	b.put("r", host, "c1", 1)
	b.put("r", host, "c1", 2)
	b.start()
	b.until(ledger.ForwardDelivered, 1, time.Second)
	b.until(ledger.ForwardFailed, 1, 0)
	if diff := cmp.Diff(map[string][]string{"c1": {"1", "1", "2"}}, s.got); diff != "" {
		t.Error(diff)
	}
	row := b.rows(ledger.OutboxFilter{State: ledger.ForwardFailed})[0]
	if row.Reason != "status_404" {
		t.Errorf("reason %q", row.Reason)
	}
	s.answer = nil
	if err := b.store.ResendForward(t.Context(), row.ID, uuid.Nil, b.clock.Now()); err != nil {
		t.Fatal(err)
	}
	b.until(ledger.ForwardDelivered, 2, 0)
}

func TestARuleThatChangedIsFollowed(t *testing.T) {
	b, s := newBench(t), newSource(t, nil)
	b.rules.declare(t, "moved", s.template())
	b.put("moved", "former.invalid:80", "c1", 1)
	b.put("moved", "", "c2", 1) // written by a receiver that did not know hosts yet
	b.start()
	b.until(ledger.ForwardDelivered, 2, 0)
	for _, row := range b.rows(ledger.OutboxFilter{}) {
		if row.Tries != 1 || "http://"+row.Host != s.URL {
			t.Errorf("%d tries at %s", row.Tries, row.Host)
		}
	}
}

func TestARuleThatIsGoneIsLookedForAndThenGivenUp(t *testing.T) {
	b, s := newBench(t), newSource(t, nil)
	host := b.rules.declare(t, "r", s.template())
	b.put("r", host, "c1", 1)
	b.rules.remove("r")
	b.start()
	b.until(ledger.ForwardFailed, 1, time.Second)
	row := b.rows(ledger.OutboxFilter{})[0]
	if row.Reason != "rule_removed" || row.Tries != 4 || s.requests() != 0 {
		t.Errorf("%q after %d tries, %d requests", row.Reason, row.Tries, s.requests())
	}
}

// unmarking is a store that never learns what was sent.
type unmarking struct {
	ledger.Store
	tried atomic.Int32
}

func (u *unmarking) FinishForwards(context.Context, string, time.Time, []ledger.OutboxRow) error {
	u.tried.Add(1)
	return ledger.ErrUnavailable
}

func TestAReceiverKilledBetweenSendingAndMarkingSendsAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	b, s := &bench{T: t, clock: newClock()}, newSource(t, nil)
	host := b.rules.declare(t, "r", s.template())
	first := openFile(t, path)
	b.store = &unmarking{Store: first}
	b.put("r", host, "c1", 1)
	b.put("r", host, "c1", 2)
	_, stop := b.start(func(o *forward.Options) { o.Grace = time.Millisecond })
	eventually(t, "request", func() bool { return s.requests() > 0 && b.store.(*unmarking).tried.Load() > 0 })
	stop()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	b.store = openFile(t, path)
	b.start()
	b.until(ledger.ForwardDelivered, 2, 0)
	if diff := cmp.Diff(map[string][]string{"c1": {"1", "1", "2"}}, s.got); diff != "" {
		t.Error(diff)
	}
}

// flaky is a store that fails now and then, having done what it was asked to or not.
type flaky struct {
	ledger.Store
	n atomic.Int32
}

func (f *flaky) ClaimForwards(ctx context.Context, c ledger.OutboxClaim) (rows []ledger.OutboxRow, n map[string]int,
	err error) {
	if f.n.Add(1)%3 == 0 {
		return nil, nil, errors.New("claim")
	}
	return f.Store.ClaimForwards(ctx, c)
}

func (f *flaky) FinishForwards(ctx context.Context, holder string, now time.Time, rows []ledger.OutboxRow) error {
	switch f.n.Add(1) % 3 {
	case 0:
		return errors.New("not done")
	case 1:
		return errors.Join(f.Store.FinishForwards(ctx, holder, now, rows), errors.New("done, and the answer got lost"))
	}
	return f.Store.FinishForwards(ctx, holder, now, rows)
}

func TestAStoreThatFailsLosesNothing(t *testing.T) {
	const conversions, versions = 20, 4
	b, s := newBench(t), newSource(t, nil)
	b.store = &flaky{Store: b.store}
	host := b.rules.declare(t, "r", s.template())
	want := map[string][]string{}
	for n := range conversions {
		for v := 1; v <= versions; v++ {
			subid := fmt.Sprint("c", n)
			b.put("r", host, subid, v)
			want[subid] = append(want[subid], fmt.Sprint(v))
		}
	}
	b.start()
	b.until(ledger.ForwardDelivered, conversions*versions, 0)
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAWorkerThatIsToldToStopFinishesWhatItCanAndGivesBackTheRest(t *testing.T) {
	b := newBench(t)
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	var stuck atomic.Bool
	stuck.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if !stuck.Load() {
			return
		}
		arrived <- struct{}{}
		if r.FormValue("c") == "finished" {
			<-release
			return
		}
		<-r.Context().Done()
	}))
	defer server.Close()
	host := b.rules.declare(t, "r", server.URL+"/?c={subid}")
	b.put("r", host, "finished", 1)
	b.put("r", host, "stuck", 1)
	_, stop := b.start(func(o *forward.Options) { o.Grace = 2 * time.Second })
	<-arrived
	<-arrived
	var stopping sync.WaitGroup
	stopping.Go(stop)
	close(release)
	stopping.Wait()
	if row := b.rows(ledger.OutboxFilter{SubID: "finished"})[0]; row.State != ledger.ForwardDelivered {
		t.Errorf("what could be finished is %s", row.State)
	}
	if row := b.rows(ledger.OutboxFilter{SubID: "stuck"})[0]; row.State != ledger.ForwardWaiting || row.Tries != 0 ||
		len(row.Attempts) != 0 {
		t.Errorf("what could not: %+v", row)
	}
	stuck.Store(false)
	b.start() // the lease would last as long as the test
	b.until(ledger.ForwardDelivered, 2, 0)
}

// TestOneDeadHostAmong100DelaysNobody has hosts at addresses of their own. The dead one takes connections and never
// answers; it has more to get than all the others.
func TestOneDeadHostAmong100DelaysNobody(t *testing.T) {
	const hosts, each = 100, 10
	b := newBench(t)
	s := newSource(t, nil)
	var rows []ledger.Forward
	dead := blackHole(t)
	deadHost := b.rules.declare(t, "dead", "http://"+dead+"/?c={subid}")
	for n := range 2 * hosts * each {
		rows = append(rows, b.row("dead", deadHost, fmt.Sprint("d", n), 1))
	}
	for h := range hosts - 1 {
		address := listenAt(t, fmt.Sprintf("127.0.1.%d:0", h+1), s.Config.Handler)
		name := fmt.Sprint("r", h)
		host := b.rules.declare(t, name, "http://"+address+"/?c={subid}&v={payout}")
		for n := range each {
			rows = append(rows, b.row(name, host, fmt.Sprintf("c%d-%d", h, n), 1))
		}
	}
	b.putAll(rows...)
	w, _ := b.start(func(o *forward.Options) { o.Timeout, o.Grace = time.Hour, time.Millisecond })
	b.until(ledger.ForwardDelivered, (hosts-1)*each, 0)
	eventually(t, "connection but those of the dead host", func() bool { return w.Status().InFlight <= 2 })
	if n := s.requests(); n != (hosts-1)*each {
		t.Errorf("%d requests for %d rows", n, (hosts-1)*each)
	}
}

// blackHole takes connections and never answers.
func blackHole(t *testing.T) string {
	t.Helper()
	return listenAt(t, "127.0.0.1:0", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}))
}

func listenAt(t *testing.T, address string, handler http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}

func TestAnswersAreBoundedAndHoldNoToken(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, "cannot read %s %s", r.RequestURI, strings.Repeat("x", 100_000))
	}))
	defer server.Close()
	host := b.rules.declare(t, "r", server.URL+"/TOKEN-123?key=TOKEN-456&c={subid}")
	b.put("r", host, "c1", 1)
	b.start()
	b.until(ledger.ForwardFailed, 1, time.Second)
	for _, a := range b.rows(ledger.OutboxFilter{})[0].Attempts {
		if len(a.Answer) > 1100 || strings.Contains(a.Answer+a.URL, "TOKEN") || !strings.Contains(a.Answer, "c=c1") {
			t.Errorf("%+v", a)
		}
	}
}

func TestCountsAreOfTheWholeStore(t *testing.T) {
	b := newBench(t)
	b.put("gone", "h:80", "c1", 1)
	b.clock.advance(-time.Second) // it is not due yet
	w, _ := b.start()
	eventually(t, "count", func() bool { return w.Status().Counts == ledger.OutboxCounts{Waiting: 1} })
}

func TestOldRowsArePruned(t *testing.T) {
	b, s := newBench(t), newSource(t, nil)
	host := b.rules.declare(t, "r", s.template())
	b.put("r", host, "c1", 1)
	_, stop := b.start()
	b.until(ledger.ForwardDelivered, 1, 0)
	stop()
	b.clock.advance(366 * 24 * time.Hour) // ids are of the machine's own clock, which may be ahead of the bench's
	b.start(func(o *forward.Options) { o.Keep = time.Hour })
	b.until(ledger.ForwardDelivered, 0, 0)
}
