package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/request"
)

func sign(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// signedBy returns an endpoint whose parameter sig has to hold an HMAC by one of the secrets.
func signedBy(t testing.TB, secrets ...config.Redacted) *endpoint.Endpoint {
	t.Helper()
	return compile(t, func(e *config.Endpoint) {
		e.Access.HMAC = &config.HMAC{Parameter: "sig"}
		for i, secret := range secrets {
			e.Access.HMAC.Secrets = append(e.Access.HMAC.Secrets, config.Secret{ID: string(rune('a' + i)), Value: secret})
		}
	})
}

func TestMACValid(t *testing.T) {
	ep := signedBy(t, "s1", "s2")
	const signed = "subid=c1&status=sale"
	for _, c := range []struct {
		name, query, body string
		want              bool
	}{
		{"in the middle", "subid=c1&sig=" + sign("s1", signed) + "&status=sale", "", true},
		{"at the end", signed + "&sig=" + sign("s1", signed), "", true},
		{"at the beginning", "sig=" + sign("s1", signed) + "&" + signed, "", true},
		{"alone", "sig=" + sign("s1", ""), "", true},
		{"by the other secret", signed + "&sig=" + sign("s2", signed), "", true},
		{"by a secret that the endpoint does not have", signed + "&sig=" + sign("s3", signed), "", false},
		{"in capitals", signed + "&sig=" + strings.ToUpper(sign("s1", signed)), "", true},
		{"with white space around it", signed + "&sig=+" + sign("s1", signed) + "%0A", "", true},
		{"missing", signed, "", false},
		{"empty", signed + "&sig=", "", false},
		{"cut short", signed + "&sig=" + sign("s1", signed)[:62], "", false},
		{"no hex", signed + "&sig=" + sign("s1", signed)[:63] + "g", "", false},
		{"more than hex", signed + "&sig=" + sign("s1", signed) + "zz", "", false},
		{"of another query", signed + "&payout=1&sig=" + sign("s1", signed), "", false},
		{"the query counts as it is written", "subid=%631&sig=" + sign("s1", "subid=%631"), "", true},
		{"empty pairs count", "subid=c1&&sig=" + sign("s1", "subid=c1&"), "", true},
		{"the last of several that is not empty counts", "sig=00&" + signed + "&sig=" + sign("s1", signed) + "&sig=", "",
			true},
		{"a name that is written in another way is cut out too", "s%69g=" + sign("s1", signed) + "&" + signed, "", true},
		{"over a body", signed + "&sig=" + sign("s1", signed+"\nx=1"), "x=1", true},
		{"not over the body that came", signed + "&sig=" + sign("s1", signed), "x=1", false},
		{"over another body", signed + "&sig=" + sign("s1", signed+"\nx=2"), "x=1", false},
		{"in the body it does not count", signed, "sig=" + sign("s1", signed), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := macValid(ep, c.query, []byte(c.body)); got != c.want {
				t.Errorf("macValid = %v for %s", got, c.query)
			}
		})
	}
}

func BenchmarkSignature(b *testing.B) {
	ep := signedBy(b, "s")
	signed := "subid=2o8ql1kqv3f4&status=sale&payout=12.50"
	query := signed + "&sig=" + sign("s", signed)
	b.ReportAllocs()
	for b.Loop() {
		if !macValid(ep, query, nil) {
			b.Fatal("refused")
		}
	}
}

func FuzzSignature(f *testing.F) {
	f.Add("subid=c1&status=sale", 1, []byte("x=1"))
	f.Add("", 0, []byte{})
	f.Add("&&=&a", 3, []byte("\n"))
	f.Add("si%67=1&sig", 1, []byte("x"))
	ep := signedBy(f, "s")
	f.Fuzz(func(t *testing.T, unsigned string, position int, body []byte) {
		if signed := macValid(ep, unsigned, body); signed {
			t.Fatalf("%q passes without a signature", unsigned)
		}
		pairs := strings.Split(unsigned, "&")
		if slices.ContainsFunc(pairs, func(pair string) bool {
			return strings.Contains(pair, "%") ||
				strings.HasPrefix(pair, "sig")
		}) {
			return // may hold the parameter itself
		}
		text := unsigned
		if len(body) > 0 {
			text += "\n" + string(body)
		}
		at := max(position%(len(pairs)+1), 0)
		query := strings.Join(slices.Insert(pairs, at, "sig="+sign("s", text)), "&")
		if !macValid(ep, query, body) {
			t.Fatalf("%q with body %q is refused", query, body)
		}
		if macValid(ep, query+"&x", body) || macValid(ep, query, append(body, 'x')) {
			t.Fatalf("%q passes when it is changed", query)
		}
	})
}

