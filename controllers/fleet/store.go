package fleet

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/assembly"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// storeError says that a fleet stays with the store that it has.
type storeError struct{ has, declared, annotate string }

func (e *storeError) Error() string {
	return fmt.Sprintf("spec.store: the rows of the receivers are in the %s store, and %[2]s would begin without them, "+
		"so the receivers stay as they are. Move the rows by receiver migrate, then annotate: "+
		"kubectl annotate %[3]s %[4]s=%[2]s",
		e.has, e.declared, e.annotate, v1alpha1.AnnotationStoreChange)
}

// storeChange finds a change of the kind of store that nobody said is meant; nil if there is none. Of an
// endpoint's own fleet the endpoint says so.
func storeChange(fleet *v1alpha1.ReceiverFleet, endpoints []assembly.Endpoint) *storeError {
	has, declared := fleet.Status.Store, fleet.Spec.Store.Kind()
	if has == "" || has == declared || fleet.Annotations[v1alpha1.AnnotationStoreChange] == declared {
		return nil
	}
	found := &storeError{has: has, declared: declared, annotate: "rfl/" + fleet.Name}
	for i := range endpoints {
		if metav1.IsControlledBy(fleet, endpoints[i].Declared) {
			if endpoints[i].Declared.Annotations[v1alpha1.AnnotationStoreChange] == declared {
				return nil
			}
			found.annotate = "pbe/" + endpoints[i].Name.Name
		}
	}
	return found
}

// ofStore reports whether a child depends on the store that is declared.
func ofStore(c resources.Child) bool {
	return c.IsWorkload() || c.Kind == resources.KindPersistentVolumeClaim ||
		c.Kind == resources.KindHorizontalPodAutoscaler
}
