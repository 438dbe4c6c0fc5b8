package offline

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/claims"
	"github.com/postback-dev/postback-operator/controllers/render"
)

// keep puts an endpoint into a plan as it was rendered before, and reports whether it was. Its campaigns are not in it:
// they are declared, and judged, on their own. Where the fleet is not planned now, its folder stays as it is.
func (p *planner) keep(name types.NamespacedName, plans map[types.NamespacedName]*fleetPlan) bool {
	fleet, found := p.before.fleetOf(name, plans)
	if !found {
		return false
	}
	if plans[fleet] == nil && fleet == name && p.fleets[fleet] == nil { // its own fleet, which only it asks for
		plans[fleet] = &fleetPlan{fleet: p.before[fleet].fleet}
	}
	if plan := plans[fleet]; plan != nil {
		plan.endpoints = append(plan.endpoints, p.previous(fleet, name))
	}
	return true
}

// previous returns an endpoint of a fleet's folder, without campaigns and without what is revoked by now.
func (p *planner) previous(fleet, name types.NamespacedName) config.Endpoint {
	endpoint, _ := render.Detach(p.before[fleet].endpoints[name])
	if declared := p.endpoints[name]; declared != nil {
		endpoint = render.WithoutRevoked(endpoint, declared.Spec.Key.Revoked)
	}
	return endpoint
}

// keepRejected reports the declarations that were refused, and keeps of them what was rendered before. A document that
// cannot be read may be any of those that are missing now: then nothing that was rendered is taken away.
func (p *planner) keepRejected(plans map[types.NamespacedName]*fleetPlan) {
	for _, r := range p.rejected {
		switch r.kind {
		case v1alpha1.KindPostbackEndpoint:
			if p.endpoints[r.name] == nil {
				p.problemf("%s: %s %s %s: %w", r.at, r.kind, r.name, fate(p.keep(r.name, plans)), r.err)
				continue
			}
		case v1alpha1.KindReceiverFleet:
			if p.fleets[r.name] == nil {
				_, kept := p.before[r.name]
				p.problemf("%s: %s %s %s: %w", r.at, r.kind, r.name, fate(kept), r.err)
				continue
			}
		case v1alpha1.KindCampaign:
			if p.campaigns[r.name] == nil {
				continue // addCampaigns reports it
			}
		}
		p.problemf("%s: %s %s: %w", r.at, r.kind, r.name, r.err)
	}
	if !p.unread {
		return
	}
	for fleet, plan := range plans {
		for _, name := range slices.SortedFunc(maps.Keys(p.before[fleet].endpoints), byName) {
			if p.endpoints[name] == nil && !p.isRejected(v1alpha1.KindPostbackEndpoint, name) {
				plan.endpoints = append(plan.endpoints, p.previous(fleet, name))
			}
		}
	}
}

// settle leaves a key to the oldest endpoint that has it. The others release it if they can; else they keep what was
// rendered of them before, unless that has a key of an older one as well.
func (p *planner) settle(plan *fleetPlan) {
	fleet := types.NamespacedName{Namespace: plan.fleet.Namespace, Name: plan.fleet.Name}
	lost := map[string]string{} // endpoint → owner
	kept := map[string]bool{}
	for {
		losers := claims.Losers(p.claims(plan.endpoints))
		if len(losers) == 0 {
			break
		}
		byName := map[string]config.Endpoint{}
		for _, e := range plan.endpoints {
			byName[nameOf(e).String()] = e
		}
		var next []config.Endpoint
		for _, e := range plan.endpoints {
			name := nameOf(e)
			owner, loses := losers[name.String()]
			if !loses {
				next = append(next, e)
				continue
			}
			if released, ok := claims.ReleaseRetiring(e, byName[owner]); ok {
				next = append(next, released)
				continue
			}
			_, again := lost[name.String()]
			lost[name.String()], kept[name.String()] = owner, false
			if _, found := p.before[fleet].endpoints[name]; found && !again {
				next, kept[name.String()] = append(next, p.previous(fleet, name)), true
			}
		}
		plan.endpoints = next
	}
	for _, name := range slices.Sorted(maps.Keys(lost)) {
		p.problemf("PostbackEndpoint %s %s: the older PostbackEndpoint %s has the same key, client key or click token",
			name, fate(kept[name]), lost[name])
	}
}

func (p *planner) claims(endpoints []config.Endpoint) []claims.Claim {
	var all []claims.Claim
	for _, e := range endpoints {
		claim := claims.Claim{Endpoint: nameOf(e).String(), Digests: claims.Digests(e)}
		if declared := p.endpoints[nameOf(e)]; declared != nil {
			claim.Created = declared.CreationTimestamp.Time
		}
		all = append(all, claim)
	}
	return all
}

func nameOf(e config.Endpoint) types.NamespacedName {
	return types.NamespacedName{Namespace: e.Namespace, Name: e.Name}
}
