package lookup

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Strip leaves of metadata what finds and tells apart an object, and the labels of Namespaces, by which fleets choose.
// Annotations must go: kubectl keeps whole Secrets in one.
func Strip(object any) (any, error) {
	if m, ok := object.(*metav1.PartialObjectMetadata); ok {
		kept := metav1.ObjectMeta{Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion}
		if m.Kind == "Namespace" {
			kept.Labels = m.Labels
		}
		m.ObjectMeta = kept
	}
	return object, nil
}
