package credential

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Kind is what sort of thing only one of a fleet may have.
type Kind string

// The kinds. Equal values of two kinds don't collide. Client keys are in the same path as postback keys.
const (
	KindKey   Kind = "key"
	KindToken Kind = "token"
	KindAlias Kind = "alias"
)

// Thing is what only one endpoint, or only one campaign, of a fleet may have: the digest of a credential, or an alias.
type Thing struct {
	Kind  Kind
	Value string
}

// Claimed is a thing, and whether its owner can do without: a credential that retires.
type Claimed struct {
	Thing
	Retiring bool
}

// Claim is what an endpoint or a campaign wants to have.
type Claim struct {
	Owner types.NamespacedName
	// Created is when the owner was created; the zero time where nobody knows.
	Created time.Time
	Things  []Claimed
	// Previous returns the things with which the owner is served now, if it is; nil where it never is.
	Previous func() (things []Claimed, found bool)
}

// Settlement is what becomes of a claim.
type Settlement struct {
	// Lost: the owner has not got what it claims. Older is who has a thing of this kind.
	Lost  bool
	Older types.NamespacedName
	Kind  Kind
	// Served: the owner is served, by what it claims or, if it lost, by what it has now.
	Served bool
	// Released are the retiring things of what is served that an older one has.
	Released map[Thing]bool
}

// Settle leaves each thing to the oldest owner that claims it; of the same age the first by name is the oldest. Who
// finds a thing taken releases it if it can do without. Otherwise it loses, keeps what it has now where that is free,
// and keeps no other from anything.
func Settle(claims []Claim) map[types.NamespacedName]Settlement {
	byAge := slices.SortedFunc(slices.Values(claims), func(a, b Claim) int {
		return cmp.Or(a.Created.Compare(b.Created), compareNames(a.Owner, b.Owner))
	})
	owners, settled := owners{}, map[types.NamespacedName]Settlement{}
	for _, claim := range byAge {
		settled[claim.Owner] = owners.take(claim.Owner, claim.Things)
	}
	for _, claim := range byAge {
		if !settled[claim.Owner].Lost || claim.Previous == nil {
			continue
		}
		if things, found := claim.Previous(); found {
			if previous := owners.take(claim.Owner, things); previous.Served {
				s := settled[claim.Owner]
				s.Served, s.Released = true, previous.Released
				settled[claim.Owner] = s
			}
		}
	}
	return settled
}

func compareNames(a, b types.NamespacedName) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

type owners map[Thing]types.NamespacedName

// take gives an owner its things, all or none but for those that it can do without.
func (o owners) take(owner types.NamespacedName, things []Claimed) Settlement {
	s := Settlement{Served: true}
	for _, thing := range things {
		older, taken := o[thing.Thing]
		switch {
		case taken && thing.Retiring:
			if s.Released == nil {
				s.Released = map[Thing]bool{}
			}
			s.Released[thing.Thing] = true
		case taken:
			return Settlement{Lost: true, Older: older, Kind: thing.Kind}
		}
	}
	for _, thing := range things {
		if !s.Released[thing.Thing] {
			o[thing.Thing] = owner
		}
	}
	return s
}

// ThingsOfEndpoint returns what an endpoint of a configuration claims.
func ThingsOfEndpoint(e config.Endpoint) []Claimed {
	things := append(claimed(KindKey, e.Keys), claimed(KindToken, e.ClickTokens)...)
	if e.Browser != nil {
		things = append(things, claimed(KindKey, e.Browser.Keys)...)
	}
	return things
}

// ThingsOfCampaign returns what a campaign of a configuration claims.
func ThingsOfCampaign(c config.Campaign) []Claimed {
	return append([]Claimed{{Thing: Thing{KindAlias, c.Alias}}}, claimed(KindToken, c.Tokens)...)
}

func claimed(kind Kind, keys []config.Key) []Claimed {
	var things []Claimed
	for _, key := range keys {
		things = append(things, Claimed{Thing: Thing{kind, key.SHA256}, Retiring: key.RetireAt != nil})
	}
	return things
}

// FilterEndpoint returns the endpoint without the keys and tokens that drop names. The argument is left as it is.
func FilterEndpoint(e config.Endpoint, drop func(kind Kind, key config.Key) bool) config.Endpoint {
	e.Keys, e.ClickTokens = filter(e.Keys, KindKey, drop), filter(e.ClickTokens, KindToken, drop)
	if e.Browser != nil {
		browser := *e.Browser
		browser.Keys = filter(browser.Keys, KindKey, drop)
		e.Browser = &browser
	}
	return e
}

// FilterCampaign is [FilterEndpoint] for a campaign.
func FilterCampaign(c config.Campaign, drop func(kind Kind, key config.Key) bool) config.Campaign {
	c.Tokens = filter(c.Tokens, KindToken, drop)
	return c
}

func filter(keys []config.Key, kind Kind, drop func(kind Kind, key config.Key) bool) []config.Key {
	return slices.DeleteFunc(slices.Clone(keys), func(key config.Key) bool { return drop(kind, key) })
}

// Revoked drops what is listed.
func Revoked(ids []string) func(Kind, config.Key) bool {
	return func(_ Kind, key config.Key) bool { return slices.Contains(ids, key.ID) }
}

// Releases drops what an older owner has.
func (s Settlement) Releases(kind Kind, key config.Key) bool {
	return s.Released[Thing{kind, key.SHA256}]
}
