package conversion_test

import (
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

func requiring(fields ...string) []conversion.ForwardRule {
	return []conversion.ForwardRule{{Name: "r", Resend: config.ResendOnAnyChange, Require: fields}}
}

func TestARuleLeavesOutConversionsThatLackAField(t *testing.T) {
	withTID := func(in *conversion.Intent) { in.Slot.TID = "t1" }
	orphan := func(in *conversion.Intent) {
		rules := *in.Rules
		rules.UnknownClick = config.UnknownClickRecord
		in.Rules = &rules
	}
	for _, tt := range []struct {
		name    string
		require []string
		click   *conversion.Click
		options []option
		want    bool
	}{
		{"nothing is required", nil, demoClick(), nil, true},
		{"the click has it", []string{"keyword", "source"}, demoClick(), nil, true},
		{"nobody has it", []string{"external_id"}, demoClick(), nil, false},
		{"one of them is missing", []string{"keyword", "external_id"}, demoClick(), nil, false},
		{"the postback brings it", []string{"external_id"}, demoClick(), []option{param("external_id", "e")}, true},
		{"a macro that nobody filled in", []string{"external_id"}, demoClick(), []option{param("external_id", "{clickid}")},
			false},
		{"an orphan's own", []string{"sub_id_3"}, nil, []option{orphan, param("sub_id_3", "x")}, true},
		{"an orphan has no campaign", []string{"campaign"}, nil, []option{orphan}, false},
		{"the click's campaign", []string{"campaign"}, demoClick(), nil, true},
		{"no tid", []string{"tid"}, demoClick(), nil, false},
		{"a tid", []string{"tid"}, demoClick(), []option{withTID}, true},
		{"a payout that waits for a rate", []string{"payout"}, demoClick(), []option{payout("1", "XXX")}, false},
		{"a payout", []string{"payout"}, demoClick(), []option{payout("1", "USD")}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := defaults()
			rules.Forwards = requiring(tt.require...)
			d := conversion.Apply(postback(0, rules, "lead", tt.options...), nil, tt.click)
			if d.Outcome != conversion.Recorded || (len(d.Forwards) == 1) != tt.want {
				t.Errorf("%s, forwards %v", d.Outcome, d.Forwards)
			}
		})
	}
}
