package acceptance

import "testing"

// TestWhoMayChangeWhat goes through docs/semantics.md §4, "Who may change what".
func TestWhoMayChangeWhat(t *testing.T) {
	const inPages = `{"browser":{"types":["lead","sale"],"origins":["https://shop.example"],"ratePerMinute":100}}`
	page := func(query, outcome string) request {
		return request{inPage: true, query: query, outcome: outcome}
	}
	play(t, []scenario{
		{
			name:   "a page cannot take back what a network has confirmed",
			config: inPages,
			steps: []step{
				get("subid=c1&status=sale&payout=100", "recorded"),
				page("subid=c1&status=lead&payout=0.01", "ignored; reason=page_may_not_change"),
				page("subid=c1&status=sale&payout=100", "ignored; reason=page_may_not_change"),
			},
			slots: []string{`"": sale 100`},
		},
		{
			name:   "a page may make a conversion of its own, and change it until a network speaks",
			config: inPages,
			steps: []step{
				page("subid=c1&status=lead&tid=1", "recorded"),
				page("subid=c1&status=sale&payout=5&tid=1", "recorded"),
				page("subid=c1&status=sale&payout=5&tid=1", "duplicate"),
				get("subid=c1&status=sale&payout=5&tid=1", "duplicate"),
				page("subid=c1&status=lead&payout=1&tid=1", "ignored; reason=page_may_not_change"),
				get("subid=c1&status=sale&payout=7&tid=1", "recorded"),
			},
			slots: []string{`"1": sale 7, was sale`},
		},
		{
			name:   "a page cannot keep a network out where the first word counts",
			config: `{"policies":{"repeat":"Ignore","transitions":"ForwardOnly"},` + inPages[1:],
			steps: []step{
				page("subid=c1&status=sale&payout=0.01", "recorded"),
				get("subid=c1&status=lead&payout=3", "recorded"),
				get("subid=c1&status=sale&payout=9", "ignored; reason=already_recorded"),
			},
			slots: []string{`"": lead 3, was sale, warns overwrote_other_type`},
		},
		{
			name:   "a page fills the click's empty fields only",
			config: inPages,
			steps: []step{
				click(`{"subid":"c2","keyword":"boots"}`),
				page("subid=c2&status=lead&keyword=evil&sub_id_7=mine", "recorded"),
				clickHas{"c2", map[string]string{"keyword": "boots", "sub_id_7": "mine"}},
				get("subid=c2&status=sale&keyword=shoes&sub_id_7=theirs", "recorded"),
				page("subid=c2&status=lead&sub_id_7=mine&tid=2", "recorded"),
				clickHas{"c2", map[string]string{"keyword": "shoes", "sub_id_7": "theirs"}},
			},
			slots: []string{`"": sale 0, was lead, map[keyword:shoes sub_id_7:theirs], warns overwrote_other_type`,
				`"2": lead 0, map[sub_id_7:mine]`},
		},
	})
}
