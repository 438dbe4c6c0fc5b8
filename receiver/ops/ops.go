// Package ops owns the receiver's second port: liveness and readiness, the configuration that is served (/configz), and
// the Prometheus metrics. The API of package api is served beside them. It learns everything through the functions of
// [Options]: it must not import a store engine, the postback listener or package rates.
package ops

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/postback-dev/postback-operator/console"
	"github.com/postback-dev/postback-operator/receiver/api"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/space"
	"github.com/postback-dev/postback-operator/receiver/talkers"
)

// Options are what the handler shows. Fields without a comment on nil are mandatory.
type Options struct {
	// Version is the program's version.
	Version string
	// Config reports on the configuration directory; ConfigStatus.LoadedAt is zero before the first load.
	Config func() ConfigStatus
	// Rates reports on the sources of exchange rates, in order of preference; nil = there are none.
	Rates func() []RateStatus
	// Draining reports whether the receiver is about to stop; nil = never.
	Draining func() bool
	// Ping reports whether the store can be written now; readiness asks it.
	Ping func(context.Context) error
	// API answers below /api/v1/, Console below [console.Base]; nil = nothing does.
	API, Console http.Handler
	// Forwards reports on the deliverer of S2S postbacks; nil = there is none.
	Forwards func() ForwardStatus
	// Connections reports on the connections of the port for postbacks; nil = there are none.
	Connections func() ConnectionStatus
	// Volumes reports on what the store and the spool are on; nil = nothing is known.
	Volumes func() []space.Status
	// Talkers returns the n sources and the n endpoints with most requests; nil = nobody counts them.
	Talkers func(n int) (sources, endpoints []talkers.Talker)
	// Spool reports on the spool; nil = there is none. The receiver is ready while it takes postbacks.
	Spool func() ledger.SpoolStatus
	// Durability reports what a commit survives: "none", "local", "sync", or "" while that is not known; nil = never.
	// RequireSynchronous, which needs Durability, makes the receiver not ready unless that is "sync".
	Durability         func() string
	RequireSynchronous bool
	// StoreGrace is for how long the store may fail before the receiver stops being ready; 0 = [DefaultStoreGrace].
	StoreGrace time.Duration
	// Metrics are exposed on /metrics.
	Metrics *Metrics
	Logger  *slog.Logger
	// Clock tells the time; nil = time.Now.
	Clock func() time.Time
}

// New returns the handler of the ops port. Everything but the API answers without a token: health, /configz and
// /metrics hold neither keys nor conversions.
func New(o Options) http.Handler {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.StoreGrace == 0 {
		o.StoreGrace = DefaultStoreGrace
	}
	if o.Volumes == nil {
		o.Volumes = func() []space.Status { return nil }
	}
	if o.Talkers == nil {
		o.Talkers = func(int) (sources, endpoints []talkers.Talker) { return nil, nil }
	}
	o.Metrics.observe(o)

	pages := http.NewServeMux()
	pages.HandleFunc("/livez", livez)
	pages.Handle("/readyz", newReadiness(o))
	pages.Handle("/configz", configz(o))
	pages.Handle("/metrics", promhttp.HandlerFor(o.Metrics.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	pages.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		api.WriteError(w, http.StatusNotFound, "no such page")
	})
	root := http.NewServeMux()
	root.Handle("/", api.ReadOnly(pages))
	if o.API != nil {
		root.Handle("/api/v1/", o.API)
	}
	if o.Console != nil {
		root.Handle(console.Base, o.Console)
		root.Handle("GET /{$}", http.RedirectHandler(console.Base, http.StatusFound))
	}
	return api.NoStore(root)
}
