// Package queue owns who sends what of the ledger's outbox, and when: it claims what is due, hands it to who delivers
// it, and writes down what became of it. Rows are claimed host by host, by what each host takes and how it answers, so
// that no host that is slow or dead delays the others; a row whose receiver dies is claimed again when its lease ends.
// So everything is delivered at least once. What a delivery is and what its end means for the row is its deliverer's,
// what the outbox promises is package ledger's. It imports no store engine and no HTTP.
package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// DefaultHostConnections are the deliveries in flight to one host at most, unless the options say otherwise.
const DefaultHostConnections = 64

// Options of a [Worker]. Store, Deliver and Logger are mandatory; other zero fields mean the default.
type Options struct {
	Store ledger.Outbox
	// Deliver makes an attempt at a row, and returns the row as it is from then on. It is called concurrently. Its context
	// ends when the worker stops and the delivery takes longer than Grace.
	Deliver func(ctx context.Context, row ledger.OutboxRow) Result
	// Connections are deliveries in flight at most (256), HostConnections those to one host ([DefaultHostConnections]),
	// HostRate the deliveries per second to one host (0 = no limit).
	Connections, HostConnections int
	HostRate                     float64
	// Lease of a claim (60 s), well above what a delivery may take; Grace is how long deliveries under way may take when
	// the worker is stopped (5 s).
	Lease, Grace time.Duration
	// Poll is how often the outbox is looked at while something is due (200 ms), Idle while nothing is (1 s).
	Poll, Idle time.Duration
	// Keep is for how long rows stay after they ended; 0 = forever.
	Keep   time.Duration
	Logger *slog.Logger
	// Ended observes a row that was delivered or given up, and how long after it was written; nil = nobody does. It is
	// called concurrently and must not block.
	Ended func(state ledger.ForwardState, age time.Duration)
	// Settled reports whether the clock can be trusted; nil = always. While it cannot, nothing is deleted.
	Settled func() bool
	// Clock is for tests: default time.Now.
	Clock func() time.Time
}

// Result is what became of a delivery.
type Result struct {
	// Row as it is from now on. Another Host is where it queues up next.
	Row ledger.OutboxRow
	// Sent: an attempt was made. Failing: the host should be spared, for RetryAfter at least.
	Sent, Failing bool
	RetryAfter    time.Duration
}

// Status is what a worker knows of the outbox.
type Status struct {
	// InFlight are the deliveries of this receiver under way.
	InFlight int
	// Counts are those of the whole store, at CountedAt; zero before the first count.
	Counts    ledger.OutboxCounts
	CountedAt time.Time
}

func (o Options) withDefaults() Options {
	setDefault(&o.Connections, 256)
	setDefault(&o.HostConnections, DefaultHostConnections)
	setDefault(&o.Lease, time.Minute)
	setDefault(&o.Grace, 5*time.Second)
	setDefault(&o.Poll, 200*time.Millisecond)
	setDefault(&o.Idle, time.Second)
	if o.Ended == nil {
		o.Ended = func(ledger.ForwardState, time.Duration) {}
	}
	if o.Settled == nil {
		o.Settled = func() bool { return true }
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o
}

func setDefault[T int | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// New returns a worker; [Worker.Run] makes it work.
func New(o Options) *Worker {
	o = o.withDefaults()
	return &Worker{
		options: o, holder: uuid.NewString(), hosts: newHosts(o),
		wake: make(chan struct{}, 1), results: make(chan delivery, o.Connections),
	}
}

// Notify says that something new is in the outbox for these hosts. It does not block.
func (w *Worker) Notify(names []string) {
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

// delivery is one that has ended.
type delivery struct {
	Result
	// claimed is the host it was claimed for.
	claimed   string
	leaseEnds time.Time
}
