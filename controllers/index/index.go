// Package index finds declarations by what they name: endpoints by their fleet and by the Secrets they read, fleets by
// the Secrets they read, campaigns by their endpoint and by the Secret they read. The reconcilers share it. It reads
// the cache and writes nothing.
package index

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// Names of the indexes.
const (
	byFleet  = "fleet"
	bySecret = "secret"

	byEndpoint = "endpoint"
	byHost     = "host"
)

// Register adds the indexes to a cache, before it starts.
func Register(ctx context.Context, indexer client.FieldIndexer) error {
	for _, index := range []struct {
		of    client.Object
		name  string
		value client.IndexerFunc
	}{
		{&v1alpha1.PostbackEndpoint{}, byFleet, fleetOf},
		{&v1alpha1.PostbackEndpoint{}, bySecret, secretsOfEndpoint},
		{&v1alpha1.ReceiverFleet{}, bySecret, secretsOfFleet},
		{&v1alpha1.ReceiverFleet{}, byHost, hostOfFleet},
		{&v1alpha1.Campaign{}, byEndpoint, endpointOfCampaign},
		{&v1alpha1.Campaign{}, bySecret, secretsOfCampaign},
	} {
		if err := indexer.IndexField(ctx, index.of, index.name, index.value); err != nil {
			return fmt.Errorf("indexing %T by %s: %w", index.of, index.name, err)
		}
	}
	return nil
}

func fleetOf(object client.Object) []string {
	name, _ := render.FleetOf(object.(*v1alpha1.PostbackEndpoint))
	return []string{name.String()}
}

func secretsOfEndpoint(object client.Object) []string {
	endpoint := object.(*v1alpha1.PostbackEndpoint)
	var names []string
	if ref := endpoint.Spec.Key.SecretRef; ref != nil {
		names = append(names, ref.Name)
	}
	if signer := endpoint.Spec.Signer(); signer != nil {
		names = append(names, signer.Secret)
	}
	return append(names, namesOf(endpoint.ForwardSecrets())...)
}

func namesOf(refs []v1alpha1.ForwardSecretKey) []string {
	var names []string
	for _, ref := range refs {
		names = append(names, ref.Name)
	}
	return names
}

// secretsOfFleet are those that the operator reads, and those of the pods, of which it sees to it that they may be
// used.
func secretsOfFleet(object client.Object) []string {
	fleet := object.(*v1alpha1.ReceiverFleet)
	var names []string
	for _, provider := range fleet.Spec.Rates.Providers {
		if provider.KeySecretRef != nil {
			names = append(names, provider.KeySecretRef.Name)
		}
	}
	for _, ref := range resources.PodSecrets(fleet) {
		names = append(names, ref.Name)
	}
	return names
}

// hostOfFleet leaves out the hosts of a fleet that routes nothing to itself: it is but the name in its URLs.
func hostOfFleet(object client.Object) []string {
	if fleet := object.(*v1alpha1.ReceiverFleet); resources.RoutesHost(fleet) {
		return fleet.Spec.Hosts()
	}
	return nil
}

// FleetsOfHost returns the fleets, of any namespace, to which a host is routed.
func FleetsOfHost(ctx context.Context, reader client.Reader, host string) ([]v1alpha1.ReceiverFleet, error) {
	var list v1alpha1.ReceiverFleetList
	err := reader.List(ctx, &list, client.MatchingFields{byHost: host})
	return list.Items, err
}

// EndpointsOfFleet returns the endpoints, of any namespace, that name a fleet.
func EndpointsOfFleet(ctx context.Context, reader client.Reader,
	fleet types.NamespacedName) ([]v1alpha1.PostbackEndpoint, error) {
	var list v1alpha1.PostbackEndpointList
	err := reader.List(ctx, &list, client.MatchingFields{byFleet: fleet.String()})
	return list.Items, err
}

// EndpointsOfSecret returns the endpoints that read a Secret.
func EndpointsOfSecret(ctx context.Context, reader client.Reader,
	secret types.NamespacedName) ([]v1alpha1.PostbackEndpoint, error) {
	var list v1alpha1.PostbackEndpointList
	err := reader.List(ctx, &list, client.InNamespace(secret.Namespace), client.MatchingFields{bySecret: secret.Name})
	return list.Items, err
}

// FleetsOfSecret returns the fleets that read a Secret.
func FleetsOfSecret(ctx context.Context, reader client.Reader, secret types.NamespacedName) ([]v1alpha1.ReceiverFleet,
	error) {
	var list v1alpha1.ReceiverFleetList
	err := reader.List(ctx, &list, client.InNamespace(secret.Namespace), client.MatchingFields{bySecret: secret.Name})
	return list.Items, err
}
