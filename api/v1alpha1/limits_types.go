package v1alpha1

// LimitsSpec bounds what visitors can make receivers do. Each receiver of the fleet counts for itself.
type LimitsSpec struct {
	// Visits to the links of all the endpoint's campaigns that are recorded, of all visitors together. Absent: no limit.
	// +optional
	Visits *RateLimit `json:"visits,omitempty"`
	// VisitsPerSource are those from one source address, of IPv6 one /64. Absent: no limit.
	// +optional
	VisitsPerSource *RateLimit `json:"visitsPerSource,omitempty"`
}

// RateLimit is how many requests are taken. Above it visitors still get to the offer, but no click is recorded.
type RateLimit struct {
	// RequestsPerSecond on average, 1 to 100000.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +required
	RequestsPerSecond int32 `json:"requestsPerSecond"`
	// Burst is how many may come at once, at most 1000000. Absent: as many as in a second.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Burst int32 `json:"burst,omitempty"`
}
