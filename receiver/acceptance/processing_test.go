package acceptance

import (
	"strings"
	"testing"
	"time"
)

// TestSubIDAndStatus goes through docs/semantics.md §3 steps 4 to 7.
func TestSubIDAndStatus(t *testing.T) {
	const custom = `"conversionTypes":[{"name":"install","parameter":"inst","countsAs":"None"},{"name":"call","parameter":"phone","countsAs":"Hold"}]`
	play(t, []scenario{
		{
			name: "no subid, or a blank one, is missing",
			steps: []step{get("status=sale", "ignored; reason=subid_missing"),
				get("subid=++&status=sale", "ignored; reason=subid_missing")},
		},
		{
			name: "what a network left of its macro is no subid",
			steps: []step{
				get("subid={clickid}&status=sale", "ignored; reason=subid_unresolved_macro"),
				get("subid=[click]&status=sale", "ignored; reason=subid_unresolved_macro"),
				get("subid=%23s1%23&status=sale", "ignored; reason=subid_unresolved_macro"),
				get("subid=%3Cid%3E&status=sale", "ignored; reason=subid_unresolved_macro"),
				get("subid=$id&status=sale", "ignored; reason=subid_unresolved_macro"),
				get("subid=%25id%25&status=sale", "ignored; reason=subid_unresolved_macro"),
				get("subid=Replace&status=sale", "ignored; reason=subid_unresolved_macro"),
				get("subid=UNDEFINED&status=sale", "ignored; reason=subid_unresolved_macro"),
				get("subid=null&status=sale", "ignored; reason=subid_unresolved_macro"),
				get("subid=No_SubID&status=sale", "ignored; reason=subid_unresolved_macro"),
			},
		},
		{
			name: "a subid has up to 128 of its own characters, in any letter case",
			steps: []step{
				get("subid=c1/2&status=sale", "ignored; reason=subid_malformed"),
				get("subid=%C3%A9&status=sale", "ignored; reason=subid_malformed"),
				get("subid="+strings.Repeat("a", 129)+"&status=sale", "ignored; reason=subid_malformed"),
				get("subid="+strings.Repeat("a", 128)+"&status=sale", "ignored; reason=click_not_found"),
				get("subid=C1&status=sale", "ignored; reason=click_not_found"),
				click(`{"subid":"A_b.c:d-9"}`),
				get("subid=A_b.c:d-9&status=sale", "recorded"),
			},
			slots: []string{`"": sale 0`},
		},
		{
			name:   "a missing status is what its policy says",
			config: `{"policies":{"missingStatus":"lead"}}`,
			steps:  []step{get("subid=c1&status=", "recorded")},
			slots:  []string{`"": lead 0, from nothing`},
		},
		{
			name: "an unknown status is ignored by default",
			steps: []step{get("subid=c1&status=foo", "ignored; reason=status_unknown"),
				get("subid=c1&status={status}", "ignored; reason=status_unresolved_macro")},
		},
		{
			name:   "an unknown status is what its policy says",
			config: `{"policies":{"unknownStatus":"lead"}}`,
			steps:  []step{get("subid=c1&status=foo", "recorded"), get("subid=c1", "ignored; reason=status_missing")},
			slots:  []string{`"": lead 0, from foo`},
		},
		{
			name: "a word to be ignored is ignored, under the parameter's old name too",
			steps: []step{
				get("subid=c1&status=Sale&ignore_status=hold,+SALE", "ignored; reason=status_ignored"),
				get("subid=c1&status=sale&ignore=sale", "ignored; reason=status_ignored"),
				get("subid=c1&status=sale&ignore_status=lead,sales", "recorded"),
			},
			slots: []string{`"": sale 0`},
		},
		{
			name:   "a word to be ignored is ignored though training knows it",
			config: `{"training":[{"type":"sale","statuses":["paid"]}]}`,
			steps:  []step{get("subid=c1&status=paid&ignore_status=paid", "ignored; reason=status_ignored")},
		},
		{
			name:   "training in the URL beats the endpoint's",
			config: `{"training":[{"type":"sale","statuses":["ok"]}]}`,
			steps:  []step{get("subid=c1&status=ok&lead_status=ok", "recorded"), get("subid=c1&status=ok&tid=2", "recorded")},
			slots:  []string{`"": lead 0, from ok`, `"2": sale 0, from ok`},
		},
		{
			name:   "the endpoint's training beats a built-in word",
			config: `{"training":[{"type":"rejected","statuses":["trash","lead"]}]}`,
			steps:  []step{get("subid=c1&status=trash&tid=1", "recorded"), get("subid=c1&status=lead&tid=2", "recorded")},
			slots:  []string{`"1": rejected 0, from trash`, `"2": rejected 0, from lead`},
		},
		{
			name:  "training under the old name of rejected_status counts",
			steps: []step{get("subid=c1&status=no&reject_status=no", "recorded")},
			slots: []string{`"": rejected 0, from no`},
		},
		{
			name: "words are compared trimmed and without letter case",
			steps: []step{get("subid=c1&status=+SaLe+&tid=1", "recorded"),
				get("subid=c1&status=ok&sale_status=no,+OK+,&tid=2", "recorded")},
			slots: []string{`"1": sale 0, from SaLe`, `"2": sale 0, from ok`},
		},
		{
			name:   "letter case does not count beyond ASCII either",
			config: `{"training":[{"type":"sale","statuses":["Оплачен"]}]}`,
			steps:  []step{get("subid=c1&status=%D0%9E%D0%9F%D0%9B%D0%90%D0%A7%D0%95%D0%9D", "recorded")},
			slots:  []string{`"": sale 0, from ОПЛАЧЕН`},
		},
		{
			name:  "in the URL a type that lists its own name wins, with a warning",
			steps: []step{get("subid=c1&status=sale&lead_status=sale&sale_status=sale", "recorded")},
			slots: []string{`"": sale 0, warns ambiguous_training`},
		},
		{
			name:  "else the first type in order wins, with a warning",
			steps: []step{get("subid=c1&status=x&sale_status=x&rejected_status=x&lead_status=x", "recorded")},
			slots: []string{`"": lead 0, from x, warns ambiguous_training`},
		},
		{
			name:   "the same goes for the endpoint's training",
			config: `{"training":[{"type":"trash","statuses":["trash","x"]},{"type":"rejected","statuses":["trash","x"]}]}`,
			steps:  []step{get("subid=c1&status=trash&tid=1", "recorded"), get("subid=c1&status=x&tid=2", "recorded")},
			slots:  []string{`"1": trash 0, warns ambiguous_training`, `"2": rejected 0, from x, warns ambiguous_training`},
		},
		{
			name:  "a word on two levels is not ambiguous",
			steps: []step{get("subid=c1&status=lead&sale_status=lead", "recorded")},
			slots: []string{`"": sale 0, from lead`},
		},
		{
			name:   "a custom type is known by its name and by its parameter",
			config: `{` + custom + `}`,
			steps: []step{get("subid=c1&status=Install&tid=1", "recorded"),
				get("subid=c1&status=phone&tid=2&payout=3", "recorded")},
			slots: []string{`"1": install 0, from Install`, `"2": call 3, from phone`},
		},
		{
			name:   "a custom type is trained by its parameter, in the URL and by the endpoint",
			config: `{` + custom + `,"training":[{"type":"call","statuses":["rang"]}]}`,
			steps: []step{get("subid=c1&status=done&inst_status=done&tid=1", "recorded"),
				get("subid=c1&status=rang&tid=2", "recorded")},
			slots: []string{`"1": install 0, from done`, `"2": call 0, from rang`},
		},
	})
}

