package acceptance

import (
	"strings"
	"testing"
	"time"
)

// TestSlots goes through docs/semantics.md §3 step 9 and §4.
func TestSlots(t *testing.T) {
	play(t, []scenario{
		{
			name:   "a type has a policy of its own for repetitions",
			config: `{"policies":{"repeat":"Overwrite","repeatByType":{"deposit":"Add","lead":"Ignore"}}}`,
			steps: []step{
				get("subid=c1&status=deposit&payout=5&tid=d", "recorded"),
				get("subid=c1&status=deposit&payout=5&tid=d", "recorded"),
				get("subid=c1&status=lead&payout=1", "recorded"),
				get("subid=c1&status=lead&payout=2", "ignored; reason=already_recorded"),
			},
			slots: []string{`"d": deposit 10, was deposit`, `"": lead 1`},
		},
		{
			name: "a campaign has a payout of its own, for what its network does not say",
			config: `{"payout":{"default":"2"},"campaigns":[{"name":"spring","alias":"spring-1","offerURL":"https://offer.example/?s={subid}",
				"payout":"7"}]}`,
			steps: []step{
				click(`{"subid":"c2","campaign":"spring"}`),
				get("subid=c2&status=sale", "recorded"),
				get("subid=c2&status=sale&payout=9&tid=2", "recorded"),
				get("subid=c1&status=sale", "recorded"),
			},
			slots: []string{`"": sale 7`, `"2": sale 9`, `"": sale 2`},
		},
		{
			name:  "no tid and an empty one are the same slot",
			steps: []step{get("subid=c1&status=lead", "recorded"), get("subid=c1&status=lead&tid=", "duplicate")},
			slots: []string{`"": lead 0`},
		},
		{
			name: "what a network left of its macro is no tid, with a warning",
			steps: []step{get("subid=c1&status=lead&tid={transaction_id}", "recorded"),
				get("subid=c1&status=lead", "duplicate")},
			slots: []string{`"": lead 0, warns tid_unresolved_macro`},
		},
		{
			name: "a tid has up to 256 bytes",
			steps: []step{
				get("subid=c1&status=lead&tid="+strings.Repeat("t", 257), "ignored; reason=tid_malformed"),
				get("subid=c1&status=lead&tid="+strings.Repeat("t", 256), "recorded"),
			},
			slots: []string{`"` + strings.Repeat("t", 256) + `": lead 0`},
		},
		{
			name:  "by default a deposit overwrites the registration, if neither has a tid",
			steps: []step{get("subid=c1&status=registration", "recorded"), get("subid=c1&status=deposit&payout=5", "recorded")},
			slots: []string{`"": deposit 5, was registration, warns overwrote_other_type`},
		},
		{
			name:   "under TidAndType both stay",
			config: `{"policies":{"slot":"TidAndType"}}`,
			steps: []step{
				get("subid=c1&status=registration", "recorded"), get("subid=c1&status=deposit&payout=5", "recorded"),
				get("subid=c1&status=deposit&payout=6", "recorded"),
			},
			slots: []string{`"": registration 0`, `"": deposit 6, was deposit`},
		},
		{
			name: "with a tid another type overwrites without a warning",
			steps: []step{
				get("subid=c1&status=lead&tid=7", "recorded"), get("subid=c1&status=sale&tid=7", "recorded"),
			},
			slots: []string{`"7": sale 0, was lead`},
		},
		{
			name: "what is recorded already is a duplicate, however it is written",
			steps: []step{
				get("subid=c1&status=sale&payout=10&keyword=kw&goal=g", "recorded"),
				get("subid=c1&status=SALE&revenue=10.00&currency=usd&keyword=kw&goal=g", "duplicate"),
				get("subid=c1&status=sale", "duplicate"),
				request{query: "subid=c1&status=sale&payout=10&from=other&return=thanks", outcome: "duplicate", text: "thanks"},
				get("subid=c1&status=sale&sale_status=sale,ok", "duplicate"),
			},
			slots: []string{`"": sale 10, map[goal:g keyword:kw]`},
		},
		{
			name: "anything that differs overwrites, and what is not sent stays",
			steps: []step{
				get("subid=c1&status=sale&payout=10&keyword=kw", "recorded"),
				get("subid=c1&status=sale&payout=11", "recorded"),
				get("subid=c1&status=sale&goal=g", "recorded"),
				get("subid=c1&status=sale&cost=2", "recorded"),
				get("subid=c1&status=sale&date=2026-03-01+10:00:00", "recorded"),
				get("subid=c1&status=ok&sale_status=ok", "recorded"),
				history{
					`"": sale 10, map[keyword:kw]`,
					`"": sale 11, was sale, map[keyword:kw]`,
					`"": sale 11, was sale, map[goal:g keyword:kw]`,
					`"": sale 11, was sale, cost 2, map[goal:g keyword:kw]`,
					`"": sale 11, was sale, cost 2, at 2026-03-01T10:00:00Z, map[goal:g keyword:kw]`,
					`"": sale 11, was sale, from ok, cost 2, at 2026-03-01T10:00:00Z, map[goal:g keyword:kw]`,
				},
			},
			slots: []string{`"": sale 11, was sale, from ok, cost 2, at 2026-03-01T10:00:00Z, map[goal:g keyword:kw]`},
		},
		{
			name: "an update without a payout keeps the recorded one, so a rejection shows what was lost",
			steps: []step{
				get("subid=c1&status=sale&payout=10&currency=eur", "recorded"), get("subid=c1&status=rejected", "recorded"),
			},
			slots: []string{`"": rejected 11 = 10 EUR × 1.1, was sale, warns overwrote_other_type`},
		},
		{
			name:  "by default a late status overwrites as well",
			steps: []step{get("subid=c1&status=sale&tid=1", "recorded"), get("subid=c1&status=lead&tid=1", "recorded")},
			slots: []string{`"1": lead 0, was sale`},
		},
		{
			name:   "under ForwardOnly a late status changes nothing",
			config: `{"policies":{"transitions":"ForwardOnly"}}`,
			steps: []step{
				get("subid=c1&status=lead&tid=1", "recorded"),
				get("subid=c1&status=registration&tid=1", "recorded"),
				get("subid=c1&status=sale&tid=1&payout=5", "recorded"),
				get("subid=c1&status=lead&tid=1", "ignored; reason=status_regression"),
				get("subid=c1&status=deposit&tid=1", "recorded"),
				get("subid=c1&status=rejected&tid=1", "recorded"),
				get("subid=c1&status=sale&tid=1", "ignored; reason=status_regression"),
				get("subid=c1&status=trash&tid=1", "recorded"),
			},
			slots: []string{`"1": trash 5, was rejected`},
		},
		{
			name:   "under Ignore the first postback of a slot stays",
			config: `{"policies":{"repeat":"Ignore"}}`,
			steps: []step{
				get("subid=c1&status=lead&payout=1", "recorded"),
				get("subid=c1&status=sale&payout=2", "ignored; reason=already_recorded"),
				get("subid=c1&status=lead&payout=1", "duplicate"),
				get("subid=c1&status=sale&payout=2&tid=2", "recorded"),
			},
			slots: []string{`"": lead 1`, `"2": sale 2`},
		},
		{
			name:   "under Add the payouts of a slot add up, equal ones too",
			config: `{"policies":{"repeat":"Add"}}`,
			steps: []step{
				get("subid=c1&status=deposit&payout=10", "recorded"),
				get("subid=c1&status=deposit&payout=10", "recorded"),
				get("subid=c1&status=deposit&payout=-2.5", "recorded"),
				get("subid=c1&status=deposit", "duplicate"),
			},
			slots: []string{`"": deposit 17.5, was deposit`},
		},
		{
			name:   "amounts of several currencies add up in the endpoint's",
			config: `{"policies":{"repeat":"Add"}}`,
			steps: []step{
				get("subid=c1&status=deposit&payout=10&currency=eur", "recorded"),
				get("subid=c1&status=deposit&payout=5", "recorded"),
			},
			slots: []string{`"": deposit 16, was deposit`},
		},
		{
			name:   "what has no rate yet cannot be added to another currency",
			config: `{"policies":{"repeat":"Add"}}`,
			steps: []step{
				get("subid=c1&status=deposit&payout=10&currency=rub", "recorded"),
				get("subid=c1&status=deposit&payout=5", "ignored; reason=payout_not_addable"),
				get("subid=c1&status=deposit&payout=5&currency=rub", "recorded"),
			},
			slots: []string{`"": deposit ? = 15 RUB × ?, was deposit, warns currency_unknown`},
		},
		{
			name: "conversions of one click under several tids are independent",
			steps: []step{
				get("subid=c1&status=sale&tid=1&payout=1", "recorded"), clock(time.Minute),
				get("subid=c1&status=sale&tid=2&payout=2", "recorded"), get("subid=c1&status=rejected&tid=1", "recorded"),
			},
			slots: []string{`"1": rejected 1, was sale`, `"2": sale 2`},
		},
	})
}

