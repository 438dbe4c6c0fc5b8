package v1alpha1

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TrainingRule maps status words to one conversion type.
type TrainingRule struct {
	// Type is a built-in type (lead, sale, rejected, registration, deposit, trash) or the name of one of
	// `conversionTypes`. Each type is listed once.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +required
	Type string `json:"type"`
	// Statuses are the network's 1 to 128 words for the type, in any letter case, each without a comma. A word belongs to
	// one type: if two list it, it is refused.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.all(s, !s.contains(','))",message="statuses: write one word per item, like [approved, paid], without commas"
	// +required
	Statuses []string `json:"statuses"`
}

// CountsAs says in which revenue total a custom type counts besides its own.
//
// +kubebuilder:validation:Enum=Hold;Confirmed;None
type CountsAs string

// ConversionType is a custom conversion type.
//
// +kubebuilder:validation:XValidation:rule="!((has(self.parameter) ? self.parameter : self.name) in ['lead','sale','rejected','registration','deposit','trash','ignore','reject'])",message="parameter: lead, sale, rejected, registration, deposit, trash, ignore and reject have a meaning of their own, choose another one"
type ConversionType struct {
	// Name is what `status` may say and what conversions show: lower-case letters, digits and `_`.
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-z0-9_]*$')",message="name: use lower-case letters, digits and _, starting with a letter, like first_bet"
	// +kubebuilder:validation:XValidation:rule="!(self in ['lead','sale','rejected','registration','deposit','trash'])",message="name: lead, sale, rejected, registration, deposit and trash are built in, choose another name"
	// +required
	Name string `json:"name"`
	// Parameter makes `PARAMETER_status` the type's training in the URL. Absent: the name.
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-z0-9_]*$')",message="parameter: use lower-case letters, digits and _, starting with a letter, like bet"
	// +optional
	Parameter string `json:"parameter,omitempty"`
	// CountsAs is the revenue total in which the type counts besides its own: `Hold`, `Confirmed` or `None`.
	// +kubebuilder:default=None
	// +optional
	CountsAs CountsAs `json:"countsAs,omitempty"`
}

// PayoutSpec completes and bounds payouts. Amounts are decimals in the endpoint's currency, written as strings.
type PayoutSpec struct {
	// Default is the payout of a new conversion whose postback has none. Absent: 0. A campaign may declare its own.
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule="self.matches('^-?[0-9]{1,15}([.][0-9]{1,6})?$')",message="default: write a decimal in quotes, like \"12.50\""
	// +optional
	Default string `json:"default,omitempty"`
	// Max limits the converted payout: a postback above it, or below its negative, is ignored as `payout_over_limit`.
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{1,15}([.][0-9]{1,6})?$') && self.matches('[1-9]')",message="max: write a decimal above 0 in quotes, like \"500\""
	// +optional
	Max string `json:"max,omitempty"`
}

