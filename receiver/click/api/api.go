// Package api owns the click API, by which the official PHP client of campaigns records the clicks of a landing page:
// `POST /click_api/v3` (docs/clients.md). What a visit means is package visit's. Tokens never reach the log.
package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/postback-dev/postback-operator/receiver/click"
	"github.com/postback-dev/postback-operator/receiver/click/link"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Path is where the client posts to.
const Path = "/click_api/v3"

// Serves reports whether a request is for the API: at its path, or where versions of the client post to that were given
// another address.
func Serves(r *http.Request) bool {
	switch r.URL.Path {
	case Path, "/api.php":
		return true
	case "/":
		return r.Method == http.MethodPost
	}
	return false
}

// paramToken is the campaign's credential in the form.
const paramToken = "token"

// Options are what an [API] works with. All are mandatory.
type Options struct {
	// Endpoints and Rates return what is current now.
	Endpoints func() *endpoint.Snapshot
	Rates     func() *money.Table
	Keeper    *click.Keeper
	Clock     func() time.Time
	// WrongToken is told of every request whose token is none.
	WrongToken func()
}

// API is the handler.
type API struct{ Options }

// New returns the handler.
func New(o Options) *API { return &API{o} }

// ServeHTTP implements [http.Handler]. A wrong token gets the same empty 404 as a wrong key. A click that is not durable
// in time is answered without a subid, which the client then calls `no_subid`, but with the offer: the page must go on.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, request.MaxBodyBytes))
	if err != nil {
		status := http.StatusBadRequest
		if errors.As(err, new(*http.MaxBytesError)) {
			status = http.StatusRequestEntityTooLarge
		}
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(status)
		return
	}
	// The query is not read, so that nobody puts the token into one: proxies log it.
	values := request.ParseVisit("", r.Header.Get("Content-Type"), body, nil)
	at := a.Clock().UTC().Truncate(time.Microsecond)
	snapshot := a.Endpoints()
	campaign, ok := snapshot.ByCampaignToken(values.Get(paramToken), at)
	if !ok {
		a.WrongToken()
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusNotFound)
		return
	}
	// Without the token, so that no macro of the offer's can give it away.
	values = slices.DeleteFunc(values, func(v request.Value) bool { return v.Name == paramToken })
	v := visit.Visit{
		Campaign: campaign, Values: values, At: at,
		IP: visitorIP(values, r, snapshot.TrustedProxies), UserAgent: cmp.Or(values.Get("ua"), values.Get("user_agent")),
	}
	answer(w, a.record(r, v))
}

// record makes the click, unless a browser asked the page ahead of its visitor.
func (a *API) record(r *http.Request, v visit.Visit) Answer {
	made := &conversion.Click{IP: v.IP}
	if v.Values.Get("prefetch") != "1" {
		if made = v.Click(a.Rates()); !a.Keeper.Add(r.Context(), made) {
			made.SubID = ""
		}
	}
	return answerOf(v, made, isNew(r))
}

// visitorIP is what the page says: it has the visitor, and only its server's address arrives here.
func visitorIP(values request.Values, r *http.Request, trusted []netip.Prefix) string {
	if ip, err := netip.ParseAddr(values.Get("ip")); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return click.Source(r, trusted).String()
}

// isNew reports whether the visitor, whose cookies the client passes on, has no click yet.
func isNew(r *http.Request) bool {
	cookie, err := r.Cookie(link.CookieSubID)
	return err != nil || cookie.Value == ""
}

func answer(w http.ResponseWriter, a Answer) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a) // Fails only when the page has gone.
}
