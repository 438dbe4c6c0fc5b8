package endpoint_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

func TestTypeOf(t *testing.T) {
	c := full()
	c.Training = []config.TrainingRule{
		{Type: "upsell", Statuses: []string{"both", "deposit"}},
		{Type: "trash", Statuses: []string{"both", "Straße", "SALE"}},
		{Type: "sale", Statuses: []string{"sale", "won", "WON "}},
		{Type: "deposit", Statuses: []string{"Deposit"}},
	}
	e := compile(t, c)
	for _, c := range []struct {
		name, word, want string
		ambiguous        bool
	}{
		{"a trained word", "won", "sale", false},
		{"trimmed, in capitals", " WON\t", "sale", false},
		{"in the order of types, not of the rules", "both", "trash", true},
		{"its own name goes before the order", "Sale", "sale", true},
		{"its own name goes before a later type, too", "deposit", "deposit", true},
		{"simple folding does not widen letters", "STRASSE", "", false},
		{"a built-in name", "Lead", "lead", false},
		{"a custom name", "FIRST_BET", "first_bet", false},
		{"a custom parameter", "bet", "first_bet", false},
		{"nothing", "", "", false},
		{"an unknown word", "foo", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _, ambiguous := e.TypeOf(c.word); got != c.want || ambiguous != c.ambiguous {
				t.Errorf("TypeOf(%q) = %q, %v, want %q, %v", c.word, got, ambiguous, c.want, c.ambiguous)
			}
		})
	}
}

func FuzzFold(f *testing.F) {
	for _, pair := range [][2]string{
		{"Sale", "sALE "}, {"ОДОБРЕН", "одобрен"}, {"K", "k"}, {"ſ", "S"}, {"Σ", "ς"}, {"İ", "i"}, {"ẞ", "ß"}, {"a", "b"},
		{"Ω", "ω"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return
		}
		same := strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
		if folded := endpoint.Fold(a) == endpoint.Fold(b); folded != same {
			t.Fatalf("%q and %q: folded alike %v, equal %v", a, b, folded, same)
		}
		if twice := endpoint.Fold(endpoint.Fold(a)); twice != endpoint.Fold(a) {
			t.Fatalf("%q folds to %q and then to %q", a, endpoint.Fold(a), twice)
		}
	})
}
