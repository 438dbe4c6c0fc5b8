package v1alpha1

// BrowserSpec lets web pages report conversions. The key for it, the client key, is in the pages for everybody to read;
// so it is good for what is declared here only.
type BrowserSpec struct {
	// Types that pages may report, at least one.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=32
	// +required
	Types []string `json:"types"`
	// Origins of the pages, at least one, like `https://shop.example`: scheme and host name in lower case, a port unless
	// it is the default one, no path. `https://*.shop.example` is every host below shop.example, but not shop.example
	// itself.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=267
	// +kubebuilder:validation:XValidation:rule="self.all(o, o.matches('^https?://(([*][.][a-z0-9-]+[.])?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\\\\[[0-9a-f:.]+\\\\])(:[1-9][0-9]{0,4})?$'))",message="origins: write origins like https://shop.example or https://*.shop.example, in lower case and without a path"
	// +kubebuilder:validation:XValidation:rule="self.all(o, !o.matches('^(http://.*:80|https://.*:443)$'))",message="origins: leave the default port out, since browsers do"
	// +required
	Origins []string `json:"origins"`
	// RatePerMinute is how many postbacks one source address (of IPv6: one /64) may send within a minute, at most 60000.
	// +kubebuilder:default=60
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=60000
	// +optional
	RatePerMinute int32 `json:"ratePerMinute,omitempty"`
	// Revision of the generated client key. Absent: 1. A higher number makes the operator generate the next one; the
	// former one stays valid for `key.overlap`. Not beside `key.secretRef`.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Revision int64 `json:"revision,omitempty"`
}
