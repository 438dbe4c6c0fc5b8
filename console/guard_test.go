package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// visitor keeps the console's cookie, as a browser does.
type visitor struct {
	handler http.Handler
	cookie  *http.Cookie
	// location is where the last answer leads.
	location string
}

func (b *visitor) send(t *testing.T, method, target string, form url.Values, headers map[string]string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	response := w.Result()
	_ = response.Body.Close()
	for _, cookie := range response.Cookies() {
		b.cookie = cookie
	}
	b.location = response.Header.Get("Location")
	return w.Code
}

var tokenInput = regexp.MustCompile(`name="token" value="([0-9a-f]{64})"`)

func TestAFormCountsOnlyIfAPageOfTheConsoleHasSentIt(t *testing.T) {
	handler := newHandler(&receiver{})
	token := func(b *visitor) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/console/url", nil)
		if b.cookie != nil {
			r.AddCookie(b.cookie)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		made := w.Result()
		_ = made.Body.Close()
		for _, cookie := range made.Cookies() {
			b.cookie = cookie
		}
		return tokenInput.FindStringSubmatch(w.Body.String())[1]
	}
	mine, other := &visitor{handler: handler}, &visitor{handler: handler}
	own, foreign := token(mine), token(other)
	if own == foreign || token(mine) != own {
		t.Fatal("a token is not that of the browser's own session")
	}
	if c := mine.cookie; c.SameSite != http.SameSiteStrictMode || !c.HttpOnly || c.Path != Base {
		t.Errorf("the cookie is %v", c)
	}
	planted := &http.Cookie{Name: cookiePrefix, Value: "0123456789abcdef." + strings.Repeat("0", 64)}
	for _, tc := range []struct {
		name    string
		cookie  *http.Cookie
		token   string
		headers map[string]string
		want    int
	}{
		{"its own page", mine.cookie, own, nil, 200},
		{"its own page, as browsers say", mine.cookie, own, map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"another site's page", mine.cookie, own, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"another host of the same site", mine.cookie, own, map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"another port of this machine", mine.cookie, own, map[string]string{"Origin": "http://127.0.0.1:1"}, 403},
		{"no token", mine.cookie, "", nil, 403},
		{"the token of another browser", mine.cookie, foreign, nil, 403},
		{"no cookie", nil, own, nil, 403},
		{"a planted cookie", planted, own, nil, 403},
	} {
		b := &visitor{handler: handler, cookie: tc.cookie}
		status := b.send(t, http.MethodPost, "http://127.0.0.1/console/url",
			url.Values{"query": {"subid=c1"}, "token": {tc.token}}, tc.headers)
		if status != tc.want {
			t.Errorf("%s: status %d, want %d", tc.name, status, tc.want)
		}
	}
	victim := &visitor{handler: handler, cookie: planted}
	if token(victim); victim.cookie == planted {
		t.Error("a cookie that the console has not made is kept")
	}
}

func TestAPostThatIsTooLongIsRefused(t *testing.T) {
	b := &visitor{handler: newHandler(&receiver{})}
	b.send(t, http.MethodGet, "/console/url", nil, nil)
	status := b.send(t, http.MethodPost, "/console/url", url.Values{"query": {strings.Repeat("a", maxForm)}}, nil)
	if status != http.StatusForbidden {
		t.Errorf("status %d", status)
	}
}

func TestSendingAgainChangesOnlyWhatTheFormNamesAndLeadsBack(t *testing.T) {
	for _, tc := range []struct{ name, back, want string }{
		{"the page that asked", "/console/s2s?state=failed&lang=ru", "/console/s2s?lang=ru&state=failed"},
		{"none", "", "/console/s2s"},
		{"another host", "https://evil.example/console/", "/console/s2s"},
		{"another host, without a scheme", "//evil.example/console/", "/console/s2s"},
		{"a backslash", "/\\evil.example/console/", "/console/s2s"},
		{"a path that climbs", "/console/../api/v1/x", "/console/s2s"},
		{"no page of the console", "/metrics", "/console/s2s"},
	} {
		api := &receiver{}
		b := &visitor{handler: newHandler(api)}
		if status := b.send(t, http.MethodPost, "/console/s2s/f1/resend", nil, nil); status != http.StatusForbidden {
			t.Fatalf("a form without a token: status %d", status)
		}
		if len(api.asked) != 0 {
			t.Fatalf("a form without a token asked %v", api.asked)
		}
		id, _, _ := strings.Cut(b.cookie.Value, ".")
		form := url.Values{"token": {api.guard.token(id)}, "back": {tc.back}}
		status := b.send(t, http.MethodPost, "/console/s2s/f1/resend", form, nil)
		if status != http.StatusSeeOther || b.location != tc.want || api.last() != "/api/v1/forwards/f1/resend" {
			t.Errorf("%s: status %d, leads to %q, asked %v", tc.name, status, b.location, api.asked)
		}
	}
}

