package v1alpha1

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWhatAReceiverCannotServeIsRefused(t *testing.T) {
	year10000 := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		spoil func(*Fleet, *Endpoint)
		says  string
	}{
		"fleet without a name":       {func(f *Fleet, _ *Endpoint) { f.Name = "" }, "fleet.name"},
		"fleet namespace with a dot": {func(f *Fleet, _ *Endpoint) { f.Namespace = "a.b" }, "fleet.namespace"},
		"proxy that is a host": {func(f *Fleet, _ *Endpoint) { f.TrustedProxies[1] = "proxy" },
			"fleet.trustedProxies[1]"},
		"refresh each second": {func(f *Fleet, _ *Endpoint) { f.Rates.RefreshEvery = Duration(time.Second) },
			"fleet.rates.refreshEvery"},
		"provider twice": {func(f *Fleet, _ *Endpoint) { f.Rates.Providers[1].Name = "oxr" },
			"fleet.rates.providers[1]: is in the list"},
		"provider of no type": {func(f *Fleet, _ *Endpoint) { f.Rates.Providers[1].Type = "XML" },
			"fleet.rates.providers[1].type"},
		"provider JSON without a URL": {func(f *Fleet, _ *Endpoint) { f.Rates.Providers[1].Type = RateProviderJSON },
			"fleet.rates.providers[1].url"},
		"provider without its key": {func(f *Fleet, _ *Endpoint) { f.Rates.Providers[0].Key = nil },
			"fleet.rates.providers[0].key"},
		"provider with an empty key": {func(f *Fleet, _ *Endpoint) { f.Rates.Providers[0].Key.Value = "" },
			"fleet.rates.providers[0].key.value"},
		"provider at a file": {func(f *Fleet, _ *Endpoint) { f.Rates.Providers[1].URL = "file:///x" },
			"fleet.rates.providers[1].url"},
		"rate twice": {func(f *Fleet, _ *Endpoint) { f.Rates.Fixed[1] = f.Rates.Fixed[0] },
			"fleet.rates.fixed[1]: is in the list"},
		"rate of zero": {func(f *Fleet, _ *Endpoint) { f.Rates.Fixed[0].Rate = "0.000" },
			"fleet.rates.fixed[0].rate: must be above 0"},
		"rate below zero": {func(f *Fleet, _ *Endpoint) { f.Rates.Fixed[0].Rate = "-1" },
			"fleet.rates.fixed[0].rate"},
		"rate from a word": {func(f *Fleet, _ *Endpoint) { f.Rates.Fixed[0].From = "euro" },
			"fleet.rates.fixed[0].from"},
		"rate to itself": {func(f *Fleet, _ *Endpoint) { f.Rates.Fixed[0].To = "USDT" }, "must differ"},

		"endpoint without a name": {func(_ *Fleet, e *Endpoint) { e.Name = "" }, "name: must be a DNS label"},
		"digest in upper case": {func(_ *Fleet, e *Endpoint) {
			e.Keys[0].SHA256 = strings.ToUpper(e.Keys[0].SHA256)
		}, "keys[0].sha256"},
		"key without an id": {func(_ *Fleet, e *Endpoint) { e.Keys[0].ID = "" }, "keys[0].id"},
		"key id twice": {func(_ *Fleet, e *Endpoint) { e.ClickTokens[0].ID = e.Keys[0].ID },
			"clickTokens[0].id"},
		"token equal to the key": {func(_ *Fleet, e *Endpoint) { e.ClickTokens[0].SHA256 = e.Keys[0].SHA256 },
			"must differ from each other"},
		"key that JSON can't retire": {func(_ *Fleet, e *Endpoint) { e.Keys[0].RetireAt = &year10000 },
			"keys[0].retireAt"},
		"too many keys": {func(_ *Fleet, e *Endpoint) { e.Keys = slices.Repeat(e.Keys, 9) },
			"keys: 18 items"},
		"alias for nothing": {func(_ *Fleet, e *Endpoint) { e.Aliases["clickid"] = []string{"c"} },
			`aliases["clickid"]: no such parameter`},
		"alias that is a parameter": {func(_ *Fleet, e *Endpoint) { e.Aliases[ParamTid] = []string{"sub_id_30"} },
			"is a parameter itself"},
		"alias built in elsewhere": {func(_ *Fleet, e *Endpoint) { e.Aliases[ParamTid] = []string{"revenue"} },
			"always stands for payout"},
		"alias of two parameters": {func(_ *Fleet, e *Endpoint) { e.Aliases[ParamTid] = []string{"clickid"} },
			"already"},
		"alias listed twice": {func(_ *Fleet, e *Endpoint) { e.Aliases[ParamTid] = []string{"x", "x"} },
			"already"},
		"alias that trains a type": {func(_ *Fleet, e *Endpoint) { e.Aliases[ParamTid] = []string{"addon_status"} },
			"conversion type upsell"},
		"alias with an ampersand": {func(_ *Fleet, e *Endpoint) { e.Aliases[ParamTid] = []string{"a&b"} },
			`aliases["tid"][0]`},
		"too many aliases": {func(_ *Fleet, e *Endpoint) { e.Aliases[ParamTid] = make([]string, 17) },
			"17 items"},
		"type named as a built-in one": {func(_ *Fleet, e *Endpoint) { e.ConversionTypes[0].Name = TypeSale },
			"is built in"},
		"type named twice": {func(_ *Fleet, e *Endpoint) { e.ConversionTypes[1].Name = "upsell" },
			"same name or parameter"},
		"type named as a parameter": {func(_ *Fleet, e *Endpoint) { e.ConversionTypes[1].Name = "addon" },
			"same name or parameter"},
		"type that ignores": {func(_ *Fleet, e *Endpoint) { e.ConversionTypes[0].Parameter = "ignore" },
			"conversionTypes[0].parameter"},
		"type that rejects": {func(_ *Fleet, e *Endpoint) { e.ConversionTypes[0].Parameter = "reject" },
			"conversionTypes[0].parameter"},
		"type that counts as nothing": {func(_ *Fleet, e *Endpoint) { e.ConversionTypes[0].CountsAs = "" },
			"conversionTypes[0].countsAs"},
		"training for no type": {func(_ *Fleet, e *Endpoint) { e.Training[0].Type = "bet" }, "training[0].type"},
		"training twice": {func(_ *Fleet, e *Endpoint) { e.Training[1].Type = "upsell" },
			"training[1]: is in the list"},
		"training with an empty word": {func(_ *Fleet, e *Endpoint) { e.Training[0].Statuses[1] = "" },
			"training[0].statuses[1]"},
		"training with a broken string": {func(_ *Fleet, e *Endpoint) { e.Training[0].Statuses[1] = "\xff" },
			"training[0].statuses[1]"},
		"currency in lower case": {func(_ *Fleet, e *Endpoint) { e.Currency = "usd" },
			"currency: must be an ISO 4217 code"},
		"default payout with a comma": {func(_ *Fleet, e *Endpoint) { e.Payout.Default = "1,5" }, "payout.default"},
		"largest payout of zero":      {func(_ *Fleet, e *Endpoint) { e.Payout.Max = "0" }, "payout.max: must be above 0"},
		"missing status of no type": {func(_ *Fleet, e *Endpoint) { e.Policies.MissingStatus = "" },
			"policies.missingStatus"},
		"unknown status of no type": {func(_ *Fleet, e *Endpoint) { e.Policies.UnknownStatus = "bet" },
			"policies.unknownStatus"},
		"no policy for clicks": {func(_ *Fleet, e *Endpoint) { e.Policies.UnknownClick = "" },
			"policies.unknownClick"},
		"held for no time": {func(_ *Fleet, e *Endpoint) { e.Policies.HoldFor = 0 }, "policies.holdFor"},
		"held for years": {func(_ *Fleet, e *Endpoint) { e.Policies.HoldFor = Duration(MaxHoldFor + 1) },
			"policies.holdFor"},
		"lookback into the future": {func(_ *Fleet, e *Endpoint) { e.Policies.ClickLookback = -1 },
			"policies.clickLookback"},
		"no policy for repeats": {func(_ *Fleet, e *Endpoint) { e.Policies.Repeat = "x" }, "policies.repeat"},
		"no policy for slots":   {func(_ *Fleet, e *Endpoint) { e.Policies.Slot = "x" }, "policies.slot"},
		"no policy for transitions": {func(_ *Fleet, e *Endpoint) { e.Policies.Transitions = "x" },
			"policies.transitions"},
		"reply of over a KiB": {func(_ *Fleet, e *Endpoint) { e.Policies.SuccessBody = strings.Repeat("я", 513) },
			"policies.successBody"},
		"address without a length": {func(_ *Fleet, e *Endpoint) { e.Access.AllowedCIDRs[0] = "192.0.2.1" },
			"access.allowedCIDRs[0]"},
		"signature in a parameter": {func(_ *Fleet, e *Endpoint) { e.Access.HMAC.Parameter = ParamTid },
			"access.hmac.parameter"},
		"signature in a sub id": {func(_ *Fleet, e *Endpoint) { e.Access.HMAC.Parameter = "sub_id_30" },
			"access.hmac.parameter"},
		"signature in a built-in alias": {func(_ *Fleet, e *Endpoint) { e.Access.HMAC.Parameter = "revenue" },
			"access.hmac.parameter"},
		"signature in a training": {func(_ *Fleet, e *Endpoint) { e.Access.HMAC.Parameter = "lead_status" },
			"access.hmac.parameter"},
		"signature in a custom one": {func(_ *Fleet, e *Endpoint) {
			e.Access.HMAC.Parameter = e.ConversionTypes[0].Parameter + "_status"
		}, "trains the conversion type"},
		"signature in an alias": {func(_ *Fleet, e *Endpoint) { e.Access.HMAC.Parameter = "clickid" },
			"access.hmac.parameter"},
		"signature without a secret": {func(_ *Fleet, e *Endpoint) { e.Access.HMAC.Secrets = nil },
			"access.hmac.secrets"},
		"signing something else": {func(_ *Fleet, e *Endpoint) { e.Access.HMAC.Signs = "Body" }, "access.hmac.signs"},
		"signatures of years": {func(_ *Fleet, e *Endpoint) {
			e.Access.HMAC.MaxAge = Duration(MaxSignatureAge + 1)
		}, "access.hmac.maxAge"},
		"an age without its time": {func(_ *Fleet, e *Endpoint) { e.Access.HMAC.MaxAge = Duration(time.Minute) },
			"access.hmac.timeParameter"},
		"an offer wall beside HMAC": {func(_ *Fleet, e *Endpoint) { e.Access.Signature = &Signature{} },
			"access.signature"},
		"an offer wall without a secret": {func(_ *Fleet, e *Endpoint) { offerWall(e, "{subid}") },
			"access.signature.template"},
		"an open macro of an offer wall": {func(_ *Fleet, e *Endpoint) { offerWall(e, "{secret}{subid") },
			"access.signature.template"},
		"an algorithm that is none": {func(_ *Fleet, e *Endpoint) {
			offerWall(e, "{secret}")
			e.Access.Signature.Algorithm = "CRC32"
		}, "access.signature.algorithm"},
		"a charset that is none": {func(_ *Fleet, e *Endpoint) { e.Charset = "utf-7" }, "charset"},
		"a policy for no type": {func(_ *Fleet, e *Endpoint) {
			e.Policies.RepeatByType = map[string]Repeat{"x": RepeatAdd}
		}, "policies.repeatByType"},
		"no policy for a type": {func(_ *Fleet, e *Endpoint) {
			e.Policies.RepeatByType = map[string]Repeat{"sale": "Sum"}
		}, "policies.repeatByType"},
		"signature ids twice": {func(_ *Fleet, e *Endpoint) { e.Access.HMAC.Secrets[1].ID = "s2" },
			"access.hmac.secrets[1]"},
		"forward twice": {func(_ *Fleet, e *Endpoint) { e.Forwards[1].Name = "b" },
			"forwards[1]: is in the list"},
		"forward by PUT": {func(_ *Fleet, e *Endpoint) { e.Forwards[0].Method = "PUT" }, "forwards[0].method"},
		"forward to a macro": {func(_ *Fleet, e *Endpoint) { e.Forwards[0].URL = "https://{source}/" },
			"forwards[0].url"},
		"forward of no type": {func(_ *Fleet, e *Endpoint) { e.Forwards[1].Types[0] = "bet" },
			"forwards[1].types[0]"},
		"forward resent never": {func(_ *Fleet, e *Endpoint) { e.Forwards[0].Resend = "" }, "forwards[0].resend"},
		"forward from a blank source": {func(_ *Fleet, e *Endpoint) { e.Forwards[1].Sources[0] = "" },
			"forwards[1].sources[0]"},
		"forward of three names": {func(_ *Fleet, e *Endpoint) { e.Forwards[2].Name = "a.b.c" }, "forwards[2].name"},

		"client key equal to the key": {func(_ *Fleet, e *Endpoint) { e.Browser.Keys[0].SHA256 = e.Keys[0].SHA256 },
			"browser.keys[0]: the endpoint has this key"},
		"client key with the key's id": {func(_ *Fleet, e *Endpoint) { e.Browser.Keys[0].ID = e.Keys[0].ID },
			"browser.keys[0].id"},
		"browsers that report nothing": {func(_ *Fleet, e *Endpoint) { e.Browser.Types = nil },
			"browser.types: must be 1 to"},
		"browsers that report no type": {func(_ *Fleet, e *Endpoint) { e.Browser.Types[0] = "bet" }, "browser.types[0]"},
		"browsers on no page": {func(_ *Fleet, e *Endpoint) { e.Browser.Origins = nil },
			"browser.origins: must be 1 to"},
		"origin twice": {func(_ *Fleet, e *Endpoint) { e.Browser.Origins[1] = e.Browser.Origins[0] },
			"browser.origins[1]: is in the list"},
		"origin with a path": {func(_ *Fleet, e *Endpoint) { e.Browser.Origins[0] += "/" },
			"browser.origins[0]: must be an origin"},
		"origin in upper case": {func(_ *Fleet, e *Endpoint) { e.Browser.Origins[0] = "https://Shop.example" },
			"browser.origins[0]: must be an origin"},
		"origin of everybody": {func(_ *Fleet, e *Endpoint) { e.Browser.Origins[0] = "*" },
			"browser.origins[0]: must be an origin"},
		"origin of a whole top domain": {func(_ *Fleet, e *Endpoint) { e.Browser.Origins[0] = "https://*.com" },
			"browser.origins[0]: must be an origin"},
		"origin with a star elsewhere": {func(_ *Fleet, e *Endpoint) { e.Browser.Origins[0] = "https://a.*.example" },
			"browser.origins[0]: must be an origin"},
		"origin of no host": {func(_ *Fleet, e *Endpoint) { e.Browser.Origins[0] = "null" },
			"browser.origins[0]: must be an origin"},
		"origin with the default port": {func(_ *Fleet, e *Endpoint) { e.Browser.Origins[0] += ":443" },
			"browser.origins[0]: must not say the default port"},
		"rate of nothing": {func(_ *Fleet, e *Endpoint) { e.Browser.RatePerMinute = 0 },
			"browser.ratePerMinute"},
		"visits of nothing": {func(_ *Fleet, e *Endpoint) { e.Limits.Visits.RequestsPerSecond = 0 },
			"limits.visits.requestsPerSecond: must be between"},
		"visits without a burst": {func(_ *Fleet, e *Endpoint) { e.Limits.VisitsPerSource.Burst = 0 },
			"limits.visitsPerSource.burst: must be between"},
		"visits without a bound": {func(_ *Fleet, e *Endpoint) { e.Limits.Visits.RequestsPerSecond = 100_001 },
			"limits.visits.requestsPerSecond: must be between"},
		"campaign twice": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].Name = "winter" },
			"campaigns[1]: is in the list"},
		"campaign name in upper case": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].Name = "Summer" },
			"campaigns[1].name"},
		"alias with a slash": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].Alias = "a/b" },
			"campaigns[1].alias: must be 1 to 64"},
		"alias of the click intake": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].Alias = "Clicks" },
			`campaigns[1].alias: "Clicks" is a path`},
		"alias of two campaigns": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].Alias = e.Campaigns[0].Alias },
			"campaigns[1].alias: a campaign of endpoint"},
		"campaign token twice": {func(_ *Fleet, e *Endpoint) {
			e.Campaigns[1].Tokens = slices.Repeat(e.Campaigns[1].Tokens, 2)
		}, "campaigns[1].tokens[1].id"},
		"campaign token of two campaigns": {func(_ *Fleet, e *Endpoint) { e.Campaigns[0].Tokens = e.Campaigns[1].Tokens },
			"campaigns[1].tokens[0]: endpoint"},
		"offer at a macro": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].OfferURL = "https://{keyword}/" },
			"campaigns[1].offerURL"},
		"offer by script": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].OfferURL = "javascript:alert(1)" },
			"campaigns[1].offerURL"},
		"offer with a carriage return": {func(_ *Fleet, e *Endpoint) {
			e.Campaigns[1].OfferURL = "https://a.example/\rX: 1"
		}, "campaigns[1].offerURL: must not contain"},
		"source of no text": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].Source = "\xff" },
			"campaigns[1].source"},
		"parameter of no field": {func(_ *Fleet, e *Endpoint) {
			e.Campaigns[1].Parameters["subid"] = []string{"x"}
		},
			`campaigns[1].parameters["subid"]: no such field`},
		"parameter of no name": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].Parameters["cost"] = []string{""} },
			`campaigns[1].parameters["cost"][0]`},
		"parameter named twice": {func(_ *Fleet, e *Endpoint) {
			e.Campaigns[1].Parameters["cost"] = []string{"c", "c"}
		},
			`campaigns[1].parameters["cost"][1]: is in the list`},
		"cost below zero": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].Cost.Amount = "-1" },
			"campaigns[1].cost.amount"},
		"cost without a currency": {func(_ *Fleet, e *Endpoint) { e.Campaigns[1].Cost.Currency = "" },
			"campaigns[1].cost.currency"},
		"more than a document holds": {func(_ *Fleet, e *Endpoint) {
			for i := range MaxCampaigns {
				e.Campaigns = append(e.Campaigns, Campaign{
					Name: fmt.Sprintf("c%d", i), Alias: fmt.Sprintf("c%d", i),
					OfferURL: "https://a.example/" + strings.Repeat("x", 2000),
				})
			}
		}, "takes more than"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			fleet, endpoint := aFleet(), aWholeEndpoint("shop")
			c.spoil(&fleet, &endpoint)
			_, err := Seal(fleet, []Endpoint{endpoint})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %q", err, c.says)
			}
		})
	}
}

