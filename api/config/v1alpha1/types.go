// Package v1alpha1 is the configuration contract between the operator, which writes it, and the receiver, which serves
// by it.
//
// One fleet's configuration is a directory of JSON documents: one [Manifest] (file [ManifestFile]) and the shards it
// names, each a [Shard] with the configuration of some of the fleet's endpoints. The manifest is written last; a reader
// takes the whole only when every shard's digest agrees with it.
//
// The package imports the standard library only, and neither reads files nor knows Kubernetes.
package v1alpha1

import "time"

// APIVersion is in every document of the contract.
const APIVersion = "config.postback.dev/v1alpha1"

// Kinds of documents.
const (
	KindManifest = "Manifest"
	KindShard    = "Shard"
)

// ManifestFile is the manifest's file name inside the configuration directory.
const ManifestFile = "manifest.json"

// Manifest names everything one fleet serves. It is the first document that a reader opens and the last one that is
// written.
type Manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Revision identifies the whole content (see [Seal]): 16 lower-case hex digits. It is safe to publish.
	Revision string `json:"revision"`
	Fleet    Fleet  `json:"fleet"`
	// Shards, sorted by name.
	Shards []ShardRef `json:"shards"`
}

// ShardRef is the manifest's word on one shard.
type ShardRef struct {
	// Name is the shard's file name, "shard-NNN.json".
	Name string `json:"name"`
	// SHA256 of the shard's encoded bytes, 64 lower-case hex digits.
	SHA256 string `json:"sha256"`
	// Endpoints is how many endpoints the shard holds.
	Endpoints int `json:"endpoints"`
}

// Shard holds endpoints, sorted by namespace and name.
type Shard struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Endpoints  []Endpoint `json:"endpoints"`
}

// Fleet is what all endpoints of one fleet share and what can change without a restart.
type Fleet struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Rates     Rates  `json:"rates"`
	// TrustedProxies are the CIDRs whose X-Forwarded-For is believed.
	TrustedProxies []string `json:"trustedProxies,omitempty"`
	// AllowPrivateEgress lets S2S postbacks and rate providers reach private addresses.
	AllowPrivateEgress bool `json:"allowPrivateEgress,omitempty"`
}

// RateProviderType says which format a rate provider speaks.
type RateProviderType string

// The rate providers' formats.
const (
	RateProviderECB       RateProviderType = "ECB"       // eurofxref-daily.xml
	RateProviderOpenERAPI RateProviderType = "OpenERAPI" // open.er-api.com/v6/latest/{base}
	// openexchangerates.org/api/latest.json; needs a key
	RateProviderOpenExchangeRates RateProviderType = "OpenExchangeRates"
	RateProviderJSON              RateProviderType = "JSON" // any URL answering {"base","date","rates"}
)

// Rates says where exchange rates come from.
type Rates struct {
	// Providers in order of preference: the next one is asked when one fails, and for the currencies that one lacks.
	Providers []RateProvider `json:"providers,omitempty"`
	// RefreshEvery is how often the providers are asked. At least one minute.
	RefreshEvery Duration `json:"refreshEvery"`
	// Fixed rates win over every provider.
	Fixed []FixedRate `json:"fixed,omitempty"`
}

// RateProvider is one source of exchange rates.
type RateProvider struct {
	// Name stands as the source in the conversions it converted. Unique in the list.
	Name string           `json:"name"`
	Type RateProviderType `json:"type"`
	// URL replaces the provider's public address; mandatory for JSON.
	URL string `json:"url,omitempty"`
	// Key is the provider's API key, where it needs one.
	Key *Secret `json:"key,omitempty"`
}

// FixedRate declares that one unit of From is Rate units of To.
type FixedRate struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Rate is a positive decimal.
	Rate string `json:"rate"`
}

// Secret is a secret that the receiver needs in the clear, as opposed to a [Key], which it only compares.
type Secret struct {
	// ID is random, given when the secret is first seen. A new value always comes with a new ID.
	ID    string   `json:"id"`
	Value Redacted `json:"value"`
}

