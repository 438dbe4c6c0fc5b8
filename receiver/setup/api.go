package setup

import (
	"errors"
	"net/http"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/console"
	"github.com/postback-dev/postback-operator/receiver/api"
	"github.com/postback-dev/postback-operator/receiver/explain"
	"github.com/postback-dev/postback-operator/receiver/report"
	"github.com/postback-dev/postback-operator/receiver/server"
)

func (r *Receiver) newAPI() (http.Handler, error) {
	var token *api.TokenFile
	if r.options.OpsTokenFile != "" {
		var err error
		if token, err = api.OpenTokenFile(r.options.OpsTokenFile); err != nil {
			return nil, err
		}
	}
	return api.New(api.Options{
		Store:   r.store,
		Reports: r.store,
		Rules:   report.Rules{CountsAs: r.countsAs, Currency: r.currencyOf, Convert: r.convert},
		Resent:  r.forward.Notify,
		Talkers: r.topTalkers,
		Explainer: explain.New(explain.Options{
			Endpoints: r.watch.Current, Rates: r.rates.Table, Store: r.store, Answer: server.Answer, Clock: r.options.Clock,
		}),
		Operator: r.operator,
		Token:    token,
		Logger:   r.options.Logger,
		Clock:    r.options.Clock,
	}), nil
}

// newConsole returns the web pages over the API, nil if nobody asked for them.
func (r *Receiver) newConsole(product http.Handler) (http.Handler, error) {
	switch {
	case !r.options.Console:
		return nil, nil
	case r.options.OpsTokenFile != "":
		return nil, errors.New("the console knows no tokens: leave out --console or --ops-token-file")
	}
	options := console.Options{
		API: client.New("http://localhost", "",
			client.Local{Handler: api.As(product, read.ScopeRead, read.ScopeWrite)}),
		Logger: r.options.Logger,
		Clock:  r.options.Clock,
	}
	if r.options.ConsoleViews != "" {
		options.Views = console.NewViewFile(r.options.ConsoleViews)
	}
	return api.LoopbackOnly(console.New(options)), nil
}

func (r *Receiver) countsAs(endpoint, conversionType string) config.CountsAs {
	return r.watch.Current().CountsAs(endpoint, conversionType)
}

// currencyOf returns "" for an endpoint that is not declared.
func (r *Receiver) currencyOf(endpoint string) string {
	if e := r.watch.Current().ByName(endpoint); e != nil {
		return e.Rules.Currency
	}
	return ""
}

// convert converts by the rates of now.
func (r *Receiver) convert(amount decimal.Decimal, from, to string) (decimal.Decimal, bool) {
	converted := r.rates.Table().Convert(amount, from, to).Converted
	if converted == nil {
		return decimal.Zero, false
	}
	return *converted, true
}
