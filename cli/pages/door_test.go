package pages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const address = "127.0.0.1:4711"

// knock sends a request to the door.
func knock(t *testing.T, d *door, host, target, cookie string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	r.Host = host
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: d.cookie, Value: cookie})
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

func TestTheURLOpensTheConsoleOnceForOneBrowser(t *testing.T) {
	d := newDoor(address, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}))
	target := strings.TrimPrefix(d.url(), "http://"+address)
	for _, tc := range []struct {
		name, host, target, cookie string
		want                       int
	}{
		{"nobody has entered", address, "/console/", "", 401},
		{"an empty session before there is one", address, "/console/", " ", 401},
		{"a token that is none", address, openPath + "?token=x", "", 403},
		{"no token", address, openPath, "", 403},
		{"the token under a name that somebody has rebound", "evil.example:4711", target, "", 403},
		{"the token at another port", "127.0.0.1:4712", target, "", 403},
	} {
		if got := knock(t, d, tc.host, tc.target, tc.cookie); got.Code != tc.want || got.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: status %d, want %d", tc.name, got.Code, tc.want)
		}
	}
	const planted = "PLANTED"
	entered := knock(t, d, "localhost:4711", target, planted)
	session, err := http.ParseSetCookie(entered.Header().Get("Set-Cookie"))
	if entered.Code != http.StatusSeeOther || entered.Header().Get("Location") != "/console/" || err != nil {
		t.Fatalf("the right token: status %d, %v: %v", entered.Code, entered.Header(), err)
	}
	if session.Value == planted || strings.Contains(target, session.Value) || !session.HttpOnly ||
		session.SameSite != http.SameSiteStrictMode || session.Name != "postback_session_4711" {
		t.Errorf("the cookie is %v", session)
	}
	for _, tc := range []struct {
		name, host, target, cookie string
		want                       int
	}{
		{"the token again, from another browser", address, target, "", 403},
		{"the token again, from the same browser", address, target, session.Value, 303},
		{"a page", address, "/console/", session.Value, 418},
		{"the root", address, "/", session.Value, 302},
		{"a page with the planted cookie", address, "/console/", planted, 401},
		{"a page without a cookie", address, "/console/", "", 401},
		{"a page under a name that somebody has rebound", "evil.example", "/console/", session.Value, 403},
	} {
		if got := knock(t, d, tc.host, tc.target, tc.cookie); got.Code != tc.want {
			t.Errorf("%s: status %d, want %d", tc.name, got.Code, tc.want)
		}
	}
}
