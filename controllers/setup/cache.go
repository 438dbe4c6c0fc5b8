package setup

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/lookup"
)

// cacheOptions bound what the operator keeps in memory: declarations, and what it made itself.
func cacheOptions(namespaces []string, class string) cache.Options {
	declared := cache.ByObject{Label: ofClass(class)}
	return cache.Options{
		DefaultNamespaces:    only(namespaces),
		DefaultLabelSelector: labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.LabelManagedByValue}),
		DefaultTransform:     slim,
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.PostbackEndpoint{}: declared,
			&v1alpha1.ReceiverFleet{}:    declared,
			&v1alpha1.Campaign{}:         declared,
			&corev1.Secret{}:             {Label: byRole(selection.Exists)},
			&corev1.Pod{}:                {Transform: stripPod},
		},
	}
}

// foreignOptions are those of the cache of what belongs to others, of which only the metadata is kept. What the
// operator made is not among it, since it is in the other cache.
func foreignOptions(namespaces []string, scheme *runtime.Scheme) cache.Options {
	return cache.Options{
		Scheme: scheme, DefaultNamespaces: only(namespaces), DefaultTransform: lookup.Strip,
		ByObject: map[client.Object]cache.ByObject{
			lookup.SecretMetadata(): {Label: byRole(selection.DoesNotExist)},
		},
	}
}

func only(namespaces []string) map[string]cache.Config {
	if len(namespaces) == 0 {
		return nil
	}
	configs := map[string]cache.Config{}
	for _, name := range namespaces {
		configs[name] = cache.Config{}
	}
	return configs
}

// ofClass selects the declarations of a class, or those of none.
func ofClass(class string) labels.Selector {
	operator, values := selection.Equals, []string{class}
	if class == "" {
		operator, values = selection.DoesNotExist, nil
	}
	requirement, err := labels.NewRequirement(v1alpha1.LabelClass, operator, values)
	if err != nil {
		panic(err) // the flag was checked
	}
	return labels.NewSelector().Add(*requirement)
}

// byRole selects what has a role, or what has none.
func byRole(operator selection.Operator) labels.Selector {
	requirement, err := labels.NewRequirement(v1alpha1.LabelRole, operator, nil)
	if err != nil {
		panic(err) // the label is a constant
	}
	return labels.NewSelector().Add(*requirement)
}

// stripPod leaves of a pod what finds it and says whether it is ready, and if not, why.
func stripPod(object any) (any, error) {
	if pod, ok := object.(*corev1.Pod); ok {
		pod.ObjectMeta = metav1.ObjectMeta{
			Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
			Labels: pod.Labels, Annotations: pod.Annotations, DeletionTimestamp: pod.DeletionTimestamp,
			CreationTimestamp: pod.CreationTimestamp,
		}
		pod.Spec = corev1.PodSpec{}
		pod.Status = corev1.PodStatus{
			Phase:                 pod.Status.Phase,
			PodIP:                 pod.Status.PodIP,
			Conditions:            pod.Status.Conditions,
			InitContainerStatuses: unready(pod.Status.InitContainerStatuses),
			ContainerStatuses:     unready(pod.Status.ContainerStatuses),
		}
	}
	return object, nil
}

// unready leaves the states of the containers that are not ready.
func unready(containers []corev1.ContainerStatus) []corev1.ContainerStatus {
	var left []corev1.ContainerStatus
	for _, c := range containers {
		if !c.Ready {
			left = append(left, corev1.ContainerStatus{
				Name: c.Name, State: c.State, LastTerminationState: c.LastTerminationState,
			})
		}
	}
	return left
}
