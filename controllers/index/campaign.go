package index

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

func endpointOfCampaign(object client.Object) []string {
	return []string{object.(*v1alpha1.Campaign).Spec.EndpointRef.Name}
}

func secretsOfCampaign(object client.Object) []string {
	campaign := object.(*v1alpha1.Campaign)
	names := namesOf(campaign.ForwardSecrets())
	if ref := campaign.Spec.Token.SecretRef; ref != nil {
		names = append(names, ref.Name)
	}
	return names
}

// CampaignsOfEndpoint returns the campaigns that name an endpoint.
func CampaignsOfEndpoint(ctx context.Context, reader client.Reader, endpoint types.NamespacedName) ([]v1alpha1.Campaign,
	error) {
	return campaigns(ctx, reader, endpoint.Namespace, client.MatchingFields{byEndpoint: endpoint.Name})
}

// CampaignsOfSecret returns the campaigns that read a Secret.
func CampaignsOfSecret(ctx context.Context, reader client.Reader, secret types.NamespacedName) ([]v1alpha1.Campaign,
	error) {
	return campaigns(ctx, reader, secret.Namespace, client.MatchingFields{bySecret: secret.Name})
}

func campaigns(ctx context.Context, reader client.Reader, namespace string,
	fields client.MatchingFields) ([]v1alpha1.Campaign, error) {
	var list v1alpha1.CampaignList
	err := reader.List(ctx, &list, client.InNamespace(namespace), fields)
	return list.Items, err
}
