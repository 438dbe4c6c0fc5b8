package offline

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/assembly"
	"github.com/postback-dev/postback-operator/controllers/render"
)

// addCampaigns gives the campaigns to their endpoints: as declared, or, where the document was refused or is missing,
// as they were.
func (p *planner) addCampaigns() {
	for _, name := range slices.SortedFunc(maps.Keys(p.campaigns), byName) {
		declared := p.campaigns[name]
		c := &memberCampaign{}
		c.Name, c.Created, c.Declared = name, declared.CreationTimestamp.Time, declared
		endpoint := types.NamespacedName{Namespace: name.Namespace, Name: declared.Spec.EndpointRef.Name}
		m := p.members[endpoint]
		if m == nil {
			c.Refused = fmt.Errorf("its PostbackEndpoint %s is left out", endpoint)
			if p.endpoints[endpoint] == nil && !p.isRejected(v1alpha1.KindPostbackEndpoint, endpoint) {
				c.Refused = fmt.Errorf("spec.endpointRef: no PostbackEndpoint %s is declared", endpoint)
			}
			p.keepCampaign(c)
			continue
		}
		m.add(c)
		o, decision, err := p.resolveCampaign(declared, m.fleet.Namespace)
		if err != nil {
			c.Refused = err
			continue
		}
		c.Keyring, c.Headers, c.decision = decision.Keyring, o.Headers.Values, decision
	}
	for _, r := range p.rejected {
		switch {
		case r.kind != v1alpha1.KindCampaign:
		case p.campaigns[r.name] != nil:
			p.problemf("%s: %s %s: %w", r.at, r.kind, r.name, r.err)
		default:
			c := assembly.Campaign{Name: r.name, Created: r.created, Refused: r.err}
			p.keepCampaign(&memberCampaign{Campaign: c, at: r.at})
		}
	}
	if p.unread {
		p.keepUnread()
	}
}

func (m *member) add(c *memberCampaign) {
	if m.campaigns == nil {
		m.campaigns = map[types.NamespacedName]*memberCampaign{}
	}
	m.campaigns[c.Name] = c
}

// keepCampaign gives a campaign to the endpoint with which it was rendered before, if it was. Where that is not planned
// now, the folder stays as it is.
func (p *planner) keepCampaign(c *memberCampaign) {
	of, fleet, found := p.before.endpointOf(c.Name, p.plans)
	m := p.members[of]
	if m == nil {
		p.refused(c.at, v1alpha1.KindCampaign, c.Name, fate(found && p.plans[fleet] == nil), c.Refused.Error())
		return
	}
	m.add(c)
}

// keepUnread keeps every campaign that was rendered before and is not declared now.
func (p *planner) keepUnread() {
	for name, m := range p.members {
		_, links := render.Detach(p.before[m.fleet].endpoints[name])
		for _, link := range links {
			campaign := types.NamespacedName{Namespace: name.Namespace, Name: link.Campaign.Name}
			if p.campaigns[campaign] == nil && !p.isRejected(v1alpha1.KindCampaign, campaign) {
				m.add(&memberCampaign{Campaign: assembly.Campaign{Name: campaign}})
			}
		}
	}
}
