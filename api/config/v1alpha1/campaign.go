package v1alpha1

import (
	"slices"
	"strings"
)

// Browser lets web pages report conversions. A client key is in a page for everybody to read, so it is good for the
// declared types, from the declared origins, at a bounded rate only; and it is none of the endpoint's Keys.
type Browser struct {
	// Keys authenticate postbacks on the path of the endpoint's Keys: the active client key and former ones.
	Keys []Key `json:"keys"`
	// Types that may be reported: at least one.
	Types []string `json:"types"`
	// Origins of the pages that may report, as browsers write them: `https://shop.example`, `http://localhost:8080`; or
	// `https://*.shop.example`, which is every host below shop.example, but not that one itself;
	// lower case, no path, no default port. At least one.
	Origins []string `json:"origins"`
	// RatePerMinute is how many postbacks one source address (of IPv6: one /64) may send within a minute, at least 1.
	RatePerMinute int `json:"ratePerMinute"`
}

// Limits bound the visits to the links of an endpoint's campaigns, at each receiver.
type Limits struct {
	// Visits are those of all visitors together, VisitsPerSource those from one source address (of IPv6: one /64). Nil:
	// not limited.
	Visits          *RateLimit `json:"visits,omitempty"`
	VisitsPerSource *RateLimit `json:"visitsPerSource,omitempty"`
}

// RateLimit is how many requests are taken: so many in a second in the long run, at least 1, and so many at once, at
// least 1.
type RateLimit struct {
	RequestsPerSecond int `json:"requestsPerSecond"`
	Burst             int `json:"burst"`
}

// Campaign is a link: `GET /{alias}` records a click of the endpoint and sends the visitor on to the offer.
type Campaign struct {
	// Name stands as the click's campaign. Unique within the endpoint.
	Name string `json:"name"`
	// Alias is the link's only path segment, see [IsAlias] and [IsReservedAlias]. Unique in the fleet.
	Alias string `json:"alias"`
	// Tokens authenticate the click API (`POST /click_api/v3`). None: it is off for this campaign.
	Tokens []Key `json:"tokens,omitempty"`
	// TokenInQuery: the click API takes the token in a URL as well, as `GET /click_api/v3?token=…`.
	TokenInQuery bool `json:"tokenInQuery,omitempty"`
	// OfferURL is the template, with macros, of where the visitor goes.
	OfferURL string `json:"offerURL"`
	// Source is the click's source unless a parameter says otherwise; it may be empty.
	Source string `json:"source,omitempty"`
	// Parameters by click field (see [ClickFields]): the names of the traffic source's query parameters, in the order in
	// which they are looked at, after the field's own name.
	Parameters map[string][]string `json:"parameters,omitempty"`
	// Cost of a click whose link says none.
	Cost *Cost `json:"cost,omitempty"`
	// Payout, a decimal in the endpoint's currency, stands in for a missing payout of a new conversion; empty: the
	// endpoint's default does.
	Payout string `json:"payout,omitempty"`
	// CookieDays is for how many days browsers remember a click, 1 to [MaxCookieDays]; 0 means [DefaultCookieDays].
	CookieDays int `json:"cookieDays,omitempty"`
}

// Bounds of [Campaign.CookieDays]. Browsers keep no cookie for longer than 400 days.
const (
	DefaultCookieDays = 30
	MaxCookieDays     = 400
)

// Cost is an amount of money, not negative.
type Cost struct {
	// Amount is a decimal.
	Amount string `json:"amount"`
	// Currency is its ISO 4217 code.
	Currency string `json:"currency"`
}

// reservedAliases are the single path segments that mean something else on a receiver's public port, and those by which
// proxies and operators look for something else.
var reservedAliases = [...]string{
	"api", "click_api", "clicks", "configz", "favicon", "healthz", "js", "livez", "metrics", "postback", "readyz",
	"robots",
}

// ReservedAliases returns the aliases, in lower case and sorted, that no campaign may have in any letter case.
func ReservedAliases() []string { return slices.Clone(reservedAliases[:]) }

// IsReservedAlias reports whether alias is one of [ReservedAliases], in any letter case.
func IsReservedAlias(alias string) bool {
	return slices.Contains(reservedAliases[:], strings.ToLower(alias))
}

// IsAlias reports whether alias has the form of one: 1 to 64 letters, digits, _ and -. Letter case counts.
func IsAlias(alias string) bool { return campaignAlias.MatchString(alias) }

// clickFields are what a campaign link may fill in a click.
var clickFields = listClickFields()

func listClickFields() []string {
	return append(
		[]string{ParamKeyword, ParamExternalID, ParamCreativeID, ParamAdCampaignID, ParamSource, ParamCost, ParamCurrency},
		listSubIDs()...)
}

// ClickFields returns the fields of a click that a campaign's parameters may fill, in a fixed order.
func ClickFields() []string { return slices.Clone(clickFields) }

// IsClickField reports whether name is one of [ClickFields].
func IsClickField(name string) bool { return slices.Contains(clickFields, name) }
