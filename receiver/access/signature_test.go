package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
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
		{"the last of several that is not empty counts", "sig=00&" + signed + "&sig=" + sign("s1", signed) + "&sig=", "", true},
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
		if slices.ContainsFunc(pairs, func(pair string) bool { return strings.Contains(pair, "%") || strings.HasPrefix(pair, "sig") }) {
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
