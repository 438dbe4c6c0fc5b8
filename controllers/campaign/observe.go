package campaign

import (
	"cmp"
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
	campaign *v1alpha1.Campaign
	// endpoint is nil while there is none of that name.
	endpoint *v1alpha1.PostbackEndpoint
	// fleetName serves the endpoint; own: it is the endpoint's own. fleet is nil while there is none of that name.
	fleetName   types.NamespacedName
	own         bool
	fleet       *v1alpha1.ReceiverFleet
	credentials credential.Observed
	// urls are the endpoint's snippets, of which its addresses go into those of the campaign.
	urls map[string][]byte
}

// Observed implements [served.Scope].
func (s *scope) Observed() *credential.Observed { return &s.credentials }

// observe reads. own is where the operator's Secrets are found.
func (r *Reconciler) observe(ctx context.Context, own client.Reader, campaign *v1alpha1.Campaign) (s *scope,
	err error) {
	s = &scope{campaign: campaign}
	if err := r.target(ctx, own, s); err != nil {
		return nil, err
	}
	reader := served.Reader{
		Own:       own,
		Secrets:   r.Secrets,
		Namespace: campaign.Namespace,
		Owner:     lookup.Owner{Label: v1alpha1.LabelCampaign, Name: campaign.Name},
	}
	o := &s.credentials
	if err := reader.Caller(ctx, o, campaign.Spec.Token.SecretRef, resources.TokenSecretName(campaign)); err != nil {
		return nil, err
	}
	if err := reader.Headers(ctx, o, campaign.ForwardSecrets(),
		cmp.Or(s.fleetName.Namespace, campaign.Namespace)); err != nil {
		return nil, err
	}
	return s, reader.Keyring(ctx, o, resources.CampaignKeyringSecretName(campaign))
}

// target finds the endpoint and its fleet.
func (r *Reconciler) target(ctx context.Context, own client.Reader, s *scope) error {
	name := types.NamespacedName{Namespace: s.campaign.Namespace, Name: s.campaign.Spec.EndpointRef.Name}
	endpoint, err := served.Get[v1alpha1.PostbackEndpoint](ctx, r.Cache, name)
	if err != nil || endpoint == nil || endpoint.DeletionTimestamp != nil {
		return err
	}
	s.endpoint = endpoint
	s.fleetName, s.own = render.FleetOf(endpoint)
	snippets, err := lookup.Made(ctx, own, endpoint.Namespace, resources.SnippetsSecretName(endpoint))
	if err != nil {
		return err
	}
	s.urls = snippets.Data
	s.fleet, err = served.Get[v1alpha1.ReceiverFleet](ctx, r.Cache, s.fleetName)
	return err
}
