// Package claims decides who owns a key that several endpoints of one fleet have: the oldest one. It is pure.
package claims

import (
	"cmp"
	"slices"
	"time"
)

// Claim is one endpoint's claim to its keys.
type Claim struct {
	// Endpoint is namespace/name.
	Endpoint string
	// Created is when the endpoint was created; the zero time where nobody knows.
	Created time.Time
	// Digests of its keys and click tokens, each prefixed by its purpose where equal digests of two purposes don't collide.
	Digests []string
}

// Losers returns, by endpoint, which older endpoint has one of its keys. Age is Created, then Endpoint. One who loses
// keeps nobody else from anything.
func Losers(claims []Claim) map[string]string {
	byAge := slices.SortedFunc(slices.Values(claims), func(a, b Claim) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	owners, losers := map[string]string{}, map[string]string{}
	for _, claim := range byAge {
		taken := slices.IndexFunc(claim.Digests, func(digest string) bool {
			owner, found := owners[digest]
			return found && owner != claim.Endpoint
		})
		if taken >= 0 {
			losers[claim.Endpoint] = owners[claim.Digests[taken]]
			continue
		}
		for _, digest := range claim.Digests {
			owners[digest] = claim.Endpoint
		}
	}
	return losers
}
