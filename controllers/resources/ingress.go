package resources

import (
	networkingv1 "k8s.io/api/networking/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Ingress routes the fleet's hosts to its Service.
func Ingress(fleet *v1alpha1.ReceiverFleet) *networkingv1ac.IngressApplyConfiguration {
	declared := fleet.Spec.Ingress
	if declared == nil {
		return nil
	}
	backend := networkingv1ac.IngressBackend().WithService(networkingv1ac.IngressServiceBackend().
		WithName(fleet.Name).
		WithPort(networkingv1ac.ServiceBackendPort().WithName(HTTPPortName)))
	spec := networkingv1ac.IngressSpec()
	for _, host := range fleet.Spec.Hosts() {
		spec.WithRules(networkingv1ac.IngressRule().
			WithHost(host).
			WithHTTP(networkingv1ac.HTTPIngressRuleValue().WithPaths(networkingv1ac.HTTPIngressPath().
				WithPath("/").
				WithPathType(networkingv1.PathTypePrefix).
				WithBackend(backend))))
	}
	if declared.ClassName != nil {
		spec.WithIngressClassName(*declared.ClassName)
	}
	if secret := tlsSecretName(fleet); secret != "" {
		spec.WithTLS(networkingv1ac.IngressTLS().WithHosts(fleet.Spec.Hosts()...).WithSecretName(secret))
	}
	return networkingv1ac.Ingress(fleet.Name, fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithAnnotations(declared.Annotations).
		WithOwnerReferences(ownedByFleet(fleet)).
		WithSpec(spec)
}
