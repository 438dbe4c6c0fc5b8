// Package forward owns the delivery of S2S postbacks (docs/semantics.md §6): it claims what is due in the ledger's
// outbox, sends it by the endpoint's current rule, and writes down what became of it. At least once, never out of a
// conversion's order, and no host that is slow or dead delays the others. What is sent is package rule's; what the
// outbox promises is package ledger's. It imports no store engine.
package forward

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/forward/rule"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// Options of a [Worker]. Store, Rule and Logger are mandatory; other zero fields mean the default.
type Options struct {
	Store ledger.Outbox
	// Rule returns an endpoint's forward of that name as it is declared now; nil if there is none.
	Rule func(endpoint, name string) *rule.Rule
	// AllowPrivate says whether addresses that are not public may be sent to: default never.
	AllowPrivate func() bool
	// Connections are deliveries in flight at most (256), HostConnections those to one host (64), HostRate the deliveries
	// per second to one host (0 = no limit).
	Connections, HostConnections int
	HostRate                     float64
	// Timeout of one attempt (10 s); Lease of a claim (60 s), well above it; Grace is how long deliveries under way may
	// take when the worker is told to stop (5 s).
	Timeout, Lease, Grace time.Duration
	// Poll is how often the outbox is looked at while something is due (200 ms), Idle while nothing is (1 s).
	Poll, Idle time.Duration
	// Keep is for how long rows stay after they ended; 0 = forever.
	Keep     time.Duration
	Logger   *slog.Logger
	Observer Observer
	// Settled reports whether the clock can be trusted; nil = always. While it cannot, nothing is deleted.
	Settled func() bool
	// Clock and Random (0 to 1) are for tests: default time.Now and a random number.
	Clock  func() time.Time
	Random func() float64
}

// Observer observes what the worker does. Its methods are called concurrently and must not block.
type Observer interface {
	// ForwardAttempted reports an attempt: the status of the answer, or why there is none.
	ForwardAttempted(status int, err ledger.AttemptError, took time.Duration)
	// ForwardEnded reports a postback that was delivered or given up, and how long after it was written.
	ForwardEnded(state ledger.ForwardState, age time.Duration)
}

type blind struct{}

func (blind) ForwardAttempted(int, ledger.AttemptError, time.Duration) {}
func (blind) ForwardEnded(ledger.ForwardState, time.Duration)          {}

func (o Options) withDefaults() Options {
	setDefault(&o.Connections, 256)
	setDefault(&o.HostConnections, 64)
	setDefault(&o.Timeout, 10*time.Second)
	setDefault(&o.Lease, time.Minute)
	setDefault(&o.Grace, 5*time.Second)
	setDefault(&o.Poll, 200*time.Millisecond)
	setDefault(&o.Idle, time.Second)
	if o.AllowPrivate == nil {
		o.AllowPrivate = func() bool { return false }
	}
	if o.Observer == nil {
		o.Observer = blind{}
	}
	if o.Settled == nil {
		o.Settled = func() bool { return true }
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return o
}

func setDefault[T int | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// Status is what the worker knows of the outbox.
type Status struct {
	// InFlight are the deliveries of this receiver under way.
	InFlight int
	// Counts are those of the whole store, at CountedAt; zero before the first count.
	Counts    ledger.OutboxCounts
	CountedAt time.Time
}

// New returns a worker; [Worker.Run] makes it work.
func New(o Options) *Worker {
	o = o.withDefaults()
	return &Worker{
		options: o, holder: uuid.NewString(), hosts: newHosts(o), sender: newSender(o.Timeout, o.HostConnections),
		wake: make(chan struct{}, 1), results: make(chan result, o.Connections),
	}
}

// Woken tells the worker that there is something new for these hosts. It does not block.
func (w *Worker) Woken(names []string) {
	w.mu.Lock()
	for _, name := range names {
		w.hosts.waiting[name] = true
	}
	w.mu.Unlock()
	w.signal()
}

func (w *Worker) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Status returns what the worker knows now.
func (w *Worker) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	status := w.status
	status.InFlight = w.hosts.inFlight
	return status
}

// result is a delivery that has ended.
type result struct {
	// row as it stands from now on; claimed is the host it was claimed for.
	row     ledger.OutboxRow
	claimed string
	// sent: an attempt was made. failing: the host should be spared.
	sent, failing bool
	retryAfter    time.Duration
	leaseEnds     time.Time
}

// deliver makes an attempt at one row.
func (w *Worker) deliver(ctx context.Context, row ledger.OutboxRow) result {
	now := w.options.Clock()
	out := result{row: row, claimed: row.Host}
	by := w.options.Rule(row.Slot.Endpoint, row.Rule)
	switch {
	case by == nil:
		out.row = judge(row, ledger.Attempt{At: now, Error: ledger.AttemptRuleRemoved}, circumstances{
			expects: isSuccess, now: now, jitter: w.options.Random(),
		})
		return out
	case by.Host != row.Host: // it queues up there
		out.row.Host, out.row.Due = by.Host, now
		return out
	}
	request := by.Render(&rule.Values{Conversion: row.Conversion, Click: row.Click, IP: row.IP, Random: rand.Uint64})
	began := time.Now()
	a := w.sender.send(ctx, request, w.options.AllowPrivate(), now)
	took := time.Since(began)
	if ctx.Err() != nil && a.status == 0 { // told to stop: whoever claims it next sends it
		out.row.Due = now
		return out
	}
	w.options.Observer.ForwardAttempted(a.status, a.err, took)
	attempt := ledger.Attempt{
		At: now, Milliseconds: took.Milliseconds(), Status: a.status, Error: a.err, URL: request.Shown,
		Answer:   by.Redact(a.body),
		Location: by.Redact(a.location),
	}
	out.sent, out.failing, out.retryAfter = true, kindOf(&attempt, by.Expects) == retryable, a.retryAfter
	out.row = judge(row, attempt, circumstances{
		expects: by.Expects, retryAfter: a.retryAfter, now: w.options.Clock(), jitter: w.options.Random(),
	})
	return out
}
