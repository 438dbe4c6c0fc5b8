// Package console owns the web pages over what a receiver recorded. It is a pure client of the product API: it knows no
// store, no receiver and no Kubernetes.
//
// Pages are rendered on the server and work without JavaScript. All their state is in the URL, so that the back button,
// a middle click and a copied link do what they say. Values of strangers reach a page through html/template only, and
// the Content-Security-Policy has no exceptions: no inline script, no inline style, nothing from elsewhere.
package console

import (
	"cmp"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/api/read/client"
)

//go:embed static
var static embed.FS

// Options are what the console is made of. Fields without a comment on nil are mandatory.
type Options struct {
	API    *client.Client
	Logger *slog.Logger
	// Clock tells the time.
	Clock func() time.Time
	// Actor names who uses the console, for the log of what people change; empty = "console".
	Actor string
	// ActorOf names who has sent a request, in place of Actor; nil = Actor has sent all of them.
	ActorOf func(*http.Request) string
	// ReadOnly reports whether who has sent a request may change nothing: pages have no forms for it then. What is sent
	// all the same, the API refuses. nil = everybody may change.
	ReadOnly func(*http.Request) bool
	// Base is the path below which the pages are, with a slash at both ends; empty = [Base].
	Base string
	// SignOut is where a form is sent that ends the visitor's session; empty = there is none to end.
	SignOut string
	// Views keeps the pages that people have named; nil = the console has none.
	Views Views
}

// Base is the path below which the pages are, unless [Options] say another one.
const Base = "/console/"

// New returns the handler of the pages. Who may ask, and under which names of the host, is its caller's business.
func New(o Options) http.Handler { return newConsole(o).handler() }

func newConsole(o Options) *console {
	o.Actor, o.Base = cmp.Or(o.Actor, "console"), cmp.Or(o.Base, Base)
	if o.ActorOf == nil {
		o.ActorOf = func(*http.Request) string { return o.Actor }
	}
	if o.ReadOnly == nil {
		o.ReadOnly = func(*http.Request) bool { return false }
	}
	c := &console{Options: o, guard: newGuard(o.Base)}
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
		"views":            c.views,

		"clicks/{namespace}/{name}/{subid}": c.click,
	} {
		mux.Handle("GET "+c.Base+path, c.show(page))
	}
	mux.HandleFunc("GET "+c.Base+"tail", c.tail)
	c.handleForms(mux)
	c.handleFiles(mux)
	mux.Handle("GET "+c.Base+"static/", http.StripPrefix(c.Base, http.FileServerFS(static)))
	mux.Handle("GET "+c.Base, c.show(func(*page) error { return errNoPage }))
	return secure(mux)
}

// handleForms routes what changes something. What the receiver refuses is told on the page that has the form.
func (c *console) handleForms(mux *http.ServeMux) {
	mux.Handle("POST "+c.Base+"url", c.show(c.urlAndTest))
	for path, change := range map[string]func(*page) error{
		"s2s/{id}/resend":         c.resend,
		"operations":              c.attempt("operations", c.operations, c.operate),
		"operations/{id}/run":     c.attempt("operations/{id}", c.operation, c.runOperation),
		"operations/{id}/cancel":  c.attempt("operations/{id}", c.operation, c.cancelOperation),
		"conversions/{id}/change": c.attempt("conversions/{id}", c.conversion, c.correct),
		"conversions/{id}/adjust": c.attempt("conversions/{id}", c.conversion, c.adjust),
		"views":                   c.saveView,
		"views/delete":            c.deleteView,
	} {
		mux.Handle("POST "+c.Base+path, c.show(change))
	}
}

// handleFiles routes what is downloaded: tables, and charts as pictures.
func (c *console) handleFiles(mux *http.ServeMux) {
	for path, of := range map[string]func(*page) (resource string, parameters url.Values){
		"conversions.csv": func(p *page) (string, url.Values) { return "conversions.csv", p.asked(conversionFilters...) },
		"received.csv":    func(p *page) (string, url.Values) { return "postbacks.csv", p.asked(postbackFilters...) },
		"s2s.csv":         func(p *page) (string, url.Values) { return "forwards.csv", p.asked(forwardFilters...) },
		"clicks.csv":      func(p *page) (string, url.Values) { return "clicks.csv", p.askedClicks() },
		"reports.csv":     func(p *page) (string, url.Values) { return "report.csv", p.askedReport() },
		"operations/{id}/rows.csv": func(p *page) (string, url.Values) {
			return "operations/" + url.PathEscape(p.request.PathValue("id")) + "/rows.csv", p.asked("outcome")
		},
	} {
		mux.HandleFunc("GET "+c.Base+path, func(w http.ResponseWriter, r *http.Request) {
			p := c.newPage(r)
			resource, parameters := of(p)
			c.download(w, p, resource, parameters)
		})
	}
	mux.HandleFunc("GET "+c.Base+"reports/chart.svg", c.picture(c.reports))
	mux.HandleFunc("GET "+c.Base+"overview/chart.svg", c.picture(c.overviewFigures))
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
		p := c.newPage(r)
		p.Token, p.HasViews = c.guard.token(c.guard.session(w, r)), c.Views != nil
		status, err := http.StatusOK, error(nil)
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, c.guard.limitOf(r))
			err = c.guard.check(r)
		}
		if err == nil {
			err = fill(p)
		}
		if err != nil {
			status = c.explain(p, err)
		} else if p.status != 0 {
			status = p.status
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

// attempt does what a form says. What the receiver refuses is told on the page that has the form, with what was said in
// it, so that it can be corrected; at is that page's path.
func (c *console) attempt(at string, form, change func(*page) error) func(*page) error {
	return func(p *page) error {
		err := change(p)
		var refused *client.Failure
		if !errors.As(err, &refused) || refused.Status >= http.StatusInternalServerError {
			return err
		}
		p.path = c.Base + strings.Replace(at, "{id}", p.request.PathValue("id"), 1)
		if err := form(p); err != nil {
			return err
		}
		p.Failure, p.status = refused.Message, refused.Status
		return nil
	}
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
