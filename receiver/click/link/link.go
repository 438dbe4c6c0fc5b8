// Package link owns the campaign links: `GET /{alias}` records a click and sends the visitor on to the offer, or tells a
// page's script its subid (docs/clients.md). What a visit means is package visit's. Nothing a visitor sends decides where
// he goes.
package link

import (
	"net/http"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/click"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Parameters of a link that are none of its click.
const (
	paramReturn = "return"         // `jsonp` asks for a script that tells the subid
	paramUpdate = "_update_tokens" // `1` updates the click of paramSubID
	paramSubID  = "sub_id"
	paramOffer  = "_lp" // `1` asks for the offer of the click of paramToken
	paramToken  = "_token"
)

// Options are what [Links] work with. All are mandatory.
type Options struct {
	// Endpoints and Rates return what is current now.
	Endpoints func() *endpoint.Snapshot
	Rates     func() *money.Table
	Keeper    *click.Keeper
	Clock     func() time.Time
}

// Links serves the links of all campaigns.
type Links struct{ Options }

// New returns the links.
func New(o Options) *Links { return &Links{o} }

// Handler returns what answers a request: for a campaign's link, or where the official clients look for the offer of a
// click that they know by its token. It is nil where there is nothing.
func (l *Links) Handler(r *http.Request) http.Handler {
	snapshot := l.Endpoints()
	path := r.URL.Path
	if path == "/" || path == "/click_api/" {
		values := request.ParseVisit(r.URL.RawQuery, "", nil, nil)
		if values.Get(paramOffer) == "" {
			return nil
		}
		return handler(func(w http.ResponseWriter, r *http.Request) { l.offer(w, r, snapshot, values) })
	}
	if c := snapshot.ByAlias(strings.TrimPrefix(path, "/")); c != nil {
		return handler(func(w http.ResponseWriter, r *http.Request) { l.campaign(w, r, snapshot, c) })
	}
	return nil
}

// handler does for every answer what has to be done before it.
func handler(serve http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Length", "0")
		header.Set("Content-Security-Policy", "default-src 'none'")
		header.Set("Cross-Origin-Resource-Policy", "cross-origin")
		header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			header.Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
		case len(r.RequestURI) > request.MaxURLBytes:
			w.WriteHeader(http.StatusRequestURITooLong)
		case isSpeculative(r.Header):
			// A browser that fetches ahead drops what is no success, and asks again when the visitor really comes.
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			serve(w, r)
		}
	})
}

// isSpeculative reports whether a browser fetches or renders ahead, for a visitor who may never come.
func isSpeculative(header http.Header) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		purpose := strings.ToLower(header.Get(name))
		if strings.HasPrefix(purpose, "prefetch") || strings.HasPrefix(purpose, "prerender") || purpose == "preview" {
			return true
		}
	}
	return false
}

func (l *Links) campaign(w http.ResponseWriter, r *http.Request, snapshot *endpoint.Snapshot, c *endpoint.Campaign) {
	v := visit.Visit{
		Campaign: c, Values: request.ParseVisit(r.URL.RawQuery, "", nil, c.Names),
		IP: click.Source(r, snapshot.TrustedProxies).String(), UserAgent: r.UserAgent(),
		At: l.Clock().UTC().Truncate(time.Microsecond),
	}
	switch {
	case r.Method == http.MethodHead:
		// Robots look where a link leads; that is no visit.
		redirect(w, v.OfferURL(&conversion.Click{IP: v.IP}))
	case v.Values.Get(paramUpdate) == "1":
		l.update(w, r, v)
	case v.Values.Get(paramOffer) != "" && v.Values.Get(paramToken) != "":
		l.offer(w, r, snapshot, v.Values)
	default:
		l.visit(w, r, snapshot, v)
	}
}

// visit records a click. When that is not durable in time the visitor still gets to the offer, but without a subid: none
// is given away that no postback would find. A page is told nothing, and its script may ask again.
func (l *Links) visit(w http.ResponseWriter, r *http.Request, snapshot *endpoint.Snapshot, v visit.Visit) {
	asked := v.Values.Get(paramReturn) == "jsonp"
	made := v.Click(l.Rates())
	if !l.Keeper.Add(r.Context(), made) {
		if asked {
			unavailable(w)
			return
		}
		made.SubID = ""
		redirect(w, v.OfferURL(made))
		return
	}
	token := visit.Token(v.Campaign, made)
	setCookies(w, made.SubID, token, click.IsSecure(r, snapshot.TrustedProxies))
	if asked {
		// Both are letters, digits and - _ . only, so that they need no escape.
		script(w, `KTracking.response({"sub_id":"`+made.SubID+`","token":"`+token+`"});`)
		return
	}
	redirect(w, v.OfferURL(made))
}

// update lays what a page has learnt over its click. The subid is the visitor's own secret, and the click must be of this
// very campaign. The official script takes any text for a subid, so it is told nothing unless it asks.
func (l *Links) update(w http.ResponseWriter, r *http.Request, v visit.Visit) {
	subid := v.Values.Get(paramSubID)
	if postback.CheckSubID(subid) != "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	updated, ok := l.Keeper.Update(r.Context(), v.Campaign, subid, visit.Update(v.Values))
	switch {
	case !ok:
		unavailable(w)
	case updated == nil:
		w.WriteHeader(http.StatusNotFound)
	case v.Values.Get(paramReturn) == "jsonp":
		script(w, `KTracking.response("Success");`)
	default:
		script(w, "")
	}
}

// offer sends on the visitor of a landing page whose click was recorded before. While the store is away he goes on with
// the subid that the page has already.
func (l *Links) offer(w http.ResponseWriter, r *http.Request, snapshot *endpoint.Snapshot, values request.Values) {
	alias, subid, ok := visit.SplitToken(values.Get(paramToken))
	c := snapshot.ByAlias(alias)
	if !ok || c == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	found, ok := l.Keeper.Update(r.Context(), c, subid, nil)
	switch {
	case !ok:
		found = &conversion.Click{SubID: subid}
	case found == nil:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	redirect(w, visit.Visit{Campaign: c, Values: values}.OfferURL(found))
}
