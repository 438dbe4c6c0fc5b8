package v1alpha1

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"unicode/utf8"
)

// The forms of single values.
var (
	dnsLabel       = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	hexDigest      = regexp.MustCompile(`^[0-9a-f]{64}$`)
	aliasName      = regexp.MustCompile(`^[A-Za-z0-9_.:\[\]-]{1,64}$`)
	typeName       = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	currencyCode   = regexp.MustCompile(`^[A-Z]{3}$`)
	rateCode       = regexp.MustCompile(`^[A-Z0-9]{3,10}$`)
	signedDecimal  = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,6})?$`)
	positiveAmount = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,6})?$`)
	positiveRate   = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,18})?$`)
	nonZeroDigit   = regexp.MustCompile(`[1-9]`)
	httpURL        = regexp.MustCompile(`^https?://([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?([/?#].*)?$`)
)

// maxProblems bounds the length of an error about a large document.
const maxProblems = 100

// problems collects what is wrong, each with the path of the field. No text of it may contain a secret.
type problems struct {
	path string
	errs *[]error
}

func newProblems() problems { return problems{errs: new([]error)} }

func (p problems) at(format string, args ...any) problems {
	p.path += fmt.Sprintf(format, args...)
	return p
}

func (p problems) addf(format string, args ...any) {
	if len(*p.errs) < maxProblems {
		*p.errs = append(*p.errs, errors.New(p.path+": "+fmt.Sprintf(format, args...)))
	}
}

func (p problems) err() error { return errors.Join(*p.errs...) }

func (p problems) form(value string, want *regexp.Regexp, say string) bool {
	if want.MatchString(value) {
		return true
	}
	p.addf("%s", say)
	return false
}

func (p problems) length(n, limit int) {
	if n > limit {
		p.addf("%d items, %d is the limit", n, limit)
	}
}

// text checks a string of at most limit characters, as the schema counts them.
func (p problems) text(value string, limit int) {
	if value == "" || utf8.RuneCountInString(value) > limit || !utf8.ValidString(value) {
		p.addf("must be valid UTF-8 text of 1 to %d characters", limit)
	}
}

func (p problems) cidrs(cidrs []string) {
	p.length(len(cidrs), MaxCIDRs)
	for i, cidr := range cidrs {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			p.at("[%d]", i).addf("is no CIDR: write it like 192.0.2.0/24 or 2001:db8::/32")
		}
	}
}

func oneOf[T ~string](p problems, value T, allowed ...T) {
	if !slices.Contains(allowed, value) {
		p.addf("must be one of %q", allowed)
	}
}

// unique reports every name that stands twice.
func unique[T any](p problems, items []T, name func(T) string) {
	seen := make(map[string]bool, len(items))
	for i, item := range items {
		if seen[name(item)] {
			p.at("[%d]", i).addf("is in the list already")
		}
		seen[name(item)] = true
	}
}

// Validate checks everything on which a receiver relies. The error joins one sentence per problem, with the path of the
// field and without any secret; at most 100 of them.
func (c *Config) Validate() error {
	p := newProblems()
	c.Fleet.validate(p.at("fleet"))
	if len(c.Endpoints) > MaxEndpoints {
		p.at("endpoints").length(len(c.Endpoints), MaxEndpoints)
		return p.err()
	}
	names, keys, tokens := map[string]bool{}, map[string]string{}, map[string]string{}
	aliases, campaignTokens := map[string]string{}, map[string]string{}
	for i := range c.Endpoints {
		e := &c.Endpoints[i]
		name := e.Namespace + "/" + e.Name
		at := p.at("endpoints[%.130q]", name)
		if names[name] {
			at.addf("the same endpoint stands here twice")
		}
		names[name] = true
		e.validate(at)
		claim(at.at(".keys"), keys, e.Keys, name)
		claim(at.at(".clickTokens"), tokens, e.ClickTokens, name)
		if e.Browser != nil { // on the same paths as the postback keys
			claim(at.at(".browser.keys"), keys, e.Browser.Keys, name)
		}
		for i, c := range e.Campaigns {
			at := at.at(".campaigns[%d]", i)
			claim(at.at(".tokens"), campaignTokens, c.Tokens, name+", campaign "+c.Name)
			if owner, taken := aliases[c.Alias]; taken {
				at.at(".alias").addf("a campaign of endpoint %.130q has the same one", owner)
			}
			aliases[c.Alias] = name
		}
	}
	return p.err()
}

