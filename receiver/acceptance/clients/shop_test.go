package clients

import (
	"embed"
	"net/http"
	"strings"
	"text/template"

	scripts "github.com/postback-dev/postback-operator/api/browser"
)

//go:embed testdata/pages
var pageFiles embed.FS

// pages are those of the shop. They are given the query's values, as the shop's own code would put them in.
var pages = template.Must(template.ParseFS(pageFiles, "testdata/pages/*"))

// newShop serves pages by their names. What stands after a ~ of a page's name is its headers: `csp`, `noreferrer`.
func newShop() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, header, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "~")
		switch header {
		case "csp":
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' "+tracker+"; img-src "+tracker)
		case "noreferrer":
			w.Header().Set("Referrer-Policy", "no-referrer")
		}
		contentType := "text/html; charset=utf-8"
		if strings.HasSuffix(name, ".js") {
			contentType = "text/javascript"
		} else {
			name += ".html"
		}
		page := pages.Lookup(name)
		if page == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", contentType)
		_ = r.ParseForm() // A broken query is a test's own.
		_ = page.Execute(w, map[string]any{
			"Tracker": tracker, "Link": tracker + "/QwErTy", "Postback": tracker + "/" + clientKey + "/postback",
			"Integrity": scripts.ScriptIntegrity(), "AdapterIntegrity": scripts.AdapterIntegrity(),
			"Query": r.Form, "SubID": r.Form.Get("_subid"),
		})
	})
}