func TestNothingIsChangedByALink(t *testing.T) {
	api := &receiver{}
	b := &visitor{handler: newHandler(api)}
	b.send(t, http.MethodGet, "/console/s2s/f1/resend", nil, nil)
	if len(api.asked) != 0 {
		t.Errorf("a GET asked %v", api.asked)
	}
}

func TestAReplayIsAskedForAsADryRunAndRunByAFurtherForm(t *testing.T) {
	api := &receiver{}
	b := &visitor{handler: newHandler(api)}
	b.send(t, http.MethodGet, "/console/operations", nil, nil)
	id, _, _ := strings.Cut(b.cookie.Value, ".")
	token := api.guard.token(id)
	for _, target := range []string{"/console/operations", "/console/operations/o1/run", "/console/operations/o1/cancel"} {
		asked := len(api.asked)
		if status := b.send(t, http.MethodPost, target, nil, nil); status != http.StatusForbidden || len(api.asked) > asked {
			t.Errorf("%s without a token: status %d", target, status)
		}
		form := url.Values{
			"token": {token}, "kind": {"replay"}, "endpoint": {"shop/main"}, "note": {"trained"}, "reason": {"status_unknown"},
			"ids": {"a b"}, "once": {"k"},
		}
		status := b.send(t, http.MethodPost, target, form, nil)
		want := "/api/v1" + strings.TrimPrefix(target, "/console")
		if status != http.StatusSeeOther || b.location != "/console/operations/o1" || api.last() != want {
			t.Errorf("%s: status %d, leads to %q, asked %s", target, status, b.location, api.last())
		}
		if target == "/console/operations" && (!api.operation.DryRun || len(api.operation.IDs) != 2 ||
			api.operation.Reason != "status_unknown" || api.operation.Note != "trained" ||
			api.headers.Get("Idempotency-Key") != "k" || api.headers.Get("X-Postback-Actor") != "console") {
			t.Errorf("asked for %+v", api.operation)
		}
	}
}

// Browsers send cookies to every port of a host: consoles side by side keep theirs apart by name.
func TestConsolesOnSeveralPortsOfAHostKeepTheirForms(t *testing.T) {
	jar := map[string]*http.Cookie{}
	type instance struct {
		handler http.Handler
		port    string
		token   string
	}
	ask := func(i *instance, method string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+i.port+"/console/url",
			strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, cookie := range jar {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		i.handler.ServeHTTP(w, r)
		response := w.Result()
		_ = response.Body.Close()
		for _, cookie := range response.Cookies() {
			jar[cookie.Name] = cookie
		}
		return w
	}
	consoles := []*instance{{port: ":8081"}, {port: ":8082"}, {port: ""}}
	for _, i := range consoles {
		i.handler = newHandler(&receiver{})
		i.token = tokenInput.FindStringSubmatch(ask(i, http.MethodGet, nil).Body.String())[1]
	}
	for _, i := range consoles {
		if w := ask(i, http.MethodPost, url.Values{"query": {"subid=c1"}, "token": {i.token}}); w.Code != http.StatusOK {
			t.Errorf("the form of port %q, after others were opened: status %d", i.port, w.Code)
		}
	}
	if len(jar) != len(consoles) {
		t.Errorf("cookies %v", jar)
	}
	for host, want := range map[string]string{
		"[::1]:8081": "postback_console_8081", "localhost": "postback_console", "a:b;c": "postback_console",
		"a:99999999": "postback_console",
	} {
		if got := cookieName(&http.Request{Host: host}); got != want {
			t.Errorf("%s: %s", host, got)
		}
	}
}
