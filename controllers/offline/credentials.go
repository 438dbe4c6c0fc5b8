package offline

import (
	"cmp"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credentials"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// resolved are the credentials of one endpoint.
type resolved struct {
	ring rotation.Ring
	// signing are the secrets that sign.
	signing []string
	// key and clientKey are what networks and pages are to use; empty where there is none that is valid.
	key, clientKey string
}

// credentials resolves and advances what authenticates the endpoint's callers. What the user must repair is found before
// anything is generated.
func (p *planner) credentials(endpoint *v1alpha1.PostbackEndpoint, headers render.HeaderValues) (*resolved, error) {
	name := childOf(endpoint.Namespace, resources.KeyringSecretName(endpoint))
	ring, err := p.kept.keyring(name)
	if err != nil {
		return nil, err
	}
	r := &resolved{}
	if signer := endpoint.Spec.Signer(); signer != nil {
		data, err := p.named(endpoint.Namespace, signer.Path, &v1alpha1.SecretKeyReference{Name: signer.Secret})
		if err != nil {
			return nil, err
		}
		fleet, _ := render.FleetOf(endpoint)
		if secret := p.secrets[childOf(endpoint.Namespace, signer.Secret)]; !render.SharedWith(secret, fleet.Namespace) {
			return nil, fmt.Errorf("%s: Secret %s: %w", signer.Path, signer.Secret, render.NotShared(fleet.Namespace))
		}
		if r.signing, err = render.Secrets(data, signer.Field); err != nil {
			return nil, fmt.Errorf("%s: Secret %s: %w", signer.Path, signer.Secret, err)
		}
	}
	observed, err := p.callerKeys(endpoint, ring)
	if err != nil {
		return nil, err
	}
	observed[rotation.Signing] = r.signing
	observed[rotation.Forward] = headers.List(endpoint.ForwardSecrets())
	key := endpoint.Spec.Key
	r.ring = rotation.Advance(ring, rotation.Input{
		Now: p.now, Observed: observed, Overlap: key.Overlap.Duration, Revoked: key.Revoked, NewID: credentials.NewID,
	})
	p.kept.set(name, v1alpha1.RoleKeyring, v1alpha1.LabelEndpoint, endpoint.Name, v1alpha1.KeyringField, string(r.ring.Encode()))
	r.key = valid(r.ring, rotation.Postback, observed)
	r.clientKey = valid(r.ring, rotation.Browser, observed)
	return r, nil
}

// valid returns the observed credential of a purpose unless it is revoked.
func valid(ring rotation.Ring, purpose rotation.Purpose, observed map[rotation.Purpose][]string) string {
	if values := observed[purpose]; len(ring.Secrets(purpose, values)) > 0 {
		return values[0]
	}
	return ""
}

// callerKeys returns the postback key, the click token and the client key that the endpoint's key Secret holds, after
// generating them where nobody declared the Secret.
func (p *planner) callerKeys(endpoint *v1alpha1.PostbackEndpoint, ring rotation.Ring) (map[rotation.Purpose][]string, error) {
	ref := endpoint.Spec.Key.SecretRef
	name := childOf(endpoint.Namespace, resources.KeySecretName(endpoint))
	field, data := v1alpha1.DefaultKeyField, secretData(p.secrets[name])
	switch {
	case ref != nil:
		field = fieldOf(ref, field)
		named, err := p.named(endpoint.Namespace, "spec.key.secretRef", ref)
		if err != nil {
			return nil, err
		}
		name.Name, data = ref.Name, named
	case data == nil:
		if err := p.mayGenerate(name, ring, rotation.Postback); err != nil {
			return nil, err
		}
		p.generate(endpoint, name, ring)
		data = p.kept.get(name)
	}
	key, err := render.Key(data, field, endpoint.Spec.Key.AllowWeak)
	if err != nil {
		return nil, fmt.Errorf("in Secret %s: %w", name, err)
	}
	if render.WeakKey(key) {
		p.notice("PostbackEndpoint %s/%s: the key in Secret %s has less than %d bits of entropy and may be guessed",
			endpoint.Namespace, endpoint.Name, name, render.MinEntropyBits)
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

// mayGenerate refuses to generate what is in a Secret that was declared and cannot be read: networks and sites know it.
func (p *planner) mayGenerate(name types.NamespacedName, ring rotation.Ring, purpose rotation.Purpose) error {
	if p.isRejected("Secret", name) {
		return fmt.Errorf("its Secret %s is not valid", name)
	}
	if p.unread && p.kept[name] == nil && len(ring[purpose]) > 0 {
		return fmt.Errorf("its Secret %s may be in the document that cannot be read", name)
	}
	return nil
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

// tokens resolves and advances the campaign's token, after generating it where nobody declared its Secret. token is empty
// when it is revoked.
func (p *planner) tokens(campaign *v1alpha1.Campaign, headers render.HeaderValues) (ring rotation.Ring, token string, err error) {
	keyring := childOf(campaign.Namespace, resources.CampaignKeyringSecretName(campaign))
	before, err := p.kept.keyring(keyring)
	if err != nil {
		return nil, "", err
	}
	spec := campaign.Spec.Token
	name := childOf(campaign.Namespace, resources.TokenSecretName(campaign))
	field, data := v1alpha1.DefaultTokenField, secretData(p.secrets[name])
	switch {
	case spec.SecretRef != nil:
		field, name.Name = fieldOf(spec.SecretRef, field), spec.SecretRef.Name
		if data, err = p.named(campaign.Namespace, "spec.token.secretRef", spec.SecretRef); err != nil {
			return nil, "", err
		}
	case data == nil:
		if err := p.mayGenerate(name, before, rotation.Campaign); err != nil {
			return nil, "", err
		}
		revision := max(spec.Revision, 1)
		if p.kept.get(name)[field] == nil || revision > p.kept.revision(name, v1alpha1.AnnotationKeyRevision) {
			p.kept.set(name, v1alpha1.RoleKey, v1alpha1.LabelCampaign, campaign.Name, field, credentials.NewKey())
			p.kept.annotate(name, v1alpha1.AnnotationKeyRevision, revision)
		}
		data = p.kept.get(name)
	}
	value, err := render.Token(data, field)
	if err != nil {
		return nil, "", fmt.Errorf("in Secret %s: %w", name, err)
	}
	observed := map[rotation.Purpose][]string{
		rotation.Campaign: {value}, rotation.Forward: headers.List(campaign.ForwardSecrets()),
	}
	ring = rotation.Advance(before, rotation.Input{
		Now: p.now, Observed: observed,
		Overlap: spec.Overlap.Duration, Revoked: spec.Revoked, NewID: credentials.NewID,
	})
	p.kept.set(keyring, v1alpha1.RoleKeyring, v1alpha1.LabelCampaign, campaign.Name, v1alpha1.KeyringField, string(ring.Encode()))
	return ring, valid(ring, rotation.Campaign, observed), nil
}

// headers reads the values of secret headers of forwards, which receivers in a namespace are to send.
func (p *planner) headers(namespace, to string, refs []v1alpha1.ForwardSecretKey) (render.HeaderValues, error) {
	values, problem, err := render.ReadHeaders(refs, func(name string) (map[string][]byte, bool, error) {
		secret := p.secrets[types.NamespacedName{Namespace: namespace, Name: name}]
		switch {
		case secret == nil:
			return nil, false, nil
		case !render.Readable(secret):
			return nil, true, render.ErrNotReadable
		case !render.SharedWith(secret, to):
			return nil, true, render.NotShared(to)
		}
		return secretData(secret), true, nil
	})
	switch {
	case err != nil:
		return nil, err
	case problem == nil:
		return values, nil
	case problem.Missing:
		return nil, fmt.Errorf("spec.forwards: Secret %s/%s is not among the files", namespace, problem.Secret)
	default:
		return nil, fmt.Errorf("spec.forwards: Secret %s: %w", problem.Secret, cmp.Or(problem.Denied, problem.Err))
	}
}

// named returns the data of a Secret that the declaration at a field names.
func (p *planner) named(namespace, at string, ref *v1alpha1.SecretKeyReference) (map[string][]byte, error) {
	name := types.NamespacedName{Namespace: namespace, Name: ref.Name}
	secret, found := p.secrets[name]
	switch {
	case found && !render.Readable(secret):
		return nil, fmt.Errorf("%s: Secret %s: %w", at, name, render.ErrNotReadable)
	case found:
		return secretData(secret), nil
	case p.isRejected("Secret", name):
		return nil, fmt.Errorf("%s: Secret %s is not valid", at, name)
	}
	return nil, fmt.Errorf("%s: Secret %s is not among the files", at, name)
}

func fieldOf(ref *v1alpha1.SecretKeyReference, otherwise string) string {
	if ref.Key != "" {
		return ref.Key
	}
	return otherwise
}

// childOf is the name of a Secret that the operator would make.
func childOf(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}
