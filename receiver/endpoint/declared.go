package endpoint

import (
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Declared is what people are shown of an endpoint's declaration. It has no secret and no digest of one.
type Declared struct {
	Keys      []DeclaredKey
	Training  []config.TrainingRule
	Campaigns []DeclaredCampaign
}

// DeclaredKey is a key by its public id.
type DeclaredKey struct {
	ID string
	// RetireAt is the moment from which the key is refused; nil while it is the active one.
	RetireAt *time.Time
}

// DeclaredCampaign is a campaign as it is declared.
type DeclaredCampaign struct{ Name, Alias, OfferURL, Source string }

func declaredOf(c *config.Endpoint) Declared {
	d := Declared{Training: c.Training}
	for _, key := range c.Keys {
		d.Keys = append(d.Keys, DeclaredKey{ID: key.ID, RetireAt: key.RetireAt})
	}
	for i := range c.Campaigns {
		campaign := &c.Campaigns[i]
		d.Campaigns = append(d.Campaigns, DeclaredCampaign{
			Name:     campaign.Name,
			Alias:    campaign.Alias,
			OfferURL: campaign.OfferURL,
			Source:   campaign.Source,
		})
	}
	return d
}
