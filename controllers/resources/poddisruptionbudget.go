package resources

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// PodDisruptionBudget lets nodes be drained one receiver at a time. One may always go, also the only one, and one that
// is not ready never counts: so it never blocks a drain.
func PodDisruptionBudget(fleet *v1alpha1.ReceiverFleet) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	if !fleet.Spec.PodDisruptionBudget.Enabled {
		return nil
	}
	return policyv1ac.PodDisruptionBudget(fleet.Name, fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithOwnerReferences(ownedByFleet(fleet)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithSelector(selector(fleet)).
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow))
}