// claim reports keys that another endpoint has too: a receiver could not tell for which one a request is meant.
func claim(p problems, owners map[string]string, keys []Key, endpoint string) {
	for i, key := range keys {
		if owner, taken := owners[key.SHA256]; taken && owner != endpoint {
			p.at("[%d]", i).addf("endpoint %.130q has the same one", owner)
		}
		owners[key.SHA256] = endpoint
	}
}

// Validate checks one fleet as [Config.Validate] does.
func (f *Fleet) Validate() error {
	p := newProblems()
	f.validate(p.at("fleet"))
	return p.err()
}

func (f *Fleet) validate(p problems) {
	p.at(".namespace").form(f.Namespace, dnsLabel, "must be a DNS label")
	p.at(".name").form(f.Name, dnsLabel, "must be a DNS label")
	p.at(".trustedProxies").cidrs(f.TrustedProxies)
	f.Rates.validate(p.at(".rates"))
}

func (r *Rates) validate(p problems) {
	if r.RefreshEvery < Duration(MinRefreshEvery) {
		p.at(".refreshEvery").addf("must be at least %v", MinRefreshEvery)
	}
	providers := p.at(".providers")
	providers.length(len(r.Providers), MaxProviders)
	unique(providers, r.Providers, func(r RateProvider) string { return r.Name })
	for i := range r.Providers {
		r.Providers[i].validate(providers.at("[%d]", i))
	}
	fixed := p.at(".fixed")
	fixed.length(len(r.Fixed), MaxFixedRates)
	unique(fixed, r.Fixed, func(r FixedRate) string { return r.From + "/" + r.To })
	for i, rate := range r.Fixed {
		at := fixed.at("[%d]", i)
		at.at(".from").form(rate.From, rateCode, "must be a currency code like EUR or USDT")
		at.at(".to").form(rate.To, rateCode, "must be a currency code like USD")
		if rate.From == rate.To {
			at.addf("from and to must differ")
		}
		if at.at(".rate").form(rate.Rate, positiveRate, "must be a decimal like 1.0845") &&
			!nonZeroDigit.MatchString(rate.Rate) {
			at.at(".rate").addf("must be above 0")
		}
	}
}

func (r *RateProvider) validate(p problems) {
	p.at(".name").form(r.Name, dnsLabel, "must be a DNS label like ecb")
	oneOf(p.at(".type"), r.Type, RateProviderECB, RateProviderOpenERAPI, RateProviderOpenExchangeRates, RateProviderJSON)
	if r.URL != "" {
		p.at(".url").url(r.URL)
	} else if r.Type == RateProviderJSON {
		p.at(".url").addf("is mandatory with type JSON")
	}
	if r.Key != nil {
		r.Key.validate(p.at(".key"))
	} else if r.Type == RateProviderOpenExchangeRates {
		p.at(".key").addf("is mandatory with type OpenExchangeRates")
	}
}

func (p problems) url(url string) {
	if utf8.RuneCountInString(url) > MaxURLLength || !utf8.ValidString(url) {
		p.addf("must be valid UTF-8 of at most %d characters", MaxURLLength)
		return
	}
	p.form(url, httpURL, "must start with http:// or https:// and a host name without macros")
}

func (s *Secret) validate(p problems) {
	p.at(".id").form(s.ID, dnsLabel, "must be a DNS label")
	p.at(".value").text(s.Value.Reveal(), MaxSecretLength)
}
