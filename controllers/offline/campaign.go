package offline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/claims"
	"github.com/postback-dev/postback-operator/controllers/render"
)

// links puts campaigns into the endpoints of the plans.
type links struct {
	*planner
	plans map[types.NamespacedName]*fleetPlan
	// served are the planned endpoints, fleetOf their fleets, rooms what each has left.
	served  map[types.NamespacedName]*config.Endpoint
	fleetOf map[types.NamespacedName]types.NamespacedName
	rooms   map[types.NamespacedName]*render.Room
	// found are the links that have room, of which endpoint, and since when there is the campaign.
	found map[types.NamespacedName]foundLink
}

type foundLink struct {
	render.Link
	of      types.NamespacedName
	created time.Time
}

// addCampaigns puts the campaigns into their endpoints: as declared, or, where that is wrong, as they were rendered before.
func (p *planner) addCampaigns(plans map[types.NamespacedName]*fleetPlan) {
	l := &links{
		planner: p, plans: plans,
		served: map[types.NamespacedName]*config.Endpoint{}, fleetOf: map[types.NamespacedName]types.NamespacedName{},
		rooms: map[types.NamespacedName]*render.Room{}, found: map[types.NamespacedName]foundLink{},
	}
	for fleet, plan := range plans {
		for i := range plan.endpoints {
			e := &plan.endpoints[i]
			room := render.RoomOf(*e)
			l.served[nameOf(*e)], l.fleetOf[nameOf(*e)], l.rooms[nameOf(*e)] = e, fleet, &room
		}
	}
	for _, campaign := range p.campaignsByAge() {
		name := types.NamespacedName{Namespace: campaign.Namespace, Name: campaign.Name}
		if err := l.declared(campaign, name); err != nil {
			p.problemf("Campaign %s %s: %w", name, fate(l.keep(name, campaign.CreationTimestamp.Time)), err)
		}
	}
	for _, r := range p.rejected {
		if r.kind == v1alpha1.KindCampaign && p.campaigns[r.name] == nil {
			p.problemf("%s: %s %s %s: %w", r.at, r.kind, r.name, fate(l.keep(r.name, r.created)), r.err)
		}
	}
	if p.unread {
		l.keepUnread()
	}
	l.attach()
}

// take makes room for a link in its endpoint.
func (l *links) take(name types.NamespacedName, link foundLink) error {
	if err := l.rooms[link.of].Take(link.Link); err != nil {
		return err
	}
	l.found[name] = link
	return nil
}

// declared renders a campaign as it is declared.
func (l *links) declared(campaign *v1alpha1.Campaign, name types.NamespacedName) error {
	endpointName := endpointOf(campaign)
	endpoint := l.served[endpointName]
	if endpoint == nil {
		if l.endpoints[endpointName] == nil && !l.isRejected(v1alpha1.KindPostbackEndpoint, endpointName) {
			return fmt.Errorf("spec.endpointRef: no PostbackEndpoint %s is declared", endpointName)
		}
		return fmt.Errorf("its PostbackEndpoint %s is left out", endpointName)
	}
	fleet := l.plans[l.fleetOf[endpointName]]
	if err := render.CheckCampaign(campaign, fleet.fleet.Rates.Fixed); err != nil {
		return err
	}
	headers, err := l.headers(campaign.Namespace, l.fleetOf[endpointName].Namespace, campaign.ForwardSecrets())
	if err != nil {
		return err
	}
	ring, token, err := l.tokens(campaign, headers)
	if err != nil {
		return err
	}
	link, err := render.Campaign(campaign, ring, headers, *endpoint)
	if err != nil {
		return err
	}
	if err := l.take(name, foundLink{Link: link, of: endpointName, created: campaign.CreationTimestamp.Time}); err != nil {
		return err
	}
	for _, warning := range render.CampaignWarnings(campaign) {
		l.notice("Campaign %s: %s", name, warning)
	}
	l.campaignTexts(campaign, fleet.base, token)
	return nil
}

// keep takes a campaign as it was rendered before, and reports whether it was. Where its endpoint is not planned now, the
// folder stays as it is.
func (l *links) keep(name types.NamespacedName, created time.Time) bool {
	_, of, found := l.before.link(name, l.plans)
	if !found || l.served[of] == nil {
		return found
	}
	link, _ := l.previousLink(name, of)
	return l.take(name, foundLink{Link: link, of: of, created: created}) == nil
}

// previousLink returns a campaign of an endpoint as it was rendered before, without what is revoked by now.
func (l *links) previousLink(name, endpoint types.NamespacedName) (render.Link, bool) {
	link, of, found := l.before.link(name, l.plans)
	if !found || of != endpoint {
		return render.Link{}, false
	}
	if declared := l.campaigns[name]; declared != nil {
		link = link.WithoutRevoked(declared.Spec.Token.Revoked)
	}
	return link, true
}

// keepUnread keeps every campaign that was rendered before and is not declared now.
func (l *links) keepUnread() {
	for of := range l.served {
		_, before := render.Detach(l.before[l.fleetOf[of]].endpoints[of])
		for _, link := range before {
			name := types.NamespacedName{Namespace: of.Namespace, Name: link.Campaign.Name}
			if l.campaigns[name] == nil && !l.isRejected(v1alpha1.KindCampaign, name) {
				if err := l.take(name, foundLink{Link: link, of: of}); err != nil {
					l.problemf("Campaign %s is left out: %w", name, err)
				}
			}
		}
	}
}

// attach leaves aliases and tokens to the oldest campaigns of each fleet that have them, and puts those into the endpoints.
func (l *links) attach() {
	byFleet := map[types.NamespacedName][]claims.Link{}
	names := slices.SortedFunc(maps.Keys(l.found), byName)
	for _, name := range names {
		link := l.found[name]
		fleet := l.fleetOf[link.of]
		byFleet[fleet] = append(byFleet[fleet], claims.Link{
			Campaign: name.String(), Created: link.created, Alias: link.Campaign.Alias, Tokens: link.Campaign.Tokens,
			Previous: func() (string, []config.Key, bool) {
				previous, found := l.previousLink(name, link.of)
				return previous.Campaign.Alias, previous.Campaign.Tokens, found
			},
		})
	}
	kept, previous := map[string][]config.Key{}, map[string]bool{}
	for _, fleet := range slices.SortedFunc(maps.Keys(byFleet), byName) {
		served, lost := claims.Links(byFleet[fleet])
		maps.Copy(kept, served)
		for _, claim := range byFleet[fleet] {
			if conflict, found := lost[claim.Campaign]; found {
				what := "token"
				if conflict.Alias {
					what = "alias"
				}
				l.problemf("Campaign %s %s: the older Campaign %s has the same %s", claim.Campaign, fate(conflict.Previous), conflict.Owner, what)
				previous[claim.Campaign] = conflict.Previous
			}
		}
	}
	for _, name := range names {
		if tokens, found := kept[name.String()]; found {
			link := l.found[name]
			if previous[name.String()] {
				link.Link, _ = l.previousLink(name, link.of)
			}
			link.Campaign.Tokens = tokens
			*l.served[link.of] = render.Attach(*l.served[link.of], link.Link)
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
