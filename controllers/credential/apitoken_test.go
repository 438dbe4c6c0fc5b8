package credential

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	readapi "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

func TestATokenOfAnEndpointReadsThatEndpoint(t *testing.T) {
	shop := types.NamespacedName{Namespace: "shop", Name: "main"}
	// Computed by: printf %s pbo1.c2hvcC9tYWlu.read | openssl dgst -sha256 -hmac ops -binary | basenc --base64url
	const want = "pbo1.c2hvcC9tYWlu.read.dFuHfvqU8nYSkiOPgMTbrUvtju3YZQFgetWYF7NgwYM"
	token := APIToken(shop, []byte("ops"))
	if token != want {
		t.Errorf("the token is %q, want %q", token, want)
	}
	grant, ok := readapi.ParseToken("ops", token)
	if !ok || grant.Endpoint != "shop/main" || !slices.Equal(grant.Scopes, []readapi.Scope{readapi.ScopeRead}) {
		t.Errorf("it is good for %+v, %v", grant, ok)
	}
	if APIToken(shop, []byte(" ops\n")) != want {
		t.Error("white space around the ops token makes another token")
	}
}

func TestAnotherOpsTokenIsTheEndOfATokenOfAnEndpoint(t *testing.T) {
	token := APIToken(types.NamespacedName{Namespace: "shop", Name: "main"}, []byte("ops"))
	if _, ok := readapi.ParseToken("next", token); ok {
		t.Error("it is still good")
	}
}

func TestWithoutAnOpsTokenThereIsNoTokenOfAnEndpoint(t *testing.T) {
	for _, ops := range []string{"", " \n"} {
		if token := APIToken(types.NamespacedName{Namespace: "shop", Name: "main"}, []byte(ops)); token != "" {
			t.Errorf("ops token %q: %q", ops, token)
		}
	}
}
