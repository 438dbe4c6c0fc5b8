package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PostbackEndpoint is one tenant's postback URL: who may report conversions there, how the network's words map to
// conversions, and where recorded conversions are forwarded to.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=pbe,categories=postback
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Currency",type=string,JSONPath=`.spec.currency`
// +kubebuilder:printcolumn:name="Fleet",type=string,JSONPath=`.status.fleet.name`
// +kubebuilder:printcolumn:name="Key",type=string,JSONPath=`.status.keys[?(@.state=="Active")].id`,priority=1
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.status.revision`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 52 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name: use at most 52 lower-case letters, digits and hyphens, starting with a letter, because Services and Secrets are named after it"
type PostbackEndpoint struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec PostbackEndpointSpec `json:"spec"`
	// Status is the operator's. It begins with a generation that none has: what had no status kstatus would call Current.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status PostbackEndpointStatus `json:"status,omitzero"`
}

// PostbackEndpointList is a list of endpoints.
//
// +kubebuilder:object:root=true
type PostbackEndpointList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PostbackEndpoint `json:"items"`
}

// PostbackEndpointSpec declares an endpoint.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.fleetRef) && has(self.receiver))",message="set fleetRef to join a ReceiverFleet or receiver to shape the endpoint's own, not both"
// +kubebuilder:validation:XValidation:rule="!has(self.training) || self.training.all(t, t.type in ['lead','sale','rejected','registration','deposit','trash'] || (has(self.conversionTypes) && self.conversionTypes.exists(c, c.name == t.type)))",message="training: every type must be lead, sale, rejected, registration, deposit, trash or the name of one of conversionTypes"
// +kubebuilder:validation:XValidation:rule="[self.policies.missingStatus, self.policies.unknownStatus].all(p, p in ['Ignore','lead','sale','rejected','registration','deposit','trash'] || (has(self.conversionTypes) && self.conversionTypes.exists(c, c.name == p)))",message="policies: missingStatus and unknownStatus must be Ignore, lead, sale, rejected, registration, deposit, trash or the name of one of conversionTypes"
// +kubebuilder:validation:XValidation:rule="!has(self.policies.repeatByType) || self.policies.repeatByType.all(t, t.type in ['lead','sale','rejected','registration','deposit','trash'] || (has(self.conversionTypes) && self.conversionTypes.exists(c, c.name == t.type)))",message="policies.repeatByType: every type must be lead, sale, rejected, registration, deposit, trash or the name of one of conversionTypes"
// +kubebuilder:validation:XValidation:rule="!has(self.forwards) || self.forwards.all(f, !has(f.types) || f.types.all(t, t in ['lead','sale','rejected','registration','deposit','trash'] || (has(self.conversionTypes) && self.conversionTypes.exists(c, c.name == t))))",message="forwards: every type must be lead, sale, rejected, registration, deposit, trash or the name of one of conversionTypes"
// +kubebuilder:validation:XValidation:rule="!has(self.access) || !has(self.access.hmac) || !has(self.conversionTypes) || !self.access.hmac.parameter.endsWith('_status') || self.conversionTypes.all(c, (has(c.parameter) ? c.parameter : c.name) != self.access.hmac.parameter.substring(0, self.access.hmac.parameter.size() - 7))",message="access.hmac.parameter: must not be the <parameter>_status of one of conversionTypes, which is its training"
// +kubebuilder:validation:XValidation:rule="!has(self.browser) || self.browser.types.all(t, t in ['lead','sale','rejected','registration','deposit','trash'] || (has(self.conversionTypes) && self.conversionTypes.exists(c, c.name == t)))",message="browser: every type must be lead, sale, rejected, registration, deposit, trash or the name of one of conversionTypes"
// +kubebuilder:validation:XValidation:rule="!has(self.browser) || !has(self.browser.revision) || !has(self.key.secretRef)",message="browser.revision: needs a key that the operator generates; with key.secretRef change the Secret instead"
// +kubebuilder:validation:XValidation:rule="!has(self.receiver) || !has(self.receiver.retention) || !has(self.receiver.retention.clicks) || !has(self.policies.clickLookback) || duration(self.receiver.retention.clicks) == duration('0s') || duration(self.receiver.retention.clicks) >= duration(self.policies.clickLookback)",message="receiver.retention.clicks: must not be below policies.clickLookback"
type PostbackEndpointSpec struct {
	// FleetRef names the ReceiverFleet that serves this endpoint. Absent: the endpoint has a fleet of its own, of the same
	// name.
	// +optional
	FleetRef *FleetReference `json:"fleetRef,omitempty"`

	// Receiver shapes the endpoint's own fleet. It has every field of a ReceiverFleet but `allowedEndpoints`. Not beside
	// `fleetRef`.
	// +optional
	Receiver *ReceiverSpec `json:"receiver,omitempty"`

	// Key is the secret path segment of the postback URL, and its rotation.
	// +kubebuilder:default={}
	// +optional
	Key KeySpec `json:"key,omitzero"`

	// Aliases are the network's names for parameters, at most 16 for each: `{subid: [clickid], payout: [amount]}`. They
	// are looked at after the parameter's own name and the built-in aliases, in the listed order. A name belongs to one
	// parameter only. Letters, digits and `_ . : [ ] -`.
	// +optional
	Aliases Aliases `json:"aliases,omitempty"`

	// Training maps the network's status words to conversion types. It takes precedence over the built-in words.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Training []TrainingRule `json:"training,omitempty"`

	// ConversionTypes are types of your own besides lead, sale, rejected, registration, deposit and trash.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, b.name in [a.name, a.?parameter.orValue(a.name)] || b.?parameter.orValue(b.name) in [a.name, a.?parameter.orValue(a.name)]))",message="conversionTypes: a name or parameter may belong to one type only"
	// +optional
	ConversionTypes []ConversionType `json:"conversionTypes,omitempty"`

	// Currency is the ISO 4217 code, in upper case, into which payouts and costs are converted. `RUR` is refused (write
	// `RUB`), and so is a code that does not exist, unless `rates.fixed` of the fleet has a rate from or to it.
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z]{3}$')",message="currency: write an ISO 4217 code in upper case, like USD"
	// +kubebuilder:validation:XValidation:rule="self != 'RUR'",message="currency: RUR was replaced by RUB: write RUB"
	// +required
	Currency string `json:"currency"`

	// TimeZone is the IANA name, like Europe/Kyiv, of the time zone of dates that are sent without one.
	// +kubebuilder:default=UTC
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$') && self != 'Local'",message="timeZone: write an IANA name, like Europe/Kyiv"
	// +optional
	TimeZone string `json:"timeZone,omitempty"`

	// Charset of parameters that are not UTF-8: `big5`, `euc-jp`, `euc-kr`, `gb18030`, `gbk`, `iso-8859-2`, `iso-8859-5`,
	// `koi8-r`, `koi8-u`, `shift_jis`, `windows-1250` to `windows-1254`, `windows-1257`, `windows-1258` or `windows-874`.
	// Absent: they are read as `windows-1251`, with the warning `charset_guessed`.
	// +kubebuilder:validation:Enum=big5;euc-jp;euc-kr;gb18030;gbk;iso-8859-2;iso-8859-5;koi8-r;koi8-u;shift_jis;windows-1250;windows-1251;windows-1252;windows-1253;windows-1254;windows-1257;windows-1258;windows-874
	// +optional
	Charset string `json:"charset,omitempty"`

	// IgnoreParameters are extra parameters that make no difference: a postback that differs from the recorded one in them
	// alone is a duplicate. The default lists cache busters.
	// +kubebuilder:default={_,gtmcb,cb,cachebuster,nocache,rnd,rand,ts,retry,attempt}
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +listType=set
	// +optional
	IgnoreParameters []string `json:"ignoreParameters,omitempty"`

	// Payout completes and limits payouts.
	// +optional
	Payout *PayoutSpec `json:"payout,omitempty"`

	// Policies decide what the network's documentation leaves open. The defaults are Keitaro's behaviour.
	// +kubebuilder:default={}
	// +optional
	Policies Policies `json:"policies,omitzero"`

	// Access restricts who may send postbacks, besides the key.
	// +optional
	Access *AccessSpec `json:"access,omitempty"`

	// Forwards are S2S postbacks that tell traffic sources about recorded conversions.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Forwards []Forward `json:"forwards,omitempty"`

	// Browser lets web pages report conversions with a client key, the field `clientKey` beside the key. Absent: they
	// cannot.
	// +optional
	Browser *BrowserSpec `json:"browser,omitempty"`
	// Limits restrict what visitors of the endpoint's campaigns can make receivers do.
	// +optional
	Limits *LimitsSpec `json:"limits,omitempty"`

	// Suspend makes the operator leave everything as it is. Receivers continue to serve the endpoint.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// FleetReference names a ReceiverFleet.
type FleetReference struct {
	// Name of the ReceiverFleet.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Name string `json:"name"`
	// Namespace of the fleet. Absent: the endpoint's. Another namespace needs the fleet's `allowedEndpoints`.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Namespace string `json:"namespace,omitempty"`
}

// SecretKeyReference names one field of a Secret in the same namespace. The Secret must have the label
// `postback.dev/readable: "true"`, or the type `postback.dev/credentials`.
type SecretKeyReference struct {
	// Name of the Secret. The Secret must opt in, by the label `postback.dev/readable: "true"` or the type
	// `postback.dev/credentials`.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`
	// Key is the field of the Secret.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="key: write the name of a field of the Secret"
	// +optional
	Key string `json:"key,omitempty"`
}

