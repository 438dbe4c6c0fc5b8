// Package access owns who may send a request: the credential that lets it in, and the checks that it has to pass
// afterwards (docs/semantics.md §3.1 and §3.2). What a postback that passed means is the business of package postback.
// How many requests fit in at a time is package server's.
//
// A check reads as much of the request as it needs, and no more: the body of a postback from a strange address stays
// unread.
package access

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/ratelimit"
	"github.com/postback-dev/postback-operator/receiver/request"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

// Attempt is a postback whose key is right: it goes to the key's endpoint if it passes the checks.
type Attempt struct {
	Request  *request.Request
	Endpoint *endpoint.Endpoint
	KeyID    string
	// ClientKey: the key is one that everybody can read in a page.
	ClientKey bool
	// Trusted: who sends is not checked, only what is sent.
	Trusted bool
	// Trace gets the checks; nil = nobody asks for them.
	Trace *trace.Trace

	limiter *ratelimit.Limiter
	// said and refused are what [Attempt.Said] returns, once read is true.
	said    request.Parsed
	refused *request.Error
	read    bool
}

// checks are passed in this order. Each says why the postback may not go on, or "". Those about the sender are left out
// for a Trusted one.
var checks = [...]struct {
	name   string
	sender bool
	reason func(*Attempt) conversion.Reason
	// sees is what the check looks at; empty if the endpoint does not ask for it, or not with such a key.
	sees func(*Attempt) string
}{
	{"rate", true, (*Attempt).rate, (*Attempt).seesRate},
	{"origin", true, (*Attempt).origin, (*Attempt).seesOrigin},
	{"address", true, (*Attempt).address, (*Attempt).seesAddress},
	{"method", false, (*Attempt).method, (*Attempt).seesMethod},
	{"length", false, (*Attempt).length, (*Attempt).seesLength},
	{"hmac", true, (*Attempt).mac, (*Attempt).seesMAC},
	{"age", true, (*Attempt).age, (*Attempt).seesAge},
	{"body", false, (*Attempt).readable, (*Attempt).seesBody},
	{"signature", true, (*Attempt).digest, (*Attempt).seesDigest},
}

// Check returns why the postback is refused before it is judged, "" if it is not.
func (a *Attempt) Check() conversion.Reason {
	if a.Trace != nil {
		a.tellKey()
	}
	for i := range checks {
		if a.Trusted && checks[i].sender {
			continue
		}
		reason := checks[i].reason(a)
		if a.Trace != nil {
			a.tell(checks[i].name, checks[i].sees(a), reason)
		}
		if reason != "" {
			return reason
		}
	}
	return ""
}

// rate: a page's visitors share nothing but the key, so each source address has an allowance of its own.
func (a *Attempt) rate() conversion.Reason {
	if !a.ClientKey {
		return ""
	}
	limit := ratelimit.PerMinute(a.Endpoint.Browser.RatePerMinute)
	if !a.limiter.Allow(a.Endpoint.Name, limit, a.Request.Source, a.Request.At) {
		return conversion.RateLimited
	}
	return ""
}

// origin: a client key is good in declared pages only. Where a network's request comes from says nothing.
func (a *Attempt) origin() conversion.Reason {
	if a.ClientKey && !a.Endpoint.Browser.AllowsOrigin(a.Request.Origin) {
		return conversion.OriginNotAllowed
	}
	return ""
}

// address: a network sends from declared addresses, if there are any. A page's visitors have all addresses.
func (a *Attempt) address() conversion.Reason {
	if !a.ClientKey && !allowed(a.Endpoint, a.Request.Source) {
		return conversion.IPNotAllowed
	}
	return ""
}

func allowed(ep *endpoint.Endpoint, source netip.Addr) bool {
	return len(ep.AllowedCIDRs) == 0 || request.Contains(ep.AllowedCIDRs, source)
}

// methods are those of postbacks.
var methods = []string{"GET", "HEAD", "POST"}

// method: with others a postback cannot be meant.
func (a *Attempt) method() conversion.Reason {
	if slices.Contains(methods, a.Request.Method) {
		return ""
	}
	return conversion.MethodNotAllowed
}

// length: what is longer is not read.
func (a *Attempt) length() conversion.Reason {
	if a.Request.URLBytes > request.MaxURLBytes {
		return conversion.RequestTooLarge
	}
	return ""
}

