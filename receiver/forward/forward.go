// Package forward owns the delivery of S2S postbacks (docs/semantics.md §6): it sends what is due in the ledger's
// outbox by the endpoint's current rule, and judges what the answer means for the postback. When and to whom is package
// queue's, what is sent package rule's. It imports no store engine.
package forward

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"

	"github.com/postback-dev/postback-operator/receiver/forward/rule"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/queue"
)

// Options of a [Worker]: those of its queue, but for Deliver and Ended, and how it sends. Rule is mandatory; other zero
// fields mean the default.
type Options struct {
	queue.Options
	// Rule returns an endpoint's forward of that name as it is declared now; nil if there is none.
	Rule func(endpoint, name string) *rule.Rule
	// AllowPrivate says whether addresses that are not public may be sent to: default never.
	AllowPrivate func() bool
	// Timeout of one attempt (10 s), well below the queue's Lease.
	Timeout  time.Duration
	Observer Observer
	// Random (0 to 1) is for tests: default a random number.
	Random func() float64
}

// Observer observes what the worker does. Its methods are called concurrently and must not block.
type Observer interface {
	// ForwardAttempted reports an attempt: the status of the answer, or why there is none.
	ForwardAttempted(status int, err ledger.AttemptError, took time.Duration)
	// ForwardEnded reports a postback that was delivered or given up, and how long after it was written.
	ForwardEnded(state ledger.ForwardState, age time.Duration)
}

type noop struct{}

func (noop) ForwardAttempted(int, ledger.AttemptError, time.Duration) {}
func (noop) ForwardEnded(ledger.ForwardState, time.Duration)          {}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.AllowPrivate == nil {
		o.AllowPrivate = func() bool { return false }
	}
	if o.Observer == nil {
		o.Observer = noop{}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return o
}

// Worker delivers S2S postbacks. Several, in one process or many, may work on one store.
type Worker struct {
	*queue.Worker
	options Options
	sender  *sender
}

// New returns a worker; [Worker.Run] makes it work.
func New(o Options) *Worker {
	o = o.withDefaults()
	w := &Worker{options: o, sender: newSender(o.Timeout, cmp.Or(o.HostConnections, queue.DefaultHostConnections))}
	o.Deliver, o.Ended = w.deliver, o.Observer.ForwardEnded
	w.Worker = queue.New(o.Options)
	return w
}

// Run works until ctx ends, as [queue.Worker.Run] does.
func (w *Worker) Run(ctx context.Context) {
	defer w.sender.close()
	w.Worker.Run(ctx)
}

// deliver makes an attempt at one row.
func (w *Worker) deliver(ctx context.Context, row ledger.OutboxRow) queue.Result {
	now := w.options.Clock()
	out := queue.Result{Row: row}
	by := w.options.Rule(row.Slot.Endpoint, row.Rule)
	switch {
	case by == nil:
		out.Row = judge(row, ledger.Attempt{At: now, Error: ledger.AttemptRuleRemoved}, circumstances{
			expects: isSuccess, now: now, jitter: w.options.Random(),
		})
		return out
	case by.Host != row.Host: // it queues up there
		out.Row.Host, out.Row.Due = by.Host, now
		return out
	}
	request := by.Render(&rule.Values{Conversion: row.Conversion, Click: row.Click, IP: row.IP, Random: rand.Uint64})
	began := time.Now()
	a := w.sender.send(ctx, request, w.options.AllowPrivate(), now)
	took := time.Since(began)
	if ctx.Err() != nil && a.status == 0 { // The worker stops: who claims it next sends it.
		out.Row.Due = now
		return out
	}
	w.options.Observer.ForwardAttempted(a.status, a.err, took)
	attempt := ledger.Attempt{
		At: now, Milliseconds: took.Milliseconds(), Status: a.status, Error: a.err, URL: request.Shown,
		Answer:   by.Redact(a.body),
		Location: by.Redact(a.location),
	}
	out.Sent, out.Failing, out.RetryAfter = true, kindOf(&attempt, by.Expects) == retryable, a.retryAfter
	out.Row = judge(row, attempt, circumstances{
		expects: by.Expects, retryAfter: a.retryAfter, now: w.options.Clock(), jitter: w.options.Random(),
	})
	return out
}
