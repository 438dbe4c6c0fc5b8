// Package keitaro owns the subset of Keitaro's Admin API, below /admin_api/v1, so that scripts of people who
// move from Keitaro keep working. It translates requests onto the product API of the same receiver and its answers
// back: it sums nothing, stores nothing and imports no store. Names of columns, metrics, operators and intervals are
// Keitaro's; docs/keitaro-api.md lists them.
//
// A listener of its own serves it, because scripts reach it from outside the cluster: the key reads every endpoint of
// the fleet, opens nothing else and changes nothing. A second one, if there is one, also updates costs.
package keitaro

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/api/read/client"
)

// Prefix is where the API is.
const Prefix = "/admin_api/v1/"

// maxBody bounds a request's body, in bytes.
const maxBody = 512 << 10

// queryTime bounds how long a request may keep the store busy.
const queryTime = time.Minute

// Options of the API. All are mandatory, except as said.
type Options struct {
	// API answers for all endpoints of the fleet, and lets nothing be changed.
	API *client.Client
	// Campaigns returns the declared ones, sorted by endpoint and name.
	Campaigns func() []Campaign
	// Key authenticates scripts. CostKey authenticates those that may also update costs, by Costs, which may do so; both
	// are nil if nobody may.
	Key     *Key
	CostKey *Key
	Costs   *client.Client
	Logger  *slog.Logger
	Clock   func() time.Time
}

// Campaign is a declared campaign. Its name is unique within its endpoint.
type Campaign struct{ Endpoint, Name, Alias string }

type handler struct{ Options }

// New returns the handler of the whole listener.
func New(o Options) http.Handler {
	h := &handler{o}
	mux := http.NewServeMux()
	for path, answer := range map[string]func(*http.Request) (any, error){
		"POST " + Prefix + "report/build":    h.report,
		"POST " + Prefix + "conversions/log": h.conversions,
		"POST " + Prefix + "clicks/log":      h.clicks,
		"GET " + Prefix + "campaigns":        h.campaigns,
		"GET " + Prefix + "offers":           h.offers,
		"GET " + Prefix + "groups":           h.groups,
	} {
		mux.Handle(path, h.answered(answer))
	}
	mux.Handle("POST "+Prefix+"clicks/update_costs", h.answered(h.updateCosts))
	mux.HandleFunc("/", otherwise)
	return h.guard(mux)
}

// resources are named where something else is asked for.
const resources = "POST report/build, POST conversions/log, POST clicks/log, POST clicks/update_costs, " +
	"GET campaigns, GET offers, GET groups"

// otherwise answers what is not there: what would change something has a reason of its own.
func otherwise(w http.ResponseWriter, r *http.Request) {
	read := slices.Contains([]string{http.MethodGet, http.MethodHead}, r.Method)
	switch path := strings.TrimPrefix(r.URL.Path, Prefix); {
	case !read && path != "report/build" && path != "conversions/log" && path != "clicks/log" &&
		path != "clicks/update_costs":
		refuse(w, http.StatusMethodNotAllowed, "this API only reads, except for costs, and what is configured is "+
			"declared as Kubernetes objects; there are "+resources)
	default:
		refuse(w, http.StatusNotFound, "no such resource below "+Prefix+"; there are "+resources)
	}
}

// invalid is an error that tells the script what to correct.
type invalid string

func (e invalid) Error() string { return string(e) }

func (h *handler) answered(answer func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), queryTime)
		defer cancel()
		made, err := answer(r.WithContext(ctx))
		if err == nil {
			write(w, http.StatusOK, made)
			return
		}
		var bad invalid
		var failure *client.Failure
		switch {
		case errors.As(err, &bad):
			refuse(w, http.StatusBadRequest, bad.Error())
		case errors.As(err, &failure):
			refuse(w, failure.Status, failure.Message)
		default:
			if r.Context().Err() == nil {
				h.Logger.Error("Answering Keitaro's Admin API", "path", r.URL.Path, "error", err)
			}
			refuse(w, http.StatusServiceUnavailable, "this could not be answered in time; narrow the range")
		}
	})
}

// decode reads the body of a request.
func decode(r *http.Request, v any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return invalid("the body could not be read")
	case len(body) > maxBody:
		return invalid("the body is larger than 512 KiB")
	}
	if err := json.Unmarshal(body, v); err != nil {
		return invalid("the body must be a JSON object: " + err.Error())
	}
	return nil
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // Fails only when the script has gone.
}

func refuse(w http.ResponseWriter, status int, message string) {
	write(w, status, map[string]string{"error": message})
}