// KeySpec says where the key comes from and how it is rotated.
//
// +kubebuilder:validation:XValidation:rule="!has(self.secretRef) || !(has(self.revision) || has(self.rotateEvery))",message="key: revision and rotateEvery need a key that the operator generates; with secretRef change the Secret instead"
// +kubebuilder:validation:XValidation:rule="has(self.secretRef) || !has(oldSelf.revision) || (has(self.revision) && self.revision >= oldSelf.revision)",message="key.revision: can only be raised, because the former keys are gone"
type KeySpec struct {
	// SecretRef names your own Secret with the key, in the field `key` unless said otherwise: 12 to 128 letters, digits
	// and `. _ ~ -`. The field `clickToken` of the same Secret, 8 to 256 characters of a bearer token and not the key
	// itself, enables the click intake; without it the intake is off. Absent: the operator generates both into the Secret
	// `NAME-key`, which outlives the endpoint.
	// +optional
	SecretRef *SecretKeyReference `json:"secretRef,omitempty"`
	// AllowWeak accepts a key of 4 to 11 characters, like the 7 hexadecimal digits of Keitaro's keys. Such a key can be
	// guessed: change it when you can.
	// +optional
	AllowWeak bool `json:"allowWeak,omitempty"`
	// Revision of the generated key. Absent: 1. A higher number makes the operator generate the next key. It can only be
	// raised. Not beside `secretRef`.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Revision int64 `json:"revision,omitempty"`
	// RotateEvery is the age at which the operator generates the next key, like 2160h. At least 1h. Not beside
	// `secretRef`.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && duration(self) >= duration('1h')",message="rotateEvery: write a duration of at least an hour, like 720h"
	// +optional
	RotateEvery *metav1.Duration `json:"rotateEvery,omitempty"`
	// Overlap is how long a former key stays valid after a change, at most 8760h. `0s`: it is refused at once. A shorter
	// overlap also shortens that of keys that are retiring already.
	// +kubebuilder:default="72h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && duration(self) <= duration('8760h')",message="overlap: write a duration from 0s to 8760h, like 72h"
	// +optional
	Overlap *metav1.Duration `json:"overlap,omitempty"`
	// Revoked are ids of keys, as the status and the received log show them, that are refused at once.
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +optional
	Revoked []string `json:"revoked,omitempty"`
}

