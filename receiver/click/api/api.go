// Package api owns the click API, by which the official PHP clients record the clicks of a page: every version of it,
// at every path to which they send (docs/clients.md). What a visit means is the business of package visit. Tokens never
// reach the log.
package api

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/click"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/incoming"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Path is where current clients of version 3 send to.
const Path = "/click_api/v3"

const pathV4 = "/click_api/v4"

// Serves reports whether a request is for the API: at its paths, or where old clients send to.
func Serves(r *http.Request) bool {
	switch r.URL.Path {
	case Path, pathV4, "/click_api/v2", "/api.php":
		return true
	case "/":
		return r.Method == http.MethodPost || request.ParseVisit(&request.Request{RawQuery: r.URL.RawQuery},
			nil).Get(paramToken) != ""
	}
	return false
}

// Options are what an [API] works with. All are mandatory.
type Options struct {
	// Endpoints and Rates return what is current now.
	Endpoints func() *endpoint.Snapshot
	Rates     func() *money.Table
	Clicks    *click.Store
	Clock     func() time.Time
	// WrongToken is called for every request whose token is wrong or missing.
	WrongToken func()
}

// API is the handler.
type API struct{ Options }

// New returns the handler.
func New(o Options) *API { return &API{o} }

// ServeHTTP implements [http.Handler]. A wrong token gets the same empty 404 as a wrong key. If the click is not
// durable in time, the answer has no subid, and the page goes on.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'")
	switch r.Method {
	case http.MethodPost, http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		header.Set("Allow", "POST, GET, HEAD, OPTIONS")
		empty(w, http.StatusMethodNotAllowed)
		return
	}
	snapshot := a.Endpoints()
	said := incoming.Read(r, snapshot.TrustedProxies)
	said.At = a.Clock().UTC().Truncate(time.Microsecond)
	if err := said.ReadBody(); err != nil {
		empty(w, bodyStatus(err))
		return
	}
	c := readCall(said, r.Header)
	campaign, allowed := access.ClickAPI(snapshot, c.token, c.tokenInQuery, c.at)
	if campaign == nil {
		a.WrongToken()
		empty(w, http.StatusNotFound)
		return
	}
	if c.ip == "" {
		c.ip = said.Source.String()
	}
	allowOrigin(header, r, campaign)
	switch {
	case !allowed:
		answer(w, http.StatusForbidden, c.refusal("Send the token by POST, in the body: servers and proxies log URLs. "+
			"Or set token.inQuery for this campaign."))
	case r.Method == http.MethodOptions:
		empty(w, http.StatusNoContent)
	default:
		answer(w, http.StatusOK, a.record(r, campaign, c))
	}
}

// record makes the click, unless there is no visitor yet: a browser fetched the page ahead, or somebody only tests the
// URL.
func (a *API) record(r *http.Request, campaign *endpoint.Campaign, c *call) any {
	v := visit.Visit{
		Campaign:  campaign,
		Values:    c.values,
		At:        c.at,
		IP:        c.ip,
		UserAgent: c.userAgent,
		Token:     c.visitorToken,
	}
	made := &conversion.Click{IP: c.ip}
	if !c.prefetch && r.Method != http.MethodHead {
		if made = v.Click(a.Rates()); !a.Clicks.AddVisit(r.Context(), v, made) {
			made.SubID = ""
		}
	}
	return c.answer(v, made)
}

// allowOrigin lets pages read the answer whose origin the endpoint declares.
func allowOrigin(header http.Header, r *http.Request, c *endpoint.Campaign) {
	header.Set("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if c.Endpoint.Browser == nil || !c.Endpoint.Browser.AllowsOrigin(origin) {
		return
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Methods", "GET, POST")
	header.Set("Access-Control-Allow-Headers", "Content-Type")
}

// bodyStatus is how a body that cannot be read is answered.
func bodyStatus(err *request.Error) int {
	if err.Reason == conversion.RequestTooLarge {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

func empty(w http.ResponseWriter, status int) {
	if status != http.StatusNoContent {
		w.Header().Set("Content-Length", "0")
	}
	w.WriteHeader(status)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // Fails only when the client has gone.
}
