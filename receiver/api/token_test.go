package api

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func tokenFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	writeToken(t, path, content)
	return path
}

func writeToken(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWithoutATokenTheAPIAnswersOnLoopbackOnly(t *testing.T) {
	h := New(options(&fakeStore{}))
	for _, tc := range []struct {
		name, peer, host string
		want             int
	}{
		{"IPv4 loopback by address", "127.0.0.1:5000", "127.0.0.1:9090", http.StatusOK},
		{"IPv4 loopback by name", "127.0.0.1:5000", "localhost:9090", http.StatusOK},
		{"another loopback address", "127.9.9.9:5000", "LOCALHOST", http.StatusOK},
		{"IPv6 loopback", "[::1]:5000", "[::1]:9090", http.StatusOK},
		{"IPv6 loopback without a port", "[::1]:5000", "[::1]", http.StatusOK},
		{"IPv4 loopback in IPv6", "[::ffff:127.0.0.1]:5000", "localhost", http.StatusOK},
		{"a neighbour", "10.0.0.7:5000", "localhost:9090", http.StatusForbidden},
		{"a neighbour by IPv6", "[fd00::7]:5000", "localhost:9090", http.StatusForbidden},
		{"a name that was rebound to loopback", "127.0.0.1:5000", "evil.example:9090", http.StatusForbidden},
		{"a name that begins like loopback", "127.0.0.1:5000", "localhost.evil.example", http.StatusForbidden},
		{"an address that is not loopback as host", "127.0.0.1:5000", "10.0.0.7:9090", http.StatusForbidden},
		{"no host", "127.0.0.1:5000", "", http.StatusForbidden},
		{"an unreadable peer", "@", "localhost", http.StatusForbidden},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/conversions", nil)
			r.RemoteAddr, r.Host = tc.peer, tc.host
			r.Header.Set("X-Forwarded-For", "127.0.0.1")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tc.want {
				t.Errorf("status %d, want %d", w.Code, tc.want)
			}
		})
	}
}

func TestATokenIsDemandedOfEverybody(t *testing.T) {
	token, err := OpenTokenFile(tokenFile(t, "s3cret-token\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := options(&fakeStore{})
	o.Token = token
	h := New(o)
	for _, tc := range []struct {
		name, authorization string
		want                int
	}{
		{"the token", "Bearer s3cret-token", http.StatusOK},
		{"the scheme in another letter case", "bearer s3cret-token", http.StatusOK},
		{"no header, even on loopback", "", http.StatusUnauthorized},
		{"another token", "Bearer s3cret-tokem", http.StatusUnauthorized},
		{"a part of the token", "Bearer s3cret", http.StatusUnauthorized},
		{"no token", "Bearer ", http.StatusUnauthorized},
		{"another scheme", "Basic s3cret-token", http.StatusUnauthorized},
		{"no scheme", "s3cret-token", http.StatusUnauthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := request(h, http.MethodGet, "/api/v1/postbacks", tc.authorization)
			if w.Code != tc.want {
				t.Errorf("status %d, want %d", w.Code, tc.want)
			}
			if challenged := w.Header().Get("WWW-Authenticate") != ""; challenged != (tc.want == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate = %q", w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

func TestAChangedTokenCountsAtOnce(t *testing.T) {
	path := tokenFile(t, "first")
	token, err := OpenTokenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := options(&fakeStore{})
	o.Token = token
	h := New(o)
	ask := func(token string) int {
		return request(h, http.MethodGet, "/api/v1/conversions", "Bearer "+token).Code
	}
	if got := ask("first"); got != http.StatusOK {
		t.Errorf("first token: status %d", got)
	}
	writeToken(t, path, "second")
	if got := ask("first"); got != http.StatusUnauthorized {
		t.Errorf("former token: status %d", got)
	}
	if got := ask("second"); got != http.StatusOK {
		t.Errorf("new token: status %d", got)
	}
	writeToken(t, path, "")
	if got := ask(""); got != http.StatusServiceUnavailable {
		t.Errorf("an emptied file lets an empty token in: status %d", got)
	}
}

func TestAnUnusableTokenFileIsAnErrorAtStart(t *testing.T) {
	for _, tc := range []struct{ name, path string }{
		{"absent", filepath.Join(t.TempDir(), "absent")},
		{"a directory", t.TempDir()},
		{"empty", tokenFile(t, "")},
		{"blank", tokenFile(t, " \r\n")},
		{"too large", tokenFile(t, strings.Repeat("x", maxTokenFile+1))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := OpenTokenFile(tc.path); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %v, want one line", err)
			}
		})
	}
}

func TestARequestOfThisProcessMayChangeSomethingWithoutAToken(t *testing.T) {
	store := &fakeStore{forwards: []ledger.OutboxRow{{ID: ids(1)[0]}}}
	h := New(options(store))
	target := "/api/v1/forwards/" + ids(1)[0].String() + "/resend"
	if w := request(h, http.MethodPost, target, ""); w.Code != http.StatusForbidden || len(store.resent) != 0 {
		t.Errorf("a local request: %d %s", w.Code, w.Body)
	}
	if w := request(As(h, read.ScopeRead, read.ScopeWrite), http.MethodPost, target, ""); w.Code != http.StatusAccepted || len(store.resent) != 1 {
		t.Errorf("a trusted one: %d %s", w.Code, w.Body)
	}
}
