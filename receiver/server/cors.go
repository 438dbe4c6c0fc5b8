package server

import (
	"net/http"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

// allowOrigin lets a page of an origin that the endpoint declares read the answer, with whichever key it asks. It
// reports whether the page only asks if it may send a request, and that this is answered.
func allowOrigin(w http.ResponseWriter, r *http.Request, ep *endpoint.Endpoint) (answered bool) {
	if ep.Browser == nil {
		return false
	}
	header, origin := w.Header(), r.Header.Get("Origin")
	header.Set("Vary", "Origin")
	allowed := ep.Browser.AllowsOrigin(origin)
	if allowed {
		header.Set("Access-Control-Allow-Origin", origin)
	}
	if r.Method == http.MethodOptions && allowed {
		// The page may send JSON, and set no header itself but the Content-Type.
		header.Set("Access-Control-Allow-Methods", "GET, POST")
		header.Set("Access-Control-Allow-Headers", "Content-Type")
		header.Set("Access-Control-Max-Age", "3600")
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if allowed {
		header.Set("Access-Control-Expose-Headers", "X-Postback-Outcome, X-Request-Id")
	}
	return false
}
