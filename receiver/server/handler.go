package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/ratelimit"
)

// ClicksPath is where the click intake listens.
const ClicksPath = "/clicks"

// Recorder is the part of the ledger that postbacks need.
type Recorder interface {
	// Postback returns only when the postback is durable; an error means that it is not known to be.
	Postback(ctx context.Context, p ledger.Postback) (ledger.Result, error)
}

// Options are what a [Handler] works with. All are mandatory except where the comment says otherwise.
type Options struct {
	// Endpoints and Rates return what is current now.
	Endpoints func() *endpoint.Snapshot
	Rates     func() *money.Table
	Ledger    Recorder
	// Clicks serves [ClicksPath].
	Clicks http.Handler
	// Pages returns what answers a request that is no postback, such as one for a campaign's link.
	Pages    func(r *http.Request) Page
	Observer Observer
	// Gate bounds the requests in flight, but for those to Clicks, which bounds them itself; nil = no bound.
	Gate *Gate
	// Hold bounds how long a postback waits for the ledger.
	Hold time.Duration
	// Draining, once true, makes every answer the last on its connection; nil = never.
	Draining func() bool
	Clock    func() time.Time
	// Stamp orders the postbacks of this process, see [conversion.Intent].
	Stamp  func() int64
	Logger *slog.Logger
}

// Page is what answers a request that is no postback. The zero Page answers nothing.
type Page struct {
	http.Handler
	// Endpoint owns the page; empty if it is nobody's or not known yet.
	Endpoint string
}

// Handler answers everything that arrives at the listening port.
type Handler struct {
	Options
	limiter  *ratelimit.Limiter
	guessing *guessing
}

// NewHandler returns the handler of the listening port.
func NewHandler(o Options) *Handler {
	return &Handler{Options: o, limiter: ratelimit.NewLimiter(), guessing: newGuessing(o.Logger)}
}

// ServeHTTP implements [http.Handler]. Every answer has an id of its own in X-Request-Id: a UUIDv7, under which the
// received log keeps the postback.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.Must(uuid.NewV7())
	header := w.Header()
	header.Set("X-Request-Id", id.String())
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if h.Draining != nil && h.Draining() {
		header.Set("Connection", "close")
	}
	w = watchBody(w, r)
	defer h.recover(w, id)
	repaired := clean(r.URL)
	if r.URL.Path == ClicksPath {
		h.Clicks.ServeHTTP(w, r)
		return
	}
	h.route(w, r, id, repaired)
}

// route tells postbacks from pages. A path of which there is nothing gets the answer of a wrong key.
func (h *Handler) route(w http.ResponseWriter, r *http.Request, id uuid.UUID, repaired bool) {
	key, name, gif := splitPath(r.URL.Path)
	v := visit{id: id, gif: gif, repaired: repaired}
	if name == "postback" {
		h.authenticate(w, r, key, v)
		return
	}
	page := h.Pages(r)
	switch {
	case page.Handler == nil && config.IsAlias(name):
		v.alias = name
		h.authenticate(w, r, key, v)
	case page.Handler == nil:
		h.notFound(w)
	case !h.Gate.enter(ClassVisit, page.Endpoint, 1):
		overloaded(w)
	default:
		defer h.Gate.leave(ClassVisit, page.Endpoint, 1)
		page.ServeHTTP(w, r)
	}
}

// authenticate finds the endpoint by the key. Whatever is wrong up to here gets one and the same answer, which does not
// tell what exists: not even a method is refused without the key.
func (h *Handler) authenticate(w http.ResponseWriter, r *http.Request, key string, v visit) {
	now := h.Clock()
	snapshot := h.Endpoints()
	var ok bool
	if v.endpoint, v.keyID, ok = snapshot.ByKey(key, now); !ok {
		v.endpoint, v.keyID, ok = snapshot.ByClientKey(key, now)
		v.inPage = true
	}
	source := postback.SourceIP(peer(r), r.Header.Values("X-Forwarded-For"), snapshot.TrustedProxies)
	if !ok {
		rest(r, h.guessing.delay(source, key, now))
		h.notFound(w)
		return
	}
	if v.alias != "" && !v.ownsAlias(snapshot) {
		h.notFound(w)
		return
	}
	if isPreflight(v.endpoint, r) {
		allowPreflight(w, r)
		return
	}
	allowOrigin(w.Header(), v.endpoint, r.Header.Get("Origin"))
	class := ClassPostback
	if v.inPage {
		class = ClassVisit
	}
	if !h.Gate.enter(class, v.endpoint.Name, 1) {
		overloaded(w)
		return
	}
	defer h.Gate.leave(class, v.endpoint.Name, 1)
	h.Observer.InFlight(1)
	defer h.Observer.InFlight(-1)
	v.source = source
	v.began, v.at, v.stamp = now, now.UTC().Truncate(time.Microsecond), h.Stamp()
	if v.inPage && !h.admit(w, r, &v) {
		return
	}
	h.postback(w, r, &v)
}

func (h *Handler) notFound(w http.ResponseWriter) {
	h.Observer.WrongKey()
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusNotFound)
}

// splitPath takes /{key}/{name} and /{key}/{name}.gif apart. The name is empty for any other path.
func splitPath(path string) (key, name string, gif bool) {
	key, name, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if key == "" {
		return "", "", false
	}
	name, gif = strings.CutSuffix(name, ".gif")
	return key, name, gif
}

// peer is the other end of the connection; the zero address where that is none of IP.
func peer(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	return addr.Addr()
}

// recover answers 500 to a request whose handling panicked. The panic's own text may hold what the sender sent, so only
// the text of the runtime's errors is logged.
func (h *Handler) recover(w http.ResponseWriter, id uuid.UUID) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler { //nolint:errorlint // that is how net/http itself compares it
		panic(cause)
	}
	text := fmt.Sprintf("%T", cause)
	if err, ok := cause.(runtime.Error); ok {
		text = err.Error()
	}
	h.Logger.Error("Answering a request panicked", "request", id, "panic", text, "stack", string(debug.Stack()))
	w.WriteHeader(http.StatusInternalServerError)
}
