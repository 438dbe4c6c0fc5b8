package click

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// Recorder is the part of the ledger that clicks need.
type Recorder interface {
	// AddClicks returns only when all clicks are durable, with one result for each.
	AddClicks(ctx context.Context, clicks []conversion.Click) ([]ledger.ClickResult, error)
}

// Observer observes what becomes of clicks.
type Observer interface {
	// Clicks is called with the counts of one answer.
	Clicks(accepted, duplicate, rejected int)
	// ClicksUnstored is called with how many clicks are not known to be durable.
	ClicksUnstored(clicks int)
	// ClicksLimited is called with how many visits were no clicks because they came above a limit.
	ClicksLimited(clicks int)
}

// Options are what an [Intake] works with. All are mandatory.
type Options struct {
	// Endpoints and Rates return what is current now.
	Endpoints func() *endpoint.Snapshot
	Rates     func() *money.Table
	Ledger    Recorder
	Observer  Observer
	// Hold bounds how long a request waits for the ledger.
	Hold   time.Duration
	Clock  func() time.Time
	Logger *slog.Logger
	// Admit reports whether there is room for a request of an endpoint, and is asked before its body is read. If ok, leave
	// is called at the end.
	Admit func(r *http.Request, endpoint string) (leave func(), ok bool)
}

// Intake is the handler of the click intake: `POST` with `Authorization: Bearer` and the endpoint's click token. It
// answers 200 once every click that is not rejected is durable, also when that is none. The Content-Type does not
// matter.
type Intake struct{ Options }

// New returns the handler.
func New(o Options) *Intake { return &Intake{o} }

// Rejection says which item of a request, counted from 0, was rejected and why.
type Rejection struct {
	Index  int    `json:"index"`
	Reason Reason `json:"reason"`
}

// Answer is the reply to a request that could be read.
type Answer struct {
	Accepted  int         `json:"accepted"`
	Duplicate int         `json:"duplicate"`
	Rejected  []Rejection `json:"rejected"`
}

// ServeHTTP implements [http.Handler].
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := in.Clock().UTC().Truncate(time.Microsecond)
	ep, ok := access.Clicks(in.Endpoints(), r.Header.Get("Authorization"), now)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer realm="clicks"`)
		refuse(w, http.StatusUnauthorized, "send the endpoint's click token: Authorization: Bearer TOKEN")
		return
	}
	leave, ok := in.Admit(r, ep.Name)
	if !ok {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "the receiver is overloaded: send all of them again")
		return
	}
	defer leave()
	body, status, err := readBody(w, r)
	if err != nil {
		refuse(w, status, err.Error())
		return
	}
	scope := Scope{Endpoint: ep.Name, Currency: ep.Currency, Rates: in.Rates(), Now: now}
	items, err := scope.Decode(body)
	switch {
	case errors.Is(err, ErrTooMany):
		refuse(w, http.StatusRequestEntityTooLarge, err.Error())
	case err != nil:
		refuse(w, http.StatusBadRequest, err.Error())
	default:
		in.record(w, r, ep.Name, items)
	}
}

func readBody(w http.ResponseWriter, r *http.Request) (body []byte, status int, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, http.StatusMethodNotAllowed, errors.New("clicks are sent by POST")
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		w.Header().Set("Accept-Encoding", "identity")
		return nil, http.StatusUnsupportedMediaType, errors.New("the body must not be compressed")
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	if errors.As(err, new(*http.MaxBytesError)) {
		return nil, http.StatusRequestEntityTooLarge, errors.New("the body is larger than 8 MiB")
	}
	if err != nil {
		return nil, http.StatusBadRequest, errors.New("the body ended early")
	}
	return body, http.StatusOK, nil
}

// record stores the clicks that can be, also when the sender has gone meanwhile.
func (in *Intake) record(w http.ResponseWriter, r *http.Request, endpointName string, items []Item) {
	answer := Answer{Rejected: []Rejection{}}
	var clicks []conversion.Click
	for i, item := range items {
		if item.Reason != "" {
			answer.Rejected = append(answer.Rejected, Rejection{i, item.Reason})
			continue
		}
		clicks = append(clicks, item.Click)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), in.Hold)
	defer cancel()
	results, err := in.Ledger.AddClicks(ctx, clicks)
	if err != nil {
		in.Observer.ClicksUnstored(len(clicks))
	}
	switch {
	case errors.Is(err, ledger.ErrPoisoned):
		in.Logger.Error("Store refuses clicks", "endpoint", endpointName, "error", err)
		refuse(w, http.StatusInternalServerError, "the clicks could not be stored")
		return
	case err != nil:
		// Why is logged once elsewhere; this would say it for every request.
		in.Logger.Debug("Clicks not stored", "endpoint", endpointName, "clicks", len(clicks), "error", err)
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "some clicks may not be stored: send all of them again")
		return
	}
	for _, result := range results {
		if result == ledger.ClickDuplicate {
			answer.Duplicate++
		} else {
			answer.Accepted++
		}
	}
	in.Observer.Clicks(answer.Accepted, answer.Duplicate, len(answer.Rejected))
	writeJSON(w, http.StatusOK, answer)
}

func refuse(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, struct {
		Error string `json:"error"`
	}{message})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // Fails only when the sender has gone.
}
