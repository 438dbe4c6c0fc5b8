package endpoint

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/forward/rule"
)

// Compile builds one endpoint. Everything that the contract's validation accepts compiles; the error joins what does
// not, each with the path of the field, and contains no secret.
func Compile(c config.Endpoint) (*Endpoint, error) {
	forwards, forwardsErr := compileForwards(c.Forwards)
	rules, rulesErr := compileRules(&c, forwards)
	names, namesErr := compileNames(&c)
	cidrs, cidrsErr := compileCIDRs("access.allowedCIDRs", c.Access.AllowedCIDRs)
	if err := errors.Join(forwardsErr, rulesErr, namesErr, cidrsErr); err != nil {
		return nil, err
	}
	location, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return nil, errors.New("timeZone: no such zone")
	}
	charset, err := compileCharset(c.Charset)
	if err != nil {
		return nil, err
	}
	types, countsAs := config.BuiltinTypes(), map[string]config.CountsAs{}
	for _, custom := range c.ConversionTypes {
		types = append(types, custom.Name)
		countsAs[custom.Name] = custom.CountsAs
	}
	e := &Endpoint{
		Name:          c.Namespace + "/" + c.Name,
		Namespace:     c.Namespace,
		Currency:      c.Currency,
		Location:      location,
		Charset:       charset,
		Types:         types,
		MissingStatus: policyType(c.Policies.MissingStatus),
		UnknownStatus: policyType(c.Policies.UnknownStatus),
		Rules:         rules,
		AllowedCIDRs:  cidrs,
		SuccessBody:   cmp.Or(c.Policies.SuccessBody, defaultSuccessBody),
		StrictReplies: c.Policies.StrictReplies,
		Browser:       compileBrowser(c.Browser),
		names:         names,
		requestNames:  requestNames(names),
		training:      compileTraining(types, c.Training),
		customWords:   compileCustomWords(c.ConversionTypes),
		countsAs:      countsAs,
		forwards:      forwards,
		Declared:      declaredOf(&c),
	}
	if c.Limits != nil {
		e.Limits = *c.Limits
	}
	parameter, secrets := c.Access.Signing()
	e.SignatureParameter = parameter
	for _, secret := range secrets {
		e.SignatureSecrets = append(e.SignatureSecrets, secret.Value)
	}
	if hmac := c.Access.HMAC; hmac != nil {
		e.SignsEndpoint = hmac.Signs == config.SignsEndpointAndRequest
		e.SignatureMaxAge, e.SignatureTime = time.Duration(hmac.MaxAge), hmac.TimeParameter
	}
	if signature := c.Access.Signature; signature != nil {
		e.SignatureAlgorithm = signature.Algorithm
		if e.SignatureText, err = config.ParseSignature(signature.Template); err != nil {
			return nil, fmt.Errorf("access.signature.template: %w", err)
		}
	}
	return e, nil
}

func compileForwards(declared []config.Forward) (map[string]*rule.Rule, error) {
	forwards := make(map[string]*rule.Rule, len(declared))
	for i, f := range declared {
		compiled, err := rule.Compile(f)
		if err != nil {
			return nil, fmt.Errorf("forwards[%d].url: %w", i, err)
		}
		forwards[f.Name] = compiled
	}
	return forwards, nil
}

func compileRules(c *config.Endpoint, forwards map[string]*rule.Rule) (*conversion.Rules, error) {
	defaultPayout, defaultErr := optionalDecimal("payout.default", c.Payout.Default)
	maxPayout, maxErr := optionalDecimal("payout.max", c.Payout.Max)
	rules := &conversion.Rules{
		Policies:      c.Policies,
		Currency:      c.Currency,
		IgnoredParams: c.IgnoreParameters,
		DefaultPayout: defaultPayout,
		MaxPayout:     maxPayout,
	}
	if hmac := c.Access.HMAC; hmac != nil && hmac.MaxAge > 0 {
		// The same again says nothing new when it is signed again.
		rules.IgnoredParams = append(slices.Clone(rules.IgnoredParams), hmac.TimeParameter)
	}
	payouts, campaignErr := campaignPayouts(c.Campaigns)
	rules.CampaignPayouts = payouts
	for _, f := range c.Forwards {
		compiled := forwards[f.Name]
		if compiled == nil {
			continue // it does not compile, and so the endpoint does not
		}
		rules.Forwards = append(rules.Forwards, conversion.ForwardRule{
			Name: f.Name, Host: compiled.Host, Types: f.Types, Resend: f.Resend, Sources: f.Sources, Campaigns: f.Campaigns,
			Require: f.Require, SendTests: f.SendTests,
		})
	}
	return rules, errors.Join(defaultErr, maxErr, campaignErr)
}

// campaignPayouts returns the payouts, by campaign, of those that declare one; nil if none does.
func campaignPayouts(campaigns []config.Campaign) (map[string]decimal.Decimal, error) {
	var payouts map[string]decimal.Decimal
	var problems []error
	for _, c := range campaigns {
		payout, err := optionalDecimal("payout", c.Payout)
		if err != nil {
			problems = append(problems, fmt.Errorf("campaign %s: %w", c.Name, err))
		}
		if payout == nil {
			continue
		}
		if payouts == nil {
			payouts = map[string]decimal.Decimal{}
		}
		payouts[c.Name] = *payout
	}
	return payouts, errors.Join(problems...)
}

func policyType(policy string) string {
	if policy == config.PolicyIgnore {
		return ""
	}
	return policy
}

func optionalDecimal(path, value string) (*decimal.Decimal, error) {
	if value == "" {
		return nil, nil
	}
	d, err := decimal.NewFromString(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &d, nil
}

// compileCharset returns nil for the empty name.
func compileCharset(name string) (encoding.Encoding, error) {
	if name == "" {
		return nil, nil
	}
	charset, err := htmlindex.Get(name)
	if err != nil {
		return nil, errors.New("charset: no such charset")
	}
	return charset, nil
}

// compileCIDRs writes IPv4 in its own form, so that an unmapped address can be compared.
func compileCIDRs(path string, cidrs []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(cidrs))
	for i, cidr := range cidrs {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", path, i, err)
		}
		if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}
