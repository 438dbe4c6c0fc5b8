package forward_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/forward"
	"github.com/postback-dev/postback-operator/receiver/forward/rule"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/queue"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const shop = "default/shop"

// patience is what a test waits for at most; nothing takes as long unless it never comes.
const patience = 2 * time.Minute

// clock is moved by the test alone.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rules are what is declared; they may be changed at any time.
type rules struct {
	mu     sync.Mutex
	byName map[string]*rule.Rule
}

func (r *rules) declare(t *testing.T, name, url string) string {
	t.Helper()
	compiled, err := rule.Compile(config.Forward{Name: name, Method: http.MethodGet, URL: url})
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byName == nil {
		r.byName = map[string]*rule.Rule{}
	}
	r.byName[name] = compiled
	return compiled.Host
}

func (r *rules) remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byName, name)
}

func (r *rules) find(_, name string) *rule.Rule {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byName[name]
}

// bench is a store with rows to send, and what sends them.
type bench struct {
	*testing.T
	store ledger.Store
	clock *clock
	rules rules
	n     int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{T: t, clock: newClock(), store: openFile(t, filepath.Join(t.TempDir(), "ledger.db"))}
}

func openFile(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// put writes a version of a conversion that is to be forwarded.
func (b *bench) put(rule, host, subid string, version int) {
	b.Helper()
	b.putAll(b.row(rule, host, subid, version))
}

func (b *bench) row(rule, host, subid string, version int) ledger.Forward {
	b.n++
	now, payout := b.clock.Now(), decimal.NewFromInt(int64(version))
	return ledger.Forward{
		ID: uuid.Must(uuid.NewV7()), Rule: rule, Host: host, Due: now, IP: "198.51.100.7",
		Conversion: &conversion.Conversion{
			ID: uuid.New(), Endpoint: shop, SubID: subid, Type: "lead", Status: "lead", Version: version,
			EndpointCurrency: "USD",
			Payout:           money.Amount{Original: payout, Currency: "USD", Converted: &payout},
			ConversionTime:   now, CreatedAt: now, UpdatedAt: now,
		},
	}
}

func (b *bench) putAll(rows ...ledger.Forward) {
	b.Helper()
	err := b.store.Transact(b.Context(), ledger.Want{},
		func(*ledger.Book) *ledger.Changes { return &ledger.Changes{Forwards: rows} })
	if err != nil {
		b.Fatal(err)
	}
}

// start runs a worker on the bench's clock. stop ends it and waits.
func (b *bench) start(change ...func(*forward.Options)) (w *forward.Worker, stop func()) {
	b.Helper()
	o := forward.Options{
		Options: queue.Options{
			Store:  b.store,
			Clock:  b.clock.Now,
			Lease:  10_000 * time.Hour, // the clock leaps
			Poll:   2 * time.Millisecond,
			Idle:   2 * time.Millisecond,
			Logger: slog.New(slog.NewTextHandler(logTo{b.T}, nil)),
		},
		Rule:         b.rules.find,
		AllowPrivate: func() bool { return true },
		Random:       func() float64 { return 0.5 },
	}
	for _, c := range change {
		c(&o)
	}
	w = forward.New(o)
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	stop = func() { cancel(); <-ended }
	b.Cleanup(stop)
	return w, stop
}

type logTo struct{ t *testing.T }

func (l logTo) Write(text []byte) (int, error) {
	if strings.Contains(string(text), "http://") {
		l.t.Errorf("the log has a URL: %s", text)
	}
	return len(text), nil
}

func (b *bench) rows(f ledger.OutboxFilter) []ledger.OutboxRow {
	b.Helper()
	var all []ledger.OutboxRow
	for row, err := range b.store.Forwards(b.Context(), f) {
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, row)
	}
	return all
}

// until waits for so many rows in a state, and lets time pass meanwhile: step each time it looks.
func (b *bench) until(state ledger.ForwardState, n int, step time.Duration) {
	b.Helper()
	eventually(b.T, fmt.Sprintf("%d rows %s", n, state), func() bool {
		b.clock.advance(step)
		return len(b.rows(ledger.OutboxFilter{State: state})) == n
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within %s", what, patience)
		}
	}
}

// source is a traffic source that keeps what it gets, and answers as it is told to.
type source struct {
	*httptest.Server
	mu sync.Mutex
	// got are the versions it got, by subid, in order; accepted those that it answered 200.
	got, accepted map[string][]string
	answer        func(subid, version string, n int) int
	n             int
}

// newSource answers by answer, which is given the number of the request; nil answers 200.
func newSource(t *testing.T, answer func(subid, version string, n int) int) *source {
	t.Helper()
	s := &source{got: map[string][]string{}, accepted: map[string][]string{}, answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *source) serve(w http.ResponseWriter, r *http.Request) {
	subid, version := r.FormValue("c"), r.FormValue("v")
	s.mu.Lock()
	s.n++
	n := s.n
	s.got[subid] = append(s.got[subid], version)
	s.mu.Unlock()
	status := http.StatusOK
	if s.answer != nil {
		status = s.answer(subid, version, n)
	}
	if status == http.StatusOK {
		s.mu.Lock()
		s.accepted[subid] = append(s.accepted[subid], version)
		s.mu.Unlock()
	}
	w.WriteHeader(status)
}

// template reports the subid and, as its payout, the version.
func (s *source) template() string { return s.URL + "/?c={subid}&v={payout}" }

func (s *source) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}
