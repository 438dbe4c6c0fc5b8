package resources

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Deployment runs receivers without a volume of their own, or the one receiver on the embedded store. It says nothing
// about replicas while a HorizontalPodAutoscaler decides. nil: the fleet is a [StatefulSet].
func Deployment(fleet *v1alpha1.ReceiverFleet,
	template *corev1ac.PodTemplateSpecApplyConfiguration) *appsv1ac.DeploymentApplyConfiguration {
	if spool(fleet) != nil {
		return nil
	}
	spec := appsv1ac.DeploymentSpec().
		WithSelector(selector(fleet)).
		WithStrategy(strategy(fleet)).
		WithTemplate(template)
	if fleet.Spec.Autoscaling == nil {
		spec.WithReplicas(replicas(fleet))
	}
	return appsv1ac.Deployment(fleet.Name, fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithOwnerReferences(ownedByFleet(fleet)).
		WithSpec(spec)
}

// strategy never takes a receiver away before its successor is ready, except from the embedded store, whose file has
// one user at a time.
func strategy(fleet *v1alpha1.ReceiverFleet) *appsv1ac.DeploymentStrategyApplyConfiguration {
	if embedded(fleet) != nil {
		return appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)
	}
	return appsv1ac.DeploymentStrategy().
		WithType(appsv1.RollingUpdateDeploymentStrategyType).
		WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
			WithMaxUnavailable(intstr.FromInt32(0)).
			WithMaxSurge(intstr.FromInt32(1)))
}

func replicas(fleet *v1alpha1.ReceiverFleet) int32 {
	if fleet.Spec.Replicas == nil {
		return 1
	}
	return *fleet.Spec.Replicas
}
