package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// Errors of the ledger itself. After any other error of [Ledger.Postback] and [Ledger.AddClicks] the caller must not
// claim that anything is stored.
var (
	// ErrBusy means that the lane's queue has no room, or that the endpoint has its share of it. Nothing was stored.
	ErrBusy = errors.New("ledger busy")
	// ErrClosed means that the ledger takes nothing any more. Nothing was stored.
	ErrClosed = errors.New("ledger closed")
)

// Options of a ledger. Zero fields mean the default.
type Options struct {
	// Lanes commit side by side: 1 (default) for an engine with one writer, 2 for a database server.
	Lanes int
	// MaxBatch is how many operations share a commit at most: default 256.
	MaxBatch int
	// Queue is how many postbacks, and how many other operations, wait in a lane before it is busy: default 2048. An
	// endpoint may take three quarters of it, or one while others wait.
	Queue int
	// Rules answers an endpoint's rules now, nil if there is no such endpoint. Amounts that wait for a rate are forwarded
	// by them, and a click's cost is converted into their currency. It must not block.
	Rules func(endpoint string) *conversion.Rules
	// Spool, if there is one, takes the postbacks that the store has not answered for within Patience (default 1 s), and
	// all that come after them until the store has those. Without one they wait as long as their callers do.
	Spool    Spool
	Patience time.Duration
	// ReceivedFor and HistoryFor bound the age of the received log's rows and of former versions; 0 keeps all.
	ReceivedFor, HistoryFor time.Duration
	// ClicksFor returns for how long a click without a conversion is kept, 0 = forever; nil keeps all. It must not block.
	ClicksFor func() time.Duration
	// OnForwards is called with the hosts that a commit has written S2S postbacks for. It must not block.
	OnForwards func(hosts []string)
	Logger     *slog.Logger
	Observer   Observer
	// Settled reports whether the clock can be trusted; nil = always. While it cannot, nothing is deleted, and no held
	// postback is given up.
	Settled func() bool
	// Clock and NewID are for tests: default time.Now and [IDs].
	Clock func() time.Time
	NewID func() uuid.UUID
}

// Observer observes what the lanes do. Its methods are called concurrently and must not block.
type Observer interface {
	// BatchCommitted reports a durable batch of size operations and how long its transaction took.
	BatchCommitted(lane, size int, took time.Duration)
	// BatchFailed reports a failed attempt at a batch; it is tried again where that can help.
	BatchFailed(lane int, err error)
}

type noop struct{}

func (noop) BatchCommitted(int, int, time.Duration) {}
func (noop) BatchFailed(int, error)                 {}

