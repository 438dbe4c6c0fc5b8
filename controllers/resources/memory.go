package resources

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Defaults of the receiver's container. The limit is what a receiver was measured with under floods: docs/security.md.
var (
	defaultCPU         = resource.MustParse("100m")
	defaultMemory      = resource.MustParse("128Mi")
	defaultMemoryLimit = resource.MustParse("256Mi")
)

// containerResources are the receiver's, before podTemplate is merged over them. There is always a limit of memory, by
// which the receiver sets its own bounds, and it is never below what podTemplate requests.
func containerResources(fleet *v1alpha1.ReceiverFleet) *corev1ac.ResourceRequirementsApplyConfiguration {
	limit := defaultMemoryLimit
	if requested := requestedMemory(fleet); requested.Cmp(limit) > 0 {
		limit = requested
	}
	return corev1ac.ResourceRequirements().
		WithRequests(corev1.ResourceList{corev1.ResourceCPU: defaultCPU, corev1.ResourceMemory: defaultMemory}).
		WithLimits(corev1.ResourceList{corev1.ResourceMemory: limit})
}

// requestedMemory is what podTemplate requests for the receiver. What cannot be read counts as nothing here: merging it
// says what is wrong with it.
func requestedMemory(fleet *v1alpha1.ReceiverFleet) (requested resource.Quantity) {
	if fleet.Spec.PodTemplate == nil {
		return requested
	}
	var template corev1.PodTemplateSpec
	if err := json.Unmarshal(fleet.Spec.PodTemplate.Raw, &template); err != nil {
		return requested
	}
	for _, container := range template.Spec.Containers {
		if container.Name == ContainerName {
			requested = container.Resources.Requests[corev1.ResourceMemory]
		}
	}
	return requested
}
