package offline

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/assembly"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/render"
)

// member is an endpoint that wants to be served by a fleet.
type member struct {
	assembly.Endpoint
	// at says where the document is, if it was refused.
	at        string
	fleet     types.NamespacedName
	decision  *credential.Decision
	campaigns map[types.NamespacedName]*memberCampaign
}

// memberCampaign is a campaign of a member.
type memberCampaign struct {
	assembly.Campaign
	at       string
	decision *credential.Decision
}

// addEndpoints makes members of the endpoints: as declared, or, where the document was refused or is missing, as they
// were.
func (p *planner) addEndpoints() {
	for _, name := range slices.SortedFunc(maps.Keys(p.endpoints), byName) {
		declared := p.endpoints[name]
		m := &member{}
		m.Name, m.Created, m.Declared = name, declared.CreationTimestamp.Time, declared
		m.fleet, _ = render.FleetOf(declared)
		if err := p.admit(m); err != nil {
			m.Refused = err
			p.keep(m)
			continue
		}
		p.members[name] = m
		_, m.Programmed = p.before[m.fleet].endpoints[name]
		o, decision, err := p.resolveEndpoint(declared, m.fleet.Namespace)
		if err != nil {
			m.Refused = err
			continue
		}
		m.Keyring, m.Signing, m.Headers, m.decision = decision.Keyring, decision.Signing, o.Headers.Values, decision
	}
	for _, r := range p.rejected {
		switch {
		case r.kind != v1alpha1.KindPostbackEndpoint:
		case p.endpoints[r.name] != nil:
			p.problemf("%s: %s %s: %w", r.at, r.kind, r.name, r.err)
		default:
			p.keep(&member{Endpoint: assembly.Endpoint{Name: r.name, Created: r.created, Refused: r.err}, at: r.at})
		}
	}
	if !p.unread {
		return
	}
	// A document that cannot be read may be any of those that are missing now.
	for fleet := range p.plans {
		for name := range p.before[fleet].endpoints {
			if p.endpoints[name] == nil && !p.isRejected(v1alpha1.KindPostbackEndpoint, name) {
				first, _ := p.before.fleetOf(name, p.plans)
				p.members[name] = &member{Endpoint: assembly.Endpoint{Name: name, Permitted: true}, fleet: first}
			}
		}
	}
}

// admit says why an endpoint can't be a member of its fleet.
func (p *planner) admit(m *member) error {
	name, own := render.FleetOf(m.Declared)
	plan, fleet := p.plans[name], p.all[name]
	_, was := p.before[name].endpoints[m.Name]
	switch {
	case own && p.fleets[name] != nil:
		return errors.New("a ReceiverFleet of the endpoint's name is declared: name it in spec.fleetRef to join it")
	case plan == nil && (own || fleet != nil || p.isRejected(v1alpha1.KindReceiverFleet, name)),
		plan != nil && fleet == nil && !was:
		return fmt.Errorf("its fleet %s is invalid", name)
	case plan == nil:
		return fmt.Errorf("spec.fleetRef: no ReceiverFleet %s is declared", name)
	}
	m.Permitted = fleet == nil || render.Permits(fleet, m.Name.Namespace, p.namespaces[m.Name.Namespace])
	return nil
}

// keep makes an endpoint a member of the fleet that it was rendered into before, if it was. Where that fleet is not
// planned now, its folder stays as it is.
func (p *planner) keep(m *member) {
	fleet, found := p.before.fleetOf(m.Name, p.plans)
	// Its own fleet is one that only it asks for.
	if found && p.plans[fleet] == nil && fleet == m.Name && p.fleets[fleet] == nil {
		p.plans[fleet] = &fleetPlan{fleet: p.before[fleet].fleet}
	}
	if p.plans[fleet] == nil {
		p.refused(m.at, v1alpha1.KindPostbackEndpoint, m.Name, fate(found), m.Refused.Error())
		return
	}
	m.fleet, m.Permitted = fleet, true
	p.members[m.Name] = m
}

// assemble decides about the members of each fleet. What its fleet doesn't serve goes on where it was, if that was
// elsewhere.
func (p *planner) assemble() {
	again := slices.Collect(maps.Keys(p.plans))
	for len(again) > 0 {
		for _, fleet := range again {
			p.assembleFleet(fleet, p.plans[fleet])
		}
		again = p.stay()
	}
}

