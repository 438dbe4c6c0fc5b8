package api

import (
	"net/http"
	"slices"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

// endpoints lists what the receiver serves, sorted by name: to a token of one endpoint that one only.
func (a *api) endpoints(w http.ResponseWriter, r *http.Request) error {
	if _, err := filtersOf(r, noFilters); err != nil {
		return err
	}
	view := read.Page[read.Endpoint]{Items: []read.Endpoint{}}
	for _, e := range a.Explainer.Endpoints().Endpoints() {
		if only := grantOf(r).Endpoint; only == "" || only == e.Name {
			view.Items = append(view.Items, viewEndpoint(e))
		}
	}
	WriteJSON(w, http.StatusOK, view)
	return nil
}

func viewEndpoint(e *endpoint.Endpoint) read.Endpoint {
	view := read.Endpoint{
		Name:        e.Name,
		Currency:    e.Currency,
		Types:       slices.Clone(e.Types),
		SuccessBody: e.SuccessBody,
		Pages:       e.Browser != nil,
		Keys:        []read.Key{},
		Training:    []read.TrainingRule{},
		Campaigns:   []read.Campaign{},
		Forwards:    []read.ForwardRule{},
	}
	for _, key := range e.Declared.Keys {
		view.Keys = append(view.Keys, read.Key{ID: key.ID, RetireAt: key.RetireAt})
	}
	for _, rule := range e.Declared.Training {
		view.Training = append(view.Training, read.TrainingRule{Type: rule.Type, Statuses: slices.Clone(rule.Statuses)})
	}
	for _, campaign := range e.Declared.Campaigns {
		view.Campaigns = append(view.Campaigns, read.Campaign{
			Name:     campaign.Name,
			Alias:    campaign.Alias,
			OfferURL: campaign.OfferURL,
			Source:   read.Text(campaign.Source),
		})
	}
	for i := range e.Rules.Forwards {
		rule := &e.Rules.Forwards[i]
		types := append([]string{}, rule.Types...)
		view.Forwards = append(view.Forwards, read.ForwardRule{Name: rule.Name, Host: rule.Host, Types: types})
	}
	return view
}
