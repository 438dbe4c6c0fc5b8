package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/claims"
	"github.com/postback-dev/postback-operator/controllers/index"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// campaign is one campaign of an endpoint that names the fleet.
type campaign struct {
	declared *v1alpha1.Campaign
	ring     rotation.Ring
	ringData []byte
	// headers are the values of the forwards' secret headers, as far as they can be read.
	headers render.HeaderValues
}

func (c *campaign) name() types.NamespacedName { return client.ObjectKeyFromObject(c.declared) }

// contentKey tells a campaign's content apart from that of an endpoint of the same name.
func contentKey(campaign types.NamespacedName) types.NamespacedName {
	return types.NamespacedName{Namespace: campaign.Namespace, Name: "campaign/" + campaign.Name}
}

// campaigns returns an endpoint's campaigns, the oldest first.
func (o observer) campaigns(ctx context.Context, endpoint *v1alpha1.PostbackEndpoint) ([]campaign, error) {
	declared, err := index.CampaignsOfEndpoint(ctx, o.cache, client.ObjectKeyFromObject(endpoint))
	if err != nil {
		return nil, fmt.Errorf("listing Campaigns: %w", err)
	}
	slices.SortFunc(declared, func(a, b v1alpha1.Campaign) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
	fleet, _ := render.FleetOf(endpoint)
	var found []campaign
	for i := range declared {
		c := campaign{declared: &declared[i]}
		if c.declared.DeletionTimestamp != nil {
			continue
		}
		name := resources.CampaignKeyringSecretName(c.declared)
		if c.ringData, err = o.field(ctx, name, c.declared.Namespace, v1alpha1.KeyringField); err != nil {
			return nil, err
		}
		if c.ring, err = rotation.Parse(c.ringData); err != nil {
			return nil, err
		}
		if c.headers, err = o.headers(ctx, c.declared.Namespace, fleet.Namespace, c.declared.ForwardSecrets()); err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}

// links returns, by endpoint, the campaigns that are to be served with those of the candidates, and says in p.campaigns what
// becomes of each. One that can't be served keeps no other from anything.
func (p *plan) links(s *scope, candidates map[types.NamespacedName]config.Endpoint) map[types.NamespacedName][]render.Link {
	found := map[types.NamespacedName]render.Link{} // by campaign
	for i := range s.joiners {
		j := &s.joiners[i]
		if len(j.campaigns) > 0 {
			p.renderCampaigns(s, j, candidates, found)
		}
	}
	p.settleCampaigns(s, found)
	links := map[types.NamespacedName][]render.Link{}
	for i := range s.joiners {
		j := &s.joiners[i]
		for k := range j.campaigns {
			name := j.campaigns[k].name()
			if link, served := found[name]; served {
				verdict := p.campaigns[name]
				verdict.Revision = link.Revision()
				p.campaigns[name], p.contents[contentKey(name)] = verdict, verdict.Revision
				links[j.name()] = append(links[j.name()], link)
			}
		}
	}
	return links
}

// renderCampaigns renders an endpoint's campaigns as far as there is room for them.
func (p *plan) renderCampaigns(s *scope, j *joiner, candidates map[types.NamespacedName]config.Endpoint, found map[types.NamespacedName]render.Link) {
	endpoint, served := candidates[j.name()]
	base, before := render.Detach(endpoint)
	room := render.RoomOf(base)
	for i := range j.campaigns {
		c := &j.campaigns[i]
		verdict := propagation.Verdict{Input: propagation.Input(c.declared.Generation, c.ringData), Accepted: true}
		var link render.Link
		var ok bool
		switch of := p.verdicts[j.name()]; {
		case !of.Accepted:
			verdict.Accepted, verdict.Reason = false, v1alpha1.ReasonEndpointNotAccepted
			verdict.Message = "PostbackEndpoint " + j.endpoint.Name + " is not accepted: its conditions say why."
			link, ok = c.former(before)
			verdict.Former = ok
		case !served: // it waits for its key
		case of.Former:
			link, ok = c.former(before)
			verdict.Former = ok
		default:
			link, ok = c.render(s, base, &verdict)
		}
		if ok {
			if err := room.Take(link); err != nil {
				verdict.Accepted, verdict.Reason, verdict.Message, verdict.Former = false, v1alpha1.ReasonInvalid, err.Error(), false
			} else {
				found[c.name()] = link
			}
		}
		p.campaigns[c.name()] = verdict
	}
}

// render returns the campaign as it is to be served; as before where it can't be served as declared.
func (c *campaign) render(s *scope, endpoint config.Endpoint, verdict *propagation.Verdict) (render.Link, bool) {
	if c.declared.Spec.Token.SecretRef == nil && len(c.ring[rotation.Campaign]) == 0 {
		return render.Link{}, false // its token is about to be generated
	}
	if render.HeadersReady(c.declared.ForwardSecrets(), c.headers, c.ring) {
		link, err := render.Campaign(c.declared, c.ring, c.headers, endpoint)
		if err == nil {
			err = render.CheckCampaign(c.declared, render.FixedRates(s.fleet))
		}
		if err == nil {
			return link, true
		}
		verdict.Accepted, verdict.Reason, verdict.Message = false, v1alpha1.ReasonInvalid, err.Error()
	}
	served, _ := s.former(types.NamespacedName{Namespace: endpoint.Namespace, Name: endpoint.Name})
	_, links := render.Detach(served)
	link, former := c.former(links)
	verdict.Former = former
	return link, former
}

// former returns the campaign as it is served now, but without tokens that are revoked by now.
func (c *campaign) former(links []render.Link) (render.Link, bool) {
	i := slices.IndexFunc(links, func(l render.Link) bool { return l.Campaign.Name == c.declared.Name })
	if i < 0 {
		return render.Link{}, false
	}
	return links[i].WithoutRevoked(c.declared.Spec.Token.Revoked), true
}

// settleCampaigns leaves an alias and a token to the oldest campaign that has it. The others are served as before, where that
// is nobody else's.
func (p *plan) settleCampaigns(s *scope, found map[types.NamespacedName]render.Link) {
	var all []claims.Link
	byName := map[string]types.NamespacedName{}
	previous := map[string]render.Link{}
	for i := range s.joiners {
		j := &s.joiners[i]
		for k := range j.campaigns {
			c := &j.campaigns[k]
			link, ok := found[c.name()]
			if !ok {
				continue
			}
			byName[c.name().String()] = c.name()
			all = append(all, claims.Link{
				Campaign: c.name().String(), Created: c.declared.CreationTimestamp.Time,
				Alias: link.Campaign.Alias, Tokens: link.Campaign.Tokens,
				Previous: func() (string, []config.Key, bool) {
					served, _ := s.former(j.name())
					_, links := render.Detach(served)
					former, found := c.former(links)
					previous[c.name().String()] = former
					return former.Campaign.Alias, former.Campaign.Tokens, found
				},
			})
		}
	}
	kept, lost := claims.Links(all)
	for name, conflict := range lost {
		verdict := p.campaigns[byName[name]]
		verdict.Accepted, verdict.Former = false, conflict.Previous
		verdict.Reason, verdict.Message = conflictMessage(byName[name], byName[conflict.Owner], conflict.Alias)
		p.campaigns[byName[name]] = verdict
		if conflict.Previous {
			found[byName[name]] = previous[name]
		} else {
			delete(found, byName[name])
		}
	}
	for name, tokens := range kept {
		link := found[byName[name]]
		link.Campaign.Tokens = tokens
		found[byName[name]] = link
	}
}

// conflictMessage names the owner only to those who can see it.
func conflictMessage(loser, owner types.NamespacedName, alias bool) (reason, message string) {
	who := "an older Campaign of another namespace"
	if owner.Namespace == loser.Namespace {
		who = "the older Campaign " + owner.Name
	}
	if alias {
		return v1alpha1.ReasonAliasTaken, "Its alias is that of " + who + " in the same fleet: write another one into spec.alias."
	}
	return v1alpha1.ReasonTokenTaken, "Its token is that of " + who + ": give it one of its own."
}
