package resources

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
)

// KeySecret keeps generated credentials. It has no owner: networks and pages know the keys, so it outlives the
// endpoint.
func KeySecret(endpoint *v1alpha1.PostbackEndpoint, g *credential.Generated) *corev1ac.SecretApplyConfiguration {
	secret := endpointSecret(endpoint, KeySecretName(endpoint), v1alpha1.RoleKey).
		WithAnnotations(map[string]string{v1alpha1.AnnotationKeyRevision: strconv.FormatInt(g.Revision, 10)}).
		WithData(map[string][]byte{
			v1alpha1.DefaultKeyField: []byte(g.Key),
			v1alpha1.ClickTokenField: []byte(g.ClickToken),
		})
	if g.ClientKey != "" {
		secret.WithAnnotations(map[string]string{v1alpha1.AnnotationClientKeyRevision: strconv.FormatInt(g.ClientRevision,
			10)}).
			WithData(map[string][]byte{v1alpha1.ClientKeyField: []byte(g.ClientKey)})
	}
	return secret
}

// KeyringSecret keeps an endpoint's encoded keyring.
func KeyringSecret(endpoint *v1alpha1.PostbackEndpoint, ring []byte) *corev1ac.SecretApplyConfiguration {
	return endpointSecret(endpoint, KeyringSecretName(endpoint), v1alpha1.RoleKeyring).
		WithOwnerReferences(ownedByEndpoint(endpoint)).
		WithData(map[string][]byte{v1alpha1.KeyringField: ring})
}

// URLSecret holds the postback URL to paste at the network, and the key in it, from which a generated key that somebody
// deleted is restored; fleet serves the endpoint. apiToken reads the endpoint from the fleet's API; empty where it may
// not.
func URLSecret(
	endpoint *v1alpha1.PostbackEndpoint, fleet *v1alpha1.ReceiverFleet, key, apiToken string,
) *corev1ac.SecretApplyConfiguration {
	secret := endpointSecret(endpoint, URLSecretName(endpoint), v1alpha1.RoleURL).
		WithOwnerReferences(ownedByEndpoint(endpoint)).
		WithData(map[string][]byte{
			v1alpha1.URLField:        []byte(postbackURL(fleet, key)),
			v1alpha1.DefaultKeyField: []byte(key),
		})
	if apiToken != "" {
		secret.WithData(map[string][]byte{v1alpha1.APITokenField: []byte(apiToken)})
	}
	return secret
}

// SnippetsSecret holds what to paste into pages and sites, by field.
func SnippetsSecret(endpoint *v1alpha1.PostbackEndpoint,
	snippets map[string][]byte) *corev1ac.SecretApplyConfiguration {
	return endpointSecret(endpoint, SnippetsSecretName(endpoint), v1alpha1.RoleSnippets).
		WithOwnerReferences(ownedByEndpoint(endpoint)).
		WithData(snippets)
}

// RatesKeyringSecret keeps the encoded keyring of a fleet's rate providers.
func RatesKeyringSecret(fleet *v1alpha1.ReceiverFleet, ring []byte) *corev1ac.SecretApplyConfiguration {
	return fleetSecret(fleet, RatesKeyringSecretName(fleet), v1alpha1.RoleKeyring).
		WithData(map[string][]byte{v1alpha1.KeyringField: ring})
}

// OpsSecret keeps the token of the read API of a fleet's receivers, who read it from their volume for every request.
func OpsSecret(fleet *v1alpha1.ReceiverFleet, token string) *corev1ac.SecretApplyConfiguration {
	return fleetSecret(fleet, OpsSecretName(fleet), v1alpha1.RoleOps).
		WithData(map[string][]byte{v1alpha1.OpsTokenField: []byte(token)})
}

func endpointSecret(endpoint *v1alpha1.PostbackEndpoint, name, role string) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(name, endpoint.Namespace).
		WithType(corev1.SecretTypeOpaque).
		WithLabels(map[string]string{
			v1alpha1.LabelManagedBy: v1alpha1.LabelManagedByValue,
			v1alpha1.LabelEndpoint:  endpoint.Name,
			v1alpha1.LabelRole:      role,
		})
}

func fleetSecret(fleet *v1alpha1.ReceiverFleet, name, role string) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(name, fleet.Namespace).
		WithType(corev1.SecretTypeOpaque).
		WithLabels(map[string]string{
			v1alpha1.LabelManagedBy: v1alpha1.LabelManagedByValue,
			v1alpha1.LabelFleet:     fleet.Name,
			v1alpha1.LabelRole:      role,
		}).
		WithOwnerReferences(ownedByFleet(fleet))
}
