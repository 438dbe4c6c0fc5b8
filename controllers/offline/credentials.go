package offline

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// What may be wrong with a Secret besides what a cluster finds.
var (
	errNotAmongFiles = fmt.Errorf("%w among the files", credential.ErrNotFound)
	errBroken        = errors.New("its declaration is not valid")
	errMayBeUnread   = errors.New("it may be in the document that cannot be read")
)

// finder finds the Secrets that declarations of a namespace name, whose values go to receivers in the namespace to.
func (p *planner) finder(namespace, to string) func(name string) (credential.Secret, error) {
	return func(name string) (credential.Secret, error) {
		key := types.NamespacedName{Namespace: namespace, Name: name}
		found := credential.Secret{Name: key.String()}
		switch secret := p.secrets[key]; {
		case secret == nil && p.isRejected("Secret", key):
			found.Err = errBroken
		case secret == nil:
			found.Err = errNotAmongFiles
		case !credential.Readable(secret):
			found.Err = credential.ErrNotReadable
		case to != "" && !credential.SharedWith(secret, to):
			found.Err = credential.NotShared(to)
		default:
			found.Data = secretData(secret)
		}
		return found, nil
	}
}

// observe finds a keyring and the Secret that authenticates callers: the one that ref names, or the generated one. One
// of the generated one's name that is among the files is taken as it is, and what may be there nobody generates again:
// networks and sites know it.
func (p *planner) observe(
	namespace string, ref *v1alpha1.SecretKeyReference, generated, keyring string,
) (o credential.Observed, err error) {
	if o.Keyring, err = p.kept.keyring(childOf(namespace, keyring)); err != nil {
		return o, err
	}
	name := childOf(namespace, generated)
	o.Given, o.Caller.Name = true, name.String()
	switch declared := p.secrets[name]; {
	case ref != nil:
		o.Caller, err = p.finder(namespace, "")(ref.Name)
	case declared != nil:
		o.Caller.Data = secretData(declared)
	case p.isRejected("Secret", name):
		o.Caller.Err = errBroken
	case p.unread && p.kept[name] == nil && len(o.Keyring.Ring) > 0:
		o.Caller.Err = errMayBeUnread
	default:
		o.Given, o.Caller.Data = false, p.kept.get(name)
		o.Revision = p.kept.revision(name, v1alpha1.AnnotationKeyRevision)
		o.ClientRevision = p.kept.revision(name, v1alpha1.AnnotationClientKeyRevision)
	}
	return o, err
}

// resolveEndpoint decides about the credentials of an endpoint whose receivers are in the namespace to, and keeps them.
func (p *planner) resolveEndpoint(
	endpoint *v1alpha1.PostbackEndpoint, to string,
) (*credential.Observed, *credential.Decision, error) {
	o, err := p.observe(endpoint.Namespace, endpoint.Spec.Key.SecretRef,
		resources.KeySecretName(endpoint), resources.KeyringSecretName(endpoint))
	if err != nil {
		return nil, nil, err
	}
	find := p.finder(endpoint.Namespace, to)
	if signer := endpoint.Spec.Signer(); signer != nil {
		if o.Signing, err = find(signer.Secret); err != nil {
			return nil, nil, err
		}
	}
	if o.Headers, err = credential.ReadHeaders(endpoint.ForwardSecrets(), find); err != nil {
		return nil, nil, err
	}
	d := credential.Endpoint(endpoint, &o, p.now, p.source)
	if d.Generated != nil {
		p.kept.put(resources.KeySecret(endpoint, d.Generated))
	}
	if d.Keyring.Data != nil {
		p.kept.put(resources.KeyringSecret(endpoint, d.Keyring.Data))
	}
	return &o, d, nil
}

// endpointToken keeps the Secret with the URL and the API token of an endpoint, as the operator would make it, where
// the ops token of its fleet is among the files. A receiver that runs without one wants no token.
func (p *planner) endpointToken(m *member) {
	fleet := p.all[m.fleet]
	delete(p.kept, childOf(m.Name.Namespace, resources.URLSecretName(m.Declared)))
	if fleet == nil || !m.Permitted || m.decision.Key == "" {
		return
	}
	ops := p.secrets[childOf(fleet.Namespace, resources.OpsSecretName(fleet))]
	if ops == nil {
		return
	}
	if token := credential.APIToken(m.Name, secretData(ops)[v1alpha1.OpsTokenField]); token != "" {
		p.kept.put(resources.URLSecret(m.Declared, fleet, m.decision.Key, token))
	}
}

// resolveCampaign is resolveEndpoint for a campaign.
func (p *planner) resolveCampaign(
	campaign *v1alpha1.Campaign, to string,
) (*credential.Observed, *credential.Decision, error) {
	o, err := p.observe(campaign.Namespace, campaign.Spec.Token.SecretRef,
		resources.TokenSecretName(campaign), resources.CampaignKeyringSecretName(campaign))
	if err != nil {
		return nil, nil, err
	}
	if o.Headers, err = credential.ReadHeaders(campaign.ForwardSecrets(), p.finder(campaign.Namespace, to)); err != nil {
		return nil, nil, err
	}
	d := credential.Campaign(campaign, &o, p.now, p.source)
	if d.Generated != nil {
		p.kept.put(resources.TokenSecret(campaign, d.Generated))
	}
	if d.Keyring.Data != nil {
		p.kept.put(resources.CampaignKeyringSecret(campaign, d.Keyring.Data))
	}
	return &o, d, nil
}

// childOf is the name of a Secret that the operator would make.
func childOf(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}
