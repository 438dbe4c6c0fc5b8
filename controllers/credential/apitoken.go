package credential

import (
	"bytes"

	"k8s.io/apimachinery/pkg/types"

	readapi "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// APIToken returns the token by which whoever may read an endpoint's Secrets reads that endpoint, and no other, from
// its fleet's API. opsToken is the fleet's own, which never leaves the fleet's namespace; without one there is no
// token.
//
// The token is a function of both: nobody keeps it, a reconcile at rest makes the same bytes, and it ends with the ops
// token.
func APIToken(endpoint types.NamespacedName, opsToken []byte) string {
	// The receiver takes white space around its token for no part of it.
	opsToken = bytes.TrimSpace(opsToken)
	if len(opsToken) == 0 {
		return ""
	}
	return readapi.Token(string(opsToken), readapi.Grant{Endpoint: endpoint.String(),
		Scopes: []readapi.Scope{readapi.ScopeRead}})
}