func TestEndpointsOfOneFleetAreToldApart(t *testing.T) {
	cases := map[string]struct {
		spoil func(a, b *Endpoint)
		says  string
	}{
		"by name": {func(a, b *Endpoint) { b.Name = a.Name },
			"the same endpoint stands here twice"},
		"by key": {func(a, b *Endpoint) { b.Keys[0].SHA256 = a.Keys[1].SHA256 },
			`keys[0]: endpoint "default/shop" has the same one`},
		"by click token": {func(a, b *Endpoint) { b.ClickTokens[0].SHA256 = a.ClickTokens[0].SHA256 },
			"clickTokens[0]: endpoint"},
		"by client key": {func(a, b *Endpoint) { b.Browser.Keys[0].SHA256 = a.Browser.Keys[0].SHA256 },
			`browser.keys[0]: endpoint "default/shop"`},
		"by a key that is public elsewhere": {func(a, b *Endpoint) { b.Keys[0].SHA256 = a.Browser.Keys[0].SHA256 },
			`keys[0]: endpoint "default/shop"`},
		"by alias": {func(a, b *Endpoint) { b.Campaigns[1].Alias = a.Campaigns[0].Alias },
			"campaigns[1].alias: a campaign of endpoint"},
		"by campaign token": {func(a, b *Endpoint) {
			b.Campaigns[1].Tokens[0].SHA256 = a.Campaigns[1].Tokens[0].SHA256
		},
			"campaigns[1].tokens[0]: endpoint"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a, b := aWholeEndpoint("shop"), aWholeEndpoint("casino")
			c.spoil(&a, &b)
			_, err := Seal(aFleet(), []Endpoint{a, b})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %q", err, c.says)
			}
		})
	}
}