// mac: the request as it was sent has to be signed, where the endpoint says so. What of a body could not be read nobody
// can have signed.
func (a *Attempt) mac() conversion.Reason {
	if !a.signed() {
		return ""
	}
	if err := a.Request.ReadBody(); err != nil {
		return err.Reason
	}
	if a.Endpoint.SignatureText == nil && !macValid(a.Endpoint, a.Request.RawQuery, a.Request.Body) {
		return conversion.SignatureInvalid
	}
	return ""
}

// age: what is signed is good for a while only, where the endpoint says so. Then nobody can send it again later.
func (a *Attempt) age() conversion.Reason {
	if a.signed() && a.Endpoint.SignatureMaxAge > 0 && !isFresh(a.Endpoint, a.Request.RawQuery, a.Request.At) {
		return conversion.SignatureExpired
	}
	return ""
}

// readable: a body that cannot be read is ignored as long as the query says which click it is about.
func (a *Attempt) readable() conversion.Reason {
	if _, err := a.Said(); err != nil {
		return err.Reason
	}
	return ""
}

// digest: an offer wall signs what its parameters say.
func (a *Attempt) digest() conversion.Reason {
	if a.signed() && a.Endpoint.SignatureText != nil && !digestValid(a.Endpoint, a.said.Values) {
		return conversion.SignatureInvalid
	}
	return ""
}

// signed reports whether a signature is demanded: of networks, not of pages, which keep no secret.
func (a *Attempt) signed() bool { return !a.ClientKey && a.Endpoint.SignatureParameter != "" }

// Judge goes through the steps that need no store: the checks, then what the postback means. stamp as in
// [conversion.Intent].
func (a *Attempt) Judge(stamp int64, rates *money.Table) postback.Verdict {
	if reason := a.Check(); reason != "" {
		return postback.Verdict{Reason: reason}
	}
	said, _ := a.Said() // Check has looked at the error.
	verdict := postback.Judge(a.Endpoint, said, postback.Arrival{
		At:        a.Request.At,
		IP:        a.Request.Source.String(),
		RequestID: a.Request.ID,
		Stamp:     stamp,
		Writer:    a.Writer(),
		Trace:     a.Trace,
	}, rates)
	if verdict.Intent == nil {
		return verdict
	}
	if verdict.Reason = a.CheckType(verdict.Type); verdict.Reason != "" {
		verdict.Intent = nil
	}
	return verdict
}

// CheckType returns why a postback that was judged to be of that type is refused. The types of a page are known only
// then.
func (a *Attempt) CheckType(conversionType string) conversion.Reason {
	var reason conversion.Reason
	if a.ClientKey && !a.Trusted && !a.Endpoint.Browser.AllowsType(conversionType) {
		reason = conversion.TypeNotAllowed
	}
	if a.Trace != nil && a.ClientKey {
		a.tell("type", conversionType, reason)
	}
	return reason
}

// Signature names the signature of a postback of that type if it counts only once, however often somebody sends it:
// where payouts add up, what was sent again would be added again. It is the zero UUID otherwise, and for an offer
// wall's digest, which two conversions may share.
func (a *Attempt) Signature(conversionType string) uuid.UUID {
	if !a.signed() || a.Endpoint.SignatureText != nil || !a.Endpoint.Rules.AddsUp(conversionType) {
		return uuid.Nil
	}
	return signatureID(a.Endpoint, a.Request.RawQuery)
}

// Writer is a page for a client key: it proves nothing about who uses it.
func (a *Attempt) Writer() conversion.Writer {
	if a.ClientKey {
		return conversion.WriterPage
	}
	return conversion.WriterKey
}

// Said returns the parameters of the request, which it reads once.
func (a *Attempt) Said() (request.Parsed, *request.Error) {
	if a.read {
		return a.said, a.refused
	}
	a.read = true
	_ = a.Request.ReadBody() // The request keeps its error.
	said, err := postback.Read(a.Endpoint, a.Request)
	if errors.As(err, &a.refused) {
		return request.Parsed{}, a.refused
	}
	if a.ClientKey {
		said.Values = withCookie(a.Endpoint, said.Values, a.Request.Cookie(cookieSubID))
	}
	a.said = said
	return said, nil
}

// cookieSubID is the cookie by which a browser knows its last click.
const cookieSubID = "subid"

// withCookie names the visitor's last click where a pixel does not: its page cannot know it.
func withCookie(ep *endpoint.Endpoint, values request.Values, subid string) request.Values {
	if postback.CheckSubID(subid) != "" || postback.NamesSubID(ep, values) {
		return values
	}
	return append(values, request.Value{Name: config.ParamSubid, Value: subid, InCookie: true})
}
