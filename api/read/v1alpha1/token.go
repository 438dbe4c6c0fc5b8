package v1alpha1

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
)

// Scope is what the bearer of a token may do.
type Scope string

// The scopes. A holder of the fleet's ops token may do all of it, with every endpoint.
const (
	// ScopeRead lets a token read everything about its endpoint.
	ScopeRead Scope = "read"
	// ScopeWrite lets it change something as well: send an S2S postback again.
	ScopeWrite Scope = "write"
	// ScopeActor has the name believed that a request gives for who wants a change.
	ScopeActor Scope = "actor"
)

// Grant is what a token is good for.
type Grant struct {
	// Endpoint is the only one that may be read or changed, "namespace/name"; empty = all of the fleet.
	Endpoint string
	Scopes   []Scope
}

// May reports whether the grant has the scope.
func (g Grant) May(s Scope) bool { return slices.Contains(g.Scopes, s) }

// tokenVersion begins every scoped token.
const tokenVersion = "pbo1"

// encoding is strict, so that a grant has one token.
var encoding = base64.RawURLEncoding.Strict()

// Token returns the scoped token of a grant: pbo1.ENDPOINT.SCOPES.MAC, where ENDPOINT and MAC are base64url without
// padding, SCOPES are separated by commas, and MAC is the HMAC-SHA-256, by the fleet's ops token, of all that is before
// its dot. Nobody keeps scoped tokens: they are good as long as the ops token is.
func Token(opsToken string, g Grant) string {
	scopes := make([]string, len(g.Scopes))
	for i, s := range g.Scopes {
		scopes[i] = string(s)
	}
	signed := strings.Join([]string{tokenVersion, encoding.EncodeToString([]byte(g.Endpoint)), strings.Join(scopes, ",")},
		".")
	return signed + "." + encoding.EncodeToString(tokenMAC(opsToken, signed))
}

// ParseToken returns what a scoped token is good for, false if it is none that the ops token has signed.
func ParseToken(opsToken, token string) (Grant, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 4 || parts[0] != tokenVersion || opsToken == "" {
		return Grant{}, false
	}
	signed := token[:strings.LastIndexByte(token, '.')]
	mac, err := encoding.DecodeString(parts[3])
	if err != nil || !hmac.Equal(mac, tokenMAC(opsToken, signed)) {
		return Grant{}, false
	}
	endpoint, err := encoding.DecodeString(parts[1])
	if err != nil || len(endpoint) == 0 {
		return Grant{}, false
	}
	g := Grant{Endpoint: string(endpoint)}
	for scope := range strings.SplitSeq(parts[2], ",") {
		g.Scopes = append(g.Scopes, Scope(scope))
	}
	return g, true
}

func tokenMAC(opsToken, signed string) []byte {
	mac := hmac.New(sha256.New, []byte(opsToken))
	mac.Write([]byte(signed))
	return mac.Sum(nil)
}
