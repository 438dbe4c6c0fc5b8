package offline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credentials"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/rotation"
	"github.com/postback-dev/postback-operator/controllers/schema"
)

// planner turns declarations into the content of fleets' documents. A declaration that is wrong is a problem and leaves the
// others alone: what was rendered of it before stays, as a cluster goes on serving it.
type planner struct {
	declarations
	schemas schema.Schemas
	kept    secrets
	before  renderedBefore
	now     time.Time
	// texts are the snippets by folder.
	texts    map[string]map[string][]byte
	problems []error
	// notice tells of what works and may not be meant.
	notice func(format string, args ...any)
}

// fleetPlan is the content of one fleet's documents.
type fleetPlan struct {
	fleet     config.Fleet
	endpoints []config.Endpoint
	// base is the address of the receivers; empty when the fleet's declaration is not known.
	base string
}

func (p *planner) problemf(format string, args ...any) {
	p.problems = append(p.problems, fmt.Errorf(format, args...))
}

// fate says what becomes of a declaration that is wrong.
func fate(kept bool) string {
	if kept {
		return "keeps what was rendered before"
	}
	return "is left out"
}

// plan returns the fleets that can be rendered, by name. It puts what it generates into p.kept.
func (p *planner) plan(ctx context.Context) map[types.NamespacedName]*fleetPlan {
	fleets := maps.Clone(p.fleets)
	names := slices.SortedFunc(maps.Keys(p.endpoints), byName)
	for _, name := range names {
		p.addOwnFleet(ctx, p.endpoints[name], fleets)
	}
	plans := p.planFleets(fleets)
	for _, name := range names {
		if err := p.join(p.endpoints[name], fleets, plans); err != nil {
			kept := !errors.Is(err, errNotPermitted) && p.keep(name, plans)
			p.problemf("PostbackEndpoint %s %s: %w", name, fate(kept), err)
		}
	}
	p.keepRejected(plans)
	for _, name := range slices.SortedFunc(maps.Keys(plans), byName) {
		p.settle(plans[name])
	}
	p.addCampaigns(plans)
	return plans
}

// addOwnFleet makes the fleet of an endpoint without fleetRef, as the operator would. Where one of that name is declared,
// join reports it.
func (p *planner) addOwnFleet(ctx context.Context, endpoint *v1alpha1.PostbackEndpoint, fleets map[types.NamespacedName]*v1alpha1.ReceiverFleet) {
	name, own := render.FleetOf(endpoint)
	if !own || fleets[name] != nil {
		return
	}
	fleet, err := p.defaulted(ctx, render.OwnFleet(endpoint))
	if err != nil {
		p.problemf("the own fleet of PostbackEndpoint %s: %w", name, err)
		return
	}
	fleets[name] = fleet
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
func (p *planner) planFleets(fleets map[types.NamespacedName]*v1alpha1.ReceiverFleet) map[types.NamespacedName]*fleetPlan {
	plans := map[types.NamespacedName]*fleetPlan{}
	keep := func(name types.NamespacedName, base string) bool {
		before, found := p.before[name]
		if found {
			plans[name] = &fleetPlan{fleet: before.fleet, base: base}
		}
		return found
	}
	for _, name := range slices.SortedFunc(maps.Keys(fleets), byName) {
		base := resources.BaseURL(fleets[name])
		if fleet, err := p.fleet(fleets[name]); err != nil {
			p.problemf("ReceiverFleet %s %s: %w", name, fate(keep(name, base)), err)
		} else {
			plans[name] = &fleetPlan{fleet: fleet, base: base}
		}
	}
	for _, r := range p.rejected {
		if r.kind == v1alpha1.KindReceiverFleet && fleets[r.name] == nil {
			keep(r.name, "")
		}
	}
	return plans
}

func (p *planner) fleet(fleet *v1alpha1.ReceiverFleet) (config.Fleet, error) {
	keys, observed := map[string]string{}, map[rotation.Purpose][]string{}
	for _, provider := range fleet.Spec.Rates.Providers {
		ref := provider.KeySecretRef
		if ref == nil {
			continue
		}
		at := fmt.Sprintf("spec.rates.providers[%s].keySecretRef", provider.Name)
		data, err := p.named(fleet.Namespace, at, ref)
		if err != nil {
			return config.Fleet{}, err
		}
		if err := render.KeyMayGo(&provider); err != nil {
			return config.Fleet{}, fmt.Errorf("%s: %w", at, err)
		}
		values, err := render.Secrets(data, fieldOf(ref, v1alpha1.DefaultKeyField))
		if err != nil {
			return config.Fleet{}, fmt.Errorf("%s: Secret %s: %w", at, ref.Name, err)
		}
		if len(values) != 1 {
			return config.Fleet{}, fmt.Errorf("%s: Secret %s holds %d keys, there must be one", at, ref.Name, len(values))
		}
		keys[provider.Name] = values[0]
		observed[rotation.Provider(provider.Name)] = values
	}
	name := childOf(fleet.Namespace, resources.RatesKeyringSecretName(fleet))
	before, err := p.kept.keyring(name)
	if err != nil {
		return config.Fleet{}, err
	}
	ring := rotation.Advance(before, rotation.Input{Now: p.now, Observed: observed, NewID: credentials.NewID})
	if len(ring)+len(before) > 0 {
		p.kept.set(name, v1alpha1.RoleKeyring, v1alpha1.LabelFleet, fleet.Name, v1alpha1.KeyringField, string(ring.Encode()))
	}
	return render.Fleet(fleet, ring, keys)
}

// errNotPermitted: the endpoint must not be in the fleet, even if it was before.
var errNotPermitted = errors.New("don't permit the namespace")

// join renders an endpoint into its fleet's plan.
func (p *planner) join(endpoint *v1alpha1.PostbackEndpoint, fleets map[types.NamespacedName]*v1alpha1.ReceiverFleet, plans map[types.NamespacedName]*fleetPlan) error {
	self := types.NamespacedName{Namespace: endpoint.Namespace, Name: endpoint.Name}
	name, own := render.FleetOf(endpoint)
	plan := plans[name]
	_, member := p.before[name].endpoints[self]
	switch fleet := fleets[name]; {
	case own && p.fleets[name] != nil:
		return errors.New("a ReceiverFleet of the endpoint's name is declared: name it in spec.fleetRef to join it")
	case plan == nil && (own || fleet != nil || p.isRejected(v1alpha1.KindReceiverFleet, name)), plan != nil && fleet == nil && !member:
		return fmt.Errorf("its fleet %s is invalid", name)
	case plan == nil:
		return fmt.Errorf("spec.fleetRef: no ReceiverFleet %s is declared", name)
	case fleet != nil && !render.Permits(fleet, endpoint.Namespace, p.namespaces[endpoint.Namespace]):
		return fmt.Errorf("spec.fleetRef: the allowedEndpoints of ReceiverFleet %s %w", name, errNotPermitted)
	}
	if err := render.Check(endpoint, plan.fleet.Rates.Fixed); err != nil {
		return err
	}
	headers, err := p.headers(endpoint.Namespace, name.Namespace, endpoint.ForwardSecrets())
	if err != nil {
		return err
	}
	resolved, err := p.credentials(endpoint, headers)
	if err != nil {
		return err
	}
	rendered, err := render.Endpoint(endpoint, resolved.ring, resolved.signing, headers)
	if err != nil {
		return err
	}
	plan.endpoints = append(plan.endpoints, rendered)
	p.endpointTexts(endpoint, plan.base, resolved)
	return nil
}
