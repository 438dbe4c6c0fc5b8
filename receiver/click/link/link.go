// Package link owns the campaign links: `GET /{alias}` records a click and sends the visitor to the offer, or tells a
// page's script its subid (docs/clients.md). What a visit means is the business of package visit. Nothing that a
// visitor sends decides where the visitor goes.
package link

import (
	"cmp"
	"net/http"
	"net/netip"
	"strings"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/click"
	"github.com/postback-dev/postback-operator/receiver/click/subid"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/incoming"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/ratelimit"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Parameters of a link that are not of its click.
const (
	paramReturn = "return"         // `jsonp` asks for a script that tells the subid
	paramUpdate = "_update_tokens" // `1` updates the click of paramSubID
	paramSubID  = "sub_id"
	paramOffer  = "_lp" // `1` asks for the offer of the click of paramToken
	paramToken  = "_token"
	paramTest   = "_test" // the campaign's token: the click is a test
)

// Options are what [Links] work with. All are mandatory.
type Options struct {
	// Endpoints and Rates return what is current now.
	Endpoints func() *endpoint.Snapshot
	Rates     func() *money.Table
	Clicks    *click.Store
	Clock     func() time.Time
}

// Links serves the links of all campaigns.
type Links struct {
	Options
	limiter *ratelimit.Limiter
}

// New returns the links.
func New(o Options) *Links { return &Links{Options: o, limiter: ratelimit.NewLimiter()} }

// Handler returns what answers a request: for a campaign's link, or at the host's root, where pages update a click and
// ask for its offer. It is nil if nothing is there.
func (l *Links) Handler(r *http.Request) http.Handler {
	snapshot := l.Endpoints()
	switch r.URL.Path {
	case "/", "/click_api", "/click_api/":
		values := request.ParseVisit(&request.Request{RawQuery: r.URL.RawQuery}, nil)
		switch {
		case values.Get(paramUpdate) == "1":
			return handler(func(w http.ResponseWriter, r *http.Request) { l.updateAny(w, r, snapshot, values) })
		case values.Get(paramOffer) != "":
			return handler(func(w http.ResponseWriter, r *http.Request) { l.offer(w, r, snapshot, values) })
		}
		return nil
	}
	if c := snapshot.ByAlias(strings.TrimPrefix(r.URL.Path, "/")); c != nil {
		return handler(func(w http.ResponseWriter, r *http.Request) { l.campaign(w, r, snapshot, c) })
	}
	return nil
}

// handler does what every answer has in common.
func handler(serve http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Length", "0")
		header.Set("Content-Security-Policy", "default-src 'none'")
		header.Set("Cross-Origin-Resource-Policy", "cross-origin")
		header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
			header.Set("Allow", "GET, HEAD, POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
		case len(r.RequestURI) > request.MaxURLBytes:
			w.WriteHeader(http.StatusRequestURITooLong)
		case visit.IsSpeculative(r.Header.Get):
			// A browser that fetches ahead drops what is no success, and asks again when the visitor really comes.
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			serve(w, r)
		}
	})
}

func (l *Links) campaign(w http.ResponseWriter, r *http.Request, snapshot *endpoint.Snapshot, c *endpoint.Campaign) {
	said := incoming.Read(r, snapshot.TrustedProxies)
	said.At = l.Clock().UTC().Truncate(time.Microsecond)
	v := visit.Visit{
		Campaign:  c,
		Values:    request.ParseVisit(said, c.Names),
		IP:        said.Source.String(),
		UserAgent: said.UserAgent,
		Token:     cookieToken(r),
		At:        said.At,
	}
	test := v.Values.Get(paramTest)
	if v.Values = v.Values.Without(paramTest); test != "" && !isToken(snapshot, c, test, v.At) {
		// Only who tries something out sends one. A click that counts is not what they want.
		w.WriteHeader(http.StatusNotFound)
		return
	}
	switch {
	case r.Method == http.MethodHead:
		// Robots look where a link leads; that is no visit.
		redirect(w, r, v.OfferURL(&conversion.Click{IP: v.IP}))
	case v.Values.Get(paramUpdate) == "1":
		l.update(w, r, c, v.Values)
	case v.Values.Get(paramOffer) != "" && v.Values.Get(paramToken) != "":
		l.offer(w, r, snapshot, v.Values)
	default:
		l.visit(w, r, said, v, test != "")
	}
}

// isToken reports whether the text is a token of the campaign.
func isToken(snapshot *endpoint.Snapshot, c *endpoint.Campaign, text string, now time.Time) bool {
	of, ok := snapshot.ByCampaignToken(text, now)
	return ok && of == c
}

