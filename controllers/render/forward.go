package render

import (
	"errors"
	"fmt"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// HeaderValues are the values of secret headers of S2S postbacks, by where they are.
type HeaderValues map[v1alpha1.ForwardSecretKey]string

// List returns the values in the order of refs.
func (v HeaderValues) List(refs []v1alpha1.ForwardSecretKey) []string {
	var values []string
	for _, ref := range refs {
		if value, found := v[ref]; found {
			values = append(values, value)
		}
	}
	return values
}

// HeaderProblem says which Secret keeps a header from being sent: it is missing, or Err, which shows no value.
type HeaderProblem struct {
	Secret  string
	Missing bool
	// Denied says how it opts in, where it has not; nil where it has.
	Denied error
	Err    error
}

// ReadHeaders reads the values of secret headers; data returns what is in a Secret of a name, or a [DeniedError]. The problem is the first one,
// nil if all values are there.
func ReadHeaders(
	refs []v1alpha1.ForwardSecretKey, data func(name string) (content map[string][]byte, found bool, err error),
) (HeaderValues, *HeaderProblem, error) {
	values := HeaderValues{}
	var problem *HeaderProblem
	for _, ref := range refs {
		content, found, err := data(ref.Name)
		if denied := new(DeniedError); errors.As(err, &denied) {
			if problem == nil {
				problem = &HeaderProblem{Secret: ref.Name, Denied: denied}
			}
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		value, invalid := "", error(nil)
		if found {
			value, invalid = headerValue(content, ref.Key)
		}
		switch {
		case found && invalid == nil:
			values[ref] = value
		case problem == nil:
			problem = &HeaderProblem{Secret: ref.Name, Missing: !found, Err: invalid}
		}
	}
	return values, problem, nil
}

func headerValue(data map[string][]byte, field string) (string, error) {
	value, err := text(data, field)
	if err == nil && (len(value) > config.MaxSecretLength || !config.IsHeaderValue(value)) {
		err = fmt.Errorf("field %q: the value of a header has at most %d printing ASCII characters, with spaces between them",
			field, config.MaxSecretLength)
	}
	if err != nil {
		return "", err
	}
	return value, nil
}

// HeadersReady reports whether all values are there and on record in the keyring: before that a forward must not be served,
// since it would be sent without them.
func HeadersReady(refs []v1alpha1.ForwardSecretKey, values HeaderValues, ring rotation.Ring) bool {
	list := values.List(refs)
	return len(list) == len(refs) && len(ring.Secrets(rotation.Forward, list)) == len(list)
}

// forwards renders the rules of an endpoint.
func forwards(declared []v1alpha1.Forward, ring rotation.Ring, values HeaderValues) []config.Forward {
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
func campaignForwards(campaign *v1alpha1.Campaign, ring rotation.Ring, values HeaderValues) []config.Forward {
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
func withOptions(f config.Forward, o *v1alpha1.ForwardOptions, ring rotation.Ring, values HeaderValues) config.Forward {
	f.Expect, f.Require, f.SendTests = o.Expect, o.Require, o.SendTests
	if o.Body != nil {
		f.Body = &config.Body{JSON: o.Body.JSON, Form: o.Body.Form}
	}
	for _, h := range o.Headers {
		header := config.Header{Name: h.Name, Value: h.Value}
		if h.ValueFrom != nil {
			if secrets := ring.Secrets(rotation.Forward, values.List([]v1alpha1.ForwardSecretKey{h.ValueFrom.SecretKeyRef})); len(secrets) > 0 {
				header.Secret = &secrets[0]
			}
		}
		f.Headers = append(f.Headers, header)
	}
	return f
}
