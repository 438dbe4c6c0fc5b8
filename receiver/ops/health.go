package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/space"
)

// DefaultStoreGrace is for how long the store may fail before the receiver stops being ready. Until then senders get a
// 503 with Retry-After from a receiver that knows why, instead of no connection at all.
const DefaultStoreGrace = 30 * time.Second

const (
	pingTimeout = 2 * time.Second
	// pingEvery bounds how often probes, which need no token, reach the store.
	pingEvery = time.Second
)

// livez says that the process answers; restarting it helps against nothing else.
func livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// readiness says whether postbacks should be sent here.
type readiness struct {
	draining func() bool
	config   func() ConfigStatus
	ping     func(context.Context) error
	spool    func() ledger.SpoolStatus
	// connections is nil where nothing is known of them.
	connections func() ConnectionStatus
	volumes     func() []space.Status
	grace       time.Duration
	// synchronous demands the level levelSync of durability.
	synchronous bool
	durability  func() string
	logger      *slog.Logger
	clock       func() time.Time

	mu       sync.Mutex
	pinged   time.Time // when the store was last asked; zero = never
	failedAt time.Time // since when it has failed without a break; zero = it works
	damaged  bool      // it fails since its files are damaged
}

func newReadiness(o Options) *readiness {
	return &readiness{
		draining: o.Draining, config: o.Config, ping: o.Ping, spool: o.Spool, connections: o.Connections, volumes: o.Volumes,
		synchronous: o.RequireSynchronous, durability: o.Durability,
		grace: o.StoreGrace, logger: o.Logger, clock: o.Clock,
	}
}

// ServeHTTP answers 200 "ready", and what else there is to know, or 503 with one line per reason.
func (h *readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if reasons := h.reasons(r.Context()); len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, strings.Join(reasons, "\n")+"\n")
		return
	}
	_, _ = io.WriteString(w, "ready\n"+h.remarks()+h.crowded()+h.filling())
}

// reasons says why the receiver is not ready. The store's own words stay in the log: they may name hosts and paths.
func (h *readiness) reasons(ctx context.Context) []string {
	var reasons []string
	if h.draining != nil && h.draining() {
		reasons = append(reasons, "draining: the receiver is about to stop")
	}
	if h.config().LoadedAt.IsZero() {
		reasons = append(reasons, "configuration: not loaded yet")
	}
	failing, damaged := h.storeFailing(ctx)
	if unable := h.unableFor(failing); damaged && h.spool == nil || unable >= h.grace {
		what := "store: not writable"
		switch {
		case damaged: // waiting does not help
			what = "store: damaged, restore a backup: not writable"
		case h.spool != nil:
			what = "store and spool: neither writable"
		}
		reasons = append(reasons, fmt.Sprintf("%s for %s", what, unable.Truncate(time.Second)))
	}
	if h.synchronous && h.durability() != levelSync {
		reasons = append(reasons, "store: commits do not wait for a standby, as is required")
	}
	return reasons
}

// storeFailing returns for how long the store has failed, 0 while it works, and whether that is because its files are
// damaged. Probes that come together share one ping.
func (h *readiness) storeFailing(ctx context.Context) (failing time.Duration, damaged bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.clock()
	if h.pinged.IsZero() || now.Sub(h.pinged) >= pingEvery {
		h.pinged = now
		h.askStore(ctx, now)
	}
	if h.failedAt.IsZero() {
		return 0, false
	}
	return now.Sub(h.failedAt), h.damaged
}

// askStore pings the store. A probe that is given up must not count as a failing store.
func (h *readiness) askStore(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
	defer cancel()
	err := h.ping(ctx)
	h.damaged = errors.Is(err, ledger.ErrCorrupt)
	switch {
	case err == nil && !h.failedAt.IsZero():
		h.logger.Info("Store can be written again", "failed_for", now.Sub(h.failedAt))
		h.failedAt = time.Time{}
	case err != nil && h.failedAt.IsZero():
		h.logger.Error("Store cannot be written", "error", err)
		h.failedAt = now
	}
}
