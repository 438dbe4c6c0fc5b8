package apply

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// fieldOwnerPrefix begins the field owner of every operator. The rest is its id: the API server then refuses that two
// of them create the same object, because they disagree about [v1alpha1.AnnotationOperator].
const fieldOwnerPrefix = "postback-operator/"

// statusOwner owns every status, whichever operator writes it: a condition that one operator no longer wants would stay
// if it were another one's field.
const statusOwner = client.FieldOwner("postback-operator")

// fieldOwner is in the managed fields of everything that this operator makes.
func (w *Writer) fieldOwner() client.FieldOwner { return client.FieldOwner(fieldOwnerPrefix + w.ID) }

// ForeignError says that another operator made an object. Nothing was written.
type ForeignError struct {
	Kind, Name string
	// Operator is the other one's id, ID that of this one.
	Operator, ID string
}

// Error implements error. It is what the condition says.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("the operator %q made %s %s, so the operator %q leaves all of it alone: run one operator in a "+
		"namespace, or give each an --operator-class; if the other one is gone, run this one with --operator-id=%[1]s",
		e.Operator, e.Kind, e.Name, e.ID)
}

// Foreign says that another operator made an object, as a [ForeignError]; nil if none did.
func (w *Writer) Foreign(kind string, live client.Object) error {
	if id := w.other(live); id != "" {
		return &ForeignError{Kind: kind, Name: live.GetName(), Operator: id, ID: w.ID}
	}
	return nil
}

// other is the id of another operator that made an object; empty if none did.
func (w *Writer) other(live client.Object) string {
	if id := live.GetAnnotations()[v1alpha1.AnnotationOperator]; id != w.ID {
		return id
	}
	return ""
}

// ours reports whether an object is the operator's and not of another owner. Who removed its label has not made it
// theirs. What belonged to an owner of the same kind and name, which is gone, goes on with its successor, unless the
// garbage collector is faster.
func (w *Writer) ours(live, owner client.Object) bool {
	if controller := metav1.GetControllerOf(live); controller != nil {
		return controller.UID == owner.GetUID() || w.succeeds(owner, controller)
	}
	if live.GetLabels()[v1alpha1.LabelManagedBy] == v1alpha1.LabelManagedByValue {
		return true
	}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == string(w.fieldOwner()) && entry.Operation == metav1.ManagedFieldsOperationApply {
			return true
		}
	}
	return false
}

// succeeds reports whether an owner has the kind and the name of a former one.
func (w *Writer) succeeds(owner client.Object, former *metav1.OwnerReference) bool {
	kind, err := w.Client.GroupVersionKindFor(owner)
	return err == nil && former.Name == owner.GetName() && former.Kind == kind.Kind &&
		former.APIVersion == kind.GroupVersion().String()
}
