package access

import (
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ratelimit"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Door lets in who has a credential. It remembers how often clients do.
type Door struct{ limiter *ratelimit.Limiter }

// NewDoor returns a door.
func NewDoor() *Door { return &Door{limiter: ratelimit.NewLimiter()} }

// Postback returns the attempt of a postback with that key, false if there is no such key at now.
func (d *Door) Postback(snapshot *endpoint.Snapshot, r *request.Request, key string, now time.Time) (*Attempt, bool) {
	a := &Attempt{Request: r, limiter: d.limiter}
	var ok bool
	if a.Endpoint, a.KeyID, ok = snapshot.ByKey(key, now); ok {
		return a, true
	}
	a.Endpoint, a.KeyID, a.ClientKey = snapshot.ByClientKey(key, now)
	return a, a.ClientKey
}

// To returns the attempt of a postback to an endpoint whose key nobody presented: what it would be with a key of
// networks, or with a client key. It counts in no allowance.
func To(ep *endpoint.Endpoint, r *request.Request, clientKey bool) *Attempt {
	return &Attempt{Request: r, Endpoint: ep, ClientKey: clientKey, limiter: ratelimit.NewLimiter()}
}

// MayUse reports whether the path may have a campaign's alias in place of `postback`, which blockers of advertising
// know: with a client key of the endpoint whose campaign it is.
func (a *Attempt) MayUse(c *endpoint.Campaign) bool {
	return a.ClientKey && c != nil && c.Endpoint.Name == a.Endpoint.Name
}

// Clicks returns the endpoint whose click token an Authorization header has, false if none has it.
func Clicks(snapshot *endpoint.Snapshot, authorization string, now time.Time) (*endpoint.Endpoint, bool) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		token = ""
	}
	ep, _, ok := snapshot.ByClickToken(strings.TrimSpace(token), now)
	return ep, ok
}

// ClickAPI returns the campaign whose token of the click API that is, nil if none has it. A token in a URL, which
// servers and proxies log, is allowed only where the campaign says so.
func ClickAPI(snapshot *endpoint.Snapshot, token string, inURL bool, now time.Time) (c *endpoint.Campaign,
	allowed bool) {
	c, ok := snapshot.ByCampaignToken(token, now)
	if !ok {
		return nil, false
	}
	return c, !inURL || c.TokenInQuery
}
