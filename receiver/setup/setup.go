// Package setup owns the wiring of a receiver: which part is given which, in which order they start and in which they
// stop. It takes no decisions about postbacks. Only the receiver's main and tests of the whole import it.
package setup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/click"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/forward"
	"github.com/postback-dev/postback-operator/receiver/forward/rule"
	"github.com/postback-dev/postback-operator/receiver/incoming"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/spool"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/money/rates"
	"github.com/postback-dev/postback-operator/receiver/operation"
	"github.com/postback-dev/postback-operator/receiver/ops"
	"github.com/postback-dev/postback-operator/receiver/queue"
	"github.com/postback-dev/postback-operator/receiver/request"
	"github.com/postback-dev/postback-operator/receiver/server"
	"github.com/postback-dev/postback-operator/receiver/space"
	"github.com/postback-dev/postback-operator/receiver/talkers"
)

// opsTime is longer than the read API gives a query, so that one that takes too long is answered 503.
const opsTime = 90 * time.Second

// opsConnections is far more than probes, scrapers and readers need. opsFiles are kept for some of them.
const (
	opsConnections = 128
	opsFiles       = 8
)

// Options of a receiver. Config, Listen, OpsListen, Store or StoreFile, Hold and Logger are mandatory.
type Options struct {
	// Config is the directory with the configuration contract's documents.
	Config string
	// Listen and OpsListen are host:port; port 0 picks a free one.
	Listen, OpsListen string
	// Store is the store's URL, see [ErrStoreURL]. It may hold a password and is never logged. StoreFile, in its place, is
	// a file with the DSN of a PostgreSQL database, which is read again for every connection.
	Store, StoreFile string
	// Database are settings of a PostgreSQL store beside DSN, DSNFile and Logger.
	Database postgres.Options
	// RequireSynchronous makes the receiver not ready while the store's commits do not wait for a standby.
	RequireSynchronous bool
	// Spool takes postbacks while the store is away.
	Spool Spool
	// OpsTokenFile holds the bearer token of the read API; empty = it answers on loopback only.
	OpsTokenFile string
	// AdminListen is host:port of the subset of Keitaro's Admin API, and AdminKeyFile holds its key; both or none.
	// AdminCostKeyFile holds the key that may also update costs; empty = none may.
	AdminListen, AdminKeyFile, AdminCostKeyFile string
	// Console serves the web pages on the ops port, on loopback. It goes without OpsTokenFile.
	Console bool
	// ConsoleViews is the file in which the console keeps views; empty = it has none.
	ConsoleViews string
	// TLSCertFile and TLSKeyFile, both or none, turn on TLS for Listen.
	TLSCertFile, TLSKeyFile string
	// Hold bounds how long a request waits for the store, Drain how long the receiver serves on after it was told to stop.
	Hold, Drain time.Duration
	// KeepReceived and KeepHistory bound the age of the received log and of former versions of conversions, KeepClicks
	// that of clicks without a conversion, which are kept as long as an endpoint's clickLookback at least; 0 = forever.
	KeepReceived, KeepHistory, KeepClicks time.Duration
	// KeepForwards bounds for how long S2S postbacks are kept after they ended; 0 = forever. ForwardConnections and
	// ForwardRate bound the deliveries to one host: those in flight, and those per second, 0 = no limit.
	KeepForwards       time.Duration
	ForwardConnections int
	ForwardRate        float64
	// MaxConnections that are open at a time, MaxPerSource of them from one address that is no trusted proxy, and
	// MaxRequests in flight; 0 = as many as fit into Memory and into the process's open files.
	MaxConnections, MaxPerSource, MaxRequests int
	// Memory that the receiver may take, in bytes; 0 = no limit.
	Memory int64
	// FreeSpaceReserve of the volumes of an embedded store and of a spool, in bytes: see [space.Room.Level]. Statfs as in
	// [space.VolumeOptions].
	FreeSpaceReserve int64
	Statfs           func(path string) (free, total int64, err error)
	// H2C turns on HTTP/2 without TLS.
	H2C bool
	// Version is the program's.
	Version string
	Logger  *slog.Logger
	// Clock; nil = [time.Now].
	Clock func() time.Time
}

