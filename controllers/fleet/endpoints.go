package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/assembly"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/index"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// endpoints returns those that want to be served by a fleet, sorted by name.
func (o observer) endpoints(ctx context.Context, fleet *v1alpha1.ReceiverFleet) ([]assembly.Endpoint, error) {
	declared, err := index.EndpointsOfFleet(ctx, o.cache, client.ObjectKeyFromObject(fleet))
	if err != nil {
		return nil, fmt.Errorf("listing PostbackEndpoints: %w", err)
	}
	slices.SortFunc(declared, func(a, b v1alpha1.PostbackEndpoint) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	var found []assembly.Endpoint
	for i := range declared {
		endpoint := &declared[i]
		// Another's own fleet is no one else's, and what is being deleted is no longer served.
		if _, own := render.FleetOf(endpoint); endpoint.DeletionTimestamp != nil || own &&
			!metav1.IsControlledBy(fleet, endpoint) {
			continue
		}
		e, err := o.endpoint(ctx, fleet, endpoint)
		if err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, nil
}

// endpoint leaves out the Secrets that can't be read: that is for the endpoint's own reconciler to report.
func (o observer) endpoint(ctx context.Context, fleet *v1alpha1.ReceiverFleet,
	declared *v1alpha1.PostbackEndpoint) (e assembly.Endpoint, err error) {
	e = assembly.Endpoint{
		Name:       client.ObjectKeyFromObject(declared),
		Created:    declared.CreationTimestamp.Time,
		Declared:   declared,
		Suspended:  declared.Spec.Suspend,
		Programmed: declared.Status.Revision != "",
	}
	if e.Permitted, err = lookup.Permitted(ctx, o.foreign, fleet, declared.Namespace); err != nil {
		return e, err
	}
	if e.Keyring, err = o.keyring(ctx, declared.Namespace, resources.KeyringSecretName(declared)); err != nil {
		return e, err
	}
	if e.Campaigns, err = o.campaigns(ctx, fleet, declared); err != nil {
		return e, err
	}
	if e.Headers, err = o.headers(ctx, fleet, declared.Namespace, declared.ForwardSecrets()); err != nil {
		return e, err
	}
	if signer := declared.Spec.Signer(); signer != nil {
		secret, err := o.secrets.Named(ctx, types.NamespacedName{Namespace: declared.Namespace, Name: signer.Secret},
			lookup.Owner{Label: v1alpha1.LabelEndpoint, Name: declared.Name}, fleet.Namespace)
		if err != nil {
			return e, err
		}
		e.Signing, _ = credential.ReadSigning(&declared.Spec, &secret)
	}
	return e, nil
}

// campaigns leaves out the Secrets that can't be read: that is for the campaign's own reconciler to report.
func (o observer) campaigns(ctx context.Context, fleet *v1alpha1.ReceiverFleet,
	endpoint *v1alpha1.PostbackEndpoint) ([]assembly.Campaign, error) {
	declared, err := index.CampaignsOfEndpoint(ctx, o.cache, client.ObjectKeyFromObject(endpoint))
	if err != nil {
		return nil, fmt.Errorf("listing Campaigns: %w", err)
	}
	var found []assembly.Campaign
	for i := range declared {
		c := assembly.Campaign{
			Name:     client.ObjectKeyFromObject(&declared[i]),
			Created:  declared[i].CreationTimestamp.Time,
			Declared: &declared[i],
		}
		if c.Declared.DeletionTimestamp != nil {
			continue
		}
		if c.Keyring, err = o.keyring(ctx, c.Name.Namespace, resources.CampaignKeyringSecretName(c.Declared)); err != nil {
			return nil, err
		}
		if c.Headers, err = o.headers(ctx, fleet, c.Name.Namespace, c.Declared.ForwardSecrets()); err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}

func (o observer) headers(
	ctx context.Context, fleet *v1alpha1.ReceiverFleet, namespace string, refs []v1alpha1.ForwardSecretKey,
) (credential.HeaderValues, error) {
	headers, err := credential.ReadHeaders(refs, func(name string) (credential.Secret, error) {
		return o.secrets.Named(ctx, types.NamespacedName{Namespace: namespace, Name: name}, lookup.Owner{}, fleet.Namespace)
	})
	return headers.Values, err
}
