package setup

import (
	"context"
	"net/http"

	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/api"
	"github.com/postback-dev/postback-operator/receiver/api/keitaro"
	"github.com/postback-dev/postback-operator/receiver/server"
)

// adminConnections is far more than the scripts of a fleet need, and few beside those of postbacks.
const adminConnections = 64

// listenAdmin opens the port of Keitaro's Admin API, if somebody asked for it. product is the API that it translates
// to.
func (r *Receiver) listenAdmin(ctx context.Context, product http.Handler) error {
	if r.options.AdminListen == "" {
		return nil
	}
	key, err := adminKey(r.options.AdminKeyFile)
	if err != nil {
		return err
	}
	costKey, err := adminKey(r.options.AdminCostKeyFile)
	if err != nil {
		return err
	}
	as := func(scopes ...read.Scope) *client.Client {
		return client.New("http://localhost", "", client.Local{Handler: api.As(product, scopes...)})
	}
	r.admin, err = server.Listen(ctx, server.ListenerOptions{
		Address: r.options.AdminListen,
		Handler: keitaro.New(keitaro.Options{
			API:       as(read.ScopeRead),
			Costs:     as(read.ScopeWrite),
			CostKey:   costKey,
			Campaigns: r.campaigns,
			Key:       key,
			Logger:    r.options.Logger,
			Clock:     r.options.Clock,
		}),
		HandlerTime: opsTime, Logger: r.options.Logger, MaxConnections: adminConnections,
	})
	return err
}

// adminKey returns the key in a file; nil without a file.
func adminKey(path string) (*keitaro.Key, error) {
	if path == "" {
		return nil, nil
	}
	file, err := api.OpenTokenFile(path)
	if err != nil {
		return nil, err
	}
	return keitaro.NewKey(file.Read)
}

// campaigns are those that are declared now.
func (r *Receiver) campaigns() []keitaro.Campaign {
	declared := r.watch.Current().Campaigns()
	all := make([]keitaro.Campaign, len(declared))
	for i, c := range declared {
		all[i] = keitaro.Campaign{Endpoint: c.Endpoint.Name, Name: c.Name, Alias: c.Alias}
	}
	return all
}