// Spool are the settings of the spool.
type Spool struct {
	// Dir is a directory of this receiver alone; empty = no spool.
	Dir string
	// MaxBytes bounds it; 0 = 1 GiB.
	MaxBytes int64
	// Patience is how long the store may fail before postbacks are spooled; 0 = 1 s.
	Patience time.Duration
}

// Receiver is a receiver whose ports are open.
type Receiver struct {
	options Options
	metrics *ops.Metrics
	talkers *talkers.Talkers
	watch   *endpoint.Watch
	store   ledger.Store
	spool   *spool.Spool
	// waiting is the spool as its volume lets it be used; nil without one.
	waiting ledger.Spool
	// storeVolume is nil with a database, spoolVolume without a spool. databaseSize is in bytes, 0 while it is not known.
	storeVolume, spoolVolume *space.Volume
	databaseSize             atomic.Int64
	ledger                   *ledger.Ledger
	operator                 *operation.Operator
	// book is the ledger for what senders send.
	book     *space.Ledger
	forward  *forward.Worker
	rates    *rates.Refresher
	postback *server.Listener
	// listening is postback, once it is open: the ops port opens first.
	listening atomic.Pointer[server.Listener]
	ops       *server.Listener
	// admin is nil without AdminListen.
	admin    *server.Listener
	draining atomic.Bool
	// settled reports whether the clock can be trusted.
	settled func() bool
	// newID gives the ids of all rows, so that they are in the order in which these are made.
	newID func() uuid.UUID
	// durability is the level that the store last reported.
	durability atomic.Value
	// newRates has a token when there is a table that what waits for a rate has not been tried with.
	newRates chan struct{}
}

