package setup

import (
	"net/http"
	"strings"

	"github.com/postback-dev/postback-operator/api/browser"
	"github.com/postback-dev/postback-operator/receiver/click"
	"github.com/postback-dev/postback-operator/receiver/click/api"
	"github.com/postback-dev/postback-operator/receiver/click/link"
	"github.com/postback-dev/postback-operator/receiver/click/script"
	"github.com/postback-dev/postback-operator/receiver/click/unique"
	"github.com/postback-dev/postback-operator/receiver/server"
)

// pages says what visitors and their pages are served.
func (r *Receiver) pages() func(*http.Request) server.Page {
	o := r.options
	store := &click.Store{
		Ledger:   r.book,
		Observer: r.metrics,
		Visitors: unique.New(),
		Timeout:  min(click.VisitorTimeout, o.Hold),
		Logger:   o.Logger,
	}
	clicks := api.New(api.Options{
		Endpoints:  r.watch.Current,
		Rates:      r.rates.Table,
		Clicks:     store,
		Clock:      o.Clock,
		WrongToken: r.metrics.WrongKey,
	})
	links := link.New(link.Options{Endpoints: r.watch.Current, Rates: r.rates.Table, Clicks: store, Clock: o.Clock})
	return func(req *http.Request) server.Page {
		if api.Serves(req) {
			return server.Page{Handler: clicks}
		}
		if file := script.Handler(r.scriptPath(req.URL.Path)); file != nil {
			return server.Page{Handler: file}
		}
		handler := links.Handler(req)
		if handler == nil {
			return server.Page{}
		}
		return server.Page{Handler: handler, Endpoint: r.ownerOf(req.URL.Path)}
	}
}

// scriptPath returns the path of the tracking script for /{alias}.js of a campaign, and any other path as it is.
func (r *Receiver) scriptPath(path string) string {
	alias, isScript := strings.CutSuffix(path, ".js")
	if isScript && r.ownerOf(alias) != "" {
		return browser.ScriptPath
	}
	return path
}

// ownerOf returns the endpoint of the campaign whose link has that path, "" if there is none.
func (r *Receiver) ownerOf(path string) string {
	if c := r.watch.Current().ByAlias(strings.TrimPrefix(path, "/")); c != nil {
		return c.Endpoint.Name
	}
	return ""
}
