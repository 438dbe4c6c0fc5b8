package claims

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

func TestWhoHasAnAliasAndAToken(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC) }
	key := func(digest string) config.Key { return config.Key{ID: digest, SHA256: digest} }
	former := func(digest string) config.Key {
		end := at(31)
		return config.Key{ID: digest, SHA256: digest, RetireAt: &end}
	}
	link := func(name string, day int, alias string, tokens ...config.Key) Link {
		return Link{Campaign: name, Created: at(day), Alias: alias, Tokens: tokens}
	}
	was := func(l Link, alias string, tokens ...config.Key) Link {
		l.Previous = func() (string, []config.Key, bool) { return alias, tokens, true }
		return l
	}
	for name, c := range map[string]struct {
		links []Link
		kept  map[string][]config.Key
		lost  map[string]Conflict
	}{
		"everybody has his own": {
			[]Link{link("a", 1, "x", key("1")), link("b", 2, "y", key("2"))},
			map[string][]config.Key{"a": {key("1")}, "b": {key("2")}}, map[string]Conflict{},
		},
		"letter case tells aliases apart": {
			[]Link{link("a", 1, "x"), link("b", 2, "X")},
			map[string][]config.Key{"a": nil, "b": nil}, map[string]Conflict{},
		},
		"the older one keeps the alias": {
			[]Link{link("a", 2, "x"), link("b", 1, "x")},
			map[string][]config.Key{"b": nil}, map[string]Conflict{"a": {Owner: "b", Alias: true}},
		},
		"of the same age the first by name keeps it": {
			[]Link{link("b", 1, "x"), link("a", 1, "x")},
			map[string][]config.Key{"a": nil}, map[string]Conflict{"b": {Owner: "a", Alias: true}},
		},
		"an active token makes the younger one lose": {
			[]Link{link("a", 1, "x", former("1"), key("2")), link("b", 2, "y", key("1"))},
			map[string][]config.Key{"a": {former("1"), key("2")}}, map[string]Conflict{"b": {Owner: "a"}},
		},
		"a retiring token is given up": {
			[]Link{link("a", 1, "x", key("1")), link("b", 2, "y", former("1"), key("2"))},
			map[string][]config.Key{"a": {key("1")}, "b": {key("2")}}, map[string]Conflict{},
		},
		"a loser keeps what it has": {
			[]Link{link("a", 1, "x"), was(link("b", 2, "x", key("2")), "y", key("1"))},
			map[string][]config.Key{"a": nil, "b": {key("1")}}, map[string]Conflict{"b": {Owner: "a", Alias: true, Previous: true}},
		},
		"a loser keeps nothing that is taken": {
			[]Link{link("a", 1, "x"), was(link("b", 2, "x"), "y"), link("c", 3, "y")},
			map[string][]config.Key{"a": nil, "c": nil}, map[string]Conflict{"b": {Owner: "a", Alias: true}},
		},
		"of two losers the older one keeps it": {
			[]Link{link("a", 1, "x"), was(link("c", 3, "x"), "y"), was(link("b", 2, "x"), "y")},
			map[string][]config.Key{"a": nil, "b": nil},
			map[string]Conflict{"b": {Owner: "a", Alias: true, Previous: true}, "c": {Owner: "a", Alias: true}},
		},
		"one who loses keeps nobody from his token": {
			[]Link{link("a", 1, "x"), link("b", 2, "x", key("1")), link("c", 3, "y", key("1"))},
			map[string][]config.Key{"a": nil, "c": {key("1")}}, map[string]Conflict{"b": {Owner: "a", Alias: true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			kept, lost := Links(c.links)
			if diff := cmp.Diff(c.kept, kept); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.lost, lost); diff != "" {
				t.Errorf("lost (-want +got):\n%s", diff)
			}
		})
	}
}
