// Package rates owns where exchange rates come from: it asks the configured providers, keeps the last good set of each
// in the store, and gives out the current [money.Table]. The arithmetic is package money's. It imports no store engine.
package rates

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/egress"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// Store keeps rate sets, and a lease by which the receivers of one store agree on who fetches them.
type Store interface {
	// LoadRates returns the stored rate sets.
	LoadRates(ctx context.Context) ([]money.Set, error)
	// SaveRates replaces the stored set of set.Source.
	SaveRates(ctx context.Context, set money.Set) error
	// Lease makes holder the only one to hold the named lease until until. It reports false when another holds it at now.
	Lease(ctx context.Context, name, holder string, now, until time.Time) (bool, error)
}

// Options are what a [Refresher] works with. Store and Holder are mandatory.
type Options struct {
	Store Store
	// Holder names this process among the receivers of one store.
	Holder string
	// Transport makes the transport for requests to providers; nil = [egress.NewTransport].
	Transport func(allowPrivate bool) http.RoundTripper
	// Clock tells the time; nil = [time.Now].
	Clock func() time.Time
	// Random gives numbers in [0,1) for jitter; nil = [rand.Float64].
	Random func() float64
	// Logger; nil = [slog.Default].
	Logger *slog.Logger
	// OnTable is called with every new table, one call at a time, from [Refresher.Configure], [Refresher.Load] and
	// [Refresher.Run], which wait for it. It must not call them.
	OnTable func(*money.Table)
}

// Refresher keeps a table of exchange rates current. Its methods may be called concurrently.
type Refresher struct {
	o     Options
	table atomic.Pointer[money.Table]
	// wake has a token when the configuration changed since Run last looked.
	wake chan struct{}
	// publishing is held while a table is made and handed over, so that tables come in order.
	publishing sync.Mutex

	mu           sync.Mutex
	allowPrivate bool
	client       *http.Client
	every        time.Duration
	fixed        []money.FixedRate
	// sources are the configured providers, in order of preference.
	sources []*source
	// sets are the newest known ones by provider, also of providers that aren't configured.
	sets map[string]money.Set
	// leading: this process held the lease when it last looked.
	leading    bool
	storeError string
	warnedAt   time.Time
}

// source is a configured provider and how it fares.
type source struct {
	provider config.RateProvider
	// changedAt is when the provider's definition last changed: a set that is older is due. Zero since the start.
	changedAt time.Time
	// jitter in [0,1) places the next refresh.
	jitter float64

	// failures in a row; the rest is about the last one and zero when there is none.
	failures  int
	lastError string
	failedAt  time.Time
	retryAt   time.Time
}

// New returns a refresher that has an empty table and no provider: call [Refresher.Configure] and then
// [Refresher.Load].
func New(o Options) *Refresher {
	if o.Transport == nil {
		o.Transport = func(allowPrivate bool) http.RoundTripper { return egress.NewTransport(allowPrivate) }
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	r := &Refresher{o: o, wake: make(chan struct{}, 1), sets: map[string]money.Set{}, every: minEvery}
	r.client = newClient(o.Transport(false))
	r.table.Store(money.NewTable(nil, nil))
	return r
}

// Table returns the current table, never nil.
func (r *Refresher) Table() *money.Table { return r.table.Load() }

// Configure takes up a configuration: the table changes before it returns, from what is known; new and changed
// providers are asked at once if [Refresher.Run] runs. allowPrivate lets providers have private addresses. A fixed rate
// that is no positive decimal is logged and left out.
func (r *Refresher) Configure(rates config.Rates, allowPrivate bool) {
	r.mu.Lock()
	r.every = max(time.Duration(rates.RefreshEvery), minEvery)
	r.fixed = r.parseFixed(rates.Fixed)
	known := r.sources
	r.sources = nil
	for _, p := range rates.Providers {
		r.sources = append(r.sources, r.sourceFor(p, known))
	}
	if allowPrivate != r.allowPrivate {
		r.allowPrivate = allowPrivate
		r.client.CloseIdleConnections()
		r.client = newClient(r.o.Transport(allowPrivate))
		for _, s := range r.sources {
			s.retryAt = time.Time{}
		}
	}
	r.mu.Unlock()

	r.publish()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Refresher) parseFixed(declared []config.FixedRate) []money.FixedRate {
	var fixed []money.FixedRate
	for _, f := range declared {
		rate, err := decimal.NewFromString(f.Rate)
		if err != nil || !rate.IsPositive() {
			r.o.Logger.Error("Leaving out a fixed rate that is no positive decimal", "from", f.From, "to", f.To)
			continue
		}
		fixed = append(fixed, money.FixedRate{From: f.From, To: f.To, Rate: rate})
	}
	return fixed
}

// sourceFor returns the known source of an unchanged provider, else a new one.
func (r *Refresher) sourceFor(p config.RateProvider, known []*source) *source {
	fresh := &source{provider: p, jitter: r.o.Random()}
	for _, s := range known {
		switch {
		case s.provider.Name != p.Name:
		case sameDefinition(s.provider, p):
			return s
		default:
			fresh.changedAt = r.o.Clock().Truncate(time.Microsecond)
		}
	}
	return fresh
}

func sameDefinition(a, b config.RateProvider) bool {
	return a.Type == b.Type && a.URL == b.URL && keyOf(a) == keyOf(b)
}

// publish makes a table of what is known, if that would be another one than the current.
func (r *Refresher) publish() {
	r.publishing.Lock()
	defer r.publishing.Unlock()
	r.mu.Lock()
	fixed, sets := r.fixed, []money.Set(nil)
	for _, s := range r.sources {
		if set, ok := r.sets[s.provider.Name]; ok {
			sets = append(sets, set)
		}
	}
	r.mu.Unlock()
	current := r.table.Load()
	if slices.EqualFunc(current.Sets(), sets, sameSet) && slices.EqualFunc(current.Fixed(), fixed, sameFixed) {
		return
	}
	table := money.NewTable(fixed, sets)
	r.table.Store(table)
	if r.o.OnTable != nil {
		r.o.OnTable(table)
	}
}

func sameSet(a, b money.Set) bool { return a.Source == b.Source && a.Fetched.Equal(b.Fetched) }

func sameFixed(a, b money.FixedRate) bool {
	return a.From == b.From && a.To == b.To && a.Rate.Equal(b.Rate)
}
