// Package endpoint owns the compiled form of the configuration contract: one immutable [Endpoint] per tenant, built for
// the hot path, all of them together in a [Snapshot], and the [Watch] that swaps snapshots when the configuration
// directory changes. What a postback means under an endpoint is package postback's. It must not import net/http or
// anything of Kubernetes, and keeps no key: only the digests that the contract holds.
package endpoint

import (
	"cmp"
	"net/netip"
	"time"

	"golang.org/x/text/encoding"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/forward/rule"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Endpoint is one tenant's configuration as postbacks meet it. It is immutable and shared by concurrent requests.
type Endpoint struct {
	// Name is "namespace/name".
	Name      string
	Namespace string
	// Currency is the ISO 4217 code of amounts that come without one, and of converted amounts.
	Currency string
	// Location is the zone of dates that are sent without one.
	Location *time.Location
	// Charset of parameters that are no UTF-8; nil = it is guessed.
	Charset encoding.Encoding
	// Types are the conversion types in the order in which training looks at them (docs/semantics.md §3.7): the built-in
	// ones, then the custom ones as declared. [Endpoint.TrainingField] gives each one's training parameter.
	Types []string
	// MissingStatus and UnknownStatus are the types that stand in for a status; empty means that the postback is ignored.
	MissingStatus, UnknownStatus string
	// Rules decide about slots; they travel with every intent.
	Rules *conversion.Rules
	// AllowedCIDRs are the only sources of postbacks; none = all. IPv4 is never written in the IPv6-mapped form.
	AllowedCIDRs []netip.Prefix
	// SignatureParameter carries the signature that every postback must have; empty = none is demanded.
	SignatureParameter string
	// SignatureSecrets are the secrets of which any one may have signed.
	SignatureSecrets []config.Redacted
	// SignatureText is what an offer wall signs, by SignatureAlgorithm; nil = the signature is an HMAC of the request.
	SignatureText      []config.SignaturePart
	SignatureAlgorithm config.Algorithm
	// SignsEndpoint: the HMAC is of the endpoint's name as well.
	SignsEndpoint bool
	// SignatureMaxAge is how old the time in SignatureTime, a parameter of the query, may be; 0 = an HMAC has no time.
	SignatureMaxAge time.Duration
	SignatureTime   string
	// SuccessBody answers postbacks that were recorded; never empty.
	SuccessBody string
	// StrictReplies answers ignored postbacks with 422.
	StrictReplies bool
	// Browser says what web pages may report; nil = nothing.
	Browser *Browser
	// Limits bound the visits to the campaigns' links.
	Limits config.Limits
	// Declared is what people are shown of the declaration.
	Declared Declared

	names map[string]name
	// requestNames are the names of all fields.
	requestNames *request.Names
	// training and customWords are the levels two and four of docs/semantics.md §3.7, by folded word.
	training    map[string]trained
	customWords map[string]string
	countsAs    map[string]config.CountsAs
	forwards    map[string]*rule.Rule
}

// RequestNames returns every parameter name that the endpoint knows.
func (e *Endpoint) RequestNames() *request.Names { return e.requestNames }

// Forward returns the forward of that name, compiled; nil if there is none.
func (e *Endpoint) Forward(name string) *rule.Rule { return e.forwards[name] }

// CountsAs says in which total a custom type counts besides its own; none for a type that is not declared.
func (e *Endpoint) CountsAs(customType string) config.CountsAs {
	return cmp.Or(e.countsAs[customType], config.CountsAsNone)
}

// defaultSuccessBody is what official clients take for success, to the byte (docs/semantics.md §8).
const defaultSuccessBody = "Success"