// PostbackEndpointStatus is what the operator observed.
type PostbackEndpointStatus struct {
	// ObservedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Accepted, KeyResolved, Programmed and Ready; Reconciling and Stalled while they hold.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Fleet that serves the endpoint.
	// +optional
	Fleet *FleetReference `json:"fleet,omitempty"`
	// URLTemplate is the postback URL with {key} in place of the key. The URL itself is in the Secret <name>-postback.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	URLTemplate string `json:"urlTemplate,omitempty"`
	// Keys that are or were valid lately.
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Keys []KeyStatus `json:"keys,omitempty"`
	// ClientKeys that are or were valid lately.
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=64
	// +optional
	ClientKeys []KeyStatus `json:"clientKeys,omitempty"`
	// Revision of the fleet's configuration in which the endpoint stands.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Revision string `json:"revision,omitempty"`
}

// KeyState is where a key is in its life.
//
// +kubebuilder:validation:Enum=Active;Retiring;Revoked
type KeyState string

// The states of a key.
const (
	KeyActive   KeyState = "Active"
	KeyRetiring KeyState = "Retiring"
	KeyRevoked  KeyState = "Revoked"
)

// KeyStatus describes a key without giving anything away about it.
type KeyStatus struct {
	// ID is random, given when the key was first seen.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	ID string `json:"id"`
	// +required
	State KeyState `json:"state"`
	// Since is when the key was first seen.
	// +required
	Since metav1.Time `json:"since"`
	// RetireAt is the moment from which the key is refused.
	// +optional
	RetireAt *metav1.Time `json:"retireAt,omitempty"`
}
