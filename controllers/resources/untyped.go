package resources

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// UntypedApplyConfiguration is the apply configuration of an object for which Go types are no help: they would be a
// dependency for a handful of fields, or could not say what is meant. A client takes it like those of client-go.
type UntypedApplyConfiguration struct {
	metav1ac.TypeMetaApplyConfiguration    `json:""`
	*metav1ac.ObjectMetaApplyConfiguration `json:"metadata,omitempty"`
	// Spec as Kubernetes decodes JSON: maps, slices, strings, booleans and int64.
	Spec map[string]any `json:"spec,omitempty"`
}

// IsApplyConfiguration makes it a runtime.ApplyConfiguration.
func (UntypedApplyConfiguration) IsApplyConfiguration() {}

func untyped(kind schema.GroupVersionKind, meta *metav1ac.ObjectMetaApplyConfiguration,
	spec map[string]any) *UntypedApplyConfiguration {
	u := &UntypedApplyConfiguration{ObjectMetaApplyConfiguration: meta, Spec: spec}
	u.TypeMetaApplyConfiguration.WithKind(kind.Kind).WithAPIVersion(kind.GroupVersion().String())
	return u
}

// foreign builds a fleet's child of a kind that is not Kubernetes' own.
func foreign(kind schema.GroupVersionKind, fleet *v1alpha1.ReceiverFleet,
	spec map[string]any) *UntypedApplyConfiguration {
	return untyped(kind, metav1ac.ObjectMeta().
		WithName(fleet.Name).WithNamespace(fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithOwnerReferences(ownedByFleet(fleet)), spec)
}
