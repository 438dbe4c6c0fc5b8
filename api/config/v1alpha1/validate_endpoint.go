package v1alpha1

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Validate checks one endpoint as [Config.Validate] does, so that an invalid one can be left out. Paths in the error
// start at the endpoint.
func (e *Endpoint) Validate() error {
	p := newProblems()
	e.validate(p.at("endpoint"))
	return p.err()
}

func (e *Endpoint) validate(p problems) {
	p.at(".namespace").form(e.Namespace, dnsLabel, "must be a DNS label")
	p.at(".name").form(e.Name, dnsLabel, "must be a DNS label")
	e.validateKeys(p)
	e.validateTypes(p.at(".conversionTypes"))
	e.validateAliases(p.at(".aliases"))
	e.validateTraining(p.at(".training"))
	p.at(".currency").form(e.Currency, currencyCode, "must be an ISO 4217 code like USD")
	if _, err := time.LoadLocation(e.TimeZone); err != nil || e.TimeZone == "Local" {
		p.at(".timeZone").addf("must be the IANA name of a time zone, like Europe/Kyiv")
	}
	if e.Charset != "" && !slices.Contains(charsets, e.Charset) {
		p.at(".charset").addf("must be one of %s", strings.Join(charsets, ", "))
	}
	p.at(".ignoreParameters").length(len(e.IgnoreParameters), MaxIgnoreParameters)
	e.Payout.validate(p.at(".payout"))
	e.validatePolicies(p.at(".policies"))
	e.validateAccess(p.at(".access"))
	e.validateForwards(p.at(".forwards"))
	e.validateBrowser(p.at(".browser"))
	e.Limits.validate(p.at(".limits"))
	e.validateCampaigns(p.at(".campaigns"))
	e.validateSize(p)
}

func (e *Endpoint) validateKeys(p problems) {
	keys := newKeyChecker()
	keys.check(p.at(".keys"), e.Keys)
	keys.check(p.at(".clickTokens"), e.ClickTokens)
	if e.Browser != nil {
		keys.check(p.at(".browser.keys"), e.Browser.Keys)
	}
}

// keyChecker tells keys apart that must not be the same, nor have the same id.
type keyChecker struct{ ids, digests map[string]bool }

func newKeyChecker() keyChecker { return keyChecker{map[string]bool{}, map[string]bool{}} }

func (c keyChecker) check(p problems, keys []Key) {
	p.length(len(keys), MaxKeys)
	for i, key := range keys {
		at := p.at("[%d]", i)
		at.at(".id").form(key.ID, dnsLabel, "must be a DNS label")
		at.at(".sha256").form(key.SHA256, hexDigest, "must be 64 lower-case hex digits")
		if key.RetireAt != nil && (key.RetireAt.Year() < 1970 || key.RetireAt.Year() > 9998) {
			at.at(".retireAt").addf("must be a time after 1970")
		}
		if c.ids[key.ID] {
			at.at(".id").addf("another key of the endpoint has the same one")
		}
		if c.digests[key.SHA256] {
			at.addf("the endpoint has this key already; postback key, click token and client key must differ from each other")
		}
		c.ids[key.ID], c.digests[key.SHA256] = true, true
	}
}

// validateTypes keeps the words of conversion types apart: a type is known by its name and by its parameter.
func (e *Endpoint) validateTypes(p problems) {
	p.length(len(e.ConversionTypes), MaxTypes)
	words := map[string]bool{}
	for i, t := range e.ConversionTypes {
		at := p.at("[%d]", i)
		oneOf(at.at(".countsAs"), t.CountsAs, CountsAsHold, CountsAsConfirmed, CountsAsNone)
		at.at(".name").form(t.Name, typeName, "must be lower-case letters, digits and _, at most 32, like first_bet")
		at.at(".parameter").form(t.Parameter, typeName, "must be lower-case letters, digits and _, at most 32, like bet")
		if IsBuiltinType(t.Name) {
			at.at(".name").addf("%q is built in: choose another name", t.Name)
		}
		if training := t.Parameter + ParamStatusSuffix; IsCanonicalParameter(training) || BuiltinAliasOf(training) != "" {
			at.at(".parameter").addf("%.64q has a meaning of its own: choose another parameter", training)
		}
		if words[t.Name] || words[t.Parameter] {
			at.addf("another type has the same name or parameter")
		}
		words[t.Name], words[t.Parameter] = true, true
	}
}

func (e *Endpoint) knowsType(name string) bool {
	return IsBuiltinType(name) ||
		slices.ContainsFunc(e.ConversionTypes, func(t ConversionType) bool { return t.Name == name })
}

func (e *Endpoint) validateAliases(p problems) {
	owners := map[string]string{}
	for _, t := range e.ConversionTypes {
		owners[t.Parameter+ParamStatusSuffix] = "conversion type " + t.Name
	}
	for _, param := range slices.Sorted(maps.Keys(e.Aliases)) {
		at := p.at("[%.64q]", param)
		if !IsCanonicalParameter(param) {
			at.addf("no such parameter")
			continue
		}
		at.length(len(e.Aliases[param]), MaxAliases)
		for i, alias := range e.Aliases[param] {
			at := at.at("[%d]", i)
			at.form(alias, aliasName, "must be 1 to 64 letters, digits and _ . : [ ] -")
			owner, taken := owners[alias]
			builtin := BuiltinAliasOf(alias)
			switch {
			case IsCanonicalParameter(alias):
				at.addf("%q is a parameter itself", alias)
			case builtin != "" && builtin != param:
				at.addf("%q always stands for %s", alias, builtin)
			case taken:
				at.addf("%.64q stands for %s already", alias, owner)
			}
			owners[alias] = param
		}
	}
}

