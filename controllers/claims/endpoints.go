package claims

import (
	"slices"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Client keys are in the same path as postback keys. Equal digests of two purposes don't collide.
const keyPrefix, tokenPrefix = "key ", "token "

// Digests returns what an endpoint claims: its keys, client keys and click tokens.
func Digests(endpoint config.Endpoint) []string {
	var all []string
	for _, key := range endpoint.Keys {
		all = append(all, keyPrefix+key.SHA256)
	}
	for _, key := range endpoint.ClickTokens {
		all = append(all, tokenPrefix+key.SHA256)
	}
	if endpoint.Browser != nil {
		for _, key := range endpoint.Browser.Keys {
			all = append(all, keyPrefix+key.SHA256)
		}
	}
	return all
}

// ReleaseRetiring returns the endpoint without the retiring keys and tokens that the owner has; ok is false when there are
// none. So an endpoint that was given a key of its own need not wait until the previous one has retired.
func ReleaseRetiring(endpoint, owner config.Endpoint) (released config.Endpoint, ok bool) {
	taken := Digests(owner)
	keep := func(prefix string, keys []config.Key) []config.Key {
		return slices.DeleteFunc(slices.Clone(keys), func(key config.Key) bool {
			gone := key.RetireAt != nil && slices.Contains(taken, prefix+key.SHA256)
			ok = ok || gone
			return gone
		})
	}
	endpoint.Keys, endpoint.ClickTokens = keep(keyPrefix, endpoint.Keys), keep(tokenPrefix, endpoint.ClickTokens)
	if endpoint.Browser != nil {
		browser := *endpoint.Browser
		browser.Keys = keep(keyPrefix, browser.Keys)
		endpoint.Browser = &browser
	}
	return endpoint, ok
}
