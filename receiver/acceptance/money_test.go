package acceptance

import (
	"fmt"
	"net/url"
	"testing"
)

// payouts are what networks send, and what docs/semantics.md §5 makes of it.
var payouts = []struct{ sent, recorded string }{
	{"10", "10"},
	{" 10.50 ", "10.5"},
	{"-3", "-3"},
	{"0", "0"},
	{"$12.50", "12.5"},
	{"12.50 USD", "12.5"},
	{"€5", "5.5 = 5 EUR × 1.1"},
	{"12,5", "12.5"},
	{"1,234.56", "1234.56"},
	{"1.234,56", "1234.56"},
	{"1,234,567", "1234567"},
	{"1.234.567", "1234567"},
	{"1.234", "1.234"},
	{"1,234", "1234, warns payout_ambiguous"},
	{"12.5,", "12.5"},
	{",,7", "7"},
	{"123456789012345", "123456789012345"},
	{"0.000001", "0.000001"},
	{"1234567890123456", "0, warns payout_unreadable"},
	{"1e3", "1000"},
	{"0x10", "0, warns payout_unreadable"},
	{"NaN", "0, warns payout_unreadable"},
	{"Infinity", "0, warns payout_unreadable"},
	{"undefined", "0, warns payout_unreadable"},
	{"[object Object]", "0, warns payout_unreadable"},
	{"{payout}", "0, warns payout_unreadable"},
	{"10 20", "0, warns payout_unreadable"},
	{"10,20,30", "0, warns payout_unreadable"},
	{"12,34.5", "0, warns payout_unreadable"},
	{"free", "0, warns payout_unreadable"},
	{"", "0"},
}

func TestPayouts(t *testing.T) {
	asSent := scenario{name: "a payout is recorded as it was meant, or with a warning"}
	for i, payout := range payouts {
		asSent.steps = append(asSent.steps, get(fmt.Sprintf("subid=c1&status=sale&tid=%d&payout=%s", i,
			url.QueryEscape(payout.sent)), "recorded"))
		asSent.slots = append(asSent.slots, fmt.Sprintf(`"%d": sale %s`, i, payout.recorded))
	}
	play(t, []scenario{asSent})
}

