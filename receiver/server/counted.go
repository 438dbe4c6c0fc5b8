package server

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// CountOptions of [Counted]. All are mandatory.
type CountOptions struct {
	// Count is called for each request that was answered: who sent it, for which endpoint, empty if for none, and whether
	// it was refused: answered 4xx or 5xx, or with the outcome `refused`.
	Count func(source netip.Addr, endpoint string, refused bool, now time.Time)
	// Source returns who sent a request.
	Source func(r *http.Request) netip.Addr
	Clock  func() time.Time
}

// Counted returns a handler that reports the requests of another.
func Counted(next http.Handler, o CountOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &countedAnswer{ResponseWriter: w}
		next.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), countedKey{}, answer)))
		outcome, _, _ := strings.Cut(w.Header().Get("X-Postback-Outcome"), ";")
		refused := answer.status >= http.StatusBadRequest || outcome == string(conversion.Refused)
		o.Count(o.Source(r), answer.endpoint, refused, o.Clock())
	})
}

type countedKey struct{}

// isFor notes which endpoint a request is for.
func isFor(r *http.Request, endpoint string) {
	if answer, ok := r.Context().Value(countedKey{}).(*countedAnswer); ok {
		answer.endpoint = endpoint
	}
}

// countedAnswer is a reply whose status is noted; 0 = the handler left it to net/http, which sends 200.
type countedAnswer struct {
	http.ResponseWriter
	endpoint string
	status   int
}

// WriteHeader implements [http.ResponseWriter].
func (a *countedAnswer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (a *countedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