func (o Options) withDefaults() Options {
	o.Lanes = orDefault(o.Lanes, 1)
	o.MaxBatch = orDefault(o.MaxBatch, 256)
	o.Queue = orDefault(o.Queue, 2048)
	if o.Patience <= 0 {
		o.Patience = time.Second
	}
	if o.Rules == nil {
		o.Rules = func(string) *conversion.Rules { return nil }
	}
	if o.ClicksFor == nil {
		o.ClicksFor = func() time.Duration { return 0 }
	}
	if o.OnForwards == nil {
		o.OnForwards = func([]string) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = noop{}
	}
	if o.Settled == nil {
		o.Settled = func() bool { return true }
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.NewID == nil {
		o.NewID = NewIDs(o.Clock).Next
	}
	return o
}

func orDefault(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Ledger is the durable book: what it has answered for is committed. All methods may be called concurrently.
type Ledger struct {
	store availableStore
	opt   Options
	lanes []*lane
	// backlog is nil without a spool.
	backlog *backlog
	// ctx ends when the lanes have to stop, whatever is under way.
	ctx  context.Context
	stop context.CancelFunc

	// mu guards closed, and with it that nothing is added to inFlight once Close waits for it.
	mu       sync.RWMutex
	closed   bool
	inFlight sync.WaitGroup
	running  sync.WaitGroup
}

// New starts the lanes of a ledger on store, which stays the caller's to close, after the ledger.
func New(store Store, options Options) *Ledger {
	l := &Ledger{opt: options.withDefaults()}
	l.store = availableStore{Store: store, availability: &availability{clock: l.opt.Clock, logger: l.opt.Logger}}
	l.ctx, l.stop = context.WithCancel(context.Background())
	for i := range l.opt.Lanes {
		ln := &lane{ledger: l, index: i, queue: newQueue(l.opt.Queue)}
		l.lanes = append(l.lanes, ln)
	}
	if l.opt.Spool != nil {
		l.backlog = newBacklog(l, l.opt.Spool)
		l.running.Go(l.backlog.run)
	}
	for _, ln := range l.lanes {
		l.running.Go(ln.run)
	}
	return l
}

// Queued returns how many operations wait in each lane.
func (l *Ledger) Queued() []int {
	depths := make([]int, len(l.lanes))
	for i, ln := range l.lanes {
		depths[i] = ln.queue.len()
	}
	return depths
}

// Close refuses new operations with [ErrClosed] and returns once everything accepted before is answered. When ctx ends
// first, what is still waiting is answered with an error, and Close returns ctx's.
func (l *Ledger) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()

	answered := make(chan struct{})
	go func() {
		l.inFlight.Wait()
		close(answered)
	}()
	var err error
	select {
	case <-answered:
	case <-ctx.Done():
		err = fmt.Errorf("closing the ledger: %w", context.Cause(ctx))
	}
	l.stop()
	l.running.Wait()
	return err
}

// op is one thing to do to the book. Its methods run in the lane; one op is never in two batches at a time. Decide may
// run more than once, each time on a fresh state; what the last run found is the op's result once its batch is durable.
type op interface {
	// key says which lane the op belongs to.
	key() Key
	// want adds what the op has to read; again says that an earlier attempt may have been committed.
	want(w *Want, again bool)
	decide(s *batchState, again bool)
}

// do runs one op and waits until it is durable. It does not wait for room in the lane's queue.
func (l *Ledger) do(ctx context.Context, o op) error {
	t, err := l.submit(ctx, o, false)
	if err != nil {
		return err
	}
	return t.wait()
}

// doAll runs ops, never more of them at a time than fill one batch of each lane, and waits until all are durable.
func (l *Ledger) doAll(ctx context.Context, ops []op) error {
	window := l.opt.MaxBatch * len(l.lanes)
	tasks := make([]*task, 0, min(window, len(ops)))
	for len(ops) > 0 {
		n := min(window, len(ops))
		var errs error
		for _, o := range ops[:n] {
			t, err := l.submit(ctx, o, true)
			if err != nil {
				errs = err
				break
			}
			tasks = append(tasks, t)
		}
		for _, t := range tasks {
			if err := t.wait(); errs == nil {
				errs = err
			}
		}
		if errs != nil {
			return errs
		}
		ops, tasks = ops[n:], tasks[:0]
	}
	return nil
}

// submit puts an op into its lane's queue, waiting for room there if so asked.
func (l *Ledger) submit(ctx context.Context, o op, wait bool) (*task, error) {
	l.mu.RLock()
	if l.closed {
		l.mu.RUnlock()
		return nil, ErrClosed
	}
	l.inFlight.Add(1)
	l.mu.RUnlock()

	queue := l.lanes[int(o.key().Bucket)%len(l.lanes)].queue
	t := &task{ctx: ctx, op: o, done: make(chan error, 1)}
	for {
		freed, err := queue.push(t)
		if err == nil {
			return t, nil
		}
		if errors.Is(err, ErrBusy) && wait {
			select {
			case <-freed:
				continue
			case <-ctx.Done():
				err = context.Cause(ctx)
			case <-l.ctx.Done():
				err = ErrClosed
			}
		}
		l.inFlight.Done()
		return nil, err
	}
}
