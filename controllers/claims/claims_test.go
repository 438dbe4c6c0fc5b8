package claims

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheOlderEndpointKeepsTheKey(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	cases := map[string]struct {
		claims []Claim
		want   map[string]string
	}{
		"different keys leave everybody alone": {
			[]Claim{{"a", early, []string{"1"}}, {"b", late, []string{"2"}}}, map[string]string{},
		},
		"the younger one loses, whatever the order": {
			[]Claim{{"a", late, []string{"1"}}, {"b", early, []string{"1"}}}, map[string]string{"a": "b"},
		},
		"of the same age the name decides": {
			[]Claim{{"ns/b", early, []string{"1"}}, {"ns/a", early, []string{"1"}}}, map[string]string{"ns/b": "ns/a"},
		},
		"a former key counts like the active one": {
			[]Claim{{"a", early, []string{"1", "2"}}, {"b", late, []string{"3", "2"}}}, map[string]string{"b": "a"},
		},
		"who loses keeps nobody else out": {
			[]Claim{{"a", early, []string{"1"}}, {"b", late, []string{"1", "2"}}, {"c", late, []string{"2"}}},
			map[string]string{"b": "a"},
		},
		"one may have its own key twice": {
			[]Claim{{"a", early, []string{"1", "1"}}}, map[string]string{},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Losers(c.claims)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
