package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ReceiverFleet is a set of equal receivers that serve the endpoints which join it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:shortName=rfl,categories=postback
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Endpoints",type=integer,JSONPath=`.status.endpoints.accepted`
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=`.status.replicas`
// +kubebuilder:printcolumn:name="Confirmed",type=integer,JSONPath=`.status.confirmedReplicas`
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.status.revision`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 52 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name: use at most 52 lower-case letters, digits and hyphens, starting with a letter, because Services and Pods are named after it"
type ReceiverFleet struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:default={}
	// +optional
	Spec ReceiverFleetSpec `json:"spec,omitzero"`
	// Status is the operator's. It begins with a generation that none has: what had no status kstatus would call Current.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status ReceiverFleetStatus `json:"status,omitzero"`
}

// ScaledToZero reports whether the fleet is declared to have no receiver.
func (f *ReceiverFleet) ScaledToZero() bool { return f.Spec.Replicas != nil && *f.Spec.Replicas == 0 }

// ReceiverFleetList is a list of fleets.
//
// +kubebuilder:object:root=true
type ReceiverFleetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ReceiverFleet `json:"items"`
}

// ReceiverFleetSpec declares a fleet.
type ReceiverFleetSpec struct {
	ReceiverSpec `json:",inline"`

	// AllowedEndpoints are the endpoints that may join.
	// +kubebuilder:default={}
	// +optional
	AllowedEndpoints AllowedEndpoints `json:"allowedEndpoints,omitzero"`
}

// NamespacesFrom says from which namespaces endpoints may join a fleet.
//
// +kubebuilder:validation:Enum=Same;All;Selector
type NamespacesFrom string

// The choices of namespaces.
const (
	NamespacesSame     NamespacesFrom = "Same"
	NamespacesAll      NamespacesFrom = "All"
	NamespacesSelector NamespacesFrom = "Selector"
)

// AllowedEndpoints says whose endpoints may join a fleet.
//
// +kubebuilder:validation:XValidation:rule="(self.?namespaces.orValue('Same') == 'Selector') == has(self.selector)",message="allowedEndpoints: namespaces Selector and a selector need each other"
type AllowedEndpoints struct {
	// Namespaces whose endpoints may join: the `Same` as the fleet's, `All`, or those that `selector` selects
	// (`Selector`).
	// +kubebuilder:default=Same
	// +optional
	Namespaces NamespacesFrom `json:"namespaces,omitempty"`
	// Selector of namespaces by label. It and `namespaces: Selector` need each other.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// ReceiverFleetStatus is what the operator observed.
type ReceiverFleetStatus struct {
	// ObservedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Available, ConfigPropagated and Ready; Reconciling and Stalled while they hold.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Store that the receivers keep their rows in: `embedded` or `postgres`.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	Store string `json:"store,omitempty"`
	// Replicas that exist.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// Selector of the pods, for the scale subresource.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Selector string `json:"selector,omitempty"`
	// Endpoints counts those that name this fleet and do not wait for their key.
	// +optional
	Endpoints EndpointCounts `json:"endpoints,omitzero"`
	// Revision of the fleet's own settings that the receivers should serve. Endpoints don't change it: each has its own.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Revision string `json:"revision,omitempty"`
	// ConfirmedReplicas is how many ready receivers said that they serve the whole configuration, endpoints and all.
	// +optional
	ConfirmedReplicas int32 `json:"confirmedReplicas,omitempty"`
}

// EndpointCounts counts endpoints.
type EndpointCounts struct {
	// Accepted endpoints are served as declared.
	// +optional
	Accepted int32 `json:"accepted"`
	// Rejected endpoints are not served as declared. Their own conditions say why.
	// +optional
	Rejected int32 `json:"rejected"`
}
