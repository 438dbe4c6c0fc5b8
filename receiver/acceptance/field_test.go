package acceptance

import (
	"net/http"
	"strings"
	"testing"
)

// netAliases are those of an endpoint of the field: its network has names of its own.
const netAliases = `"aliases":{"subid":["clickid","data.subid"],"status":["event"],"payout":["amount","payment.amount"],"tid":["order_id"]}`

const (
	// fresh is an endpoint with everything else at its defaults, and one rule for S2S postbacks.
	fresh = `{` + netAliases + `,"ignoreParameters":["_","ts"],
		"forwards":[{"name":"source","url":"https://source.example/?s={subid}","method":"GET","resend":"OnAnyChange"}]}`
	// old is an endpoint as Keitaro had it before version 9.
	old = `{` + netAliases + `,"policies":{"missingStatus":"sale","unknownStatus":"lead","unknownClick":"Ignore","holdFor":"1h0m0s",
		"repeat":"Overwrite","slot":"Tid","transitions":"Any"}}`
)

// post is a postback with a body beside its query.
func post(query, contentType, body, outcome string) request {
	return request{method: http.MethodPost, query: query, contentType: contentType, body: body, outcome: outcome}
}

// field is what real senders send to an endpoint that knows the click c1, and what must become of it.
var field = []struct {
	name, endpoint string
	steps          []step
	slots          []string
	s2s            int
}{
	// What nobody needs does not kill a conversion.
	{"a long string in an order", fresh, []step{post("subid=c1&status=sale&payout=10", asJSON, `{"line_items":"`+strings.Repeat("x", 100)+`"}`, "recorded")},
		[]string{`"": sale 10, map[line_items:` + strings.Repeat("x", 100) + `]`}, 1},
	{"a body in single quotes beside a whole query", fresh, []step{post("subid=c1&status=sale&payout=10", asJSON, `{'a':1}`, "recorded")},
		[]string{`"": sale 10, warns body_ignored`}, 1},
	{"250 fields beside a whole query", fresh, []step{post("subid=c1&status=sale", form, strings.Repeat("&=1", 250), "recorded")},
		[]string{`"": sale 0`}, 1},

	// Money keeps its currency.
	{"a sign behind", fresh, []step{get("subid=c1&status=sale&payout=10+€", "recorded")}, []string{`"": sale 11 = 10 EUR × 1.1`}, 1},
	{"a sign in front", fresh, []step{get("subid=c1&status=sale&payout=€12,50", "recorded")}, []string{`"": sale 13.75 = 12.5 EUR × 1.1`}, 1},
	{"grouped rupiah", fresh, []step{get("subid=c1&status=sale&payout=Rp+1.500.000", "recorded")},
		[]string{`"": sale ? = 1500000 IDR × ?, warns currency_unknown`}, 1},
	{"a code that the parameter contradicts", fresh, []step{get("subid=c1&status=sale&payout=1500+RUB&currency=usd", "recorded")},
		[]string{`"": sale 1500, warns currency_conflict`}, 1},
	{"an exponent", fresh, []step{get("subid=c1&status=sale&payout=1.5E7", "recorded")}, []string{`"": sale 15000000`}, 1},
	{"an amount that is dropped from a duplicate", fresh, []step{
		get("subid=c1&status=sale&payout=10", "recorded"), get("subid=c1&status=sale&payout=x1", "duplicate"),
	}, []string{`"": sale 10`}, 1},
	{"HTML's currency sign", fresh, []step{get("subid=c1&status=sale&payout=10¤cy=eur", "recorded")},
		[]string{`"": sale 11 = 10 EUR × 1.1, warns request_repaired`}, 1},
	{"HTML's currency sign in one byte", fresh, []step{get("subid=c1&status=sale&payout=10%A4cy=eur", "recorded")},
		[]string{`"": sale 11 = 10 EUR × 1.1, warns request_repaired`}, 1},
	{"HTML's ampersands", fresh, []step{get("subid=c1&amp;status=sale&amp;payout=10&amp;currency=eur", "recorded")},
		[]string{`"": sale 11 = 10 EUR × 1.1, warns request_repaired`}, 1},

	// Noise is no news.
	{"cache busters", fresh, []step{
		get("subid=c1&status=sale&payout=10&ts=1", "recorded"), get("subid=c1&status=sale&payout=10&ts=2", "duplicate"),
		get("subid=c1&status=sale&payout=10&ts=3&_=9", "duplicate"),
	}, []string{`"": sale 10, map[ts:1]`}, 1},
	{"another note is kept and not told", fresh, []step{
		get("subid=c1&status=sale&payout=10&note=a", "recorded"), get("subid=c1&status=sale&payout=10&note=b", "recorded"),
	}, []string{`"": sale 10, was sale, map[note:b]`}, 1},
	{"another field of the click is told", fresh, []step{
		get("subid=c1&status=sale&payout=10", "recorded"), get("subid=c1&status=sale&payout=10&keyword=b", "recorded"),
	}, []string{`"": sale 10, was sale, map[keyword:b]`}, 2},

	// A macro that nobody filled in is no news of the click.
	{"macros for fields of the click", fresh, []step{get("subid=c1&status=sale&keyword=${KW}&sub_id_3={x}", "recorded")}, []string{`"": sale 0`}, 1},

	// Dirty names do not turn a rejection into a sale.
	{"capitals", old, []step{get("subid=c1&STATUS=rejected", "recorded")}, []string{`"": rejected 0, warns request_repaired`}, 0},
	{"a space behind", old, []step{get("subid=c1&status%20=rejected", "recorded")}, []string{`"": rejected 0, warns request_repaired`}, 0},
	{"a second question mark", old, []step{get("from=net?subid=c1&status=rejected", "recorded")},
		[]string{`"": rejected 0, map[from:net], warns request_repaired`}, 0},
	{"a byte order mark", old, []step{get("%EF%BB%BFsubid=c1&status=rejected", "recorded")}, []string{`"": rejected 0, warns request_repaired`}, 0},

	// Bodies that real senders send.
	{"a form as text", fresh, []step{post("", "text/plain", "subid=c1&status=sale", "recorded")}, []string{`"": sale 0`}, 1},
	{"JSON as a form", fresh, []step{post("", form, `{"subid":"c1","status":"sale"}`, "recorded")}, []string{`"": sale 0`}, 1},
	{"nested JSON", fresh, []step{post("status=sale", asJSON, `{"data":{"subid":"c1"},"payment":{"amount":5}}`, "recorded")}, []string{`"": sale 5`}, 1},
	{"bracket names", fresh, []step{post("status=sale", form, "data[subid]=c1&payment[amount]=5", "recorded")}, []string{`"": sale 5`}, 1},

	// An unfilled macro hides no good value.
	{"of the click", fresh, []step{get("subid={subid}&clickid=c1&status=sale", "recorded")}, []string{`"": sale 0`}, 1},
	{"of the payout", fresh, []step{get("subid=c1&status=sale&payout={payout}&amount=7", "recorded")}, []string{`"": sale 7`}, 1},
	{"of the transaction", fresh, []step{get("subid=c1&status=sale&tid={tid}&order_id=56", "recorded")}, []string{`"56": sale 0`}, 1},
	{"of the status", fresh, []step{get("subid=c1&status={status}&event=sale", "recorded")}, []string{`"": sale 0`}, 1},
	{"behind the good value", fresh, []step{get("subid=c1&status=sale&subid=undefined", "recorded")}, []string{`"": sale 0`}, 1},

	// Dates, and texts of the market's old senders.
	{"an offset without a colon", fresh, []step{get("subid=c1&status=sale&date=2026-02-27T10:00:00+0300", "recorded")},
		[]string{`"": sale 0, at 2026-02-27T07:00:00Z`}, 1},
	{"windows-1251 keeps two transactions apart", fresh, []step{
		get("subid=c1&status=sale&tid=%CF%F0", "recorded"), get("subid=c1&status=sale&tid=%E2%E5", "recorded"),
	}, []string{`"Пр": sale 0, warns charset_guessed`, `"ве": sale 0, warns charset_guessed`}, 2},
	{"1.0 is the word 1", `{` + netAliases + `,"training":[{"type":"sale","statuses":["1"]}]}`, []step{
		get("subid=c1&status=1.0", "recorded"), get("subid=c1&status=1", "duplicate"),
	}, []string{`"": sale 0, from 1.0`}, 0},
	{"a date without a zone", `{"timeZone":"Europe/Kyiv"}`, []step{get("subid=c1&status=sale&date=2026-02-27+10:00:00", "recorded")},
		[]string{`"": sale 0, at 2026-02-27T08:00:00Z`}, 0},

	// Paths.
	{"slashes", fresh, []step{request{path: "/postback/", query: "subid=c1&status=sale", outcome: "recorded"}}, []string{`"": sale 0`}, 1},
}

// TestTheField sends what was found in support pages, bug reports and integration guides.
func TestTheField(t *testing.T) {
	scenarios := make([]scenario, len(field))
	for i, f := range field {
		scenarios[i] = scenario{name: f.name, config: f.endpoint, steps: f.steps, slots: f.slots}
		for range f.s2s {
			scenarios[i].s2s = append(scenarios[i].s2s, "sale")
		}
	}
	play(t, scenarios)
}
