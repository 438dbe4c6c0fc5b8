package resources

import (
	"cmp"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	autoscalingv2ac "k8s.io/client-go/applyconfigurations/autoscaling/v2"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// HorizontalPodAutoscaler lets the load of the CPU decide on replicas.
func HorizontalPodAutoscaler(fleet *v1alpha1.ReceiverFleet) *autoscalingv2ac.HorizontalPodAutoscalerApplyConfiguration {
	declared := fleet.Spec.Autoscaling
	if declared == nil {
		return nil
	}
	target := KindDeployment
	if spool(fleet) != nil {
		target = KindStatefulSet
	}
	return autoscalingv2ac.HorizontalPodAutoscaler(fleet.Name, fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithOwnerReferences(ownedByFleet(fleet)).
		WithSpec(autoscalingv2ac.HorizontalPodAutoscalerSpec().
			WithScaleTargetRef(autoscalingv2ac.CrossVersionObjectReference().
				WithAPIVersion(target.GroupVersion().String()).WithKind(target.Kind).WithName(fleet.Name)).
			WithMinReplicas(max(declared.MinReplicas, 1)).
			WithMaxReplicas(declared.MaxReplicas).
			WithMetrics(autoscalingv2ac.MetricSpec().
				WithType(autoscalingv2.ResourceMetricSourceType).
				WithResource(autoscalingv2ac.ResourceMetricSource().
					WithName(corev1.ResourceCPU).
					WithTarget(autoscalingv2ac.MetricTarget().
						WithType(autoscalingv2.UtilizationMetricType).
						WithAverageUtilization(cmp.Or(declared.TargetCPUUtilization, 70))))))
}
