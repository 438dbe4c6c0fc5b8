package resources

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Service reaches the receivers' postback port. A load balancer keeps the sender's address, by which allowedCIDRs
// judge.
func Service(fleet *v1alpha1.ReceiverFleet) *corev1ac.ServiceApplyConfiguration {
	declared := fleet.Spec.Service
	spec := corev1ac.ServiceSpec().
		WithType(corev1.ServiceType(cmp.Or(declared.Type, string(corev1.ServiceTypeClusterIP)))).
		WithSelector(SelectorLabels(fleet.Name)).
		WithPorts(corev1ac.ServicePort().
			WithName(HTTPPortName).
			WithProtocol(corev1.ProtocolTCP).
			WithAppProtocol("http").
			WithPort(servicePort).
			WithTargetPort(intstr.FromString(HTTPPortName)))
	if *spec.Type == corev1.ServiceTypeLoadBalancer {
		spec.WithExternalTrafficPolicy(corev1.ServiceExternalTrafficPolicyLocal)
	}
	return corev1ac.Service(fleet.Name, fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithAnnotations(declared.Annotations).
		WithOwnerReferences(ownedByFleet(fleet)).
		WithSpec(spec)
}
