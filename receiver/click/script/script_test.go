package script

import (
	"net/http/httptest"
	"testing"

	"github.com/postback-dev/postback-operator/api/browser"
)

func TestScriptsAreServedAndKept(t *testing.T) {
	version := browser.Version(browser.Script())
	for _, test := range []struct {
		name, method, target, match string
		status                      int
		body, keep                  string
	}{
		{"the tracking script", "GET", browser.ScriptPath, "", 200, string(browser.Script()), keepCurrent},
		{"the adapter", "GET", browser.AdapterPath, "", 200, string(browser.Adapter()), keepCurrent},
		{"by its version", "GET", browser.ScriptPath + "?v=" + version, "", 200, string(browser.Script()), keepVersion},
		{"by another version", "GET", browser.ScriptPath + "?v=0123456789abcdef", "", 200, string(browser.Script()),
			keepCurrent},
		{"one that the browser has", "GET", browser.ScriptPath, `"` + version + `"`, 304, "", keepCurrent},
		{"one that it has of another version", "GET", browser.ScriptPath, `"0123456789abcdef"`, 200, string(browser.Script()),
			keepCurrent},
		{"HEAD", "HEAD", browser.ScriptPath, "", 200, "", keepCurrent},
		{"POST", "POST", browser.ScriptPath, "", 405, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), test.method, test.target, nil)
			if test.match != "" {
				r.Header.Set("If-None-Match", test.match)
			}
			w := httptest.NewRecorder()
			Handler(r.URL.Path).ServeHTTP(w, r)
			if w.Code != test.status || w.Body.String() != test.body || w.Header().Get("Cache-Control") != test.keep {
				t.Errorf("%d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
			}
			if w.Code == 200 && (w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" ||
				w.Header().Get("Access-Control-Allow-Origin") != "*" ||
				w.Header().Get("Cross-Origin-Resource-Policy") != "cross-origin") {
				t.Errorf("headers %v", w.Header())
			}
		})
	}
	for _, path := range []string{"/js/", "/js", "/js/k.js", "/js/k.min.js/"} {
		if Handler(path) != nil {
			t.Errorf("something is at %s", path)
		}
	}
}