// Key is one credential that callers present. The contract holds its digest only.
type Key struct {
	// ID is random, given when the key is first seen. A new key always comes with a new ID. It is safe to publish.
	ID string `json:"id"`
	// SHA256 of the key's bytes, 64 lower-case hex digits.
	SHA256 string `json:"sha256"`
	// RetireAt is the moment from which the key is refused; nil while it is the active one. Receivers enforce it.
	RetireAt *time.Time `json:"retireAt,omitempty"`
}

// Endpoint is one tenant's configuration, complete: nothing is defaulted by the reader.
type Endpoint struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Keys authenticate postbacks: the active key and former ones that are still accepted.
	Keys []Key `json:"keys"`
	// ClickTokens authenticate the click intake. None: the intake is off.
	ClickTokens []Key `json:"clickTokens,omitempty"`
	// Aliases by canonical parameter, in the order in which they are looked at.
	Aliases map[string][]string `json:"aliases,omitempty"`
	// Training maps status words to conversion types.
	Training []TrainingRule `json:"training,omitempty"`
	// ConversionTypes are the custom types, in declared order.
	ConversionTypes []ConversionType `json:"conversionTypes,omitempty"`
	// Currency is the ISO 4217 code into which amounts are converted.
	Currency string `json:"currency"`
	// TimeZone is the IANA name of the zone of dates that are sent without one; empty = UTC.
	TimeZone string `json:"timeZone,omitempty"`
	// Charset of parameters that are no UTF-8, one of [Charsets]; empty: nobody knows, and it is guessed.
	Charset string `json:"charset,omitempty"`
	// IgnoreParameters are extra parameters that make no difference between two postbacks.
	IgnoreParameters []string  `json:"ignoreParameters,omitempty"`
	Payout           Payout    `json:"payout"`
	Policies         Policies  `json:"policies"`
	Access           Access    `json:"access"`
	Forwards         []Forward `json:"forwards,omitempty"`
	// Browser lets web pages report conversions by keys that are public. Nil: they cannot.
	Browser *Browser `json:"browser,omitempty"`
	// Limits bound what visitors can make a receiver do. Nil: nothing is limited.
	Limits *Limits `json:"limits,omitempty"`
	// Campaigns are the links whose visits are clicks of this endpoint, sorted by name.
	Campaigns []Campaign `json:"campaigns,omitempty"`
}

// TrainingRule maps status words to one conversion type.
type TrainingRule struct {
	// Type is a built-in or custom type's name.
	Type     string   `json:"type"`
	Statuses []string `json:"statuses"`
}

// CountsAs says in which revenue total a custom type counts besides its own.
type CountsAs string

// The totals a custom type can count in.
const (
	CountsAsHold      CountsAs = "Hold"
	CountsAsConfirmed CountsAs = "Confirmed"
	CountsAsNone      CountsAs = "None"
)

// ConversionType is a custom conversion type.
type ConversionType struct {
	// Name is what `status` may say and what the conversion shows, lower case.
	Name string `json:"name"`
	// Parameter makes `<Parameter>_status` the type's training in the URL.
	Parameter string   `json:"parameter"`
	CountsAs  CountsAs `json:"countsAs"`
}

// Payout bounds and completes the payout.
type Payout struct {
	// Default, a decimal in the endpoint's currency, stands in for a missing payout of a new conversion.
	Default string `json:"default,omitempty"`
	// Max, a positive decimal in the endpoint's currency: a larger absolute payout is ignored.
	Max string `json:"max,omitempty"`
}

// PolicyIgnore makes MissingStatus or UnknownStatus ignore the postback; any other value of theirs is a conversion
// type.
const PolicyIgnore = "Ignore"

// UnknownClick says what becomes of a postback whose click is not known.
type UnknownClick string

// The policies for unknown clicks.
const (
	UnknownClickIgnore UnknownClick = "Ignore"
	UnknownClickHold   UnknownClick = "Hold"
	UnknownClickRecord UnknownClick = "Record"
)

// Repeat says what a postback that differs does to a recorded slot.
type Repeat string

// The policies for recorded slots.
const (
	RepeatOverwrite Repeat = "Overwrite"
	RepeatIgnore    Repeat = "Ignore"
	RepeatAdd       Repeat = "Add"
)

// Slot says what tells two conversions of one click apart.
type Slot string