func (e *Endpoint) validateTraining(p problems) {
	p.length(len(e.Training), MaxTrainingRules)
	unique(p, e.Training, func(r TrainingRule) string { return r.Type })
	for i, rule := range e.Training {
		at := p.at("[%d]", i)
		if !e.knowsType(rule.Type) {
			at.at(".type").addf("must be a built-in type or one of conversionTypes")
		}
		at.at(".statuses").length(len(rule.Statuses), MaxStatuses)
		for j, status := range rule.Statuses {
			at.at(".statuses[%d]", j).text(status, MaxStatusLength)
		}
	}
}

func (o *Payout) validate(p problems) {
	if o.Default != "" {
		p.at(".default").form(o.Default, signedDecimal, "must be a decimal like 12.50")
	}
	if o.Max != "" && p.at(".max").form(o.Max, positiveAmount, "must be a decimal like 500") &&
		!nonZeroDigit.MatchString(o.Max) {
		p.at(".max").addf("must be above 0")
	}
}

func (e *Endpoint) validatePolicies(p problems) {
	o := e.Policies
	statusPolicy := func(p problems, value string) {
		if value != PolicyIgnore && !e.knowsType(value) {
			p.addf("must be %s, a built-in type or one of conversionTypes", PolicyIgnore)
		}
	}
	statusPolicy(p.at(".missingStatus"), o.MissingStatus)
	statusPolicy(p.at(".unknownStatus"), o.UnknownStatus)
	oneOf(p.at(".unknownClick"), o.UnknownClick, UnknownClickIgnore, UnknownClickHold, UnknownClickRecord)
	oneOf(p.at(".repeat"), o.Repeat, RepeatOverwrite, RepeatIgnore, RepeatAdd)
	for _, conversionType := range slices.Sorted(maps.Keys(o.RepeatByType)) {
		at := p.at(".repeatByType[%.64q]", conversionType)
		if !e.knowsType(conversionType) {
			at.addf("must be a built-in type or one of conversionTypes")
		}
		oneOf(at, o.RepeatByType[conversionType], RepeatOverwrite, RepeatIgnore, RepeatAdd)
	}
	oneOf(p.at(".slot"), o.Slot, SlotTid, SlotTidAndType)
	oneOf(p.at(".transitions"), o.Transitions, TransitionsAny, TransitionsForwardOnly)
	if o.HoldFor < 0 || time.Duration(o.HoldFor) > MaxHoldFor || (o.HoldFor == 0 && o.UnknownClick == UnknownClickHold) {
		p.at(".holdFor").addf("must be above 0 and at most %v", MaxHoldFor)
	}
	if o.ClickLookback < 0 || time.Duration(o.ClickLookback) > MaxClickLookback {
		p.at(".clickLookback").addf("must be between 0 and %v", MaxClickLookback)
	}
	if len(o.SuccessBody) > MaxSuccessBody || !utf8.ValidString(o.SuccessBody) {
		p.at(".successBody").addf("must be valid UTF-8 of at most %d bytes", MaxSuccessBody)
	}
}

func (e *Endpoint) validateAccess(p problems) {
	p.at(".allowedCIDRs").cidrs(e.Access.AllowedCIDRs)
	hmac, signature := e.Access.HMAC, e.Access.Signature
	if hmac != nil {
		e.validateSigning(p.at(".hmac"))
		hmac.validate(p.at(".hmac"))
	}
	if signature == nil {
		return
	}
	p = p.at(".signature")
	if hmac != nil {
		p.addf("stands beside hmac: declare one of them")
		return
	}
	oneOf(p.at(".algorithm"), signature.Algorithm, AlgorithmMD5, AlgorithmSHA1, AlgorithmSHA256)
	if _, err := ParseSignature(signature.Template); err != nil || len(signature.Template) > MaxSignatureTemplate {
		p.at(".template").addf("%v; at most %d bytes", err, MaxSignatureTemplate)
	}
	e.validateSigning(p)
}

// validate checks what is signed besides the request.
func (h *HMAC) validate(p problems) {
	oneOf(p.at(".signs"), h.Signs, SignsRequest, SignsEndpointAndRequest)
	if h.MaxAge < 0 || time.Duration(h.MaxAge) > MaxSignatureAge {
		p.at(".maxAge").addf("must be between 0 and %v", MaxSignatureAge)
	}
	if h.MaxAge == 0 {
		return
	}
	p.at(".timeParameter").form(h.TimeParameter, aliasName, "must be 1 to 64 letters, digits and _ . : [ ] -")
	if h.TimeParameter == h.Parameter {
		p.at(".timeParameter").addf("is that of the signature")
	}
}

// validateSigning checks the parameter of the signature and the secrets that sign.
func (e *Endpoint) validateSigning(p problems) {
	parameter, secrets := e.Access.Signing()
	p.at(".parameter").form(parameter, aliasName, "must be 1 to 64 letters, digits and _ . : [ ] -")
	if IsCanonicalParameter(parameter) || BuiltinAliasOf(parameter) != "" {
		p.at(".parameter").addf("%q has a meaning of its own", parameter)
	}
	for _, names := range e.Aliases {
		if slices.Contains(names, parameter) {
			p.at(".parameter").addf("is an alias of another parameter")
		}
	}
	for _, t := range e.ConversionTypes {
		if t.Parameter+ParamStatusSuffix == parameter {
			p.at(".parameter").addf("trains the conversion type %.64q", t.Name)
		}
	}
	if len(secrets) == 0 || len(secrets) > MaxKeys {
		p.at(".secrets").addf("must be 1 to %d", MaxKeys)
	}
	unique(p.at(".secrets"), secrets, func(s Secret) string { return s.ID })
	for i := range secrets {
		secrets[i].validate(p.at(".secrets[%d]", i))
	}
}
