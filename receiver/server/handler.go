package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/incoming"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
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
	Stamp func() int64
	// NewID gives the ids of requests, UUIDv7.
	NewID  func() uuid.UUID
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
	door     *access.Door
	guessing *guessing
}

// NewHandler returns the handler of the listening port.
func NewHandler(o Options) *Handler {
	return &Handler{Options: o, door: access.NewDoor(), guessing: newGuessing(o.Logger)}
}

// ServeHTTP implements [http.Handler]. Every answer has an id of its own in X-Request-Id: a UUIDv7, under which the
// received log keeps the postback.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := h.NewID()
	header := w.Header()
	header.Set("X-Request-Id", id.String())
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if h.Draining != nil && h.Draining() {
		header.Set("Connection", "close")
	}
	w = watchBody(w, r)
	defer h.recover(w, id)
	repaired := request.Clean(r.URL)
	if r.URL.Path == ClicksPath {
		h.Clicks.ServeHTTP(w, r)
		return
	}
	h.route(w, r, id, repaired)
}

// route tells postbacks from pages. A path of which there is nothing gets the answer of a wrong key.
func (h *Handler) route(w http.ResponseWriter, r *http.Request, id uuid.UUID, repaired bool) {
	path := request.SplitPath(r.URL.Path)
	if path.Name == request.PostbackName {
		h.authenticate(w, r, path, id, repaired)
		return
	}
	page := h.Pages(r)
	isFor(r, page.Endpoint)
	switch {
	case page.Handler == nil && config.IsAlias(path.Name):
		h.authenticate(w, r, path, id, repaired)
	case page.Handler == nil:
		h.notFound(w)
	case !h.Gate.enter(ClassVisit, page.Endpoint, 1):
		answerEmpty(w, overloaded)
	default:
		defer h.Gate.leave(ClassVisit, page.Endpoint, 1)
		page.ServeHTTP(w, r)
	}
}

// authenticate finds the endpoint by the key. Whatever is wrong up to here gets one and the same answer, which does not
// tell what exists: not even a method is refused without the key.
func (h *Handler) authenticate(w http.ResponseWriter, r *http.Request, path request.PostbackPath, id uuid.UUID,
	repaired bool) {
	began, snapshot := h.Clock(), h.Endpoints()
	said := incoming.Read(r, snapshot.TrustedProxies)
	said.ID, said.At, said.Repaired = id, began.UTC().Truncate(time.Microsecond), repaired
	a, ok := h.door.Postback(snapshot, said, path.Key, began)
	if !ok {
		rest(r, h.guessing.delay(said.Source, path.Key, began))
		h.notFound(w)
		return
	}
	if path.Name != request.PostbackName && !a.MayUse(snapshot.ByAlias(path.Name)) {
		h.notFound(w)
		return
	}
	if allowOrigin(w, r, a.Endpoint) {
		return
	}
	isFor(r, a.Endpoint.Name)
	class := ClassPostback
	if a.ClientKey {
		class = ClassVisit
	}
	if !h.Gate.enter(class, a.Endpoint.Name, 1) {
		answerEmpty(w, overloaded)
		return
	}
	defer h.Gate.leave(class, a.Endpoint.Name, 1)
	h.Observer.InFlight(1)
	defer h.Observer.InFlight(-1)
	h.postback(r.Context(), w, a, path.GIF, began)
}

func (h *Handler) notFound(w http.ResponseWriter) {
	h.Observer.WrongKey()
	answerEmpty(w, wrongKey)
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