func TestAnEndpointWithoutAnyKeyIsValid(t *testing.T) {
	endpoint := anEndpoint("shop")
	endpoint.Keys = nil // all revoked
	if err := endpoint.Validate(); err != nil {
		t.Error(err)
	}
}

func TestErrorsShowNoSecret(t *testing.T) {
	fleet, endpoint := aFleet(), aWholeEndpoint("shop")
	const secret = "hunter2"
	fleet.Rates.Providers[0].Key.Value = Redacted(strings.Repeat(secret, 1000))
	endpoint.Access.HMAC.Secrets[0].Value = Redacted(secret + "\xff")
	endpoint.Keys[0].SHA256 = secret
	_, err := Seal(fleet, []Endpoint{endpoint})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Fatalf("three problems expected: %v", err)
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the secret shows: %v", err)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	var endpoints []Endpoint
	for i := range 1000 {
		endpoints = append(endpoints, Endpoint{Namespace: "default", Name: fmt.Sprintf("e%d", i)})
	}
	_, err := Seal(aFleet(), endpoints)
	if got := strings.Count(err.Error(), "\n") + 1; got != maxProblems {
		t.Errorf("%d problems are told", got)
	}
}

func TestEveryBuiltinAliasStandsForACanonicalParameter(t *testing.T) {
	for param, names := range BuiltinAliases() {
		if !IsCanonicalParameter(param) {
			t.Errorf("%s is no parameter", param)
		}
		for _, name := range names {
			if IsCanonicalParameter(name) || BuiltinAliasOf(name) != param {
				t.Errorf("%s does not stand for %s alone", name, param)
			}
		}
	}
}

