package access

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

func offerWall(t *testing.T, algorithm config.Algorithm, template string) *endpoint.Endpoint {
	t.Helper()
	return compile(t, func(e *config.Endpoint) {
		e.Aliases = map[string][]string{config.ParamSubid: {"user_id"}, config.ParamPayout: {"amount"}}
		e.Access.Signature = &config.Signature{
			Algorithm: algorithm, Template: template, Parameter: "hash",
			Secrets: []config.Secret{{ID: "old", Value: "s1"}, {ID: "new", Value: "s2"}},
		}
	})
}

func md5Of(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func walled(t *testing.T, ep *endpoint.Endpoint, query, body string) bool {
	t.Helper()
	said, err := postback.Read(ep, &request.Request{RawQuery: query, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return digestValid(ep, said.Values)
}

func TestASignatureOverParameters(t *testing.T) {
	ep := offerWall(t, config.AlgorithmMD5, "{user_id}:{amount}:{offer}:{secret}")
	const sent = "user_id=u1&amount=5.00&offer=7&status=sale"
	for _, c := range []struct {
		name, query, body string
		want              bool
	}{
		{"right", sent + "&hash=" + md5Of("u1:5.00:7:s1"), "", true},
		{"by the other secret", sent + "&hash=" + md5Of("u1:5.00:7:s2"), "", true},
		{"by a secret that the endpoint does not have", sent + "&hash=" + md5Of("u1:5.00:7:s3"), "", false},
		{"in capitals", sent + "&hash=" + strings.ToUpper(md5Of("u1:5.00:7:s1")), "", true},
		{"the order of the parameters does not matter", "hash=" + md5Of("u1:5.00:7:s1") + "&offer=7&amount=5.00&user_id=u1",
			"", true},
		{"another value", strings.Replace(sent, "5.00", "500", 1) + "&hash=" + md5Of("u1:5.00:7:s1"), "", false},
		{"another value by a name that goes first", sent + "&payout=500&hash=" + md5Of("u1:5.00:7:s1"), "", false},
		{"a parameter that is missing is empty", "user_id=u1&amount=5.00&hash=" + md5Of("u1:5.00::s1"), "", true},
		{"by the canonical names", "subid=u1&payout=5.00&offer=7&hash=" + md5Of("u1:5.00:7:s1"), "", true},
		{"decoded values are signed", "user_id=u1&amount=5.00&offer=a%20b&hash=" + md5Of("u1:5.00:a b:s1"), "", true},
		{"in a form", "", sent + "&hash=" + md5Of("u1:5.00:7:s1"), true},
		{"missing", sent, "", false},
		{"empty", sent + "&hash=", "", false},
		{"cut short", sent + "&hash=" + md5Of("u1:5.00:7:s1")[:30], "", false},
		{"no hex", sent + "&hash=" + md5Of("u1:5.00:7:s1")[:31] + "g", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := walled(t, ep, c.query, c.body); got != c.want {
				t.Errorf("digestValid = %v for %s %s", got, c.query, c.body)
			}
		})
	}
}

func TestTheAlgorithmsOfOfferWalls(t *testing.T) {
	text := []byte("u1s1")
	sum1, sum256 := sha1.Sum(text), sha256.Sum256(text)
	for algorithm, hash := range map[config.Algorithm]string{
		config.AlgorithmMD5:    md5Of("u1s1"),
		config.AlgorithmSHA1:   hex.EncodeToString(sum1[:]),
		config.AlgorithmSHA256: hex.EncodeToString(sum256[:]),
	} {
		if ep := offerWall(t, algorithm, "{user_id}{secret}"); !walled(t, ep, "user_id=u1&hash="+hash, "") {
			t.Errorf("%s: refused", algorithm)
		}
	}
}
