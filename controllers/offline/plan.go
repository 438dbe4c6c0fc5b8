package offline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/assembly"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/schema"
)

// planner turns declarations into the content of fleets' documents. A declaration that is wrong is a problem and leaves
// the others alone: what was rendered of it before stays, as a cluster goes on serving it.
//
// It observes as the reconcilers do, only in files, and leaves the decisions to the packages that decide for them, too.
type planner struct {
	declarations
	schemas schema.Schemas
	kept    secrets
	before  renderedBefore
	now     time.Time
	source  credential.Source
	// all are the fleets, those that endpoints have of their own, too; plans are the content of those that can be
	// rendered.
	all   map[types.NamespacedName]*v1alpha1.ReceiverFleet
	plans fleetPlans
	// members are the endpoints that want to be served, by name.
	members map[types.NamespacedName]*member
	// texts are the snippets by folder.
	texts    map[string]map[string][]byte
	problems []error
	// notice tells of what works and may not be meant.
	notice func(format string, args ...any)
}

// fleetPlans are by the fleet's name.
type fleetPlans map[types.NamespacedName]*fleetPlan

// fleetPlan is the content of one fleet's documents.
type fleetPlan struct {
	fleet     config.Fleet
	endpoints []config.Endpoint
	// base is the address of the receivers; empty when the fleet's declaration is not known.
	base string
	// verdicts on the members and their campaigns.
	assembled assembly.Result
}

func (p *planner) problemf(format string, args ...any) {
	p.problems = append(p.problems, fmt.Errorf(format, args...))
}

// plan makes the plans, and puts what it generates into p.kept.
func (p *planner) plan(ctx context.Context) {
	p.all = maps.Clone(p.fleets)
	for _, name := range slices.SortedFunc(maps.Keys(p.endpoints), byName) {
		p.addOwnFleet(ctx, p.endpoints[name])
	}
	p.planFleets()
	p.addEndpoints()
	p.addCampaigns()
	p.assemble()
	p.report()
}

// addOwnFleet makes the fleet of an endpoint without fleetRef, as the operator would. Where one of that name is
// declared, admit reports it.
func (p *planner) addOwnFleet(ctx context.Context, endpoint *v1alpha1.PostbackEndpoint) {
	name, own := render.FleetOf(endpoint)
	if !own || p.all[name] != nil {
		return
	}
	fleet, err := p.defaulted(ctx, render.OwnFleet(endpoint))
	if err != nil {
		p.problemf("the own fleet of PostbackEndpoint %s: %w", name, err)
		return
	}
	p.all[name] = fleet
}

func (p *planner) defaulted(ctx context.Context, fleet *v1alpha1.ReceiverFleet) (*v1alpha1.ReceiverFleet, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(fleet)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{Object: content}
	admitted := map[types.NamespacedName]*v1alpha1.ReceiverFleet{}
	err = admit(ctx, p.schemas[object.GroupVersionKind()], object, types.NamespacedName{}, admitted)
	return admitted[types.NamespacedName{}], err
}

// planFleets begins a plan per fleet. A fleet whose declaration is wrong keeps its settings.
func (p *planner) planFleets() {
	keep := func(name types.NamespacedName, base string) bool {
		before, found := p.before[name]
		if found {
			p.plans[name] = &fleetPlan{fleet: before.fleet, base: base}
		}
		return found
	}
	for _, name := range slices.SortedFunc(maps.Keys(p.all), byName) {
		base := resources.BaseURL(p.all[name])
		if fleet, err := p.fleet(p.all[name]); err != nil {
			p.problemf("ReceiverFleet %s %s: %w", name, fate(keep(name, base)), err)
		} else {
			p.plans[name] = &fleetPlan{fleet: fleet, base: base}
		}
	}
	for _, r := range p.rejected {
		switch {
		// addEndpoints and addCampaigns report it
		case r.kind == v1alpha1.KindPostbackEndpoint || r.kind == v1alpha1.KindCampaign:
		case r.kind == v1alpha1.KindReceiverFleet && p.all[r.name] == nil:
			p.problemf("%s: %s %s %s: %w", r.at, r.kind, r.name, fate(keep(r.name, "")), r.err)
		default:
			p.problemf("%s: %s %s: %w", r.at, r.kind, r.name, r.err)
		}
	}
}

// fleet renders the settings of a fleet. A provider whose key can't be used is left out, as in a cluster.
func (p *planner) fleet(fleet *v1alpha1.ReceiverFleet) (config.Fleet, error) {
	name := childOf(fleet.Namespace, resources.RatesKeyringSecretName(fleet))
	before, err := p.kept.keyring(name)
	if err != nil {
		return config.Fleet{}, err
	}
	providers, err := credential.ReadProviders(fleet, p.finder(fleet.Namespace, ""))
	if err != nil {
		return config.Fleet{}, err
	}
	for _, problem := range providers.Problems {
		p.problemf("ReceiverFleet %s/%s is rendered without a rate provider: %w", fleet.Namespace, fleet.Name, problem)
	}
	if err := render.CheckFleet(fleet); err != nil {
		p.problemf("ReceiverFleet %s/%s permits no other namespaces: %w", fleet.Namespace, fleet.Name, err)
	}
	keyring := providers.Advance(before, p.now, p.source.ID)
	if keyring.Data != nil {
		p.kept.put(resources.RatesKeyringSecret(fleet, keyring.Data))
	}
	return render.Fleet(fleet, keyring.Ring, providers.Keys)
}
