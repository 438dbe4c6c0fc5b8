package v1alpha1

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
)

// The forms of values of campaigns and of browser access.
var (
	campaignAlias = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	forwardName   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$`)
	origin        = regexp.MustCompile(`^https?://((\*\.[a-z0-9-]+\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|` +
		`\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$`)
	defaultPort  = regexp.MustCompile(`^(http://.*:80|https://.*:443)$`)
	locationText = regexp.MustCompile(`^[^\x00-\x20\x7f]*$`)
)

func (e *Endpoint) validateBrowser(p problems) {
	b := e.Browser
	if b == nil {
		return
	}
	someOf(p.at(".types"), b.Types, MaxTrainingRules)
	for i, t := range b.Types {
		if !e.knowsType(t) {
			p.at(".types[%d]", i).addf("must be a built-in type or one of conversionTypes")
		}
	}
	someOf(p.at(".origins"), b.Origins, MaxOrigins)
	for i, o := range b.Origins {
		at := p.at(".origins[%d]", i)
		switch {
		case len(o) > MaxOriginLength || !origin.MatchString(o):
			at.addf("must be an origin like https://shop.example or https://*.shop.example: lower case, without a path")
		case defaultPort.MatchString(o):
			at.addf("must not say the default port, since browsers don't")
		}
	}
	if b.RatePerMinute < 1 || b.RatePerMinute > MaxRatePerMinute {
		p.at(".ratePerMinute").addf("must be between 1 and %d", MaxRatePerMinute)
	}
}

func (l *Limits) validate(p problems) {
	if l == nil {
		return
	}
	l.Visits.validate(p.at(".visits"))
	l.VisitsPerSource.validate(p.at(".visitsPerSource"))
}

func (r *RateLimit) validate(p problems) {
	if r == nil {
		return
	}
	if r.RequestsPerSecond < 1 || r.RequestsPerSecond > MaxRequestsPerSecond {
		p.at(".requestsPerSecond").addf("must be between 1 and %d", MaxRequestsPerSecond)
	}
	if r.Burst < 1 || r.Burst > MaxBurst {
		p.at(".burst").addf("must be between 1 and %d", MaxBurst)
	}
}

// someOf demands between one and limit items, each once.
func someOf(p problems, items []string, limit int) {
	if len(items) == 0 || len(items) > limit {
		p.addf("must be 1 to %d", limit)
	}
	unique(p, items, func(item string) string { return item })
}

func (e *Endpoint) validateCampaigns(p problems) {
	p.length(len(e.Campaigns), MaxCampaigns)
	unique(p, e.Campaigns, func(c Campaign) string { return c.Name })
	for i := range e.Campaigns {
		e.Campaigns[i].validate(p.at("[%d]", i))
	}
}

// Validate checks one campaign as [Config.Validate] does, so that an invalid one can be left out. Paths in the error
// start at the campaign.
func (c *Campaign) Validate() error {
	p := newProblems()
	c.validate(p.at("campaign"))
	return p.err()
}

func (c *Campaign) validate(p problems) {
	p.at(".name").form(c.Name, dnsLabel, "must be a DNS label")
	if p.at(".alias").form(c.Alias, campaignAlias, "must be 1 to 64 letters, digits, _ and -") &&
		IsReservedAlias(c.Alias) {
		p.at(".alias").addf("%q is a path of the receiver's own: choose another one", c.Alias)
	}
	newKeyChecker().check(p.at(".tokens"), c.Tokens)
	p.at(".offerURL").url(c.OfferURL)
	p.at(".offerURL").form(c.OfferURL, locationText, "must not contain spaces or control characters: write %%20")
	if c.Source != "" {
		p.at(".source").text(c.Source, MaxMatchLength)
	}
	c.validateParameters(p.at(".parameters"))
	if c.Cost != nil {
		p.at(".cost.amount").form(c.Cost.Amount, positiveAmount, "must be a decimal like 0.05")
		p.at(".cost.currency").form(c.Cost.Currency, currencyCode, "must be an ISO 4217 code like USD")
	}
	if c.Payout != "" {
		p.at(".payout").form(c.Payout, signedDecimal, "must be a decimal like 12.50")
	}
	if c.CookieDays < 0 || c.CookieDays > MaxCookieDays {
		p.at(".cookieDays").addf("must be between 1 and %d", MaxCookieDays)
	}
}

func (c *Campaign) validateParameters(p problems) {
	for _, field := range slices.Sorted(maps.Keys(c.Parameters)) {
		at := p.at("[%.64q]", field)
		if !IsClickField(field) {
			at.addf("no such field of a click")
			continue
		}
		at.length(len(c.Parameters[field]), MaxAliases)
		unique(at, c.Parameters[field], func(name string) string { return name })
		for i, name := range c.Parameters[field] {
			at.at("[%d]", i).form(name, aliasName, "must be 1 to 64 letters, digits and _ . : [ ] -")
		}
	}
}

// validateSize keeps an endpoint within what one document can hold beside others, so that none can make a whole fleet's
// documents impossible.
func (e *Endpoint) validateSize(p problems) {
	if data, err := json.Marshal(e); err == nil && len(data) > MaxEndpointBytes {
		p.addf("takes more than %d bytes: split it, or its campaigns, over several endpoints", MaxEndpointBytes)
	}
}