// Policies settle what the network's documentation leaves open. The defaults are Keitaro's behaviour.
//
// +kubebuilder:validation:XValidation:rule="self.unknownClick != 'Hold' || !has(self.holdFor) || duration(self.holdFor) > duration('0s')",message="policies.holdFor: must be above 0s with unknownClick Hold"
type Policies struct {
	// MissingStatus is what a postback without `status` means: `Ignore` or a conversion type. Old Keitaro: `sale`.
	// +kubebuilder:default=Ignore
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +optional
	MissingStatus string `json:"missingStatus,omitempty"`
	// UnknownStatus is what a word means that no training knows: `Ignore` or a conversion type.
	// +kubebuilder:default=Ignore
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +optional
	UnknownStatus string `json:"unknownStatus,omitempty"`
	// UnknownClick is what happens to a postback whose click is unknown: `Ignore` it; `Hold` it for `holdFor`, for clicks
	// that arrive later; or `Record` a conversion without a click.
	// +kubebuilder:default=Ignore
	// +kubebuilder:validation:Enum=Ignore;Hold;Record
	// +optional
	UnknownClick string `json:"unknownClick,omitempty"`
	// HoldFor is how long a postback waits for its click: above 0s with `Hold`, at most 720h.
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && duration(self) <= duration('720h')",message="holdFor: write a duration of at most 720h, like 1h"
	// +optional
	HoldFor *metav1.Duration `json:"holdFor,omitempty"`
	// ClickLookback is the age at which a click no longer converts, at most 87600h. Absent or `0s`: never.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && duration(self) <= duration('87600h')",message="clickLookback: write a duration of at most 87600h, like 720h"
	// +optional
	ClickLookback *metav1.Duration `json:"clickLookback,omitempty"`
	// Repeat is what a postback that differs does to a recorded conversion: `Overwrite` it, `Ignore` the postback, or
	// `Add` the payouts.
	// +kubebuilder:default=Overwrite
	// +kubebuilder:validation:Enum=Overwrite;Ignore;Add
	// +optional
	Repeat string `json:"repeat,omitempty"`
	// RepeatByType replaces `repeat` for postbacks of some conversion types: rebills add up, and a lead counts once.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=64
	// +optional
	RepeatByType []TypeRepeat `json:"repeatByType,omitempty"`
	// Slot is what distinguishes two conversions of one click: the transaction id (`Tid`), or that and the type
	// (`TidAndType`).
	// +kubebuilder:default=Tid
	// +kubebuilder:validation:Enum=Tid;TidAndType
	// +optional
	Slot string `json:"slot,omitempty"`
	// Transitions are the allowed changes of type: `Any`, or `ForwardOnly`, so that a late lead never undoes a sale.
	// +kubebuilder:default=Any
	// +kubebuilder:validation:Enum=Any;ForwardOnly
	// +optional
	Transitions string `json:"transitions,omitempty"`
	// StrictReplies answers ignored postbacks with 422 instead of 200.
	// +optional
	StrictReplies bool `json:"strictReplies,omitempty"`
	// SuccessBody replaces the reply text `Success`. At most 1024 bytes.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="bytes(self).size() <= 1024",message="successBody: write at most 1024 bytes"
	// +optional
	SuccessBody string `json:"successBody,omitempty"`
}

// TypeRepeat is the policy repeat of one conversion type.
type TypeRepeat struct {
	// Type is a built-in type or the name of one of `conversionTypes`. Each type is listed once.
	// +kubebuilder:validation:MaxLength=32
	// +required
	Type string `json:"type"`
	// Repeat is `Overwrite`, `Ignore` or `Add`, for postbacks of that type.
	// +kubebuilder:validation:Enum=Overwrite;Ignore;Add
	// +required
	Repeat string `json:"repeat"`
}

// AccessSpec restricts who may send postbacks.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.hmac) && has(self.signature))",message="access: declare hmac or signature, not both"
type AccessSpec struct {
	// AllowedCIDRs are the networks that may send. Absent: all. A single address is `192.0.2.1/32`.
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=49
	// +kubebuilder:validation:XValidation:rule="self.all(c, isCIDR(c))",message="allowedCIDRs: write networks like 192.0.2.0/24 or 2001:db8::/32; a single address is 192.0.2.1/32"
	// +optional
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
	// HMAC requires a signature on every postback.
	// +optional
	HMAC *HMACSpec `json:"hmac,omitempty"`
	// Signature requires the signature of an offer wall on every postback: a digest of some parameters and a secret. Not
	// beside `hmac`.
	// +optional
	Signature *SignatureSpec `json:"signature,omitempty"`
}

// SignatureSpec says how an offer wall signs.
type SignatureSpec struct {
	// SecretRef names the Secret with what the offer wall signs with, in the field `signature` unless said otherwise: up
	// to 16 secrets, one per line. A signature by any of them is accepted.
	// +required
	SecretRef SecretKeyReference `json:"secretRef"`
	// Algorithm of the digest, as the offer wall's documentation says: `MD5`, `SHA1` or `SHA256`.
	// +kubebuilder:validation:Enum=MD5;SHA1;SHA256
	// +required
	Algorithm string `json:"algorithm"`
	// Template is the text that is signed, like `{user_id}:{amount}:{secret}`: parameters by any of their names,
	// `{secret}`, and the text between them.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^([^{}]|[{][][A-Za-z0-9_.:-]{1,64}[}])*$') && self.contains('{secret}')",message="template: write parameters between { and }, and {secret}, like {user_id}:{amount}:{secret}"
	// +required
	Template string `json:"template"`
	// Parameter carries the signature, as hex digits in either letter case, in the query or the body.
	// +kubebuilder:default=signature
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.:-]+$') && !self.matches('^(subid|status|tid|payout|cost|currency|date|keyword|external_id|creative_id|ad_campaign_id|source|return|from|(ignore|lead|sale|rejected|registration|deposit|trash|reject)_status|sub_id(_([1-9]|[12][0-9]|30))?|revenue|profit|ignore)$')",message="parameter: write a parameter name of its own, like signature"
	// +optional
	Parameter string `json:"parameter,omitempty"`
}

