package access

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ratelimit"
	"github.com/postback-dev/postback-operator/receiver/request"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

func TestTheStepsOfAnAttempt(t *testing.T) {
	open := compile(t, func(e *config.Endpoint) { e.Browser = pages() })
	strict := compile(t, func(e *config.Endpoint) {
		e.Access.AllowedCIDRs = []string{"192.0.2.0/24"}
		e.Access.HMAC = &config.HMAC{
			Parameter: "sig", Signs: config.SignsEndpointAndRequest, MaxAge: config.Duration(5 * time.Minute),
			TimeParameter: "ts",
			Secrets:       []config.Secret{{ID: "a", Value: "the-secret"}},
		}
	})
	const query = "subid=c1&ts=2026-03-01T12:00:00Z"
	signature := sign("the-secret", "ads/shop\n"+query)
	for _, c := range []struct {
		name    string
		attempt Attempt
		want    string
	}{
		{"of an endpoint that asks for nothing", Attempt{Endpoint: open, KeyID: "k1", Request: &request.Request{Method: "GET", URLBytes: 30}}, `
key  k1 key
access rate  does not apply
access origin  does not apply
access address  does not apply
access method GET passes
access length 30 bytes passes
access hmac  does not apply
access age  does not apply
access body  does not apply
access signature  does not apply
`},
		{"of a page of another origin", Attempt{Endpoint: open, KeyID: "p1", ClientKey: true, Request: &request.Request{}}, `
key  p1 client key
access rate 1 a minute passes
access origin none  (origin_not_allowed)
`},
		{"that is signed", Attempt{Endpoint: strict, KeyID: "k1", Request: &request.Request{
			Method: "GET", At: noon.Add(6 * time.Minute), Source: netip.MustParseAddr("192.0.2.7"),
			RawQuery: query + "&sig=" + signature,
		}}, `
key  k1 key
access rate  does not apply
access origin  does not apply
access address 192.0.2.7 passes
access method GET passes
access length 0 bytes passes
access hmac ads/shop, query and body passes
access age ts=2026-03-01T12:00:00Z, at most 5m0s  (signature_expired)
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.attempt.Trace, c.attempt.limiter = &trace.Trace{}, ratelimit.NewLimiter()
			reason := c.attempt.Check()
			got := "\n"
			for _, s := range c.attempt.Trace.Steps {
				line := fmt.Sprintf("%s %s %s %s", s.Name, s.About, s.Value, s.Result)
				if s.Reason != "" {
					line += " (" + s.Reason + ")"
				}
				got += line + "\n"
			}
			if got != c.want {
				t.Errorf("got%swant%s", got, c.want)
			}
			if conversion.Reason(c.attempt.Trace.Reason()) != reason {
				t.Errorf("the steps end with %q, the checks with %q", c.attempt.Trace.Reason(), reason)
			}
			if strings.Contains(got, signature) || strings.Contains(got, "the-secret") {
				t.Error("a step has a secret")
			}
		})
	}
}