// allows reports whether one more visit keeps within the limits of the endpoint. The visits of a source that are above
// its own limit do not count for all.
func (l *Links) allows(e *endpoint.Endpoint, source netip.Addr, now time.Time) bool {
	within := func(limit *config.RateLimit, source netip.Addr) bool {
		return limit == nil || l.limiter.Allow(e.Name,
			ratelimit.Limit{PerSecond: float64(limit.RequestsPerSecond), Burst: limit.Burst}, source, now)
	}
	return within(e.Limits.VisitsPerSource, source) && within(e.Limits.Visits, netip.Addr{})
}

// pass sends a visitor whose click is not recorded on to the offer, without a subid, because no postback would find it.
// A page's script gets no answer and may ask again.
func (l *Links) pass(w http.ResponseWriter, r *http.Request, v visit.Visit, unrecorded *conversion.Click) {
	if v.Values.Get(paramReturn) == "jsonp" {
		unavailable(w)
		return
	}
	unrecorded.SubID = ""
	redirect(w, r, v.OfferURL(unrecorded))
}

// visit records a click. If that is not durable in time, or above the endpoint's limits, the visitor passes without
// one.
func (l *Links) visit(w http.ResponseWriter, r *http.Request, said *request.Request, v visit.Visit, test bool) {
	asked := v.Values.Get(paramReturn) == "jsonp"
	made := v.Click(l.Rates())
	made.Test = test
	if !l.allows(v.Campaign.Endpoint, said.Source, v.At) {
		l.Clicks.Observer.ClicksLimited(1)
		l.pass(w, r, v, made)
		return
	}
	if !l.Clicks.AddVisit(r.Context(), v, made) {
		l.pass(w, r, v, made)
		return
	}
	token := visit.Token(v.Campaign, made)
	setCookies(w, v.Campaign.CookieAge, made.SubID, token, said.Secure)
	if asked {
		// Both are letters, digits and - _ . only, so that they need no escape.
		script(w, `KTracking.response({"sub_id":"`+made.SubID+`","token":"`+token+`"});`)
		return
	}
	redirect(w, r, v.OfferURL(made))
}

// update adds what a page has learnt to its click, which must be of this campaign.
func (l *Links) update(w http.ResponseWriter, r *http.Request, c *endpoint.Campaign, values request.Values) {
	id := values.Get(paramSubID)
	if postback.CheckSubID(id) != "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	updated, ok := l.Clicks.Update(r.Context(), c, id, visit.Update(values), visit.Proves(c, visitorToken(r, values), id))
	updateAnswer(w, values, updated, ok)
}

// updateAny is update at the host's root, where pages do not say the campaign. The token names it, else the click is
// looked for at every endpoint that has campaigns; only subids that receivers mint are unique among endpoints.
func (l *Links) updateAny(w http.ResponseWriter, r *http.Request, snapshot *endpoint.Snapshot, values request.Values) {
	id := values.Get(paramSubID)
	if alias, of, ok := visit.SplitToken(visitorToken(r, values)); ok && of == id && snapshot.ByAlias(alias) != nil {
		l.update(w, r, snapshot.ByAlias(alias), values)
		return
	}
	if !subid.IsMinted(id) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	updated, ok := l.Clicks.UpdateAny(r.Context(), snapshot.WithCampaigns(), id, visit.Update(values))
	updateAnswer(w, values, updated, ok)
}

// visitorToken returns the token of the visitor's click, which the page sends, or else the browser.
func visitorToken(r *http.Request, values request.Values) string {
	return cmp.Or(values.Get(paramToken), cookieToken(r))
}

func cookieToken(r *http.Request) string {
	if cookie, err := r.Cookie(CookieToken); err == nil {
		return cookie.Value
	}
	return ""
}

// updateAnswer says what became of an update. The official script takes any text for a subid, so that it is answered
// only if it asks.
func updateAnswer(w http.ResponseWriter, values request.Values, updated *conversion.Click, ok bool) {
	switch {
	case !ok:
		unavailable(w)
	case updated == nil:
		w.WriteHeader(http.StatusNotFound)
	case values.Get(paramReturn) == "jsonp":
		script(w, `KTracking.response("Success");`)
	default:
		script(w, "")
	}
}

// offer sends on the visitor of a landing page whose click was recorded before. While the store is away the visitor
// goes on with the subid that the page has.
func (l *Links) offer(w http.ResponseWriter, r *http.Request, snapshot *endpoint.Snapshot, values request.Values) {
	alias, id, ok := visit.SplitToken(values.Get(paramToken))
	c := snapshot.ByAlias(alias)
	if !ok || c == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	found, ok := l.Clicks.Update(r.Context(), c, id, nil, false)
	switch {
	case !ok:
		found = &conversion.Click{SubID: id}
	case found == nil:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	redirect(w, r, visit.Visit{Campaign: c, Values: values, At: l.Clock().UTC()}.OfferURL(found))
}
