package conversion_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

func TestTheStepsOfAChange(t *testing.T) {
	rules := defaults()
	rules.Forwards = []conversion.ForwardRule{
		{Name: "all", Host: "a.example", Resend: config.ResendOnAnyChange},
		{Name: "leads", Host: "b.example", Types: []string{"lead"}},
		{Name: "summer", Host: "c.example", Campaigns: []string{"summer"}},
	}
	lead := conversion.Apply(postback(0, rules, "lead", payout("10", "USD")), nil, demoClick()).Next
	held := defaults()
	held.UnknownClick = config.UnknownClickHold
	forward := *rules
	forward.Transitions = config.TransitionsForwardOnly
	sale := conversion.Apply(postback(1, rules, "sale"), lead, demoClick()).Next
	for _, c := range []struct {
		name  string
		in    *conversion.Intent
		prev  *conversion.Conversion
		click *conversion.Click
		want  string
	}{
		{"a lead becomes a sale", postback(1, rules, "sale", payout("12.5", "EUR")), lead, demoClick(), `
click  c1  2026-05-03T12:00:00Z, 24h1m0s before, campaign spring
slot  subid c1, tid ""  lead 10, version 1, written by a key
change  lead 10, version 1, written by a key  sale 13.75, version 2, written by a key !overwrote_other_type
s2s all a.example  is sent
s2s leads b.example  is not sent (types)
s2s summer c.example  is not sent (campaigns)
`},
		{"the same again", postback(1, rules, "lead", payout("10", "USD")), lead, demoClick(), `
click  c1  2026-05-03T12:00:00Z, 24h1m0s before, campaign spring
slot  subid c1, tid ""  lead 10, version 1, written by a key
change  lead 10, version 1, written by a key  duplicate
`},
		{"extra parameters are sent to nobody", postback(1, rules, "lead", payout("10", "USD"), param("x", "1")), lead, demoClick(), `
click  c1  2026-05-03T12:00:00Z, 24h1m0s before, campaign spring
slot  subid c1, tid ""  lead 10, version 1, written by a key
change  lead 10, version 1, written by a key  lead 10, version 2, written by a key
s2s all a.example  is not sent (nothing that is sent has changed)
s2s leads b.example  is not sent (nothing that is sent has changed)
s2s summer c.example  is not sent (campaigns)
`},
		{"a sale does not become a lead", postback(2, &forward, "lead"), sale, demoClick(), `
click  c1  2026-05-03T12:00:00Z, 24h2m0s before, campaign spring
slot  subid c1, tid ""  sale 10, version 2, written by a key
change  sale 10, version 2, written by a key  ignored (status_regression)
`},
		{"no click", postback(0, defaults(), "lead"), nil, nil, `
click  c1 by unknownClick: Ignore not known (click_not_found)
`},
		{"a click to come", postback(0, held, "lead"), nil, nil, `
click  c1 by unknownClick: Hold is waited for
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var steps trace.Trace
			conversion.Explain(c.in, c.prev, c.click, &steps)
			if got := "\n" + describeSteps(steps.Steps); got != c.want {
				t.Errorf("got%swant%s", got, c.want)
			}
		})
	}
}

func describeSteps(steps []trace.Step) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString(string(s.Name) + " " + s.About + " " + s.Value + " ")
		if s.By != "" {
			b.WriteString("by " + s.By)
		}
		b.WriteString(" " + s.Result)
		if s.Reason != "" {
			b.WriteString(" (" + s.Reason + ")")
		}
		for _, w := range s.Warnings {
			b.WriteString(" !" + w)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestWhatIsExplainedIsWhatHappens(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	writers := []conversion.Writer{conversion.WriterKey, conversion.WriterPage, conversion.WriterPerson}
	for range 500 {
		rules := defaults()
		rules.Repeat = []config.Repeat{config.RepeatOverwrite, config.RepeatAdd, config.RepeatIgnore}[random.IntN(3)]
		rules.UnknownClick = []config.UnknownClick{config.UnknownClickIgnore, config.UnknownClickHold,
			config.UnknownClickRecord}[random.IntN(3)]
		rules.Transitions = []config.Transitions{config.TransitionsAny, config.TransitionsForwardOnly}[random.IntN(2)]
		rules.ClickLookback = []config.Duration{0, config.Duration(time.Hour)}[random.IntN(2)]
		var prev *conversion.Conversion
		click := []*conversion.Click{nil, demoClick()}[random.IntN(2)]
		for n := range 5 {
			in := postback(n, rules, types[random.IntN(len(types))], payout("1", "USD"), by(writers[random.IntN(len(writers))]))
			var steps trace.Trace
			want := conversion.Apply(in, prev, click)
			if got := conversion.Explain(in, prev, click, &steps); !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v, explained %+v", want, got)
			}
			if steps.Reason() != string(want.Reason) {
				t.Fatalf("the steps end with %q, the decision with %q", steps.Reason(), want.Reason)
			}
			if want.Next != nil {
				prev = want.Next
			}
		}
	}
}
