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
	file, err := api.OpenTokenFile(r.options.AdminKeyFile)
	if err != nil {
		return err
	}
	key, err := keitaro.NewKey(file.Read)
	if err != nil {
		return err
	}
	r.admin, err = server.Listen(ctx, server.ListenerOptions{
		Address: r.options.AdminListen,
		Handler: keitaro.New(keitaro.Options{
			API:       client.New("http://localhost", "", client.Local{Handler: api.As(product, read.ScopeRead)}),
			Campaigns: r.campaigns,
			Key:       key,
			Logger:    r.options.Logger,
			Clock:     r.options.Clock,
		}),
		HandlerTime: opsTime, Logger: r.options.Logger, MaxConnections: adminConnections,
	})
	return err
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
