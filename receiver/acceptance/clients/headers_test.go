package clients

import (
	"net/http"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// TestTheHeadersThatAScannerAsksFor looks at every kind of answer of the public port.
func TestTheHeadersThatAScannerAsksFor(t *testing.T) {
	s := newStage(t)
	client := s.client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer client.CloseIdleConnections()
	const (
		always  = "X-Content-Type-Options: nosniff"
		private = "Cache-Control: no-store"
		inert   = "Content-Security-Policy: default-src 'none'"
		origin  = "Referrer-Policy: strict-origin-when-cross-origin"
	)
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		headers                  []string
	}{
		{"a link", "GET", "/QwErTy?page=x", "", 302, []string{always, private, inert, origin}},
		{"a link for a script", "GET", "/QwErTy?return=jsonp", "", 200,
			[]string{always, private, inert, origin, "Content-Type: application/javascript"}},
		{"an update", "GET", "/QwErTy?_update_tokens=1&sub_id=x", "", 404, []string{always, private, inert, origin}},
		{"the offer of a token", "GET", "/?_lp=1&_token=QwErTy.x", "", 404, []string{always, private, inert, origin}},
		{"the click API", "POST", "/click_api/v3", "token=" + campaignToken, 200,
			[]string{always, private, inert, "Content-Type: application/json"}},
		{"the click API with a wrong token", "POST", "/click_api/v3", "token=x", 404, []string{always, private, inert}},
		{"the tracking script", "GET", "/js/k.min.js", "", 200,
			[]string{always, inert, "Cache-Control: public, max-age=3600", "Content-Type: text/javascript; charset=utf-8"}},
		{"a postback of a page", "GET", "/" + clientKey + "/postback?subid=x", "", 403,
			[]string{always, private, "Content-Type: text/plain; charset=utf-8"}},
		{"a pixel", "GET", "/" + clientKey + "/postback.gif?subid=x", "", 200,
			[]string{always, private, "Content-Type: image/gif"}},
		{"a postback", "GET", "/" + receivertest.Key + "/postback?return=<script>", "", 200,
			[]string{always, private, "Content-Type: text/plain; charset=utf-8"}},
		{"nothing", "GET", "/nothing", "", 404, []string{always, private}},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, "https://"+s.receiver+test.path,
				strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if test.body != "" {
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			if response.StatusCode != test.status {
				t.Errorf("%s, want %d", response.Status, test.status)
			}
			for _, header := range test.headers {
				name, want, _ := strings.Cut(header, ": ")
				if got := response.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			for _, name := range []string{"Server", "X-Powered-By"} {
				if response.Header.Get(name) != "" {
					t.Errorf("%s tells what answers", name)
				}
			}
		})
	}
}
