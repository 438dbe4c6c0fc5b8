package server

import (
	"net/http"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/clientkey"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// cookieSubID is the cookie by which a browser knows its last click.
const cookieSubID = "subid"

// admit lets the page of an allowed origin read the answer, and refuses what comes too often. That is counted only: a
// flood that is written to the received log would be a flood of writes.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request, v *visit) bool {
	header := w.Header()
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("Vary", "Origin")
	if origin := r.Header.Get("Origin"); v.endpoint.Browser.AllowsOrigin(origin) {
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Expose-Headers", "X-Postback-Outcome, X-Request-Id")
	}
	if h.limiter.Allow(v.endpoint.Name, v.endpoint.Browser.RatePerMinute, v.source, v.began) {
		return true
	}
	header.Set("Retry-After", "60")
	reply := postback.Reply(v.endpoint, postback.Verdict{}, conversion.Refused, conversion.RateLimited, v.gif)
	if !v.gif {
		reply.Status = http.StatusTooManyRequests
	}
	send(w, reply)
	h.Observer.Postback(conversion.Refused, conversion.RateLimited, h.Clock().Sub(v.began))
	return false
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
