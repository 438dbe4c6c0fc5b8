package conversion_test

import (
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/money"
)

func testClick() *conversion.Click {
	click := demoClick()
	click.Test = true
	return click
}

// A test is a click, not a postback: no parameter makes one, and nothing that happens later makes it count.
func TestAllConversionsOfATestClickAreTestsInAllVersions(t *testing.T) {
	rules := defaults()
	rules.UnknownClick = config.UnknownClickRecord
	rules.Forwards = []conversion.ForwardRule{
		{Name: "real", Resend: config.ResendOnAnyChange}, {Name: "all", Resend: config.ResendOnAnyChange, SendTests: true},
	}
	for _, tt := range []struct {
		name  string
		click *conversion.Click
		want  bool
		sent  []string
	}{
		{"a test click", testClick(), true, []string{"all"}},
		{"a click, whatever the postback says", demoClick(), false, []string{"real", "all"}},
		{"an orphan", nil, false, []string{"real", "all"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := conversion.Apply(postback(0, rules, "lead", param("test", "1"), payout("5", "XXX")), nil, tt.click)
			if d.Next == nil || d.Next.Test != tt.want || !slices.Equal(d.Forwards, tt.sent) {
				t.Fatalf("a test: %+v, sent %v, want %t and %v", d.Next, d.Forwards, tt.want, tt.sent)
			}
			for name, next := range laterVersions(rules, d.Next, tt.click) {
				if next == nil || next.Test != tt.want {
					t.Errorf("%s: %+v", name, next)
				}
			}
		})
	}
}

// laterVersions are what may become of a conversion, also when its click has gone.
func laterVersions(rules *conversion.Rules, prev *conversion.Conversion, click *conversion.Click,
) map[string]*conversion.Conversion {
	convert := func(original decimal.Decimal, currency, _ string) money.Amount {
		return money.Amount{Original: original, Currency: currency, Converted: &original}
	}
	later := noon.Add(time.Hour)
	rates := conversion.Repricing{Convert: convert, Rules: rules, At: later, RequestID: requestID(60)}
	corrected := conversion.Correction{Type: "sale", At: later, RequestID: requestID(61), Stamp: 99, Rules: rules}
	return map[string]*conversion.Conversion{
		"another postback":              conversion.Apply(postback(1, rules, "sale"), prev, click).Next,
		"another postback, click gone":  conversion.Apply(postback(1, rules, "sale"), prev, nil).Next,
		"a late rate":                   conversion.Reprice(prev, click, rates).Next,
		"a correction":                  conversion.Correct(&corrected, prev, click).Next,
		"a correction, click gone":      conversion.Correct(&corrected, prev, nil).Next,
		"a replay that says it was one": replayed(postback(2, rules, "sale"), prev, click).Next,
	}
}

func replayed(in *conversion.Intent, prev *conversion.Conversion, click *conversion.Click) conversion.Decision {
	in.Writer, in.Test = conversion.WriterReplay, prev.Test
	return conversion.Apply(in, prev, click)
}

func TestAnOrphanBecomesATestWithItsClick(t *testing.T) {
	rules := defaults()
	rules.UnknownClick = config.UnknownClickRecord
	orphan := conversion.Apply(postback(0, rules, "lead"), nil, nil).Next
	if next := conversion.Apply(postback(1, rules, "sale"), orphan, testClick()).Next; next == nil || !next.Test {
		t.Errorf("the next version %+v", next)
	}
}

// What was received for a test click is replayed for no other: it would count, or change what does.
func TestATestIsReplayedForATestClickOnly(t *testing.T) {
	rules := defaults()
	rules.UnknownClick = config.UnknownClickRecord
	recorded := conversion.Apply(postback(0, rules, "lead"), nil, demoClick()).Next
	for name, at := range map[string]struct {
		prev  *conversion.Conversion
		click *conversion.Click
		want  conversion.Outcome
	}{
		"the click was removed":                {nil, nil, conversion.Ignored},
		"another click has its subid":          {nil, demoClick(), conversion.Ignored},
		"another click, and a conversion":      {recorded, demoClick(), conversion.Ignored},
		"the click is there":                   {nil, testClick(), conversion.Recorded},
		"another test click has its subid now": {nil, testClick(), conversion.Recorded},
	} {
		in := postback(3, rules, "sale")
		in.Test = true
		if d := conversion.Apply(in, at.prev, at.click); d.Outcome != at.want ||
			d.Outcome == conversion.Ignored && d.Reason != conversion.ClickNotFound {
			t.Errorf("%s: %s %s", name, d.Outcome, d.Reason)
		}
	}
}