// TestMoney goes through the rest of docs/semantics.md §5.
func TestMoney(t *testing.T) {
	play(t, []scenario{
		{
			name:   "the endpoint's default stands in for a payout that is missing or unreadable, not for zero",
			config: `{"payout":{"default":"2.5"}}`,
			steps: []step{
				get("subid=c1&status=sale&tid=1", "recorded"), get("subid=c1&status=sale&tid=2&payout=NaN", "recorded"),
				get("subid=c1&status=sale&tid=3&payout=0", "recorded"),
			},
			slots: []string{`"1": sale 2.5`, `"2": sale 2.5, warns payout_unreadable`, `"3": sale 0`},
		},
		{
			name:   "a converted payout above the limit is ignored, on either side of zero",
			config: `{"payout":{"max":"10.5"}}`,
			steps: []step{
				get("subid=c1&status=sale&payout=10.51", "ignored; reason=payout_over_limit"),
				get("subid=c1&status=sale&payout=-10.51", "ignored; reason=payout_over_limit"),
				get("subid=c1&status=sale&payout=10&currency=eur", "ignored; reason=payout_over_limit"),
				get("subid=c1&status=sale&payout=10.5", "recorded"),
				get("subid=c1&status=sale&payout=11", "ignored; reason=payout_over_limit"),
			},
			slots: []string{`"": sale 10.5`},
		},
		{
			name: "a cost is converted like a payout, and overwrites the click's",
			steps: []step{get("subid=c1&status=sale&cost=2&payout=5&currency=Eur", "recorded"),
				get("subid=c1&status=sale&cost=x&tid=2", "recorded")},
			slots: []string{`"": sale 5.5 = 5 EUR × 1.1, cost 2.2`, `"2": sale 0, warns cost_unreadable`},
		},
		{
			name: "a currency is read in any letter case, and the endpoint's own needs no rate",
			steps: []step{get("subid=c1&status=sale&payout=5&currency=usd", "recorded"),
				get("subid=c1&status=sale&payout=5&currency=+eUR+&tid=2", "recorded")},
			slots: []string{`"": sale 5`, `"2": sale 5.5 = 5 EUR × 1.1`},
		},
		{
			name:  "a code that is no ISO 4217 is converted where a rate is declared",
			steps: []step{get("subid=c1&status=sale&payout=5&currency=USDT", "recorded")},
			slots: []string{`"": sale 5 = 5 USDT × 1`},
		},
		{
			name: "amounts are exact and rounded half-even, once",
			steps: []step{
				get("subid=c1&status=sale&payout=0.000001&currency=HLF&tid=1", "recorded"),
				get("subid=c1&status=sale&payout=0.000003&currency=HLF&tid=3", "recorded"),
				get("subid=c1&status=sale&payout=0.000005&currency=HLF&tid=5", "recorded"),
				get("subid=c1&status=sale&payout=123456789012345.678901&currency=HLF&tid=large", "recorded"),
			},
			slots: []string{
				`"1": sale 0 = 0.000001 HLF × 0.5`, `"3": sale 0.000002 = 0.000003 HLF × 0.5`,
				`"5": sale 0.000002 = 0.000005 HLF × 0.5`,
				`"large": sale 61728394506172.83945 = 123456789012345.678901 HLF × 0.5`,
			},
		},
		{
			name: "a payout without a rate waits for it, and is never one to one",
			steps: []step{
				get("subid=c1&status=sale&payout=500&currency=RUB", "recorded"),
				get("subid=c1&status=sale&payout=500&currency=RUB", "duplicate"),
				becomes{`"": sale ? = 500 RUB × ?, warns currency_unknown`},
				rates{"RUB": "0.0125"},
				becomes{`"": sale 6.25 = 500 RUB × 0.0125`},
				get("subid=c1&status=sale&payout=500&currency=RUB", "duplicate"),
				history{
					`"": sale ? = 500 RUB × ?, warns currency_unknown`,
					`"": sale 6.25 = 500 RUB × 0.0125`,
				},
			},
			slots: []string{`"": sale 6.25 = 500 RUB × 0.0125`},
		},
		{
			name: "so does a cost",
			steps: []step{
				get("subid=c1&status=sale&cost=100&currency=KZT", "recorded"),
				becomes{`"": sale 0 (pending_rate), warns currency_unknown`},
				rates{"KZT": "0.002"},
				becomes{`"": sale 0, cost 0.2`},
			},
			slots: []string{`"": sale 0, cost 0.2`},
		},
		{
			name: "a rate that has moved since changes nothing that is recorded",
			steps: []step{
				get("subid=c1&status=sale&payout=10&currency=UAH&tid=1", "recorded"),
				rates{"UAH": "0.02"},
				becomes{`"1": sale 0.2 = 10 UAH × 0.02`},
				// That GEL is converted shows when the new rates are in use.
				get("subid=c1&status=sale&payout=10&currency=GEL&tid=2", "recorded"),
				rates{"UAH": "0.03", "GEL": "0.4"},
				becomes{`"1": sale 0.2 = 10 UAH × 0.02`, `"2": sale 4 = 10 GEL × 0.4`},
				get("subid=c1&status=sale&payout=10&currency=UAH&tid=1", "duplicate"),
				get("subid=c1&status=sale&payout=10&currency=UAH&tid=3", "recorded"),
			},
			slots: []string{
				`"1": sale 0.2 = 10 UAH × 0.02`, `"2": sale 4 = 10 GEL × 0.4`,
				`"3": sale 0.3 = 10 UAH × 0.03`,
			},
		},
	})
}