func (p *planner) assembleFleet(fleet types.NamespacedName, plan *fleetPlan) {
	in := assembly.Input{
		Fleet: fleet,
		Rates: plan.fleet.Rates.Fixed,
		Served: func(name types.NamespacedName) (endpoint config.Endpoint, found bool) {
			endpoint, found = p.before[fleet].endpoints[name]
			return endpoint, found
		},
		NameAll: true,
	}
	for _, name := range slices.SortedFunc(maps.Keys(p.members), byName) {
		m := p.members[name]
		if m.fleet != fleet {
			continue
		}
		m.Campaigns = nil
		for _, c := range m.campaigns {
			m.Campaigns = append(m.Campaigns, c.Campaign)
		}
		in.Endpoints = append(in.Endpoints, m.Endpoint)
	}
	plan.assembled = assembly.Assemble(in)
	plan.endpoints = plan.assembled.Endpoints
}

// stay lets what was rendered elsewhere before, and is not served where it is declared to be, go on there. It returns
// the fleets that are to be decided about again.
func (p *planner) stay() []types.NamespacedName {
	again := map[types.NamespacedName]bool{}
	for _, name := range slices.SortedFunc(maps.Keys(p.members), byName) {
		m := p.members[name]
		assembled := p.plans[m.fleet].assembled
		for _, campaign := range slices.SortedFunc(maps.Keys(m.campaigns), byName) {
			c, verdict := m.campaigns[campaign], assembled.Campaigns[campaign]
			of, _, _ := p.before.endpointOf(campaign, p.plans)
			if other := p.members[of]; verdict.Revision == "" && other != nil && other != m {
				c.Refused, c.decision = why(verdict, c.decision), nil
				delete(m.campaigns, campaign)
				other.add(c)
				again[other.fleet] = true
			}
		}
		verdict := assembled.Verdicts[name]
		if verdict.Revision != "" || !m.Permitted {
			continue
		}
		if fleet, found := p.before.fleetOf(name, p.plans); found && fleet != m.fleet && p.plans[fleet] != nil {
			m.Refused, m.decision, m.fleet = why(verdict, m.decision), nil, fleet
			again[fleet] = true
		}
	}
	return slices.Collect(maps.Keys(again))
}

// why says what keeps a declaration from being served.
func why(v assembly.Verdict, d *credential.Decision) error {
	if v.Accepted && d != nil && len(d.Problems) > 0 {
		return d.Problems[0]
	}
	return errors.New(v.Message)
}

// fate says what becomes of a declaration that is wrong.
func fate(kept bool) string {
	if kept {
		return "keeps what was rendered before"
	}
	return "is left out"
}

// refused adds a problem of a declaration.
func (p *planner) refused(at, kind string, name types.NamespacedName, fate, message string) {
	if at != "" {
		at += ": "
	}
	p.problemf("%s%s %s %s: %s", at, kind, name, fate, strings.TrimSuffix(message, "."))
}

// report says of every member and campaign what is wrong, and makes the snippets of those that are rendered as
// declared.
func (p *planner) report() {
	for _, name := range slices.SortedFunc(maps.Keys(p.members), byName) {
		m := p.members[name]
		plan := p.plans[m.fleet]
		if m.decision != nil {
			p.endpointToken(m)
		}
		if p.judge(m.at, v1alpha1.KindPostbackEndpoint, name, plan.assembled.Verdicts[name], m.decision) {
			p.endpointTexts(m, plan.base)
		}
		for _, campaign := range slices.SortedFunc(maps.Keys(m.campaigns), byName) {
			c := m.campaigns[campaign]
			if !p.judge(c.at, v1alpha1.KindCampaign, campaign, plan.assembled.Campaigns[campaign], c.decision) {
				continue
			}
			for _, warning := range render.CampaignWarnings(c.Declared) {
				p.notice("Campaign %s: %s", campaign, warning)
			}
			p.campaignTexts(c, name, plan.base)
		}
	}
}

// judge reports whether an endpoint or a campaign is rendered as declared, and says what is wrong.
func (p *planner) judge(at, kind string, name types.NamespacedName, v assembly.Verdict, d *credential.Decision) bool {
	served := v.Revision != ""
	if !v.Accepted {
		p.refused(at, kind, name, fate(served), v.Message)
	}
	if d == nil {
		return false
	}
	for _, problem := range d.Problems {
		says := fate(served)
		if served && !v.Previous {
			says = "is rendered with the credentials that it had"
		}
		p.refused(at, kind, name, says, problem.Error())
	}
	if d.Says.Resolved && d.Says.Reason == v1alpha1.ReasonKeyWeak {
		p.notice("%s %s: %s", kind, name, d.Says.Message)
	}
	return served && !v.Previous
}
