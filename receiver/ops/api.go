package ops

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// queryTimeout bounds how long one request of the read API may keep the store busy.
const queryTimeout = time.Minute

// Store is what the ops port reads, and where it has S2S postbacks sent again; every [ledger.Store] is one.
type Store interface {
	Conversions(context.Context, ledger.ConversionFilter) iter.Seq2[*conversion.Conversion, error]
	History(context.Context, uuid.UUID) ([]*conversion.Conversion, error)
	Received(context.Context, ledger.ReceivedFilter) iter.Seq2[ledger.Received, error]
	Forwards(context.Context, ledger.OutboxFilter) iter.Seq2[ledger.OutboxRow, error]
	ResendForward(context.Context, uuid.UUID, time.Time) error
	Ping(context.Context) error
}

type api struct {
	store    Store
	countsAs CountsAsFunc
	resent   func(hosts []string)
	clock    func() time.Time
	logger   *slog.Logger
}

func newAPI(o Options) http.Handler {
	a := &api{store: o.Store, countsAs: o.CountsAs, resent: o.Resent, clock: o.Clock, logger: o.Logger}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/conversions", a.handle(a.conversions))
	mux.Handle("/api/v1/conversions/{id}/history", a.handle(a.history))
	mux.Handle("/api/v1/postbacks", a.handle(a.postbacks))
	mux.Handle("/api/v1/revenue", a.handle(a.revenue))
	mux.Handle("/api/v1/forwards", a.handle(a.forwards))
	mux.Handle("POST "+resendPath, a.handle(a.resendForward))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusNotFound, "no such resource; there are /api/v1/conversions, /api/v1/conversions/{id}/history, /api/v1/postbacks, /api/v1/revenue, /api/v1/forwards and POST "+resendPath)
	})
	return mux
}

func (a *api) conversions(w http.ResponseWriter, r *http.Request) error {
	f, err := parseFilters(r.URL.RawQuery, conversionFilters)
	if err != nil {
		return err
	}
	selected := f.conversions()
	selected.Limit++ // One more tells whether there is a next page.
	id := func(c *conversion.Conversion) uuid.UUID { return c.ID }
	return writePage(w, a.store.Conversions(r.Context(), selected), f.limit, id, viewConversion)
}

func (a *api) postbacks(w http.ResponseWriter, r *http.Request) error {
	f, err := parseFilters(r.URL.RawQuery, postbackFilters)
	if err != nil {
		return err
	}
	selected := f.received()
	selected.Limit++
	id := func(row ledger.Received) uuid.UUID { return row.ID }
	return writePage(w, a.store.Received(r.Context(), selected), f.limit, id, viewPostback)
}

func (a *api) history(w http.ResponseWriter, r *http.Request) error {
	if _, err := parseFilters(r.URL.RawQuery, noFilters); err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return badRequest("id: must be a conversion's id, a UUID")
	}
	versions, err := a.store.History(r.Context(), id)
	if err != nil {
		return err
	}
	views := make([]any, len(versions))
	for i, version := range versions {
		views[i] = viewConversion(version)
	}
	writeJSON(w, http.StatusOK, page{Items: views})
	return nil
}

// page is the answer of a list that is written in one go.
type page struct {
	Items      []any      `json:"items"`
	NextCursor *uuid.UUID `json:"next_cursor"`
}

// writePage streams rows, so that memory does not grow with the page. rows yields up to limit+1 of them.
func writePage[T any](w http.ResponseWriter, rows iter.Seq2[T, error], limit int, id func(T) uuid.UUID, view func(T) any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	var last uuid.UUID
	written := 0
	for row, err := range rows {
		if err != nil {
			return brokenAfter(written, err)
		}
		if written == limit {
			return brokenAfter(written, endPage(w, encoder, &last))
		}
		if _, err := io.WriteString(w, startOf(w, written)); err != nil {
			return brokenAfter(1, err)
		}
		if err := encoder.Encode(view(row)); err != nil {
			return brokenAfter(1, err)
		}
		last = id(row)
		written++
	}
	if written == 0 {
		writeJSON(w, http.StatusOK, page{Items: []any{}})
		return nil
	}
	return brokenAfter(written, endPage(w, encoder, nil))
}

// startOf returns what stands before an item, which is on a line of its own.
func startOf(w http.ResponseWriter, item int) string {
	if item > 0 {
		return ","
	}
	w.Header().Set("Content-Type", "application/json")
	return `{"items":[` + "\n"
}

func endPage(w io.Writer, encoder *json.Encoder, cursor *uuid.UUID) error {
	if _, err := io.WriteString(w, `],"next_cursor":`); err != nil {
		return err
	}
	if err := encoder.Encode(cursor); err != nil {
		return err
	}
	_, err := io.WriteString(w, "}\n")
	return err
}

// errBroken marks an answer that failed after its status had been sent.
var errBroken = errors.New("answer broken off")

func brokenAfter(written int, err error) error {
	if written == 0 || err == nil {
		return err
	}
	return errors.Join(errBroken, err)
}

// handle turns a resource's error into an answer. The store's own words stay in the log.
func (a *api) handle(resource func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
		defer cancel()
		err := resource(w, r.WithContext(ctx))
		if err == nil {
			return
		}
		var bad badRequest
		if errors.As(err, &bad) {
			writeError(w, http.StatusBadRequest, bad.Error())
			return
		}
		if errors.Is(err, ledger.ErrNotFound) {
			writeError(w, http.StatusNotFound, "no such conversion")
			return
		}
		if r.Context().Err() == nil {
			a.logger.Error("Answering the read API", "path", r.URL.Path, "error", err)
		}
		switch {
		case errors.Is(err, errBroken):
			// Only a broken connection tells the client that what it has got is not the whole.
			panic(http.ErrAbortHandler)
		case errors.Is(err, context.DeadlineExceeded):
			writeError(w, http.StatusServiceUnavailable, "the query took longer than "+queryTimeout.String()+"; narrow it with from and to")
		case errors.Is(err, ledger.ErrUnavailable):
			writeError(w, http.StatusServiceUnavailable, "the store is not available")
		default:
			writeError(w, http.StatusInternalServerError, "the store failed; see the receiver's log")
		}
	})
}
