package endpoint

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/served"
)

// scope is what one reconcile has read.
type scope struct {
	endpoint *v1alpha1.PostbackEndpoint
	// fleetName serves the endpoint; own: it is the endpoint's own.
	fleetName types.NamespacedName
	own       bool
	// fleet is nil while there is none of that name.
	fleet       *v1alpha1.ReceiverFleet
	credentials credential.Observed
	// key is the one in the URL that is there; empty while there is none.
	key string
	// opsToken of the fleet's API, from which the endpoint's own token is made; nil where there is none, or the fleet
	// does not permit the endpoint.
	opsToken []byte
}

// Observed implements [served.Scope].
func (s *scope) Observed() *credential.Observed { return &s.credentials }

// observe reads. own is where the operator's Secrets are found.
func (r *Reconciler) observe(ctx context.Context, own client.Reader, endpoint *v1alpha1.PostbackEndpoint) (s *scope,
	err error) {
	s = &scope{endpoint: endpoint}
	s.fleetName, s.own = render.FleetOf(endpoint)
	if s.fleet, err = served.Get[v1alpha1.ReceiverFleet](ctx, r.Cache, s.fleetName); err != nil {
		return nil, err
	}
	reader := served.Reader{
		Own:       own,
		Secrets:   r.Secrets,
		Namespace: endpoint.Namespace,
		Owner:     lookup.Owner{Label: v1alpha1.LabelEndpoint, Name: endpoint.Name},
	}
	o := &s.credentials
	if err := reader.Caller(ctx, o, endpoint.Spec.Key.SecretRef, resources.KeySecretName(endpoint)); err != nil {
		return nil, err
	}
	url, err := lookup.Made(ctx, own, endpoint.Namespace, resources.URLSecretName(endpoint))
	if err != nil {
		return nil, err
	}
	s.key = string(url.Data[v1alpha1.DefaultKeyField])
	if !o.Given {
		o.Recorded = s.key
	}
	// Receivers need signing secrets and headers themselves, in the configuration that is in the fleet's namespace.
	if signer := endpoint.Spec.Signer(); signer != nil {
		if o.Signing, err = reader.Named(ctx, signer.Secret, s.fleetName.Namespace); err != nil {
			return nil, err
		}
	}
	if err := reader.Headers(ctx, o, endpoint.ForwardSecrets(), s.fleetName.Namespace); err != nil {
		return nil, err
	}
	if err := r.observeAPI(ctx, own, s); err != nil {
		return nil, err
	}
	return s, reader.Keyring(ctx, o, resources.KeyringSecretName(endpoint))
}

// observeAPI reads what the endpoint's token of its fleet's API is made from.
func (r *Reconciler) observeAPI(ctx context.Context, own client.Reader, s *scope) error {
	if s.fleet == nil {
		return nil
	}
	permitted, err := lookup.Permitted(ctx, r.Foreign, s.fleet, s.endpoint.Namespace)
	if err != nil || !permitted {
		return err
	}
	ops, err := lookup.Made(ctx, own, s.fleet.Namespace, resources.OpsSecretName(s.fleet))
	if err != nil {
		return err
	}
	s.opsToken = ops.Data[v1alpha1.OpsTokenField]
	return nil
}
