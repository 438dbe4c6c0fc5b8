package render

import (
	"bytes"
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// DecodeShard adds the endpoints of a shard that was rendered before to those found so far. It leaves out what cannot be
// read or is no longer valid.
func DecodeShard(data []byte, into map[types.NamespacedName]config.Endpoint) {
	var shard config.Shard
	if json.NewDecoder(bytes.NewReader(data)).Decode(&shard) != nil {
		return
	}
	for _, e := range shard.Endpoints {
		if e.Validate() == nil {
			into[types.NamespacedName{Namespace: e.Namespace, Name: e.Name}] = e
		}
	}
}

// WithoutRevoked returns the endpoint without the keys and client keys of the given ids. The argument is left as it is.
func WithoutRevoked(endpoint config.Endpoint, ids []string) config.Endpoint {
	endpoint.Keys = withoutRevoked(endpoint.Keys, ids)
	endpoint.ClickTokens = withoutRevoked(endpoint.ClickTokens, ids)
	if endpoint.Browser != nil {
		browser := *endpoint.Browser
		browser.Keys = withoutRevoked(browser.Keys, ids)
		endpoint.Browser = &browser
	}
	return endpoint
}

// WithoutRevoked returns the link without the tokens of the given ids. The receiver is left as it is.
func (l Link) WithoutRevoked(ids []string) Link {
	l.Campaign.Tokens = withoutRevoked(l.Campaign.Tokens, ids)
	return l
}

func withoutRevoked(keys []config.Key, ids []string) []config.Key {
	return slices.DeleteFunc(slices.Clone(keys), func(key config.Key) bool { return slices.Contains(ids, key.ID) })
}
