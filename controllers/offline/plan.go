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
	"github.com/postback-dev/postback-operator/controllers/claims"
	"github.com/postback-dev/postback-operator/controllers/credentials"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/rotation"
	"github.com/postback-dev/postback-operator/controllers/schema"
)

// planner turns declarations into the content of fleets' documents. What is wrong with one endpoint or fleet is a problem
// and leaves the others alone.
type planner struct {
	declarations
	schemas  schema.Schemas
	kept     secrets
	now      time.Time
	problems []error
	// notice tells of what works and may not be meant.
	notice func(format string, args ...any)
}

// fleetPlan is the content of one fleet's documents.
type fleetPlan struct {
	fleet     config.Fleet
	endpoints []config.Endpoint
}

func (p *planner) problemf(format string, args ...any) {
	p.problems = append(p.problems, fmt.Errorf(format, args...))
}

// plan returns the fleets that can be rendered, by name. It puts what it generates into p.kept.
func (p *planner) plan(ctx context.Context) map[types.NamespacedName]*fleetPlan {
	fleets := maps.Clone(p.fleets)
	names := slices.SortedFunc(maps.Keys(p.endpoints), byName)
	for _, name := range names {
		p.addOwnFleet(ctx, p.endpoints[name], fleets)
	}
	plans := map[types.NamespacedName]*fleetPlan{}
	for _, name := range slices.SortedFunc(maps.Keys(fleets), byName) {
		if plan, err := p.fleet(fleets[name]); err != nil {
			p.problemf("ReceiverFleet %s is left out: %w", name, err)
		} else {
			plans[name] = plan
		}
	}
	for _, name := range names {
		if err := p.join(p.endpoints[name], fleets, plans); err != nil {
			p.problemf("PostbackEndpoint %s is left out: %w", name, err)
		}
	}
	for _, name := range slices.SortedFunc(maps.Keys(plans), byName) {
		plans[name].endpoints = p.withoutTakenKeys(plans[name].endpoints)
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

func (p *planner) fleet(fleet *v1alpha1.ReceiverFleet) (*fleetPlan, error) {
	keys, observed := map[string]string{}, map[rotation.Purpose][]string{}
	for _, provider := range fleet.Spec.Rates.Providers {
		ref := provider.KeySecretRef
		if ref == nil {
			continue
		}
		at := fmt.Sprintf("spec.rates.providers[%s].keySecretRef", provider.Name)
		data, err := p.named(fleet.Namespace, at, ref)
		if err != nil {
			return nil, err
		}
		values, err := render.Secrets(data, fieldOf(ref, v1alpha1.DefaultKeyField))
		if err != nil {
			return nil, fmt.Errorf("%s: Secret %s: %w", at, ref.Name, err)
		}
		if len(values) != 1 {
			return nil, fmt.Errorf("%s: Secret %s holds %d keys, there must be one", at, ref.Name, len(values))
		}
		keys[provider.Name] = values[0]
		observed[rotation.Provider(provider.Name)] = values
	}
	name := types.NamespacedName{Namespace: fleet.Namespace, Name: fleet.Name + v1alpha1.RatesKeyringSecretSuffix}
	before, err := p.kept.keyring(name)
	if err != nil {
		return nil, err
	}
	ring := rotation.Advance(before, rotation.Input{Now: p.now, Observed: observed, NewID: credentials.NewID})
	if len(ring)+len(before) > 0 {
		p.kept.set(name, v1alpha1.RoleKeyring, v1alpha1.LabelFleet, fleet.Name, v1alpha1.KeyringField, string(ring.Encode()))
	}
	rendered, err := render.Fleet(fleet, ring, keys)
	return &fleetPlan{fleet: rendered}, err
}

// join renders an endpoint into its fleet's plan.
func (p *planner) join(endpoint *v1alpha1.PostbackEndpoint, fleets map[types.NamespacedName]*v1alpha1.ReceiverFleet, plans map[types.NamespacedName]*fleetPlan) error {
	name, own := render.FleetOf(endpoint)
	switch fleet := fleets[name]; {
	case own && p.fleets[name] != nil:
		return errors.New("a ReceiverFleet of the endpoint's name is declared: name it in spec.fleetRef to join it")
	case fleet == nil && own, fleet != nil && plans[name] == nil:
		return fmt.Errorf("its fleet %s is invalid", name)
	case fleet == nil:
		return fmt.Errorf("spec.fleetRef: no ReceiverFleet %s is declared", name)
	case !render.Permits(fleet, endpoint.Namespace, p.namespaces[endpoint.Namespace]):
		return fmt.Errorf("spec.fleetRef: the allowedEndpoints of ReceiverFleet %s don't permit the namespace", name)
	}
	headers, err := p.headers(endpoint.Namespace, endpoint.ForwardSecrets())
	if err != nil {
		return err
	}
	ring, signing, err := p.credentials(endpoint, headers)
	if err != nil {
		return err
	}
	rendered, err := render.Endpoint(endpoint, ring, signing, headers)
	if err != nil {
		return err
	}
	plan := plans[name]
	plan.endpoints = append(plan.endpoints, rendered)
	return nil
}

// credentials resolves and advances what authenticates the endpoint's callers.
func (p *planner) credentials(endpoint *v1alpha1.PostbackEndpoint, headers render.HeaderValues) (rotation.Ring, []string, error) {
	name := types.NamespacedName{Namespace: endpoint.Namespace, Name: endpoint.Name + v1alpha1.KeyringSecretSuffix}
	ring, err := p.kept.keyring(name)
	if err != nil {
		return nil, nil, err
	}
	observed, err := p.callerKeys(endpoint, ring)
	if err != nil {
		return nil, nil, err
	}
	var signing []string
	if signer := endpoint.Spec.Signer(); signer != nil {
		data, err := p.named(endpoint.Namespace, signer.Path, &v1alpha1.SecretKeyReference{Name: signer.Secret})
		if err != nil {
			return nil, nil, err
		}
		if signing, err = render.Secrets(data, signer.Field); err != nil {
			return nil, nil, fmt.Errorf("%s: Secret %s: %w", signer.Path, signer.Secret, err)
		}
	}
	observed[rotation.Signing] = signing
	observed[rotation.Forward] = headers.List(endpoint.ForwardSecrets())
	key := endpoint.Spec.Key
	ring = rotation.Advance(ring, rotation.Input{
		Now: p.now, Observed: observed, Overlap: key.Overlap.Duration, Revoked: key.Revoked, NewID: credentials.NewID,
	})
	p.kept.set(name, v1alpha1.RoleKeyring, v1alpha1.LabelEndpoint, endpoint.Name, v1alpha1.KeyringField, string(ring.Encode()))
	return ring, signing, nil
}

// callerKeys returns the postback key, the click token and the client key that the endpoint's key Secret holds, after generating them where
// nobody declared the Secret.
func (p *planner) callerKeys(endpoint *v1alpha1.PostbackEndpoint, ring rotation.Ring) (map[rotation.Purpose][]string, error) {
	ref := endpoint.Spec.Key.SecretRef
	name := types.NamespacedName{Namespace: endpoint.Namespace, Name: endpoint.Name + v1alpha1.KeySecretSuffix}
	field, data := v1alpha1.DefaultKeyField, p.secrets[name]
	switch {
	case ref != nil:
		field = fieldOf(ref, field)
		named, err := p.named(endpoint.Namespace, "spec.key.secretRef", ref)
		if err != nil {
			return nil, err
		}
		name.Name, data = ref.Name, named
	case data == nil:
		p.generate(endpoint, name, ring)
		data = p.kept.get(name)
	}
	key, err := render.Key(data, field)
	if err != nil {
		return nil, fmt.Errorf("in Secret %s: %w", name, err)
	}
	token, found, err := render.ClickToken(data, v1alpha1.ClickTokenField)
	if err != nil {
		return nil, fmt.Errorf("in Secret %s: %w", name, err)
	}
	observed := map[rotation.Purpose][]string{rotation.Postback: {key}, rotation.Click: {}, rotation.Browser: {}}
	if found {
		observed[rotation.Click] = []string{token}
	}
	clientKey, found, err := render.ClientKey(data, v1alpha1.ClientKeyField)
	if err != nil {
		return nil, fmt.Errorf("in Secret %s: %w", name, err)
	}
	if found && endpoint.Spec.Browser != nil {
		observed[rotation.Browser] = []string{clientKey}
	}
	return observed, nil
}

// generate makes the key and the client key when there is none or its time has come, and the click token when there is none.
func (p *planner) generate(endpoint *v1alpha1.PostbackEndpoint, name types.NamespacedName, ring rotation.Ring) {
	declared := max(endpoint.Spec.Key.Revision, 1)
	var every time.Duration
	if endpoint.Spec.Key.RotateEvery != nil {
		every = endpoint.Spec.Key.RotateEvery.Duration
	}
	held := p.kept.get(name)
	set := func(field, value string) {
		p.kept.set(name, v1alpha1.RoleKey, v1alpha1.LabelEndpoint, endpoint.Name, field, value)
	}
	if held[v1alpha1.DefaultKeyField] == nil || ring.Due(p.now, declared, p.kept.revision(name, v1alpha1.AnnotationKeyRevision), every) {
		set(v1alpha1.DefaultKeyField, credentials.NewKey())
		p.kept.annotate(name, v1alpha1.AnnotationKeyRevision, declared)
	}
	if held[v1alpha1.ClickTokenField] == nil {
		set(v1alpha1.ClickTokenField, credentials.NewKey())
	}
	if browser := endpoint.Spec.Browser; browser != nil {
		revision := max(browser.Revision, 1)
		if held[v1alpha1.ClientKeyField] == nil || revision > p.kept.revision(name, v1alpha1.AnnotationClientKeyRevision) {
			set(v1alpha1.ClientKeyField, credentials.NewKey())
			p.kept.annotate(name, v1alpha1.AnnotationClientKeyRevision, revision)
		}
	}
}

// headers reads the values of secret headers of forwards.
func (p *planner) headers(namespace string, refs []v1alpha1.ForwardSecretKey) (render.HeaderValues, error) {
	values, problem, err := render.ReadHeaders(refs, func(name string) (map[string][]byte, bool, error) {
		data, found := p.secrets[types.NamespacedName{Namespace: namespace, Name: name}]
		return data, found, nil
	})
	switch {
	case err != nil:
		return nil, err
	case problem == nil:
		return values, nil
	case problem.Missing:
		return nil, fmt.Errorf("spec.forwards: Secret %s/%s is not among the files", namespace, problem.Secret)
	default:
		return nil, fmt.Errorf("spec.forwards: Secret %s: %w", problem.Secret, problem.Err)
	}
}

// named returns the data of a Secret that the declaration at a field names.
func (p *planner) named(namespace, at string, ref *v1alpha1.SecretKeyReference) (map[string][]byte, error) {
	data, found := p.secrets[types.NamespacedName{Namespace: namespace, Name: ref.Name}]
	if !found {
		return nil, fmt.Errorf("%s: Secret %s/%s is not among the files", at, namespace, ref.Name)
	}
	return data, nil
}

func fieldOf(ref *v1alpha1.SecretKeyReference, otherwise string) string {
	if ref.Key != "" {
		return ref.Key
	}
	return otherwise
}

// withoutTakenKeys leaves out endpoints whose key an older one has.
func (p *planner) withoutTakenKeys(endpoints []config.Endpoint) []config.Endpoint {
	var all []claims.Claim
	for _, e := range endpoints {
		claim := claims.Claim{Endpoint: e.Namespace + "/" + e.Name}
		if declared := p.endpoints[types.NamespacedName{Namespace: e.Namespace, Name: e.Name}]; declared != nil {
			claim.Created = declared.CreationTimestamp.Time
		}
		for _, key := range e.Keys {
			claim.Digests = append(claim.Digests, "key "+key.SHA256)
		}
		for _, key := range e.ClickTokens {
			claim.Digests = append(claim.Digests, "token "+key.SHA256)
		}
		if e.Browser != nil { // on the same paths as the postback keys
			for _, key := range e.Browser.Keys {
				claim.Digests = append(claim.Digests, "key "+key.SHA256)
			}
		}
		all = append(all, claim)
	}
	losers := claims.Losers(all)
	return slices.DeleteFunc(endpoints, func(e config.Endpoint) bool {
		name := e.Namespace + "/" + e.Name
		owner, lost := losers[name]
		if lost {
			p.problemf("PostbackEndpoint %s is left out: the older PostbackEndpoint %s has the same key, client key or click token", name, owner)
		}
		return lost
	})
}
