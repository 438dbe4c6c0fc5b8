package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// Link is a rendered campaign with its forwards, as both are in its endpoint.
type Link struct {
	Campaign config.Campaign
	Forwards []config.Forward
}

// Campaign renders a declaration that the schema has defaulted and accepted, for the endpoint of which it is one. ring
// holds its tokens and was advanced by headers, the secrets of its forwards. The error is the contract's, one sentence
// per problem.
func Campaign(declared *v1alpha1.Campaign, ring rotation.Ring, headers credential.HeaderValues,
	endpoint config.Endpoint) (Link, error) {
	spec := &declared.Spec
	link := Link{Campaign: config.Campaign{
		Name:       declared.Name,
		Alias:      declared.LinkAlias(),
		Tokens:     ring.Keys(rotation.Campaign),
		OfferURL:   spec.OfferURL,
		Source:     spec.Source,
		Parameters: aliases(v1alpha1.Aliases(spec.Parameters)),

		TokenInQuery: spec.Token.InQuery,
		Payout:       spec.Payout,
		CookieDays:   int(spec.CookieDays),
	}}
	if spec.Cost != nil {
		cost := config.Cost(*spec.Cost)
		if cost.Currency == "" {
			cost.Currency = endpoint.Currency
		}
		link.Campaign.Cost = &cost
	}
	link.Forwards = campaignForwards(declared, ring, headers)
	// Judged in an endpoint that has nothing else, so that what is found is the campaign's.
	alone, _ := Detach(endpoint)
	alone.Forwards = nil
	alone = Attach(alone, link)
	return link, asDeclared(errors.Join(alone.Validate(), alone.Lint()))
}

// CampaignWarnings are sentences about what a declared campaign says that works and may not be meant.
func CampaignWarnings(declared *v1alpha1.Campaign) []string {
	return (&config.Campaign{OfferURL: declared.Spec.OfferURL}).Warnings()
}

// Attach returns the endpoint with links added to it. The argument is left as it is.
func Attach(endpoint config.Endpoint, links ...Link) config.Endpoint {
	endpoint.Campaigns = append([]config.Campaign(nil), endpoint.Campaigns...)
	endpoint.Forwards = append([]config.Forward(nil), endpoint.Forwards...)
	for _, link := range links {
		endpoint.Campaigns = append(endpoint.Campaigns, link.Campaign)
		endpoint.Forwards = append(endpoint.Forwards, link.Forwards...)
	}
	return endpoint
}

// Detach returns the endpoint without its links, and them. The argument is left as it is.
func Detach(endpoint config.Endpoint) (config.Endpoint, []Link) {
	links := make([]Link, len(endpoint.Campaigns))
	byName := map[string]*Link{}
	for i, c := range endpoint.Campaigns {
		links[i].Campaign = c
		byName[c.Name] = &links[i]
	}
	var own []config.Forward
	for _, f := range endpoint.Forwards {
		// The endpoint's own forwards have no dot in their names.
		if campaign, _, dotted := strings.Cut(f.Name, "."); dotted {
			if link := byName[campaign]; link != nil {
				link.Forwards = append(link.Forwards, f)
			}
			continue
		}
		own = append(own, f)
	}
	endpoint.Campaigns, endpoint.Forwards = nil, own
	return endpoint, links
}

// Revision identifies the link's content, as the endpoint's own revision does the endpoint's.
func (l Link) Revision() string { return Attach(config.Endpoint{}, l).Revision() }

// Room says how many bytes and campaigns an endpoint has left.
type Room struct{ campaigns, bytes int }

// RoomOf returns what an endpoint without links leaves.
func RoomOf(endpoint config.Endpoint) Room {
	return Room{campaigns: config.MaxCampaigns, bytes: config.MaxEndpointBytes - size(endpoint) - 64}
}

// Take makes room for a link, or says why there is none. Then nothing was taken.
func (r *Room) Take(link Link) error {
	bytes := size(link.Campaign) + 1
	for _, f := range link.Forwards {
		bytes += size(f) + 1
	}
	if r.campaigns < 1 || bytes > r.bytes {
		return fmt.Errorf("its endpoint has no room for another campaign: at most %d, and %d bytes with all that is "+
			"declared; use another endpoint",
			config.MaxCampaigns, config.MaxEndpointBytes)
	}
	r.campaigns, r.bytes = r.campaigns-1, r.bytes-bytes
	return nil
}

// size is the length of the contract's encoding, or a little more.
func size(value any) int {
	data, err := json.Marshal(value)
	if err != nil {
		return config.MaxEndpointBytes
	}
	return len(data)
}
