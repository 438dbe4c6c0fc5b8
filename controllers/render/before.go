package render

import (
	"bytes"
	"encoding/json"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// DecodeShard adds the endpoints of a shard that was rendered before to those found so far. It leaves out what cannot
// be read or is no longer valid.
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