func TestParametersAreThoseOfTheSemantics(t *testing.T) {
	params := CanonicalParameters()
	if got, want := len(params), 15+6+30; got != want {
		t.Errorf("%d parameters, there are %d", got, want)
	}
	if slices.Contains(params, "sub_id_0") || slices.Contains(params, "sub_id_31") ||
		!slices.Contains(params, "sub_id_30") {
		t.Error("sub ids run from 1 to 30")
	}
}

func TestCallersCannotChangeTheLists(t *testing.T) {
	BuiltinTypes()[0] = "x"
	CanonicalParameters()[0] = "x"
	aliases := BuiltinAliases()
	aliases[ParamSubid][0] = "x"
	maps.DeleteFunc(aliases, func(string, []string) bool { return true })
	if BuiltinTypes()[0] != TypeLead || CanonicalParameters()[0] != ParamSubid ||
		BuiltinAliases()[ParamSubid][0] != "sub_id" {
		t.Error("a list was changed from outside")
	}
}

func TestRedactedShowsNothing(t *testing.T) {
	secret := Secret{ID: "s1", Value: "hunter2"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(format, secret); strings.Contains(got, "hunter2") || strings.Contains(got, "68756e746572") {
			t.Errorf("%s shows %s", format, got)
		}
	}
	if got := secret.Value.LogValue().String(); strings.Contains(got, "hunter2") {
		t.Errorf("the log shows %s", got)
	}
}

func TestAReservedAliasIsOneInEveryLetterCase(t *testing.T) {
	for _, alias := range ReservedAliases() {
		if !IsAlias(alias) || !IsReservedAlias(alias) || !IsReservedAlias(strings.ToUpper(alias)) {
			t.Errorf("%q is not kept from campaigns", alias)
		}
	}
	if IsReservedAlias("clicks2") || !slices.IsSorted(ReservedAliases()) {
		t.Error("a free alias is reserved, or the list is not sorted")
	}
}

// offerWall replaces the HMAC by a signature over the template.
func offerWall(e *Endpoint, template string) {
	e.Access.Signature = &Signature{
		Algorithm: AlgorithmMD5, Template: template, Parameter: e.Access.HMAC.Parameter, Secrets: e.Access.HMAC.Secrets,
	}
	e.Access.HMAC = nil
}
