package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Retention says for how long a store keeps what it has.
type Retention struct {
	// Clicks is the age at which clicks that led to no conversion are deleted, at least 24h. A click with a conversion is
	// kept with it, forever. Where an endpoint's `clickLookback` is longer, that age counts. Absent or 0s: never.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && (duration(self) == duration('0s') || duration(self) >= duration('24h')) && duration(self) <= duration('876000h')",message="retention.clicks: write a duration of at least 24h, like 2160h, or 0s forever"
	// +optional
	Clicks *metav1.Duration `json:"clicks,omitempty"`
	// History is the age at which previous versions of conversions are deleted, at least 24h. Absent or 0s: never.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && (duration(self) == duration('0s') || duration(self) >= duration('24h')) && duration(self) <= duration('876000h')",message="retention.history: write a duration of at least 24h, like 2160h, or 0s forever"
	// +optional
	History *metav1.Duration `json:"history,omitempty"`
	// Received is the age at which rows of the log of received postbacks are deleted, at least 24h, and longer than a
	// postback may wait in a spool. Absent: 2160h. 0s: never.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && (duration(self) == duration('0s') || duration(self) >= duration('24h')) && duration(self) <= duration('876000h')",message="retention.received: write a duration of at least 24h, like 2160h, or 0s forever"
	// +optional
	Received *metav1.Duration `json:"received,omitempty"`
	// Forwards is the time for which S2S postbacks are kept after they were delivered or given up, at least 24h. Absent:
	// 720h. 0s: forever.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && (duration(self) == duration('0s') || duration(self) >= duration('24h')) && duration(self) <= duration('876000h')",message="retention.forwards: write a duration of at least 24h, like 2160h, or 0s forever"
	// +optional
	Forwards *metav1.Duration `json:"forwards,omitempty"`
}
