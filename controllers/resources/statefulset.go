package resources

import (
	appsv1 "k8s.io/api/apps/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// StatefulSet runs receivers that have a spool each. Their volumes are kept whatever happens: they may hold postbacks
// that were acknowledged and are not yet in the database. nil: the fleet is a [Deployment].
func StatefulSet(fleet *v1alpha1.ReceiverFleet,
	template *corev1ac.PodTemplateSpecApplyConfiguration) *appsv1ac.StatefulSetApplyConfiguration {
	volume := spool(fleet)
	if volume == nil {
		return nil
	}
	claim := (&corev1ac.PersistentVolumeClaimApplyConfiguration{}).
		WithName(dataVolume).
		WithLabels(SelectorLabels(fleet.Name)).
		WithSpec(claimSpec(volume))
	spec := appsv1ac.StatefulSetSpec().
		WithServiceName(fleet.Name).
		WithSelector(selector(fleet)).
		WithPodManagementPolicy(appsv1.ParallelPodManagement).
		WithUpdateStrategy(appsv1ac.StatefulSetUpdateStrategy().WithType(appsv1.RollingUpdateStatefulSetStrategyType)).
		WithPersistentVolumeClaimRetentionPolicy(appsv1ac.StatefulSetPersistentVolumeClaimRetentionPolicy().
			WithWhenDeleted(appsv1.RetainPersistentVolumeClaimRetentionPolicyType).
			WithWhenScaled(appsv1.RetainPersistentVolumeClaimRetentionPolicyType)).
		WithTemplate(template).
		WithVolumeClaimTemplates(claim)
	if fleet.Spec.Autoscaling == nil {
		spec.WithReplicas(replicas(fleet))
	}
	return appsv1ac.StatefulSet(fleet.Name, fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithOwnerReferences(ownedByFleet(fleet)).
		WithSpec(spec)
}
