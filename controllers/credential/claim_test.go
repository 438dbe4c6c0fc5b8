package credential

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

func named(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "ads", Name: name}
}

// keysOf reads keys; one that begins with a minus sign retires.
func keysOf(digests ...string) []config.Key {
	var keys []config.Key
	for _, digest := range digests {
		value, retires := strings.CutPrefix(digest, "-")
		key := config.Key{ID: value, SHA256: value}
		if retires {
			key.RetireAt = &start
		}
		keys = append(keys, key)
	}
	return keys
}

// claimOf is a campaign's claim.
func claimOf(name string, day int, alias string, tokens ...string) Claim {
	return Claim{
		Owner: named(name), Created: start.Add(time.Duration(day) * 24 * time.Hour),
		Things: ThingsOfCampaign(config.Campaign{Alias: alias, Tokens: keysOf(tokens...)}),
	}
}

func (c Claim) was(alias string, tokens ...string) Claim {
	c.Previous = func() ([]Claimed, bool) {
		return ThingsOfCampaign(config.Campaign{Alias: alias, Tokens: keysOf(tokens...)}), true
	}
	return c
}

// said is a settlement in words.
func said(s Settlement) string {
	var words []string
	if s.Lost {
		words = append(words, "loses its "+string(s.Kind)+" to "+s.Older.Name)
	}
	if s.Served && s.Lost {
		words = append(words, "stays as it was")
	} else if s.Served {
		words = append(words, "served")
	}
	for thing := range s.Released {
		words = append(words, "releases "+thing.Value)
	}
	return strings.Join(words, ", ")
}

func TestWhoHasWhatTwoClaim(t *testing.T) {
	for name, c := range map[string]struct {
		claims []Claim
		want   map[string]string
	}{
		"everybody has their own": {
			[]Claim{claimOf("a", 1, "x", "1"), claimOf("b", 2, "y", "2")},
			map[string]string{"a": "served", "b": "served"},
		},
		"letter case tells aliases apart": {
			[]Claim{claimOf("a", 1, "x"), claimOf("b", 2, "X")},
			map[string]string{"a": "served", "b": "served"},
		},
		"the older one keeps the alias, whatever the order": {
			[]Claim{claimOf("a", 2, "x"), claimOf("b", 1, "x")},
			map[string]string{"b": "served", "a": "loses its alias to b"},
		},
		"of the same age the first by name keeps it": {
			[]Claim{claimOf("b", 1, "x"), claimOf("a", 1, "x")},
			map[string]string{"a": "served", "b": "loses its alias to a"},
		},
		"a retiring token of the older counts like an active one": {
			[]Claim{claimOf("a", 1, "x", "-1", "2"), claimOf("b", 2, "y", "1")},
			map[string]string{"a": "served", "b": "loses its token to a"},
		},
		"a retiring token of the younger is released": {
			[]Claim{claimOf("a", 1, "x", "1"), claimOf("b", 2, "y", "-1", "2")},
			map[string]string{"a": "served", "b": "served, releases 1"},
		},
		"a loser keeps what it has": {
			[]Claim{claimOf("a", 1, "x"), claimOf("b", 2, "x", "2").was("y", "1")},
			map[string]string{"a": "served", "b": "loses its alias to a, stays as it was"},
		},
		"a loser releases what retires of what it has": {
			[]Claim{claimOf("a", 1, "x", "1"), claimOf("b", 2, "x", "2").was("y", "-1", "2")},
			map[string]string{"a": "served", "b": "loses its alias to a, stays as it was, releases 1"},
		},
		"a loser keeps nothing that is taken": {
			[]Claim{claimOf("a", 1, "x"), claimOf("b", 2, "x").was("y"), claimOf("c", 3, "y")},
			map[string]string{"a": "served", "b": "loses its alias to a", "c": "served"},
		},
		"of two losers the older one keeps it": {
			[]Claim{claimOf("a", 1, "x"), claimOf("c", 3, "x").was("y"), claimOf("b", 2, "x").was("y")},
			map[string]string{
				"a": "served", "b": "loses its alias to a, stays as it was", "c": "loses its alias to a",
			},
		},
		"one that loses keeps nobody from its token": {
			[]Claim{claimOf("a", 1, "x"), claimOf("b", 2, "x", "1"), claimOf("c", 3, "y", "1")},
			map[string]string{"a": "served", "b": "loses its alias to a", "c": "served"},
		},
		"one may have its own token twice": {
			[]Claim{claimOf("a", 1, "x", "1", "1")}, map[string]string{"a": "served"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			for owner, s := range Settle(c.claims) {
				got[owner.Name] = said(s)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestClientKeysAndPostbackKeysCollideAndClickTokensDoNot(t *testing.T) {
	elder := ThingsOfEndpoint(config.Endpoint{Browser: &config.Browser{Keys: keysOf("1")}})
	for name, c := range map[string]struct {
		younger config.Endpoint
		lost    bool
	}{
		"a postback key": {config.Endpoint{Keys: keysOf("1")}, true},
		"a client key":   {config.Endpoint{Browser: &config.Browser{Keys: keysOf("1")}}, true},
		"a click token":  {config.Endpoint{ClickTokens: keysOf("1")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			settled := Settle([]Claim{
				{Owner: named("a"), Things: elder}, {Owner: named("b"), Created: start, Things: ThingsOfEndpoint(c.younger)},
			})
			if settled[named("b")].Lost != c.lost {
				t.Errorf("%+v", settled)
			}
		})
	}
}

func TestWhatIsReleasedOrRevokedIsTakenOutAndTheArgumentStays(t *testing.T) {
	e := config.Endpoint{
		Keys: keysOf("1", "2"), ClickTokens: keysOf("1"), Browser: &config.Browser{Keys: keysOf("1", "3")},
	}
	released := Settlement{Released: map[Thing]bool{{KindKey, "1"}: true}}
	got := FilterEndpoint(FilterEndpoint(e, released.Releases), Revoked([]string{"3"}))
	want := config.Endpoint{Keys: keysOf("2"), ClickTokens: keysOf("1"), Browser: &config.Browser{Keys: []config.Key{}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(e.Keys) != 2 || len(e.Browser.Keys) != 2 {
		t.Errorf("the argument was changed: %+v", e)
	}
}
