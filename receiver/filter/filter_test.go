package filter

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConditionsAreRead(t *testing.T) {
	fields, ops := []string{"campaign", "payout"}, []Op{Equal, In, Greater, Empty}
	for text, want := range map[string]Term{
		"campaign eq spring":    {"campaign", Equal, []string{"spring"}},
		"  campaign   eq a  b ": {"campaign", Equal, []string{"a  b"}},
		"campaign in a,b,":      {"campaign", In, []string{"a", "b", ""}},
		"payout gt 10,5":        {"payout", Greater, []string{"10,5"}},
		"campaign empty":        {"campaign", Empty, nil},
	} {
		got, err := Parse(text, fields, ops)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestWhatIsWrongWithAConditionIsNamed(t *testing.T) {
	fields, ops := []string{"campaign", "payout"}, []Op{Equal, Empty}
	for text, want := range map[string]string{
		"":                  `"" is no field here; there are campaign, payout`,
		"campagne eq x":     `"campagne" is no field here; there are campaign, payout`,
		"campaign":          `"" is no operator; write FIELD OP VALUE, such as campaign eq spring, with one of eq, empty`,
		"campaign gt 1":     `"gt" is no operator; write FIELD OP VALUE, such as campaign eq spring, with one of eq, empty`,
		"campaign eq":       `eq needs a value; for what has none write campaign empty`,
		"campaign empty no": `empty takes no value`,
	} {
		if _, err := Parse(text, fields, ops); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("campaign in a,b")
	f.Add("payout empty")
	f.Fuzz(func(t *testing.T, text string) {
		term, err := Parse(text, []string{"campaign", "payout"}, []Op{Equal, In, Empty})
		if err == nil && (len(term.Values) == 0) != (term.Op == Empty) {
			t.Errorf("%q: %+v", text, term)
		}
	})
}