// The slot policies.
const (
	SlotTid        Slot = "Tid"
	SlotTidAndType Slot = "TidAndType"
)

// Transitions says which changes of type a recorded slot admits.
type Transitions string

// The transition policies.
const (
	TransitionsAny         Transitions = "Any"
	TransitionsForwardOnly Transitions = "ForwardOnly"
)

// Policies settle what the network's documentation leaves open.
type Policies struct {
	// MissingStatus is [PolicyIgnore] or a conversion type.
	MissingStatus string `json:"missingStatus"`
	// UnknownStatus is [PolicyIgnore] or a conversion type.
	UnknownStatus string       `json:"unknownStatus"`
	UnknownClick  UnknownClick `json:"unknownClick"`
	// HoldFor bounds [UnknownClickHold].
	HoldFor Duration `json:"holdFor"`
	// ClickLookback is the age at which a click no longer converts; 0 = never.
	ClickLookback Duration `json:"clickLookback,omitempty"`
	Repeat        Repeat   `json:"repeat"`
	// RepeatByType replaces Repeat for postbacks of some types.
	RepeatByType map[string]Repeat `json:"repeatByType,omitempty"`
	Slot         Slot              `json:"slot"`
	Transitions  Transitions       `json:"transitions"`
	// StrictReplies answers ignored postbacks with 422 instead of 200.
	StrictReplies bool `json:"strictReplies,omitempty"`
	// SuccessBody replaces `Success`, at most 1 KiB.
	SuccessBody string `json:"successBody,omitempty"`
}

// Access restricts who may send postbacks, beyond the key.
type Access struct {
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
	// HMAC and Signature demand a signature, one of them at most.
	HMAC      *HMAC      `json:"hmac,omitempty"`
	Signature *Signature `json:"signature,omitempty"`
}

// HMAC demands a signature on every postback.
type HMAC struct {
	// Parameter carries the signature.
	Parameter string `json:"parameter"`
	// Secrets, any of which may have signed.
	Secrets []Secret `json:"secrets"`
	// Signs is what is signed.
	Signs HMACSigns `json:"signs,omitempty"`
	// MaxAge bounds the age of the signed time in TimeParameter; 0 = a signature has no time.
	MaxAge        Duration `json:"maxAge,omitempty"`
	TimeParameter string   `json:"timeParameter,omitempty"`
}

// HMACSigns is what an [HMAC] signs.
type HMACSigns string

// What is signed: the request, unless it says more.
const (
	SignsRequest            HMACSigns = ""
	SignsEndpointAndRequest HMACSigns = "EndpointAndRequest"
)

// Resend says which changes of a conversion are forwarded.
type Resend string

// The resend policies.
const (
	ResendOnAnyChange    Resend = "OnAnyChange"
	ResendOnStatusChange Resend = "OnStatusChange"
)

// Forward is one rule for S2S postbacks.
type Forward struct {
	// Name is unique within the endpoint. The forwards of a campaign are named CAMPAIGN.FORWARD.
	Name string `json:"name"`
	// URL is the template with macros.
	URL string `json:"url"`
	// Method is GET or POST.
	Method string `json:"method"`
	// Headers of the request. They may replace User-Agent and the Content-Type of a body.
	Headers []Header `json:"headers,omitempty"`
	// Body of a POST. Nil: what follows the question mark of the URL goes into the body, as a form.
	Body *Body `json:"body,omitempty"`
	// Expect are the statuses of an answer that mean success, see [ParseStatusRange]; none = 200-299.
	Expect []string `json:"expect,omitempty"`
	// Types that are forwarded; none = all.
	Types  []string `json:"types,omitempty"`
	Resend Resend   `json:"resend"`
	// Sources and Campaigns restrict the rule to clicks that have one of them; none = all. Letter case and surrounding
	// space of a source don't count.
	Sources   []string `json:"sources,omitempty"`
	Campaigns []string `json:"campaigns,omitempty"`
	// Require are fields, see [RequirableFields], that a conversion must have to be forwarded.
	Require []string `json:"require,omitempty"`
	// SendTests lets the rule forward test conversions, too.
	SendTests bool `json:"sendTests,omitempty"`
}
