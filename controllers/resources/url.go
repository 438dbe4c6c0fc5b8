package resources

import "github.com/postback-dev/postback-operator/api/v1alpha1"

// URLTemplate is the postback URL of every endpoint of a fleet, with {key} in place of the key.
func URLTemplate(fleet *v1alpha1.ReceiverFleet) string { return postbackURL(fleet, "{key}") }

func postbackURL(fleet *v1alpha1.ReceiverFleet, key string) string {
	return BaseURL(fleet) + "/" + key + "/postback"
}

// BaseURL is what the declaration says about how networks reach the fleet: externalURL, or without a host the Service,
// which only the cluster reaches, or the host, with HTTPS unless an Ingress without any certificate is the only way.
func BaseURL(fleet *v1alpha1.ReceiverFleet) string {
	spec := &fleet.Spec
	switch {
	case spec.ExternalURL != "":
		return spec.ExternalURL
	case spec.Host == "":
		return "http://" + fleet.Name + "." + fleet.Namespace + ".svc"
	case spec.Ingress != nil && tlsSecretName(fleet) == "" && spec.Gateway == nil:
		return "http://" + spec.Host
	}
	return "https://" + spec.Host
}
