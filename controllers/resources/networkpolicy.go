package resources

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// NetworkPolicy lets anybody reach the postback port, and that of the Admin API if it is on, and the cluster's own
// pods, like the operator and Prometheus, the ops port. What receivers reach is not restricted: databases, rate
// providers and traffic sources are anywhere.
func NetworkPolicy(fleet *v1alpha1.ReceiverFleet) *networkingv1ac.NetworkPolicyApplyConfiguration {
	if !fleet.Spec.NetworkPolicy.Enabled {
		return nil
	}
	open := func(port string) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
		return networkingv1ac.NetworkPolicyPort().WithProtocol(corev1.ProtocolTCP).WithPort(intstr.FromString(port))
	}
	public := []*networkingv1ac.NetworkPolicyPortApplyConfiguration{open(HTTPPortName)}
	if fleet.Spec.AdminAPI != nil { // which has a key, and an Ingress in front that may be on a node's own network
		public = append(public, open(AdminPortName))
	}
	return networkingv1ac.NetworkPolicy(fleet.Name, fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithOwnerReferences(ownedByFleet(fleet)).
		WithSpec(networkingv1ac.NetworkPolicySpec().
			WithPodSelector(selector(fleet)).
			WithPolicyTypes(networkingv1.PolicyTypeIngress).
			WithIngress(
				networkingv1ac.NetworkPolicyIngressRule().WithPorts(public...),
				networkingv1ac.NetworkPolicyIngressRule().WithPorts(open(OpsPortName)).
					WithFrom(networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(metav1ac.LabelSelector()))))
}
