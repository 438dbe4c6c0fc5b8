package credential

import (
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

// Headers are the values of an owner's secret headers, as far as they can be read. Problem is the first one; nil if
// there is none.
type Headers struct {
	Values  HeaderValues
	Problem *Problem
}

// ReadHeaders reads the values of secret headers. find returns the Secret of a name; its error ends the reading.
func ReadHeaders(refs []v1alpha1.ForwardSecretKey, find func(name string) (Secret, error)) (Headers, error) {
	headers := Headers{Values: HeaderValues{}}
	for _, ref := range refs {
		secret, err := find(ref.Name)
		if err != nil {
			return Headers{}, err
		}
		value, problem := read(&secret, "spec.forwards", func(data map[string][]byte) (string, error) {
			return headerValue(data, ref.Key)
		})
		switch {
		case problem == nil:
			headers.Values[ref] = value
		case headers.Problem == nil:
			headers.Problem = problem
		}
	}
	return headers, nil
}

// HeadersReady reports whether all values are there and on record in the keyring: before that a forward must not be
// served, since it would be sent without them.
func HeadersReady(refs []v1alpha1.ForwardSecretKey, values HeaderValues, ring rotation.Ring) bool {
	list := values.List(refs)
	return len(list) == len(refs) && len(ring.Secrets(rotation.Forward, list)) == len(list)
}
