package render

import (
	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// forwards renders the rules of an endpoint.
func forwards(declared []v1alpha1.Forward, ring rotation.Ring, values credential.HeaderValues) []config.Forward {
	var rendered []config.Forward
	for i := range declared {
		f := &declared[i]
		rendered = append(rendered, withOptions(config.Forward{
			Name: f.Name, URL: f.URL, Method: f.Method, Types: f.Types,
			Resend: config.Resend(f.Resend), Sources: f.Sources, Campaigns: f.Campaigns,
		}, &f.ForwardOptions, ring, values))
	}
	return rendered
}

// campaignForwards renders the rules of a campaign.
func campaignForwards(campaign *v1alpha1.Campaign, ring rotation.Ring,
	values credential.HeaderValues) []config.Forward {
	var rendered []config.Forward
	for i := range campaign.Spec.Forwards {
		f := &campaign.Spec.Forwards[i]
		rendered = append(rendered, withOptions(config.Forward{
			Name: campaign.Name + "." + f.Name, URL: f.URL, Method: f.Method, Types: f.Types,
			Resend: config.Resend(f.Resend), Sources: f.Sources, Campaigns: []string{campaign.Name},
		}, &f.ForwardOptions, ring, values))
	}
	return rendered
}

// withOptions completes a rule. A header whose value is not on record has none, which the contract refuses.
func withOptions(f config.Forward, o *v1alpha1.ForwardOptions, ring rotation.Ring,
	values credential.HeaderValues) config.Forward {
	f.Expect, f.Require, f.SendTests = o.Expect, o.Require, o.SendTests
	if o.Body != nil {
		f.Body = &config.Body{JSON: o.Body.JSON, Form: o.Body.Form}
	}
	for _, h := range o.Headers {
		header := config.Header{Name: h.Name, Value: h.Value}
		if h.ValueFrom != nil {
			if secrets := ring.Secrets(rotation.Forward,
				values.List([]v1alpha1.ForwardSecretKey{h.ValueFrom.SecretKeyRef})); len(secrets) > 0 {
				header.Secret = &secrets[0]
			}
		}
		f.Headers = append(f.Headers, header)
	}
	return f
}
