package postback_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

// checkTrace judges once more with a trace: that changes nothing, and the trace comes to the same verdict.
func checkTrace(t testing.TB, ep *endpoint.Endpoint, said request.Parsed, v postback.Verdict) {
	t.Helper()
	at := arrival()
	at.Trace = &trace.Trace{}
	if traced := postback.Judge(ep, said, at, rates()); !reflect.DeepEqual(v, traced) {
		t.Errorf("judged as %+v, with a trace as %+v", v, traced)
	}
	if got := at.Trace.Reason(); got != string(v.Reason) {
		t.Errorf("the trace ends with %q, the verdict is %q", got, v.Reason)
	}
	var warnings []string
	for _, step := range at.Trace.Steps {
		warnings = append(warnings, step.Warnings...)
	}
	if got, want := fmt.Sprint(warnings), fmt.Sprint(v.Warnings); v.Intent != nil && got != want {
		t.Errorf("the trace has the warnings %s, the verdict %s", got, want)
	}
}

// describeSteps writes a step a line, its empty fields as -.
func describeSteps(steps []trace.Step) string {
	var b strings.Builder
	for _, s := range steps {
		line := []string{string(s.Name), s.About, s.Value, s.From, s.By, s.Result, s.Reason, strings.Join(s.Warnings, ",")}
		for i, text := range line {
			if text == "" {
				line[i] = "-"
			}
		}
		b.WriteString(strings.Join(line, " | ") + "\n")
	}
	return b.String()
}

func TestTheStepsOfAJudgement(t *testing.T) {
	ep := compile(t, func(e *config.Endpoint) {
		firstBet(e)
		e.Aliases = map[string][]string{"subid": {"clickid"}, "payout": {"amount"}}
		e.Training = []config.TrainingRule{rule("sale", "approved")}
	})
	for _, c := range []struct{ name, query, body, want string }{
		{"an alias of each kind, another currency", "clickid=c1&status=approved&profit=12,5&currency=eur&x=1", "", `
parameter | subid | c1 | query:clickid | alias of the endpoint | counts | - | -
parameter | status | approved | query:status | - | counts | - | -
parameter | payout | 12,5 | query:profit | built-in alias | counts | - | -
parameter | currency | eur | query:currency | - | counts | - | -
parameter | - | 1 | query:x | - | kept | - | -
subid | - | c1 | query:clickid | - | c1 | - | -
status | - | approved | - | training of the endpoint | sale | - | -
tid | - | - | - | - | - | - | -
payout | - | 12,5 | - | 12.5 EUR × 1.1 (fixed) | 13.75 USD | - | -
`},
		{"values that do not count, and warnings where they come up", "amount=x&payout=1,234&status=a&sale_status=a&lead_status=a&tid={t}", "subid=c2", `
parameter | payout | x | query:amount | alias of the endpoint | another value counts | - | -
parameter | payout | 1,234 | query:payout | - | counts | - | -
parameter | status | a | query:status | - | counts | - | -
parameter | sale_status | a | query:sale_status | - | counts | - | -
parameter | lead_status | a | query:lead_status | - | counts | - | -
parameter | tid | {t} | query:tid | - | counts | - | -
parameter | subid | c2 | body:subid | - | counts | - | -
subid | - | c2 | body:subid | - | c2 | - | -
status | - | a | - | training in the URL | lead | - | ambiguous_training
tid | - | {t} | - | - | - | - | tid_unresolved_macro
payout | - | 1,234 | - | - | 1234 USD | - | payout_ambiguous
`},
		{"a word that nothing knows", "subid=c1&status=approve&bet_status=", "", `
parameter | subid | c1 | query:subid | - | counts | - | -
parameter | status | approve | query:status | - | counts | - | -
subid | - | c1 | query:subid | - | c1 | - | -
status | - | approve | - | policy | - | status_unknown | -
`},
		{"an amount that waits for a rate, one that is none, and a date", "subid=c1&status=bet&payout=5+RUB&cost=abc&date=2026-03-01", "", `
parameter | subid | c1 | query:subid | - | counts | - | -
parameter | status | bet | query:status | - | counts | - | -
parameter | payout | 5 RUB | query:payout | - | counts | - | -
parameter | cost | abc | query:cost | - | counts | - | -
parameter | date | 2026-03-01 | query:date | - | counts | - | -
subid | - | c1 | query:subid | - | c1 | - | -
status | - | bet | - | custom type | first_bet | - | -
tid | - | - | - | - | - | - | -
payout | - | 5 RUB | - | - | 5 RUB, waits for a rate | - | currency_unknown
cost | - | abc | - | - | unreadable | - | cost_unreadable
date | - | 2026-03-01 | - | - | 2026-03-01T00:00:00Z | - | -
`},
		{"nothing", "", "", "\nsubid | - | - | - | - | - | subid_missing | -\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := arrival()
			at.Trace = &trace.Trace{}
			postback.Judge(ep, read(t, ep, c.query, "", c.body), at, rates())
			if got := "\n" + describeSteps(at.Trace.Steps); got != c.want {
				t.Errorf("got%swant%s", got, c.want)
			}
		})
	}
}

func TestWithoutATraceNothingIsAllocatedForIt(t *testing.T) {
	ep, table, at := compile(t, nil), rates(), arrival()
	said := read(t, ep, "subid=c1&status=sale&tid=7", "", "")
	// The intent, and nothing else.
	if n := testing.AllocsPerRun(100, func() { postback.Judge(ep, said, at, table) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
