package setup

import (
	"net/http"

	"github.com/postback-dev/postback-operator/receiver/click"
	"github.com/postback-dev/postback-operator/receiver/click/api"
	"github.com/postback-dev/postback-operator/receiver/click/link"
	"github.com/postback-dev/postback-operator/receiver/click/script"
)

// pages says what visitors and their pages are served.
func (r *Receiver) pages() func(*http.Request) http.Handler {
	o := r.options
	store := &click.Store{
		Ledger: r.ledger, Observer: r.metrics, Timeout: min(click.VisitorTimeout, o.Hold), Logger: o.Logger,
	}
	clicks := api.New(api.Options{
		Endpoints:  r.watch.Current,
		Rates:      r.rates.Table,
		Clicks:     store,
		Clock:      o.Clock,
		WrongToken: r.metrics.WrongKey,
	})
	links := link.New(link.Options{Endpoints: r.watch.Current, Rates: r.rates.Table, Clicks: store, Clock: o.Clock})
	return func(req *http.Request) http.Handler {
		if api.Serves(req) {
			return clicks
		}
		if file := script.Handler(req.URL.Path); file != nil {
			return file
		}
		return links.Handler(req)
	}
}
