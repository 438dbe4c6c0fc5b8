package resources

import (
	"cmp"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Certificate has cert-manager issue one for the fleet's host, into the Secret that the Ingress names.
func Certificate(fleet *v1alpha1.ReceiverFleet) *UntypedApplyConfiguration {
	if fleet.Spec.Certificate == nil {
		return nil
	}
	issuer := fleet.Spec.Certificate.IssuerRef
	return foreign(KindCertificate, fleet, map[string]any{
		"secretName": tlsSecretName(fleet),
		"dnsNames":   hostsOf(fleet),
		"issuerRef": map[string]any{
			"group": cmp.Or(issuer.Group, KindCertificate.Group),
			"kind":  cmp.Or(issuer.Kind, "Issuer"),
			"name":  issuer.Name,
		},
	})
}

// tlsSecretName names the Secret with the certificate for the fleet's host; empty for none.
func tlsSecretName(fleet *v1alpha1.ReceiverFleet) string {
	if ingress := fleet.Spec.Ingress; ingress != nil && ingress.TLSSecretName != "" {
		return ingress.TLSSecretName
	}
	if fleet.Spec.Certificate != nil {
		return childName(fleet.Name, "-tls")
	}
	return ""
}
