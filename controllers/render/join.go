package render

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// FleetOf returns which fleet serves the endpoint, and whether that is one of its own, which nobody declared.
func FleetOf(endpoint *v1alpha1.PostbackEndpoint) (name types.NamespacedName, own bool) {
	ref := endpoint.Spec.FleetRef
	if ref == nil {
		return types.NamespacedName{Namespace: endpoint.Namespace, Name: endpoint.Name}, true
	}
	name = types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}
	if name.Namespace == "" {
		name.Namespace = endpoint.Namespace
	}
	return name, false
}

// OwnFleet returns the fleet of an endpoint without fleetRef, before the schema's defaults.
func OwnFleet(endpoint *v1alpha1.PostbackEndpoint) *v1alpha1.ReceiverFleet {
	fleet := &v1alpha1.ReceiverFleet{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindReceiverFleet},
		ObjectMeta: metav1.ObjectMeta{Namespace: endpoint.Namespace, Name: endpoint.Name},
	}
	if endpoint.Spec.Receiver != nil {
		endpoint.Spec.Receiver.DeepCopyInto(&fleet.Spec.ReceiverSpec)
	}
	return fleet
}

// Permits reports whether endpoints of a namespace with these labels may join the fleet. A selector that can't be read
// permits nobody.
func Permits(fleet *v1alpha1.ReceiverFleet, namespace string, namespaceLabels map[string]string) bool {
	switch allowed := fleet.Spec.AllowedEndpoints; {
	case namespace == fleet.Namespace && allowed.Namespaces != v1alpha1.NamespacesSelector:
		return true
	case allowed.Namespaces == v1alpha1.NamespacesAll:
		return true
	case allowed.Namespaces == v1alpha1.NamespacesSelector:
		selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
		return err == nil && selector.Matches(labels.Set(namespaceLabels))
	default:
		return false
	}
}
