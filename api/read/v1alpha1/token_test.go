package v1alpha1

import (
	"slices"
	"strings"
	"testing"
)

func TestATokenIsGoodForItsEndpointAndItsScopes(t *testing.T) {
	// Computed by: printf %s pbo1.c2hvcC9tYWlu.read | openssl dgst -sha256 -hmac ops -binary | basenc --base64url
	const want = "pbo1.c2hvcC9tYWlu.read.dFuHfvqU8nYSkiOPgMTbrUvtju3YZQFgetWYF7NgwYM"
	token := Token("ops", Grant{Endpoint: "shop/main", Scopes: []Scope{ScopeRead}})
	if token != want {
		t.Errorf("token %s, want %s", token, want)
	}
	got, ok := ParseToken("ops", token)
	if !ok || got.Endpoint != "shop/main" || !got.May(ScopeRead) || got.May(ScopeWrite) {
		t.Errorf("%+v, %v", got, ok)
	}
	both, ok := ParseToken("ops", Token("ops", Grant{Endpoint: "a/b", Scopes: []Scope{ScopeRead, ScopeWrite}}))
	if !ok || !slices.Equal(both.Scopes, []Scope{ScopeRead, ScopeWrite}) {
		t.Errorf("%+v, %v", both, ok)
	}
}

func TestAChangedTokenIsGoodForNothing(t *testing.T) {
	token := Token("ops", Grant{Endpoint: "shop/main", Scopes: []Scope{ScopeRead}})
	others := Token("ops", Grant{Endpoint: "shop/other", Scopes: []Scope{ScopeRead}})
	parts, theirs := strings.Split(token, "."), strings.Split(others, ".")
	for name, changed := range map[string]string{
		"another endpoint":    strings.Join([]string{parts[0], theirs[1], parts[2], parts[3]}, "."),
		"more scopes":         strings.Join([]string{parts[0], parts[1], "read,write", parts[3]}, "."),
		"another version":     strings.Join([]string{"pbo2", parts[1], parts[2], parts[3]}, "."),
		"no MAC":              strings.Join(parts[:3], ".") + ".",
		"a MAC cut short":     token[:len(token)-2],
		"one more part":       token + ".x",
		"nothing":             "",
		"of no endpoint":      Token("ops", Grant{Scopes: []Scope{ScopeRead}}),
		"of another fleet":    Token("other", Grant{Endpoint: "shop/main", Scopes: []Scope{ScopeRead}}),
		"by the ops token as": "ops",
	} {
		if g, ok := ParseToken("ops", changed); ok {
			t.Errorf("%s: %+v", name, g)
		}
	}
	if _, ok := ParseToken("", Token("", Grant{Endpoint: "a/b"})); ok {
		t.Error("without an ops token anybody could sign")
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(Token("ops", Grant{Endpoint: "shop/main", Scopes: []Scope{ScopeRead}}))
	f.Add("pbo1...")
	f.Fuzz(func(t *testing.T, token string) {
		if g, ok := ParseToken("ops", token); ok && Token("ops", g) != token {
			t.Fatalf("%q is not the token of %+v", token, g)
		}
	})
}
