// Package api owns the product API under /api/v1: what was received and recorded, for people and their programs. It
// reads a ledger through the interface of [Options] and speaks the JSON of api/read/v1alpha1. It must not import a
// store engine or the listener of postbacks.
package api

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/explain"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	work "github.com/postback-dev/postback-operator/receiver/operation"
	"github.com/postback-dev/postback-operator/receiver/report"
	"github.com/postback-dev/postback-operator/receiver/talkers"
)

// queryTimeout bounds how long one request of the read API may keep the store busy.
const queryTimeout = time.Minute

// Store is what the API reads, and where it has S2S postbacks sent again; every [ledger.Store] is one.
type Store interface {
	ledger.Journal
	Conversions(context.Context, ledger.ConversionFilter) iter.Seq2[*conversion.Conversion, error]
	History(context.Context, uuid.UUID) ([]*conversion.Conversion, error)
	Received(context.Context, ledger.ReceivedFilter) iter.Seq2[ledger.Received, error]
	Click(ctx context.Context, endpoint, subid string) (*conversion.Click, error)
	Clicks(context.Context, ledger.ClickFilter) iter.Seq2[*conversion.Click, error]
	Forwards(context.Context, ledger.OutboxFilter) iter.Seq2[ledger.OutboxRow, error]
	ResendForward(ctx context.Context, id, operation uuid.UUID, now time.Time) error
}

// Options are what the API shows. Fields without a comment on nil are mandatory.
type Options struct {
	Store Store
	// Reports are made of its facts, by Rules.
	Reports Facts
	Rules   report.Rules
	// Resent is called with the hosts whose S2S postbacks are to be sent again; nil = nobody has to know.
	Resent func(hosts []string)
	// Talkers returns the n sources and the n endpoints with most requests; nil = nobody counts them.
	Talkers func(n int) (sources, endpoints []talkers.Talker)
	// Explainer explains postbacks, and judges the words of those in the log; nil = nobody does, and there are no such
	// resources.
	Explainer *explain.Explainer
	// Operator works off operations; nil = nobody does, and there are no such resources.
	Operator *work.Operator
	// Token guards the API; nil = it answers on loopback only, and changes nothing.
	Token  *TokenFile
	Logger *slog.Logger
	// Clock tells the time; nil = time.Now.
	Clock func() time.Time
}

type api struct {
	Options
	// turns holds one element for each report that is being made.
	turns chan struct{}
	// exports has room for the streams that may be written at a time.
	exports chan struct{}
	tail    tail
}

// resendPath is the one that changes something.
const resendPath = "/api/v1/forwards/{id}/resend"

// New returns the handler of everything below /api/v1/.
func New(o Options) http.Handler {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Resent == nil {
		o.Resent = func([]string) {}
	}
	if o.Talkers == nil {
		o.Talkers = func(int) (sources, endpoints []talkers.Talker) { return nil, nil }
	}
	a := &api{Options: o, turns: make(chan struct{}, reportsAtATime), exports: make(chan struct{}, exportsAtATime),
		tail: tail{journal: o.Store}}
	root := http.NewServeMux()
	operations := a.operations()
	for i := range operations {
		o := &operations[i]
		if o.method == http.MethodGet {
			root.Handle(o.path, ReadOnly(o.handler))
			continue
		}
		root.Handle(o.method+" "+o.path, o.handler)
	}
	root.Handle("/", ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		WriteError(w, http.StatusNotFound, "no such resource; "+openAPIPath+" lists them")
	})))
	return NoStore(guard(o.Token, o.Logger, root))
}

// resource answers a request, or returns why it cannot: see handle.
type resource func(http.ResponseWriter, *http.Request) error

// scoped is a resource that keeps to the endpoint of a token.
func (a *api) scoped(scope read.Scope, answered http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !grantOf(r).May(scope) {
			WriteError(w, http.StatusForbidden, "this token lacks the scope "+string(scope))
			return
		}
		answered.ServeHTTP(w, r)
	})
}

// ofFleet is a resource about a whole fleet: a token of one endpoint does not open it.
func (a *api) ofFleet(answer resource) http.Handler {
	answered := a.handle(answer)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if grantOf(r).Endpoint != "" {
			WriteError(w, http.StatusForbidden, "this needs the ops token of the fleet, not one of an endpoint")
			return
		}
		answered.ServeHTTP(w, r)
	})
}

func (a *api) history(w http.ResponseWriter, r *http.Request) error {
	if _, err := filtersOf(r, noFilters); err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return badRequest("id: must be a conversion's id, a UUID")
	}
	versions, err := a.Store.History(r.Context(), id)
	if err != nil {
		return err
	}
	if only := grantOf(r).Endpoint; only != "" && versions[0].Endpoint != only {
		return ledger.ErrNotFound
	}
	views := make([]read.Conversion, len(versions))
	for i, version := range versions {
		views[i] = viewConversion(version)
	}
	WriteJSON(w, http.StatusOK, read.Page[read.Conversion]{Items: views})
	return nil
}

// handle is a resource that does not take long.
func (a *api) handle(answer resource) http.Handler {
	return a.handleError(func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
		defer cancel()
		return answer(w, r.WithContext(ctx))
	})
}

// handleError turns a resource's error into an answer. The store's own words stay in the log.
func (a *api) handleError(answer resource) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := answer(w, r)
		if err == nil {
			return
		}
		var bad badRequest
		if errors.As(err, &bad) {
			WriteError(w, http.StatusBadRequest, bad.Error())
			return
		}
		var closed forbidden
		if errors.As(err, &closed) {
			WriteError(w, http.StatusForbidden, closed.Error())
			return
		}
		if errors.Is(err, ledger.ErrNotFound) {
			WriteError(w, http.StatusNotFound, "no such conversion")
			return
		}
		for _, none := range []error{errNoClick, errNoOperation} {
			if errors.Is(err, none) {
				WriteError(w, http.StatusNotFound, none.Error())
				return
			}
		}
		if r.Context().Err() == nil {
			a.Logger.Error("Answering the read API", "path", r.URL.Path, "error", err)
		}
		switch {
		case errors.Is(err, errBroken):
			// Only a broken connection tells the client that what it has got is not the whole.
			panic(http.ErrAbortHandler)
		case errors.Is(err, context.DeadlineExceeded):
			WriteError(w, http.StatusServiceUnavailable,
				"the query took longer than "+queryTimeout.String()+"; narrow it with from and to")
		case errors.Is(err, ledger.ErrUnavailable):
			WriteError(w, http.StatusServiceUnavailable, "the store is not available")
		default:
			WriteError(w, http.StatusInternalServerError, "the store failed; see the receiver's log")
		}
	})
}