// TestClicks goes through docs/semantics.md §3 step 8.
func TestClicks(t *testing.T) {
	play(t, []scenario{
		{
			name:  "a postback without a click is ignored by default",
			steps: []step{get("subid=nobody&status=sale", "ignored; reason=click_not_found")},
		},
		{
			name:   "or recorded as an orphan",
			config: `{"policies":{"unknownClick":"Record"}}`,
			steps: []step{
				get("subid=nobody&status=lead&keyword=kw", "recorded"),
				get("subid=nobody&status=lead&keyword=kw", "duplicate"),
			},
			slots: []string{`"": lead 0, orphan, map[keyword:kw]`},
		},
		{
			name:   "or held until its click arrives",
			config: `{"policies":{"unknownClick":"Hold","holdFor":"1h"}}`,
			steps: []step{
				get("subid=late&status=lead&payout=1", "held"),
				get("subid=late&status=sale&payout=2", "held"),
				becomes{},
				click(`{"subid":"late"}`),
				settles{"late", "recorded"},
				becomes{`"": sale 2, was lead, warns overwrote_other_type`},
				get("subid=late&status=sale&payout=2", "duplicate"),
			},
			slots: []string{`"": sale 2, was lead, warns overwrote_other_type`},
		},
		{
			name:   "but not longer than the policy says",
			config: `{"policies":{"unknownClick":"Hold","holdFor":"1h"}}`,
			steps: []step{
				get("subid=never&status=sale", "held"),
				clock(time.Hour + time.Second),
				settles{"never", "ignored; reason=click_not_found"},
				click(`{"subid":"never"}`),
			},
		},
		{
			name:   "a click converts up to its lookback and not beyond",
			config: `{"policies":{"clickLookback":"24h"}}`,
			steps: []step{
				clock(24 * time.Hour),
				get("subid=c1&status=lead", "recorded"),
				clock(24*time.Hour + time.Millisecond),
				get("subid=c1&status=sale", "ignored; reason=click_expired"),
			},
			slots: []string{`"": lead 0`},
		},
		{
			name:  "without a lookback a click never expires",
			steps: []step{clock(10 * 365 * 24 * time.Hour), get("subid=c1&status=sale", "recorded")},
			slots: []string{`"": sale 0`},
		},
		{
			name:  "a click of another endpoint is none",
			steps: []step{get("subid=A_b.c:d-9&status=sale", "ignored; reason=click_not_found")},
		},
	})
}
