package v1alpha1

import (
	"cmp"
	"slices"
)

// ForwardOptions are what the rules for S2S postbacks of endpoints and of campaigns have in common: what the request
// has besides its URL, which answer means success, and which conversions are left out.
type ForwardOptions struct {
	// Headers of the request, at most 16. They may replace User-Agent, and the Content-Type of a body.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Headers []ForwardHeader `json:"headers,omitempty"`
	// Body of a `POST`. Absent: the part of the URL after the question mark is sent as a form.
	// +optional
	Body *ForwardBody `json:"body,omitempty"`
	// Expect are the statuses of an answer that mean success, like `["200-299", "409"]`. Absent: `200-299`.
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=7
	// +kubebuilder:validation:XValidation:rule="self.all(r, r.matches('^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$'))",message="expect: write statuses and ranges of them, like \"200-299\""
	// +optional
	Expect []string `json:"expect,omitempty"`
	// Require are the fields that a conversion or its click must have to be forwarded: `tid`, `payout`, `campaign`,
	// `keyword`, `external_id`, `creative_id`, `ad_campaign_id`, `source`, `sub_id_1` to `sub_id_30`.
	// +listType=set
	// +kubebuilder:validation:MaxItems=38
	// +kubebuilder:validation:items:MaxLength=14
	// +kubebuilder:validation:XValidation:rule="self.all(f, f.matches('^(tid|payout|campaign|keyword|external_id|creative_id|ad_campaign_id|source|sub_id_([1-9]|[12][0-9]|30))$'))",message="require: use tid, payout, campaign, keyword, external_id, creative_id, ad_campaign_id, source, sub_id_1 to sub_id_30"
	// +optional
	Require []string `json:"require,omitempty"`
	// SendTests forwards conversions of test clicks too. Otherwise they are recorded and not forwarded.
	// +optional
	SendTests bool `json:"sendTests,omitempty"`
}

// ForwardHeader is one header of an S2S postback.
//
// +kubebuilder:validation:XValidation:rule="has(self.value) != has(self.valueFrom)",message="headers: each needs value or valueFrom, and not both"
type ForwardHeader struct {
	// Name of the header: letters, digits, `_` and `-`. Those of the connection, like Host and Content-Length, are the
	// receiver's.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$') && !(self.lowerAscii() in ['accept-encoding','connection','content-length','expect','host','keep-alive','proxy-authenticate','proxy-authorization','proxy-connection','te','trailer','transfer-encoding','upgrade'])",message="headers: write a name of letters, digits, _ and - that is none of the connection's own, like Host or Content-Length"
	// +required
	Name string `json:"name"`
	// Value is the header's text. Everybody who may read the declaration can read it. It has no macros.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$')",message="headers: write a value of printing ASCII characters, with spaces between them only"
	// +optional
	Value string `json:"value,omitempty"`
	// ValueFrom says where a secret value is, in place of `value`.
	// +optional
	ValueFrom *ForwardHeaderSource `json:"valueFrom,omitempty"`
}

// ForwardHeaderSource says where the value of a header is.
type ForwardHeaderSource struct {
	// SecretKeyRef names the field of your Secret, in the same namespace, with the whole value, like `Bearer TOKEN`. A
	// change of the Secret reaches the receivers by itself.
	// +required
	SecretKeyRef ForwardSecretKey `json:"secretKeyRef"`
}

// ForwardSecretKey names one field of a Secret in the same namespace.
type ForwardSecretKey struct {
	// Name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`
	// Key is the field of the Secret.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="key: write the name of a field of the Secret"
	// +required
	Key string `json:"key"`
}

// ForwardBody is what a POST sends.
//
// +kubebuilder:validation:XValidation:rule="has(self.json) != has(self.form)",message="body: write json or form, and not both"
type ForwardBody struct {
	// JSON is a template: JSON with macros, in text like `"id": "{subid}"` and as numbers like `"value": {payout}`. At
	// most 8192 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	// +optional
	JSON string `json:"json,omitempty"`
	// Form is a template like the query of a URL, in place of `json`: `id={subid}&value={payout}`.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	// +optional
	Form string `json:"form,omitempty"`
}

// ForwardSecrets returns where the secret headers of the endpoint's forwards are: each field once, sorted.
func (e *PostbackEndpoint) ForwardSecrets() []ForwardSecretKey {
	var found []ForwardSecretKey
	for i := range e.Spec.Forwards {
		found = append(found, e.Spec.Forwards[i].secrets()...)
	}
	return sorted(found)
}

// ForwardSecrets returns where the secret headers of the campaign's forwards are: each field once, sorted.
func (c *Campaign) ForwardSecrets() []ForwardSecretKey {
	var found []ForwardSecretKey
	for i := range c.Spec.Forwards {
		found = append(found, c.Spec.Forwards[i].secrets()...)
	}
	return sorted(found)
}

func (o *ForwardOptions) secrets() []ForwardSecretKey {
	var found []ForwardSecretKey
	for _, h := range o.Headers {
		if h.ValueFrom != nil {
			found = append(found, h.ValueFrom.SecretKeyRef)
		}
	}
	return found
}

func sorted(keys []ForwardSecretKey) []ForwardSecretKey {
	slices.SortFunc(keys, func(a, b ForwardSecretKey) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Key, b.Key))
	})
	return slices.Compact(keys)
}
