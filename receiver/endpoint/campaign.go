package endpoint

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/click/offer"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Campaign is a link as its visitors meet it. It is immutable.
type Campaign struct {
	Name, Alias string
	Endpoint    *Endpoint
	Offer       *offer.Template
	// Source is the click's source unless a parameter says otherwise.
	Source string
	// Parameters by click field: the names of the traffic source's parameters, in the order in which they are looked at,
	// after the field's own name.
	Parameters map[string][]string
	// Names are the parameter names that a visit may have, for reading requests.
	Names *request.Names
	// Cost of a click whose link says none, in CostCurrency; nil = nobody knows.
	Cost         *decimal.Decimal
	CostCurrency string
	// TokenInQuery: the click API takes the token in a URL as well.
	TokenInQuery bool
	// SealKeys seal the visitors' tokens, the current one first; former ones still prove them.
	SealKeys [][]byte
	// CookieAge is how long browsers remember a click.
	CookieAge time.Duration
}

// Browser is what web pages may do with an endpoint's client keys. It is immutable.
type Browser struct {
	// RatePerMinute is how many postbacks one source address may send within a minute.
	RatePerMinute int

	types, origins map[string]bool
	// wildcards: some origin is a pattern, https://*.shop.example.
	wildcards bool
}

// AllowsType reports whether pages may report conversions of that type.
func (b *Browser) AllowsType(conversionType string) bool { return b.types[conversionType] }

// AllowsOrigin reports whether pages of that origin, as browsers write it, may report conversions.
func (b *Browser) AllowsOrigin(origin string) bool {
	if b.origins[origin] {
		return true
	}
	scheme, host, ok := strings.Cut(origin, "://")
	if !ok || !b.wildcards {
		return false
	}
	for {
		label, parent, below := strings.Cut(host, ".")
		if !below || label == "" {
			return false
		}
		if b.origins[scheme+"://*."+parent] {
			return true
		}
		host = parent
	}
}

func compileBrowser(c *config.Browser) *Browser {
	if c == nil {
		return nil
	}
	return &Browser{
		RatePerMinute: c.RatePerMinute,
		types:         setOf(c.Types),
		origins:       setOf(c.Origins),
		wildcards:     slices.ContainsFunc(c.Origins, func(o string) bool { return strings.Contains(o, "://*.") }),
	}
}

func setOf(items []string) map[string]bool {
	set := make(map[string]bool, len(items))
	for _, item := range items {
		set[item] = true
	}
	return set
}

func compileCampaign(e *Endpoint, c config.Campaign) (*Campaign, error) {
	template, err := offer.Parse(c.OfferURL)
	if err != nil {
		return nil, fmt.Errorf("campaign %s: offerURL: %w", c.Name, err)
	}
	compiled := &Campaign{
		Name:         c.Name,
		Alias:        c.Alias,
		Endpoint:     e,
		Offer:        template,
		Source:       c.Source,
		Parameters:   c.Parameters,
		Names:        campaignNames(c.Parameters),
		TokenInQuery: c.TokenInQuery,
		SealKeys:     sealKeys(c.Tokens),
		CookieAge:    time.Duration(cmp.Or(c.CookieDays, config.DefaultCookieDays)) * 24 * time.Hour,
	}
	if c.Cost != nil {
		if compiled.Cost, err = optionalDecimal("cost.amount", c.Cost.Amount); err != nil {
			return nil, fmt.Errorf("campaign %s: %w", c.Name, err)
		}
		compiled.CostCurrency = c.Cost.Currency
	}
	return compiled, nil
}

// sealKeys are the digests of the campaign's tokens: secrets that every receiver of the fleet has, and no visitor.
func sealKeys(tokens []config.Key) [][]byte {
	var current, former [][]byte
	for _, token := range tokens {
		digest, err := hex.DecodeString(token.SHA256)
		switch {
		case err != nil: // Validate has refused it.
		case token.RetireAt == nil:
			current = append(current, digest)
		default:
			former = append(former, digest)
		}
	}
	return append(current, former...)
}

// campaignNames are the click's fields, its cost and currency, and the traffic source's names for them.
func campaignNames(parameters map[string][]string) *request.Names {
	fields := append(slices.Clone(conversion.ClickFields()), config.ParamCost, config.ParamCurrency)
	names := map[string]int{}
	for number, field := range fields {
		names[field] = number
	}
	for number, field := range fields {
		for _, name := range parameters[field] {
			if _, taken := names[name]; !taken {
				names[name] = number
			}
		}
	}
	return request.NewNames(nil, names)
}
