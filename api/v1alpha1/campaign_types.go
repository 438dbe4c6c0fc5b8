package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Campaign is a link: visiting it records a click of an endpoint and leads on to the offer.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cmp,categories=postback
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Endpoint",type=string,JSONPath=`.spec.endpointRef.name`
// +kubebuilder:printcolumn:name="Link",type=string,JSONPath=`.status.link`
// +kubebuilder:printcolumn:name="Fleet",type=string,JSONPath=`.status.fleet.name`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 52 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name: use at most 52 lower-case letters, digits and hyphens, starting with a letter, because Secrets are named after it"
// +kubebuilder:validation:XValidation:rule="has(self.spec.alias) || !(self.metadata.name in ['api','click_api','clicks','configz','favicon','healthz','js','livez','metrics','postback','readyz','robots'])",message="metadata.name: is a path of the receiver's own, so that it can't be the alias: write another one into spec.alias"
type Campaign struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec CampaignSpec `json:"spec"`
	// Status is the operator's. It begins with a generation that none has: what had no status kstatus would call Current.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status CampaignStatus `json:"status,omitzero"`
}

// CampaignList is a list of campaigns.
//
// +kubebuilder:object:root=true
type CampaignList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Campaign `json:"items"`
}

// CampaignSpec declares a campaign.
type CampaignSpec struct {
	// EndpointRef names the PostbackEndpoint, in the same namespace, whose clicks the visits are.
	// +required
	EndpointRef EndpointReference `json:"endpointRef"`

	// Alias is the link's path, as in `https://pb.example.com/summer`: 1 to 64 letters, digits, `_` and `-`. Letter case
	// counts. Absent: the campaign's name. Within a fleet an alias belongs to one campaign.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="alias: write letters, digits, _ and -"
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['api','click_api','clicks','configz','favicon','healthz','js','livez','metrics','postback','readyz','robots'])",message="alias: is a path of the receiver's own, choose another one"
	// +optional
	Alias string `json:"alias,omitempty"`

	// Token is the credential of the click API, with which a site's own server records clicks.
	// +kubebuilder:default={}
	// +optional
	Token TokenSpec `json:"token,omitzero"`

	// OfferURL is where visitors go: a template with macros, like `https://offer.example/?sub={subid}`. It is http or
	// https, with a host name without macros, and without spaces. Without `{subid}` it is accepted, and the condition
	// `Accepted` warns: no conversion will find its click.
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([A-Za-z0-9._-]+|\\\\[[0-9a-fA-F:.]+\\\\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?([/?#][^\\\\x00-\\\\x20\\\\x7f]*)?$')",message="offerURL: write http:// or https:// and a host name without macros, and no spaces, like https://offer.example/?sub={subid}; a port is 1 to 65535"
	// +required
	OfferURL string `json:"offerURL"`

	// Source is the click's source unless the link says another.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Source string `json:"source,omitempty"`

	// Parameters are the names that the traffic source's links use for the fields of a click, at most 16 for each:
	// `{external_id: [gclid]}`. They are looked at after the field's own name, in the listed order. Fields: `keyword`,
	// `external_id`, `creative_id`, `ad_campaign_id`, `source`, `cost`, `currency`, `sub_id_1` to `sub_id_30`.
	// +optional
	Parameters CampaignParameters `json:"parameters,omitempty"`

	// Cost of a click whose link says none.
	// +optional
	Cost *CostSpec `json:"cost,omitempty"`

	// Payout of a new conversion of this campaign whose postback has none: a decimal in quotes, in the endpoint's
	// currency. Absent: the endpoint's `payout.default`.
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule="self.matches('^-?[0-9]{1,15}([.][0-9]{1,6})?$')",message="payout: write a decimal in quotes, like \"12.50\""
	// +optional
	Payout string `json:"payout,omitempty"`

	// CookieDays is for how many days a visitor's browser remembers the click, 1 to 400, in the cookies of the receiver's
	// host and in those that the click API and the tracking script set on the page's host. Keitaro's own clients keep it
	// for 1.
	// +kubebuilder:default=30
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=400
	// +optional
	CookieDays int32 `json:"cookieDays,omitempty"`

	// Forwards are S2S postbacks about conversions of this campaign's clicks, in addition to those of the endpoint.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	// +optional
	Forwards []CampaignForward `json:"forwards,omitempty"`
}

// EndpointReference names a PostbackEndpoint in the same namespace.
type EndpointReference struct {
	// Name of the endpoint.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Name string `json:"name"`
}

// TokenSpec says where a campaign's token comes from and how it is changed.
//
// +kubebuilder:validation:XValidation:rule="!has(self.secretRef) || !has(self.revision)",message="token: revision needs a token that the operator generates; with secretRef change the Secret instead"
// +kubebuilder:validation:XValidation:rule="has(self.secretRef) || !has(oldSelf.revision) || (has(self.revision) && self.revision >= oldSelf.revision)",message="token.revision: can only be raised, because the former tokens are gone"
type TokenSpec struct {
	// SecretRef names your own Secret with the token, in the field `token` unless said otherwise: 8 to 256 characters of a
	// bearer token. Absent: the operator generates one into the Secret `NAME-campaign`, which outlives the campaign.
	// +optional
	SecretRef *SecretKeyReference `json:"secretRef,omitempty"`
	// Revision of the generated token. Absent: 1. A higher number makes the operator generate the next one. It can only be
	// raised. Not beside `secretRef`.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Revision int64 `json:"revision,omitempty"`
	// Overlap is how long a former token stays valid after a change, at most 8760h. `0s`: it is refused at once.
	// +kubebuilder:default="72h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && duration(self) <= duration('8760h')",message="overlap: write a duration from 0s to 8760h, like 72h"
	// +optional
	Overlap *metav1.Duration `json:"overlap,omitempty"`
	// Revoked are ids of tokens, as `status.tokens` shows them, that are refused at once.
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +optional
	Revoked []string `json:"revoked,omitempty"`
	// InQuery lets the click API take the token in a URL too (`GET /click_api/v3?token=…`), for PHP clients before 2018
	// and pages. Servers and proxies log URLs, so the condition `KeyResolved` says so as long as it is on.
	// +optional
	InQuery bool `json:"inQuery,omitempty"`
}

// CampaignParameters are query parameters by the click field that they fill.
//
// +kubebuilder:validation:MaxProperties=37
// +kubebuilder:validation:XValidation:rule="self.all(f, f in ['keyword','external_id','creative_id','ad_campaign_id','source','cost','currency'] || f.matches('^sub_id_([1-9]|[12][0-9]|30)$'))",message="parameters: use the fields of a click: keyword, external_id, creative_id, ad_campaign_id, source, cost, currency, sub_id_1 to sub_id_30"
// +kubebuilder:validation:XValidation:rule="self.all(f, self[f].all(n, n.matches('^[A-Za-z0-9_.:\\\\[\\\\]-]+$')))",message="parameters: write parameter names of letters, digits and _ . : [ ] -"
type CampaignParameters map[string]AliasList

// CostSpec is what one click costs.
type CostSpec struct {
	// Amount is what a click costs: a decimal in quotes.
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{1,15}([.][0-9]{1,6})?$')",message="amount: write a decimal in quotes, like \"0.05\""
	// +required
	Amount string `json:"amount"`
	// Currency is its ISO 4217 code, refused like the endpoint's. Absent: the endpoint's.
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z]{3}$')",message="currency: write an ISO 4217 code in upper case, like USD"
	// +kubebuilder:validation:XValidation:rule="self != 'RUR'",message="currency: RUR was replaced by RUB: write RUB"
	// +optional
	Currency string `json:"currency,omitempty"`
}

// CampaignForward is one rule for S2S postbacks about the campaign's conversions.
//
// +kubebuilder:validation:XValidation:rule="!has(self.body) || self.method == 'POST'",message="body: needs method: POST"
type CampaignForward struct {
	// Name of the rule: lower-case letters, digits and hyphens. Each name is used once. Receivers know the rule as
	// `CAMPAIGN.NAME`.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="name: use lower-case letters, digits and hyphens"
	// +required
	Name string `json:"name"`
	// URL is a template with macros, like `https://source.example/pb?click={external_id}&sum={payout}`. The host has no
	// macros. A name that is no macro is refused.
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([A-Za-z0-9._-]+|\\\\[[0-9a-fA-F:.]+\\\\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?([/?#].*)?$')",message="url: write http:// or https:// and a host name without macros, a port up to 65535 if any, like https://source.example/pb?click={external_id}"
	// +required
	URL string `json:"url"`
	// Method of the request: `GET` or `POST`.
	// +kubebuilder:default=GET
	// +kubebuilder:validation:Enum=GET;POST
	// +optional
	Method string `json:"method,omitempty"`
	// Types that are forwarded, built in or of the endpoint's `conversionTypes`. Absent: all.
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=32
	// +optional
	Types []string `json:"types,omitempty"`
	// Resend is when a conversion is sent again: `OnAnyChange`, or `OnStatusChange` only.
	// +kubebuilder:default=OnAnyChange
	// +kubebuilder:validation:Enum=OnAnyChange;OnStatusChange
	// +optional
	Resend string `json:"resend,omitempty"`
	// Sources restrict the rule to clicks with one of these values of `source`, in any letter case. Absent: all.
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +optional
	Sources []string `json:"sources,omitempty"`

	ForwardOptions `json:",inline"`
}

// CampaignStatus is what the operator observed.
type CampaignStatus struct {
	// ObservedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Accepted, KeyResolved, Programmed and Ready; Reconciling and Stalled while they hold.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Fleet that serves the link.
	// +optional
	Fleet *FleetReference `json:"fleet,omitempty"`
	// Link is the public address of the campaign.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	Link string `json:"link,omitempty"`
	// Tokens that are or were valid lately.
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Tokens []KeyStatus `json:"tokens,omitempty"`
	// Revision of the campaign's own content in the fleet's configuration.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Revision string `json:"revision,omitempty"`
}

// LinkAlias is the path segment of the campaign's link.
func (c *Campaign) LinkAlias() string {
	if c.Spec.Alias != "" {
		return c.Spec.Alias
	}
	return c.Name
}
