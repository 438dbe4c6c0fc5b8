// Package ops owns the receiver's second port: liveness and readiness, the configuration that is served (/configz), the
// Prometheus metrics, and the API over conversions, received postbacks and S2S postbacks. It only reads, but for S2S
// postbacks that it is told to have sent again, and learns everything through the functions and the small interface of [Options]: it must not import a store engine, the postback listener
// or package rates.
package ops

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/space"
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
	// Store is what the read API reads and what readiness pings.
	Store Store
	// Forwards reports on the deliverer of S2S postbacks; nil = there is none.
	Forwards func() ForwardStatus
	// Resent is told the hosts of S2S postbacks that are to be sent again; nil = nobody is.
	Resent func(hosts []string)
	// Connections reports on the connections of the port for postbacks; nil = there are none.
	Connections func() ConnectionStatus
	// Volumes reports on what the store and the spool are on; nil = nothing is known.
	Volumes func() []space.Status
	// Spool reports on the spool; nil = there is none. The receiver is ready while it takes postbacks.
	Spool func() ledger.SpoolStatus
	// Durability reports what a commit survives: "none", "local", "sync", or "" while that is not known; nil = never.
	// RequireSynchronous, which needs Durability, makes the receiver not ready unless that is "sync".
	Durability         func() string
	RequireSynchronous bool
	// StoreGrace is for how long the store may fail before the receiver stops being ready; 0 = [DefaultStoreGrace].
	StoreGrace time.Duration
	// CountsAs says how an endpoint's custom conversion types count in /api/v1/revenue; nil = in their own metric only.
	CountsAs CountsAsFunc
	// Token guards the read API; nil = it answers on loopback only.
	Token *TokenFile
	// Metrics are exposed on /metrics.
	Metrics *Metrics
	Logger  *slog.Logger
	// Clock tells the time; nil = time.Now.
	Clock func() time.Time
}

// New returns the handler of the ops port. Everything but the read API answers without a token: health, /configz and
// /metrics hold neither keys nor conversions.
func New(o Options) http.Handler {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.StoreGrace == 0 {
		o.StoreGrace = DefaultStoreGrace
	}
	if o.CountsAs == nil {
		o.CountsAs = func(string, string) config.CountsAs { return config.CountsAsNone }
	}
	if o.Resent == nil {
		o.Resent = func([]string) {}
	}
	if o.Volumes == nil {
		o.Volumes = func() []space.Status { return nil }
	}
	o.Metrics.observe(o)

	mux := http.NewServeMux()
	mux.HandleFunc("/livez", livez)
	mux.Handle("/readyz", newReadiness(o))
	mux.Handle("/configz", configz(o))
	mux.Handle("/metrics", promhttp.HandlerFor(o.Metrics.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.Handle("/api/v1/", guard(o.Token, o.Logger, newAPI(o)))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { writeError(w, http.StatusNotFound, "no such page") })

	// What changes something wants the token, also on loopback.
	root := http.NewServeMux()
	root.Handle("/", readOnly(mux))
	if o.Token != nil {
		root.Handle("POST "+resendPath, mux)
	} else {
		root.HandleFunc("POST "+resendPath, func(w http.ResponseWriter, _ *http.Request) {
			writeError(w, http.StatusForbidden, "sending again needs a token: start the receiver with --ops-token-file")
		})
	}
	return unkept(root)
}

// resendPath is the one that changes something.
const resendPath = "/api/v1/forwards/{id}/resend"

// unkept keeps answers out of caches and of browsers' guesses.
func unkept(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// readOnly refuses everything but GET and HEAD.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeError(w, http.StatusMethodNotAllowed, "this port only answers GET and HEAD")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// writeJSON answers with v as it is: queries keep their "&" readable.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // Fails only when the client has gone.
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, struct {
		Error string `json:"error"`
	}{message})
}
