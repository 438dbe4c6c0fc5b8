// Package render turns declarations and resolved credentials into the content of the configuration contract. It is
// pure: no client, no file, no clock. The operator and the offline renderer share it, which is why they agree.
package render

import (
	"cmp"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// Endpoint renders a declaration that the schema has defaulted and accepted. ring holds its credentials and was
// advanced by signing, the secrets that sign, and by headers, those of the forwards. The error is the contract's, one
// sentence per problem.
func Endpoint(declared *v1alpha1.PostbackEndpoint, ring rotation.Ring, signing []string,
	headers credential.HeaderValues) (config.Endpoint, error) {
	spec := &declared.Spec
	endpoint := config.Endpoint{
		Namespace:        declared.Namespace,
		Name:             declared.Name,
		Keys:             ring.Keys(rotation.Postback),
		ClickTokens:      ring.Keys(rotation.Click),
		Aliases:          aliases(spec.Aliases),
		Currency:         spec.Currency,
		TimeZone:         spec.TimeZone,
		Charset:          spec.Charset,
		IgnoreParameters: spec.IgnoreParameters,
		Policies:         policies(spec.Policies),
	}
	for _, rule := range spec.Training {
		endpoint.Training = append(endpoint.Training, config.TrainingRule(rule))
	}
	for _, t := range spec.ConversionTypes {
		rendered := config.ConversionType{Name: t.Name, Parameter: t.Parameter, CountsAs: config.CountsAs(t.CountsAs)}
		if rendered.Parameter == "" {
			rendered.Parameter = t.Name
		}
		endpoint.ConversionTypes = append(endpoint.ConversionTypes, rendered)
	}
	if spec.Payout != nil {
		endpoint.Payout = config.Payout(*spec.Payout)
	}
	endpoint.Access = access(spec.Access, ring.Secrets(rotation.Signing, signing))
	endpoint.Forwards = forwards(spec.Forwards, ring, headers)
	if spec.Limits != nil {
		endpoint.Limits = &config.Limits{Visits: rateLimit(spec.Limits.Visits),
			VisitsPerSource: rateLimit(spec.Limits.VisitsPerSource)}
	}
	// Without any key there is nothing that a page could use.
	if keys := ring.Keys(rotation.Browser); spec.Browser != nil && len(keys) > 0 {
		endpoint.Browser = &config.Browser{
			Keys: keys, Types: spec.Browser.Types, Origins: spec.Browser.Origins,
			RatePerMinute: int(spec.Browser.RatePerMinute),
		}
	}
	return endpoint, asDeclared(errors.Join(endpoint.Validate(), endpoint.Lint()))
}

func access(declared *v1alpha1.AccessSpec, secrets []config.Secret) config.Access {
	if declared == nil {
		return config.Access{}
	}
	rendered := config.Access{AllowedCIDRs: declared.AllowedCIDRs}
	if hmac := declared.HMAC; hmac != nil {
		rendered.HMAC = &config.HMAC{Parameter: hmac.Parameter, Secrets: secrets}
		if hmac.Signs == string(config.SignsEndpointAndRequest) {
			rendered.HMAC.Signs = config.SignsEndpointAndRequest
		}
		if hmac.MaxAge != nil {
			rendered.HMAC.MaxAge, rendered.HMAC.TimeParameter = duration(hmac.MaxAge), hmac.TimeParameter
		}
	}
	if signature := declared.Signature; signature != nil {
		rendered.Signature = &config.Signature{
			Algorithm: config.Algorithm(signature.Algorithm),
			Template:  signature.Template,
			Parameter: signature.Parameter,
			Secrets:   secrets,
		}
	}
	return rendered
}

func rateLimit(declared *v1alpha1.RateLimit) *config.RateLimit {
	if declared == nil {
		return nil
	}
	return &config.RateLimit{
		RequestsPerSecond: int(declared.RequestsPerSecond),
		Burst:             int(cmp.Or(declared.Burst, declared.RequestsPerSecond)),
	}
}

func aliases(declared v1alpha1.Aliases) map[string][]string {
	rendered := map[string][]string{}
	for param, names := range declared {
		for _, name := range names {
			rendered[param] = append(rendered[param], string(name))
		}
	}
	return rendered
}

func policies(declared v1alpha1.Policies) config.Policies {
	return config.Policies{
		MissingStatus: declared.MissingStatus,
		UnknownStatus: declared.UnknownStatus,
		UnknownClick:  config.UnknownClick(declared.UnknownClick),
		HoldFor:       duration(declared.HoldFor),
		ClickLookback: duration(declared.ClickLookback),
		Repeat:        config.Repeat(declared.Repeat),
		RepeatByType:  repeatByType(declared.RepeatByType),
		Slot:          config.Slot(declared.Slot),
		Transitions:   config.Transitions(declared.Transitions),
		StrictReplies: declared.StrictReplies,
		SuccessBody:   declared.SuccessBody,
	}
}

func repeatByType(declared []v1alpha1.TypeRepeat) map[string]config.Repeat {
	rendered := map[string]config.Repeat{}
	for _, t := range declared {
		rendered[t.Type] = config.Repeat(t.Repeat)
	}
	return rendered
}

// Fleet renders what all endpoints of a fleet share. ring was advanced by providerKeys, the API keys by provider name.
// A provider whose key is missing is left out.
func Fleet(declared *v1alpha1.ReceiverFleet, ring rotation.Ring, providerKeys map[string]string) (config.Fleet, error) {
	spec := &declared.Spec
	fleet := config.Fleet{
		Namespace:          declared.Namespace,
		Name:               declared.Name,
		Rates:              config.Rates{RefreshEvery: duration(spec.Rates.RefreshEvery)},
		TrustedProxies:     spec.TrustedProxies,
		AllowPrivateEgress: spec.Egress.AllowPrivate,
	}
	for _, p := range spec.Rates.Providers {
		key, found := providerKeys[p.Name]
		if p.KeySecretRef != nil && !found {
			continue
		}
		rendered := config.RateProvider{Name: p.Name, Type: config.RateProviderType(p.Type), URL: p.URL}
		if found {
			secrets := ring.Secrets(rotation.Provider(p.Name), []string{key})
			if len(secrets) > 0 {
				rendered.Key = &secrets[0]
			}
		}
		fleet.Rates.Providers = append(fleet.Rates.Providers, rendered)
	}
	fleet.Rates.Fixed = FixedRates(declared)
	return fleet, asDeclared(fleet.Validate())
}

func duration(declared *metav1.Duration) config.Duration {
	if declared == nil {
		return 0
	}
	return config.Duration(declared.Truncate(time.Second))
}
