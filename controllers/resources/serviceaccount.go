package resources

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// ServiceAccount gives the receivers an identity that can do nothing: no role is bound to it and no token is mounted.
func ServiceAccount(fleet *v1alpha1.ReceiverFleet) *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(fleet.Name, fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithOwnerReferences(ownedByFleet(fleet)).
		WithAutomountServiceAccountToken(false)
}
