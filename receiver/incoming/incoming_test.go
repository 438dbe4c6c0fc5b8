package incoming

import (
	"crypto/tls"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postback-dev/postback-operator/receiver/request"
)

func TestRead(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name, method, peer string
		tls                bool
		header             []string
		want               request.Request
	}{
		{"a network's", "GET", "192.0.2.1:5", false, []string{"User-Agent", "net/1"},
			request.Request{Source: netip.MustParseAddr("192.0.2.1"), UserAgent: "net/1"}},
		{"a peer that has no IP address", "GET", "@", false, nil, request.Request{}},
		{"a visitor's behind a trusted proxy", "GET", "10.0.0.1:5", false,
			[]string{"X-Forwarded-For", "198.51.100.7", "X-Forwarded-Proto", "HTTPS", "Referer", "https://shop.example/a",
				"Cookie", "a=1; subid=c1; a=2"},
			request.Request{Source: netip.MustParseAddr("198.51.100.7"), Secure: true, Origin: "https://shop.example",
				Cookies: []request.Cookie{{Name: "a", Value: "1"}, {Name: "subid", Value: "c1"}, {Name: "a", Value: "2"}}}},
		{"a stranger who claims to be a proxy", "GET", "192.0.2.1:5", false,
			[]string{"X-Forwarded-For", "198.51.100.7", "X-Forwarded-Proto", "https"},
			request.Request{Source: netip.MustParseAddr("192.0.2.1")}},
		{"over TLS", "GET", "192.0.2.1:5", true, nil,
			request.Request{Source: netip.MustParseAddr("192.0.2.1"), Secure: true}},
		{"a form", "POST", "192.0.2.1:5", false, []string{"Content-Type", "text/plain", "Content-Encoding", "identity"},
			request.Request{Source: netip.MustParseAddr("192.0.2.1"), ContentType: "text/plain"}},
		{"a compressed form", "POST", "192.0.2.1:5", false, []string{"Content-Encoding", "gzip"},
			request.Request{Source: netip.MustParseAddr("192.0.2.1"), Encoded: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), c.method, "/k/postback?a=1", strings.NewReader("b=2"))
			r.RemoteAddr = c.peer
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			for i := 0; i < len(c.header); i += 2 {
				r.Header.Set(c.header[i], c.header[i+1])
			}
			got := Read(r, trusted)
			want := c.want
			want.Method, want.Path, want.RawQuery, want.URLBytes = c.method, "/k/postback", "a=1", len("/k/postback?a=1")
			if diff := cmp.Diff(&want, got, cmpopts.IgnoreFields(request.Request{}, "Unread"),
				cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if (got.Unread != nil) != (c.method == "POST") {
				t.Errorf("a body to read: %v", got.Unread)
			}
		})
	}
}
