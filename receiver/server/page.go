package server

import (
	"net/http"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/clientkey"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/ratelimit"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// cookieSubID is the cookie by which a browser knows its last click.
const cookieSubID = "subid"

// allowOrigin lets a page of an origin that the endpoint declares read the answer, with whichever key it asks.
func allowOrigin(header http.Header, ep *endpoint.Endpoint, origin string) {
	if ep.Browser == nil {
		return
	}
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("Vary", "Origin")
	if ep.Browser.AllowsOrigin(origin) {
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Expose-Headers", "X-Postback-Outcome, X-Request-Id")
	}
}

// admit refuses what pages send too often. That is counted only: a flood that is written to the received log would be a
// flood of writes.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request, v *visit) bool {
	if h.limiter.Allow(v.endpoint.Name, ratelimit.PerMinute(v.endpoint.Browser.RatePerMinute), v.source, v.began) {
		return true
	}
	w.Header().Set("Retry-After", "60")
	send(w, v.reply(r, postback.Verdict{}, conversion.Refused, conversion.RateLimited, http.StatusTooManyRequests))
	h.Observer.Postback(conversion.Refused, conversion.RateLimited, h.Clock().Sub(v.began))
	return false
}

// ownsAlias reports whether a page may report at a path with that alias: with a client key of the endpoint whose campaign it
// is. Blockers of advertising know the word `postback`.
func (v *visit) ownsAlias(snapshot *endpoint.Snapshot) bool {
	c := snapshot.ByAlias(v.alias)
	return v.inPage && c != nil && c.Endpoint.Name == v.endpoint.Name
}

// isPreflight reports whether a page of an origin that the endpoint declares asks whether it may send a request.
func isPreflight(ep *endpoint.Endpoint, r *http.Request) bool {
	return r.Method == http.MethodOptions && ep.Browser != nil && ep.Browser.AllowsOrigin(r.Header.Get("Origin"))
}

// allowPreflight lets the page send JSON, and itself set no header but the Content-Type.
func allowPreflight(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	header.Set("Access-Control-Allow-Methods", "GET, POST")
	header.Set("Access-Control-Allow-Headers", "Content-Type")
	header.Set("Access-Control-Max-Age", "3600")
	header.Set("Vary", "Origin")
	w.WriteHeader(http.StatusNoContent)
}

// stranger returns why nobody may send postbacks from there. The network's addresses say nothing about visitors; a page's
// origin says nothing about networks.
func (v *visit) stranger(r *http.Request) conversion.Reason {
	switch {
	case v.inPage && !v.endpoint.Browser.AllowsOrigin(clientkey.Origin(r.Header)):
		return conversion.OriginNotAllowed
	case !v.inPage && !postback.Allowed(v.endpoint, v.source):
		return conversion.IPNotAllowed
	}
	return ""
}

// writer is a page for a client key: it proves nothing about who uses it.
func (v *visit) writer() conversion.Writer {
	if v.inPage {
		return conversion.WriterPage
	}
	return conversion.WriterKey
}

// withCookie names the visitor's last click where a pixel does not: its page cannot know it.
func withCookie(ep *endpoint.Endpoint, values request.Values, r *http.Request) request.Values {
	if postback.NamesSubID(ep, values) {
		return values
	}
	cookie, err := r.Cookie(cookieSubID)
	if err != nil || postback.CheckSubID(cookie.Value) != "" {
		return values
	}
	return append(values, request.Value{Name: config.ParamSubid, Value: cookie.Value})
}
