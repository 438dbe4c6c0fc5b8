package request_test

import (
	"net/netip"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/request"
)

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
			got := request.SourceIP(netip.MustParseAddr(c.peer), c.xff, trusted)
			if got != netip.MustParseAddr(c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestPageOrigin(t *testing.T) {
	for _, test := range []struct{ name, origin, referer, want string }{
		{"a script's request", "https://shop.example", "https://shop.example/cart", "https://shop.example"},
		{"an image's", "", "https://shop.example/", "https://shop.example"},
		{"an image's of a page with a path and a query", "", "https://Shop.Example:8443/cart?x=https://other.example/",
			"https://shop.example:8443"},
		{"Origin goes before Referer", "https://evil.example", "https://shop.example/", "https://evil.example"},
		{"an origin that is hidden", "null", "https://shop.example/", ""},
		{"neither", "", "", ""},
		{"a path for a referrer", "", "/cart", ""},
		{"text for a referrer", "", "shop.example", ""},
		{"a referrer that is no URL", "", "https://shop.example:port/", ""},
		{"a name before the host", "", "https://shop.example@evil.example/", "https://evil.example"},
		{"an app", "", "android-app://com.example/", "android-app://com.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := request.PageOrigin(test.origin, test.referer); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