// Start opens everything a receiver needs, in the order in which one part needs another. The error is one line, without
// any secret; what was opened until then is closed again.
func Start(ctx context.Context, o Options) (_ *Receiver, err error) {
	r := &Receiver{options: o, metrics: ops.NewMetrics(), talkers: talkers.New(), newRates: make(chan struct{}, 1)}
	r.watchClock()
	o = r.options
	defer func() {
		if err != nil {
			r.abandon()
		}
	}()
	if r.watch, err = endpoint.Load(o.Config, endpoint.WatchOptions{Logger: o.Logger, Clock: o.Clock,
		OnChange: r.configure}); err != nil {
		return nil, err
	}
	if err := r.startLedger(ctx); err != nil {
		return nil, err
	}
	if err := r.startRates(ctx); err != nil {
		return nil, err
	}
	if err := r.listenOps(ctx); err != nil {
		return nil, err
	}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Address and OpsAddress are what the two ports listen on.
func (r *Receiver) Address() string { return r.postback.Address() }

// OpsAddress is documented at [Receiver.Address].
func (r *Receiver) OpsAddress() string { return r.ops.Address() }

// AdminAddress is what Keitaro's Admin API listens on; "" if nobody asked for it.
func (r *Receiver) AdminAddress() string {
	if r.admin == nil {
		return ""
	}
	return r.admin.Address()
}

func (r *Receiver) startLedger(ctx context.Context) (err error) {
	var lanes int
	if r.store, lanes, err = r.options.openStore(ctx); err != nil {
		return err
	}
	if err := r.openSpool(ctx); err != nil {
		return err
	}
	r.waiting = r.openVolumes()
	r.checkDurability(ctx)
	r.startForwards()
	r.newID = ledger.NewIDs(r.options.Clock).Next
	r.ledger = ledger.New(r.store, ledger.Options{
		NewID: r.newID,
		Lanes: lanes, Spool: r.waiting, Patience: r.options.Spool.Patience,
		ReceivedFor: r.options.KeepReceived, HistoryFor: r.options.KeepHistory, ClicksFor: r.keepClicks, Settled: r.settled,
		Logger: r.options.Logger, Observer: r.metrics, Clock: r.options.Clock, OnForwards: r.forward.Notify,
		Rules: func(name string) *conversion.Rules {
			if ep := r.watch.Current().ByName(name); ep != nil {
				return ep.Rules
			}
			return nil
		},
	})
	r.operator = operation.New(operation.Options{
		NewID: r.newID,
		Store: r.store, Ledger: r.ledger, Endpoints: r.watch.Current, Holder: uuid.NewString(), Logger: r.options.Logger,
		Rates: func() *money.Table { return r.rates.Table() }, Clock: r.options.Clock, Resent: r.forward.Notify,
	})
	r.book = space.NewLedger(space.Options{Book: r.ledger, Level: r.level, Unlogged: r.metrics.Unlogged,
		Clock: r.options.Clock})
	r.metrics.QueueDepth(r.ledger.Queued)
	return nil
}

// keepClicks is for how long clicks are kept that have no conversion; 0 = forever. No endpoint loses one that may
// convert by its clickLookback.
func (r *Receiver) keepClicks() time.Duration {
	if r.options.KeepClicks <= 0 {
		return 0
	}
	return max(r.options.KeepClicks, r.watch.Current().LongestLookback())
}

func (r *Receiver) startForwards() {
	o := r.options
	r.forward = forward.New(forward.Options{
		Options: queue.Options{
			Store:           r.store,
			HostConnections: o.ForwardConnections,
			HostRate:        o.ForwardRate,
			Keep:            o.KeepForwards,
			Logger:          o.Logger,
			Clock:           o.Clock,
			Settled:         r.settled,
		},
		Observer:     r.metrics,
		AllowPrivate: func() bool { return r.watch.Current().Fleet.AllowPrivateEgress },
		Rule: func(endpoint, name string) *rule.Rule {
			if ep := r.watch.Current().ByName(endpoint); ep != nil {
				return ep.Forward(name)
			}
			return nil
		},
	})
}

func (r *Receiver) startRates(ctx context.Context) error {
	r.rates = rates.New(rates.Options{
		Store: r.store, Holder: uuid.NewString(), Clock: r.options.Clock, Logger: r.options.Logger, OnTable: r.reprice,
	})
	r.configure(r.watch.Current())
	err := r.rates.Load(ctx)
	if r.spool != nil && errors.Is(err, ledger.ErrUnavailable) {
		return nil // what needs a rate waits for it, and the rates are loaded once the store is there
	}
	if err != nil {
		return fmt.Errorf("loading exchange rates: %w", err)
	}
	return nil
}

// configure hands a new configuration on to the parts that do not look it up for themselves.
func (r *Receiver) configure(s *endpoint.Snapshot) {
	r.rates.Configure(s.Fleet.Rates, s.Fleet.AllowPrivateEgress)
	if keep := r.options.KeepClicks; keep > 0 && keep < s.LongestLookback() {
		r.options.Logger.Warn("Clicks are kept for longer than --retention-clicks: an endpoint's clickLookback is longer",
			"retention", keep, "kept", s.LongestLookback())
	}
}

func (r *Receiver) listenOps(ctx context.Context) error {
	product, err := r.newAPI()
	if err != nil {
		return err
	}
	pages, err := r.newConsole(product)
	if err != nil {
		return err
	}
	if err := r.listenAdmin(ctx, product); err != nil {
		return err
	}
	var waiting func() ledger.SpoolStatus
	if r.waiting != nil {
		waiting = r.waiting.Status
	}
	handler := ops.New(ops.Options{
		Version:            r.options.Version,
		Config:             r.configStatus,
		Rates:              r.rateStatus,
		Draining:           r.draining.Load,
		Ping:               r.store.Ping,
		API:                product,
		Console:            pages,
		Forwards:           r.forwardStatus,
		Connections:        r.connectionStatus,
		Volumes:            r.volumes,
		Talkers:            r.topTalkers,
		Spool:              waiting,
		Durability:         r.durabilityLevel,
		RequireSynchronous: r.options.RequireSynchronous,
		Metrics:            r.metrics,
		Logger:             r.options.Logger,
		Clock:              r.options.Clock,
	})
	r.ops, err = server.Listen(ctx, server.ListenerOptions{
		Address: r.options.OpsListen, Handler: handler, HandlerTime: opsTime, Logger: r.options.Logger,
		MaxConnections: opsConnections, ReservedFiles: opsFiles,
	})
	return err
}

func (r *Receiver) listen(ctx context.Context) (err error) {
	o := r.options
	var certificate *server.Certificate
	if o.TLSCertFile != "" {
		if certificate, err = server.LoadCertificate(o.TLSCertFile, o.TLSKeyFile, o.Clock, o.Logger); err != nil {
			return err
		}
	}
	limits := o.limits()
	gate := server.NewGate(limits.Requests, func(class server.Class) { r.metrics.Overloaded(string(class)) })
	clicks := click.New(click.Options{
		Endpoints: r.watch.Current, Rates: r.rates.Table, Ledger: r.book, Observer: r.metrics,
		Hold: o.Hold, Clock: o.Clock, Logger: o.Logger,
		Admit: func(r *http.Request, endpoint string) (func(), bool) {
			return gate.Clicks(r, endpoint, click.MaxBodyBytes)
		},
	})
	handler := server.NewHandler(server.Options{
		Endpoints: r.watch.Current, Rates: r.rates.Table, Ledger: r.book, Clicks: clicks, Pages: r.pages(), Gate: gate,
		Observer: r.metrics, Hold: o.Hold, Draining: r.draining.Load, Clock: o.Clock,
		Stamp: r.stamper(ctx).Next, NewID: r.newID, Logger: o.Logger,
	})
	counted := server.Counted(handler, server.CountOptions{
		Count:  r.talkers.Count,
		Source: func(req *http.Request) netip.Addr { return incoming.Source(req, r.watch.Current().TrustedProxies) },
		Clock:  o.Clock,
	})
	r.postback, err = server.Listen(ctx, server.ListenerOptions{
		Address: o.Listen, Handler: counted, HandlerTime: o.Hold, Logger: o.Logger,
		MaxConnections: limits.Connections, MaxPerSource: limits.PerSource, Certificate: certificate, H2C: o.H2C,
		Exempt: func(peer netip.Addr) bool { return request.Contains(r.watch.Current().TrustedProxies, peer) },
	})
	if err == nil {
		r.listening.Store(r.postback)
	}
	return err
}

// connectionStatus reports on the port for postbacks, which opens after the ops port.
func (r *Receiver) connectionStatus() ops.ConnectionStatus {
	if listener := r.listening.Load(); listener != nil {
		return ops.ConnectionStatus(listener.Connections())
	}
	return ops.ConnectionStatus{}
}

func (r *Receiver) topTalkers(n int) (sources, endpoints []talkers.Talker) {
	return r.talkers.Top(n, r.options.Clock())
}

func (r *Receiver) configStatus() ops.ConfigStatus { return ops.ConfigStatus(r.watch.Status()) }

func (r *Receiver) forwardStatus() ops.ForwardStatus { return ops.ForwardStatus(r.forward.Status()) }

func (r *Receiver) rateStatus() []ops.RateStatus {
	var all []ops.RateStatus
	for _, s := range r.rates.Status() {
		all = append(all, ops.RateStatus{Source: s.Source, Date: s.Date, Fetched: s.Fetched, LastError: s.LastError})
	}
	return all
}
