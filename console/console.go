// Package console owns the web pages over what a receiver recorded. It is a pure client of the product API: it knows no
// store, no receiver and no Kubernetes.
//
// Pages are rendered on the server and work without JavaScript. All their state is in the URL, so that the back button,
// a middle click and a copied link do what they say. Values of strangers reach a page through html/template only, and
// the Content-Security-Policy has no exceptions: no inline script, no inline style, nothing from elsewhere.
package console

import (
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/postback-dev/postback-operator/api/read/client"
)

//go:embed static
var static embed.FS

// Options are what the console is made of. All are mandatory.
type Options struct {
	API    *client.Client
	Logger *slog.Logger
	// Clock tells the time.
	Clock func() time.Time
}

// Base is the path below which the pages are.
const Base = "/console/"

// New returns the handler of the pages, which answers below [Base] on the host names of this machine only: otherwise a
// web page could read the console through a name of its own that resolves to 127.0.0.1.
func New(o Options) http.Handler { return newConsole(o).handler() }

func newConsole(o Options) *console {
	c := &console{Options: o, guard: newGuard()}
	c.tails.open = c.openTail
	return c
}

func (c *console) handler() http.Handler {
	mux := http.NewServeMux()
	for path, page := range map[string]func(*page) error{
		"{$}":              c.overview,
		"conversions":      c.conversions,
		"conversions/{id}": c.conversion,
		"received":         c.received,
		"s2s":              c.forwards,
		"reports":          c.reports,
		"url":              c.urlAndTest,
		"statuses":         c.statuses,
		"clicks":           c.clicks,
		"campaigns":        c.campaigns,
		"endpoints":        c.endpoints,
		"operations":       c.operations,
		"operations/{id}":  c.operation,

		"clicks/{namespace}/{name}/{subid}": c.click,
	} {
		mux.Handle("GET "+Base+path, c.show(page))
	}
	mux.HandleFunc("GET "+Base+"tail", c.tail)
	mux.Handle("POST "+Base+"url", c.show(c.urlAndTest))
	for path, change := range map[string]func(*page) error{
		"s2s/{id}/resend":        c.resend,
		"operations":             c.replay,
		"operations/{id}/run":    c.runOperation,
		"operations/{id}/cancel": c.cancelOperation,
	} {
		mux.Handle("POST "+Base+path, c.show(change))
	}
	mux.Handle("GET "+Base+"static/", http.StripPrefix(Base, http.FileServerFS(static)))
	mux.Handle("GET "+Base, c.show(func(*page) error { return errNoPage }))
	return secure(mux)
}

type console struct {
	Options
	guard *guard
	tails tails
}

// errNoPage is the error of a path that leads nowhere.
var errNoPage = errors.New("no such page")

// show renders a page, or its error in its place.
func (c *console) show(fill func(*page) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := newPage(r, c.Clock())
		p.Token = c.guard.token(c.guard.session(w, r))
		status, err := http.StatusOK, error(nil)
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			err = c.guard.check(r)
		}
		if err == nil {
			err = fill(p)
		}
		if err != nil {
			status = c.explain(p, err)
		} else if p.next != "" {
			http.Redirect(w, r, p.next, http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Language", p.Lang)
		if err := p.render(w, status); err != nil {
			c.Logger.Error("Rendering a page of the console", "path", r.URL.Path, "error", err)
		}
	})
}

// explain turns an error into what the page shows, and returns the status.
func (c *console) explain(p *page, err error) int {
	var failure *client.Failure
	if errors.As(err, &failure) && failure.Status == http.StatusBadRequest && p.template != "" {
		p.Failure = failure.Message // The page's form stays, so that it can be corrected.
		return http.StatusBadRequest
	}
	p.template, p.Title = "failure", "title.failure"
	switch {
	case errors.Is(err, errNoPage):
		p.Failure = p.T("failure.no_page")
		return http.StatusNotFound
	case errors.Is(err, errForm):
		p.Failure = p.T("failure.form")
		return http.StatusForbidden
	case errors.As(err, &failure) && failure.Status < http.StatusInternalServerError:
		p.Failure = failure.Message
		return failure.Status
	case errors.As(err, &failure):
		p.Failure = failure.Message
		return http.StatusBadGateway
	}
	if p.ctx.Err() == nil {
		c.Logger.Error("Answering the console", "error", err)
	}
	p.Failure = p.T("failure.receiver")
	return http.StatusBadGateway
}

// policy lets a page load its own style and script, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