func TestASignatureOfTheEndpointAndTheRequest(t *testing.T) {
	ep := compile(t, func(e *config.Endpoint) {
		e.Access.HMAC = &config.HMAC{Parameter: "sig", Signs: config.SignsEndpointAndRequest,
			Secrets: []config.Secret{{ID: "a", Value: "s"}}}
	})
	const query = "subid=c1&status=sale"
	for _, c := range []struct {
		name, text, body string
		want             bool
	}{
		{"the name before the query", "ads/shop\n" + query, "", true},
		{"and the body behind it", "ads/shop\n" + query + "\nx=1", "x=1", true},
		{"another endpoint's name", "ads/other\n" + query, "", false},
		{"the request alone", query, "", false},
		{"the name without its namespace", "shop\n" + query, "", false},
	} {
		if got := macValid(ep, query+"&sig="+sign("s", c.text), []byte(c.body)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if macValid(signedBy(t, "s"), query+"&sig="+sign("s", "ads/shop\n"+query), nil) {
		t.Error("a signature with a name counts where the request alone is signed")
	}
}

func TestASignatureHasAnAge(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	ep := compile(t, func(e *config.Endpoint) {
		e.Access.HMAC = &config.HMAC{
			Parameter: "sig", MaxAge: config.Duration(5 * time.Minute), TimeParameter: "ts",
			Secrets: []config.Secret{{ID: "a", Value: "s"}},
		}
	})
	unix := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for _, c := range []struct {
		name, query string
		want        conversion.Reason
	}{
		{"just now", "ts=" + unix(0), ""},
		{"the oldest", "ts=" + unix(-5*time.Minute), ""},
		{"older", "ts=" + unix(-5*time.Minute-time.Second), conversion.SignatureExpired},
		{"by a clock that is ahead", "ts=" + unix(time.Minute), ""},
		{"further ahead", "ts=" + unix(time.Minute+time.Second), conversion.SignatureExpired},
		{"RFC 3339 in another zone", "ts=2026-03-04T15:00:00%2B03:00", ""},
		{"RFC 3339 whose + is not encoded", "ts=2026-03-04T15:00:00+03:00", ""},
		{"RFC 3339 in UTC, too old", "ts=2026-03-04T11:00:00Z", conversion.SignatureExpired},
		{"none", "a=1", conversion.SignatureExpired},
		{"an empty one", "ts=", conversion.SignatureExpired},
		{"text", "ts=now", conversion.SignatureExpired},
		{"milliseconds are no seconds", "ts=" + unix(0) + "000", conversion.SignatureExpired},
		{"a negative number", "ts=-1", conversion.SignatureExpired},
		{"one that no clock shows", "ts=99999999999999999999", conversion.SignatureExpired},
		{"the last one that is not empty counts", "ts=1&ts=" + unix(0) + "&ts=", ""},
		{"by a name that is written in another way", "t%73=" + unix(0), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			query := "subid=c1&status=sale&" + c.query
			a := &Attempt{Endpoint: ep, Request: &request.Request{Method: "GET", At: now,
				RawQuery: query + "&sig=" + sign("s", query)}}
			if got := a.Check(); got != c.want {
				t.Errorf("%q", got)
			}
		})
	}
	body := &Attempt{Endpoint: ep, Request: &request.Request{
		Method: "POST", At: now, RawQuery: "sig=" + sign("s", "\nts="+unix(0)), Body: []byte("ts=" + unix(0)),
	}}
	if got := body.Check(); got != conversion.SignatureExpired {
		t.Errorf("a time in the body: %q", got)
	}
	forged := &Attempt{Endpoint: ep, Request: &request.Request{Method: "GET", At: now, RawQuery: "subid=c1&sig=00"}}
	if got := forged.Check(); got != conversion.SignatureInvalid {
		t.Errorf("what nobody has signed is told about its time: %q", got)
	}
}
