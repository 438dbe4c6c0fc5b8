package offline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/claims"
	"github.com/postback-dev/postback-operator/controllers/credentials"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// addCampaigns puts the campaigns that can be rendered into their endpoints.
func (p *planner) addCampaigns(plans map[types.NamespacedName]*fleetPlan) {
	served := map[types.NamespacedName]*config.Endpoint{}
	fleetOf := map[types.NamespacedName]types.NamespacedName{}
	for fleet, plan := range plans {
		for i := range plan.endpoints {
			e := &plan.endpoints[i]
			name := types.NamespacedName{Namespace: e.Namespace, Name: e.Name}
			served[name], fleetOf[name] = e, fleet
		}
	}
	rooms := map[types.NamespacedName]*render.Room{}
	links := map[types.NamespacedName]render.Link{}
	byFleet := map[types.NamespacedName][]claims.Link{}
	for _, campaign := range p.campaignsByAge() {
		name := types.NamespacedName{Namespace: campaign.Namespace, Name: campaign.Name}
		endpointName := endpointOf(campaign)
		link, err := p.campaign(campaign, served[endpointName])
		if err == nil {
			if rooms[endpointName] == nil {
				room := render.RoomOf(*served[endpointName])
				rooms[endpointName] = &room
			}
			err = rooms[endpointName].Take(link)
		}
		if err != nil {
			p.problemf("Campaign %s is left out: %w", name, err)
			continue
		}
		for _, warning := range render.CampaignWarnings(campaign) {
			p.notice("Campaign %s: %s", name, warning)
		}
		links[name] = link
		fleet := fleetOf[endpointName]
		byFleet[fleet] = append(byFleet[fleet], claims.Link{
			Campaign: name.String(), Created: campaign.CreationTimestamp.Time, Alias: link.Campaign.Alias, Tokens: link.Campaign.Tokens,
		})
	}
	for _, fleet := range slices.SortedFunc(maps.Keys(byFleet), byName) {
		kept, lost := claims.Links(byFleet[fleet])
		for _, claim := range byFleet[fleet] {
			if conflict, found := lost[claim.Campaign]; found {
				what := "token"
				if conflict.Alias {
					what = "alias"
				}
				p.problemf("Campaign %s is left out: the older Campaign %s has the same %s", claim.Campaign, conflict.Owner, what)
			}
		}
		for name, link := range links {
			if tokens, found := kept[name.String()]; found {
				link.Campaign.Tokens = tokens
				endpoint := served[endpointOf(p.campaigns[name])]
				*endpoint = render.Attach(*endpoint, link)
			}
		}
	}
}

func (p *planner) campaignsByAge() []*v1alpha1.Campaign {
	return slices.SortedFunc(maps.Values(p.campaigns), func(a, b *v1alpha1.Campaign) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}

func endpointOf(campaign *v1alpha1.Campaign) types.NamespacedName {
	return types.NamespacedName{Namespace: campaign.Namespace, Name: campaign.Spec.EndpointRef.Name}
}

// campaign renders one; endpoint is nil when it isn't rendered.
func (p *planner) campaign(campaign *v1alpha1.Campaign, endpoint *config.Endpoint) (render.Link, error) {
	if endpoint == nil {
		name := endpointOf(campaign)
		if p.endpoints[name] == nil {
			return render.Link{}, fmt.Errorf("spec.endpointRef: no PostbackEndpoint %s is declared", name)
		}
		return render.Link{}, fmt.Errorf("its PostbackEndpoint %s is left out", name)
	}
	headers, err := p.headers(campaign.Namespace, campaign.ForwardSecrets())
	if err != nil {
		return render.Link{}, err
	}
	ring, err := p.tokens(campaign, headers)
	if err != nil {
		return render.Link{}, err
	}
	return render.Campaign(campaign, ring, headers, *endpoint)
}

// tokens resolves and advances the campaign's token, after generating it where nobody declared its Secret.
func (p *planner) tokens(campaign *v1alpha1.Campaign, headers render.HeaderValues) (rotation.Ring, error) {
	keyring := types.NamespacedName{Namespace: campaign.Namespace, Name: campaign.Name + v1alpha1.CampaignKeyringSecretSuffix}
	before, err := p.kept.keyring(keyring)
	if err != nil {
		return nil, err
	}
	spec := campaign.Spec.Token
	name := types.NamespacedName{Namespace: campaign.Namespace, Name: campaign.Name + v1alpha1.TokenSecretSuffix}
	field, data := v1alpha1.DefaultTokenField, p.secrets[name]
	switch {
	case spec.SecretRef != nil:
		field, name.Name = fieldOf(spec.SecretRef, field), spec.SecretRef.Name
		if data, err = p.named(campaign.Namespace, "spec.token.secretRef", spec.SecretRef); err != nil {
			return nil, err
		}
	case data == nil:
		revision := max(spec.Revision, 1)
		if p.kept.get(name)[field] == nil || revision > p.kept.revision(name, v1alpha1.AnnotationKeyRevision) {
			p.kept.set(name, v1alpha1.RoleKey, v1alpha1.LabelCampaign, campaign.Name, field, credentials.NewKey())
			p.kept.annotate(name, v1alpha1.AnnotationKeyRevision, revision)
		}
		data = p.kept.get(name)
	}
	token, err := render.Token(data, field)
	if err != nil {
		return nil, fmt.Errorf("in Secret %s: %w", name, err)
	}
	ring := rotation.Advance(before, rotation.Input{
		Now: p.now, Observed: map[rotation.Purpose][]string{
			rotation.Campaign: {token}, rotation.Forward: headers.List(campaign.ForwardSecrets()),
		},
		Overlap: spec.Overlap.Duration, Revoked: spec.Revoked, NewID: credentials.NewID,
	})
	p.kept.set(keyring, v1alpha1.RoleKeyring, v1alpha1.LabelCampaign, campaign.Name, v1alpha1.KeyringField, string(ring.Encode()))
	return ring, nil
}