// TestForwardsDue goes through docs/semantics.md §6, as far as it says which S2S postbacks are due.
func TestForwardsDue(t *testing.T) {
	rule := func(more string) string {
		return `{"forwards":[{"name":"all","url":"https://source.example/?s={subid}","method":"GET"` + more + `}]}`
	}
	steps := []step{
		get("subid=c1&status=lead&payout=1", "recorded"),
		get("subid=c1&status=lead&payout=1", "duplicate"),
		get("subid=c1&status=lead&payout=2", "recorded"),
		get("subid=c1&status=foo", "ignored; reason=status_unknown"),
		get("subid=c1&status=sale&payout=2", "recorded"),
		get("subid=c1&status=sale&payout=3", "recorded"),
	}
	slots := []string{`"": sale 3, was sale`}
	play(t, []scenario{
		{
			name: "every change is forwarded", config: rule(`,"resend":"OnAnyChange"`), steps: steps, slots: slots,
			s2s: []string{"lead", "lead", "sale", "sale"},
		},
		{
			name: "or every change of status", config: rule(`,"resend":"OnStatusChange"`), steps: steps, slots: slots,
			s2s: []string{"lead", "sale"},
		},
		{
			name: "of the types that the rule names", config: rule(`,"resend":"OnAnyChange","types":["sale"]`), steps: steps,
			slots: slots,
			s2s:   []string{"sale", "sale"},
		},
		{
			name:   "for clicks of the sources that it names",
			config: rule(`,"resend":"OnAnyChange","sources":["fb"]`),
			steps: []step{
				click(`{"subid":"c2","source":"fb"}`),
				get("subid=c1&status=sale", "recorded"), get("subid=c2&status=lead", "recorded"),
			},
			slots: []string{`"": sale 0`, `"": lead 0`},
			s2s:   []string{"lead"},
		},
		{
			name:   "once for each rule",
			config: `{"forwards":[{"name":"a","url":"https://a.example/","method":"GET","resend":"OnAnyChange"},{"name":"b","url":"https://b.example/","method":"POST","resend":"OnAnyChange"}]}`,
			steps:  []step{get("subid=c1&status=sale", "recorded")},
			slots:  []string{`"": sale 0`},
			s2s:    []string{"sale", "sale"},
		},
	})
}