// Signer is what signs postbacks.
//
// +kubebuilder:object:generate=false
type Signer struct {
	// Path of the reference to the Secret in the spec.
	Path string
	// Secret and Field hold the shared secrets.
	Secret, Field string
}

// Signer returns what signs the endpoint's postbacks; nil if nothing has to.
func (s *PostbackEndpointSpec) Signer() *Signer {
	switch access := s.Access; {
	case access == nil:
		return nil
	case access.HMAC != nil:
		ref := access.HMAC.SecretRef
		return &Signer{
			Path:   "spec.access.hmac.secretRef",
			Secret: ref.Name,
			Field:  cmp.Or(ref.Key, DefaultHMACField),
		}
	case access.Signature != nil:
		ref := access.Signature.SecretRef
		return &Signer{
			Path:   "spec.access.signature.secretRef",
			Secret: ref.Name,
			Field:  cmp.Or(ref.Key, DefaultSignatureField),
		}
	default:
		return nil
	}
}

// HMACSpec says what is signed, and where the signature and its secret are.
//
// +kubebuilder:validation:XValidation:rule="self.parameter != self.timeParameter",message="timeParameter: must not be that of the signature"
type HMACSpec struct {
	// SecretRef names the Secret with what the network signs with, in the field `hmac` unless said otherwise: up to 16
	// secrets, one per line. A signature by any of them is accepted, so that signers can change over one by one.
	// +required
	SecretRef SecretKeyReference `json:"secretRef"`
	// Parameter is the query parameter with the signature.
	// +kubebuilder:default=signature
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.:-]+$') && !self.matches('^(subid|status|tid|payout|cost|currency|date|keyword|external_id|creative_id|ad_campaign_id|source|return|from|(ignore|lead|sale|rejected|registration|deposit|trash|reject)_status|sub_id(_([1-9]|[12][0-9]|30))?|revenue|profit|ignore)$')",message="parameter: write a parameter name of its own, like signature"
	// +optional
	Parameter string `json:"parameter,omitempty"`
	// Signs is what is signed: `Request`, or `EndpointAndRequest`, so that a signature is valid for one endpoint only,
	// also if several have the same secret.
	// +kubebuilder:default=Request
	// +kubebuilder:validation:Enum=Request;EndpointAndRequest
	// +optional
	Signs string `json:"signs,omitempty"`
	// MaxAge is how old a signature may be, 1s to 720h: requests say in `timeParameter` when they were signed. Absent: as
	// old as the secret.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="maxAge: write a duration from 1s to 720h, like 5m"
	// +optional
	MaxAge *metav1.Duration `json:"maxAge,omitempty"`
	// TimeParameter is the query parameter with the time of signing, in unix seconds or RFC 3339, with `maxAge`. Clocks
	// may be a minute ahead.
	// +kubebuilder:default=ts
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.:-]+$')",message="timeParameter: write a parameter name, like ts"
	// +optional
	TimeParameter string `json:"timeParameter,omitempty"`
}

// Forward is one rule for S2S postbacks.
//
// +kubebuilder:validation:XValidation:rule="!has(self.body) || self.method == 'POST'",message="body: needs method: POST"
type Forward struct {
	// Name of the rule: lower-case letters, digits and hyphens. Each name is used once.
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
	// Types that are forwarded. Absent: all.
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
	// Campaigns restrict the rule to clicks of one of these campaigns. Absent: all.
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +optional
	Campaigns []string `json:"campaigns,omitempty"`

	ForwardOptions `json:",inline"`
}
