// Package script serves the scripts that pages load: the tracking script and the JS adapter (docs/clients.md). Their
// content is package browser's.
package script

import (
	"bytes"
	"net/http"
	"time"

	"github.com/postback-dev/postback-operator/api/browser"
)

// How long browsers and proxies may keep a script: one that is asked for by its version forever, any other for an hour,
// so that pages have a new one soon after the receiver has.
const (
	keepVersion = "public, max-age=31536000, immutable"
	keepCurrent = "public, max-age=3600"
)

// file is one script.
type file struct {
	content []byte
	version string
}

var files = map[string]*file{
	browser.ScriptPath:  {content: browser.Script(), version: browser.Version(browser.Script())},
	browser.AdapterPath: {content: browser.Adapter(), version: browser.Version(browser.Adapter())},
}

// Handler returns what serves a path, nil when no script is there.
func Handler(path string) http.Handler {
	if f := files[path]; f != nil {
		return f
	}
	return nil
}

// ServeHTTP implements [http.Handler]. Every page may load a script and check its integrity, which browsers allow for
// what is readable only.
func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		header.Set("Content-Length", "0")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	header.Set("Content-Type", "text/javascript; charset=utf-8")
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("ETag", `"`+f.version+`"`)
	header.Set("Cache-Control", keepCurrent)
	if r.URL.Query().Get("v") == f.version {
		header.Set("Cache-Control", keepVersion)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}
