package postback_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/postback"
)

func TestAllowed(t *testing.T) {
	listed := compile(t, func(e *config.Endpoint) {
		e.Access.AllowedCIDRs = []string{"192.0.2.0/24", "2001:db8::/32", "::ffff:198.51.100.9/128", "203.0.113.7/24"}
	})
	for _, c := range []struct {
		name, ip string
		want     bool
	}{
		{"an address inside", "192.0.2.200", true},
		{"an address outside", "192.0.3.1", false},
		{"an IPv4 address in its IPv6 form", "::ffff:192.0.2.1", true},
		{"an IPv6 address inside", "2001:db8:1::1", true},
		{"an IPv6 address outside", "2001:db9::1", false},
		{"a zone does not matter", "2001:db8::1%eth0", true},
		{"a CIDR in the IPv6-mapped form", "198.51.100.9", true},
		{"a CIDR with host bits", "203.0.113.250", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := postback.Allowed(listed, netip.MustParseAddr(c.ip)); got != c.want {
				t.Errorf("Allowed(%s) = %v", c.ip, got)
			}
		})
	}
	if postback.Allowed(listed, netip.Addr{}) {
		t.Error("an unknown address passed an allow-list")
	}
	if !postback.Allowed(compile(t, nil), netip.MustParseAddr("192.0.3.1")) {
		t.Error("an address was refused where there is no allow-list")
	}
}

func TestSourceIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, peer string
		xff        []string
		want       string
	}{
		{"a peer that is no proxy", "192.0.2.1", nil, "192.0.2.1"},
		{"the header of a peer that is no proxy is not believed", "192.0.2.1", []string{"198.51.100.1"}, "192.0.2.1"},
		{"a proxy without the header", "10.0.0.1", nil, "10.0.0.1"},
		{"one proxy", "10.0.0.1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"what the sender wrote itself is not believed", "10.0.0.1", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"a chain of proxies", "10.0.0.1", []string{"203.0.113.9, 198.51.100.1 , 10.0.0.2,10.0.0.3"}, "198.51.100.1"},
		{"several headers are one list", "10.0.0.1", []string{"203.0.113.9", "198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		{"a chain of nothing but proxies gives the first of them", "10.0.0.1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"an entry that is no address ends the walk", "10.0.0.1", []string{"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"an empty entry ends the walk", "10.0.0.1", []string{"198.51.100.1,"}, "10.0.0.1"},
		{"an empty header is none", "10.0.0.1", []string{"198.51.100.1", ""}, "198.51.100.1"},
		{"an address with a port", "10.0.0.1", []string{"198.51.100.1:443"}, "198.51.100.1"},
		{"an IPv6 address in brackets with a port", "fd00::1", []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		{"an IPv6 address in brackets", "fd00::1", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"a peer in the IPv6-mapped form", "::ffff:10.0.0.1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := postback.SourceIP(netip.MustParseAddr(c.peer), c.xff, trusted)
			if got != netip.MustParseAddr(c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func sign(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestSignatureValid(t *testing.T) {
	ep := compile(t, func(e *config.Endpoint) {
		e.Access.HMAC = &config.HMAC{Parameter: "sig", Secrets: []config.Secret{{ID: "old", Value: "s1"}, {ID: "new", Value: "s2"}}}
	})
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
			if got := postback.SignatureValid(ep, c.query, []byte(c.body)); got != c.want {
				t.Errorf("SignatureValid = %v for %s", got, c.query)
			}
		})
	}
	if !postback.SignatureValid(compile(t, nil), signed, nil) {
		t.Error("an endpoint without HMAC demanded a signature")
	}
}
