package conversion_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// step is one postback and what must become of it.
type step struct {
	conversionType string
	says           []option
	want           string
}

func send(conversionType, want string, says ...option) step {
	return step{conversionType: conversionType, says: says, want: want}
}

func TestApply(t *testing.T) {
	forwardOnly := func(r *conversion.Rules) { r.Transitions = config.TransitionsForwardOnly }
	ignoreRepeat := func(r *conversion.Rules) { r.Repeat = config.RepeatIgnore }
	addUp := func(r *conversion.Rules) { r.Repeat = config.RepeatAdd }
	leadsOnce := func(r *conversion.Rules) {
		r.Repeat, r.RepeatByType = config.RepeatAdd, map[string]config.Repeat{"lead": config.RepeatIgnore}
	}
	springPaysSeven := func(r *conversion.Rules) { r.CampaignPayouts = map[string]decimal.Decimal{"spring": *number("7")} }
	byType := func(r *conversion.Rules) { r.Slot = config.SlotTidAndType }
	atMost100 := func(r *conversion.Rules) { r.MaxPayout = number("100") }
	defaultFive := func(r *conversion.Rules) { r.DefaultPayout = number("5") }

	for _, tt := range []struct {
		name  string
		rules []func(*conversion.Rules)
		steps []step
		// want is the slots afterwards, by tid, or tid/type under TidAndType.
		want map[string]string
	}{
		{"a lead is recorded", nil, []step{send("lead", "recorded", payout("10", "USD"))},
			map[string]string{"": "lead 10 USD = 10, v1"}},
		{"the same again is a duplicate", nil, []step{
			send("lead", "recorded", payout("10", "USD")), send("lead", "duplicate", payout("10", "USD")),
		}, map[string]string{"": "lead 10 USD = 10, v1"}},
		{"a sale overwrites the lead", nil, []step{
			send("lead", "recorded", payout("10", "USD")), send("sale", "recorded", payout("10", "USD")),
		}, map[string]string{"": "sale 10 USD = 10, was lead, v2"}},
		{"a new tid is another conversion", nil, []step{
			send("sale", "recorded", payout("10", "USD")), send("sale", "recorded", tid("2")),
		}, map[string]string{"": "sale 10 USD = 10, v1", "2": "sale 0 USD = 0, v1"}},
		{"a foreign currency is converted, once, by value", nil, []step{
			send("sale", "recorded", payout("10", "EUR"), tid("9")), send("sale", "duplicate", payout("10.00", "EUR"), tid("9")),
		}, map[string]string{"9": "sale 10 EUR = 11, v1"}},
		{"the same number in another currency differs", nil, []step{
			send("sale", "recorded", payout("10", "USD")), send("sale", "recorded", payout("10", "EUR")),
		}, map[string]string{"": "sale 10 EUR = 11, was sale, v2"}},
		{"no rate: the original waits", nil, []step{send("sale", "recorded", payout("12.5", "RUB"), tid("7"))},
			map[string]string{"7": "sale 12.5 RUB pending, v1"}},
		{"a rejection without payout keeps the recorded one", nil, []step{
			send("lead", "recorded", payout("10", "EUR")), send("sale", "recorded", payout("10", "EUR")),
			send("rejected", "recorded"),
		}, map[string]string{"": "rejected 10 EUR = 11, was sale, v3"}},
		{"a negative payout is recorded", nil, []step{send("sale", "recorded", payout("-3", "USD"), tid("adj1"))},
			map[string]string{"adj1": "sale -3 USD = -3, v1"}},

		{"a missing payout of a new conversion is the default", []func(*conversion.Rules){defaultFive},
			[]step{send("sale", "recorded")},
			map[string]string{"": "sale 5 USD = 5, v1"}},
		{"the payout of the click's campaign goes before the default",
			[]func(*conversion.Rules){defaultFive, springPaysSeven}, []step{
				send("sale", "recorded"), send("sale", "recorded", tid("2"), payout("9", "USD")), send("rejected", "recorded"),
			}, map[string]string{"": "rejected 7 USD = 7, was sale, v2", "2": "sale 9 USD = 9, v1"}},
		{"a type may have a policy of its own for repetitions", []func(*conversion.Rules){leadsOnce}, []step{
			send("lead", "recorded", payout("1", "USD")), send("lead", "ignored already_recorded", payout("2", "USD")),
			send("deposit", "recorded", tid("2"), payout("5", "USD")), send("deposit", "recorded", tid("2"), payout("5", "USD")),
		}, map[string]string{"": "lead 1 USD = 1, v1", "2": "deposit 10 USD = 10, was deposit, v2"}},
		{"a missing payout of a recorded one is not the default", []func(*conversion.Rules){defaultFive}, []step{
			send("lead", "recorded", payout("7", "USD")), send("sale", "recorded"),
		}, map[string]string{"": "sale 7 USD = 7, was lead, v2"}},
		{"a payout at the limit is recorded", []func(*conversion.Rules){atMost100},
			[]step{send("sale", "recorded", payout("100", "USD"))},
			map[string]string{"": "sale 100 USD = 100, v1"}},
		{"the limit is on the converted payout", []func(*conversion.Rules){atMost100},
			[]step{send("sale", "ignored payout_over_limit", payout("91", "EUR"))}, map[string]string{}},
		{"the limit is absolute", []func(*conversion.Rules){atMost100},
			[]step{send("sale", "ignored payout_over_limit", payout("-100.01", "USD"))}, map[string]string{}},
		{"the limit holds for changes", []func(*conversion.Rules){atMost100}, []step{
			send("sale", "recorded", payout("10", "USD")), send("sale", "ignored payout_over_limit", payout("101", "USD")),
		}, map[string]string{"": "sale 10 USD = 10, v1"}},
		{"what has no rate yet passes the limit", []func(*conversion.Rules){atMost100},
			[]step{send("sale", "recorded", payout("5000", "RUB"))},
			map[string]string{"": "sale 5000 RUB pending, v1"}},

		{"any order of types is taken", nil, []step{
			send("sale", "recorded", payout("10", "USD")), send("lead", "recorded", payout("10", "USD")),
		}, map[string]string{"": "lead 10 USD = 10, was sale, v2"}},
		{"forward only: a late lead does not undo a sale", []func(*conversion.Rules){forwardOnly}, []step{
			send("sale", "recorded", payout("10", "USD")), send("lead", "ignored status_regression", payout("10", "USD")),
		}, map[string]string{"": "sale 10 USD = 10, v1"}},
		{"forward only: a custom type ranks like a sale, a rejection above, trash likewise",
			[]func(*conversion.Rules){forwardOnly}, []step{
				send("registration", "recorded"), send("upsell", "recorded"), send("deposit", "recorded"),
				send("rejected", "recorded"),
				send("trash", "recorded"), send("rejected", "recorded"), send("sale", "ignored status_regression"),
			}, map[string]string{"": "rejected 0 USD = 0, was trash, v6"}},
		{"forward only: a duplicate is a duplicate first", []func(*conversion.Rules){forwardOnly}, []step{
			send("sale", "recorded"), send("sale", "duplicate"),
		}, map[string]string{"": "sale 0 USD = 0, v1"}},

		{"repeat Ignore keeps the first", []func(*conversion.Rules){ignoreRepeat}, []step{
			send("lead", "recorded", payout("10", "USD")), send("lead", "duplicate", payout("10", "USD")),
			send("sale", "ignored already_recorded", payout("10", "USD")), send("sale", "recorded", tid("2")),
		}, map[string]string{"": "lead 10 USD = 10, v1", "2": "sale 0 USD = 0, v1"}},
		{"repeat Add sums payouts of one currency", []func(*conversion.Rules){addUp}, []step{
			send("sale", "recorded", payout("10", "EUR")), send("sale", "recorded", payout("5", "EUR")),
			send("sale", "recorded", payout("5", "EUR")),
		}, map[string]string{"": "sale 20 EUR = 22, was sale, v3"}},
		{"repeat Add sums different currencies in the endpoint's", []func(*conversion.Rules){addUp}, []step{
			send("sale", "recorded", payout("10", "EUR")), send("sale", "recorded", payout("5", "USD")),
		}, map[string]string{"": "sale 16 USD = 16, was sale, v2"}},
		{"repeat Add: a sum without a rate waits", []func(*conversion.Rules){addUp}, []step{
			send("sale", "recorded", payout("10", "RUB")), send("sale", "recorded", payout("5", "RUB")),
		}, map[string]string{"": "sale 15 RUB pending, was sale, v2"}},
		{"repeat Add can not add what has no rate to something else", []func(*conversion.Rules){addUp}, []step{
			send("sale", "recorded", payout("10", "USD")), send("sale", "ignored payout_not_addable", payout("5", "RUB")),
		}, map[string]string{"": "sale 10 USD = 10, v1"}},
		{"repeat Add to nothing keeps the currency", []func(*conversion.Rules){addUp}, []step{
			send("lead", "recorded"), send("sale", "recorded", payout("5", "RUB")),
		}, map[string]string{"": "sale 5 RUB pending, was lead, v2"}},
		{"repeat Add: no payout and a zero say nothing", []func(*conversion.Rules){addUp}, []step{
			send("sale", "recorded", payout("10", "USD")), send("sale", "duplicate"),
			send("sale", "duplicate", payout("0", "USD")),
		}, map[string]string{"": "sale 10 USD = 10, v1"}},
		{"repeat Add limits what comes, not the sum", []func(*conversion.Rules){addUp, atMost100}, []step{
			send("sale", "recorded", payout("90", "USD")), send("sale", "recorded", payout("90", "USD")),
			send("sale", "ignored payout_over_limit", payout("101", "USD")),
		}, map[string]string{"": "sale 180 USD = 180, was sale, v2"}},
		{"TidAndType keeps a registration and a deposit apart", []func(*conversion.Rules){byType}, []step{
			send("registration", "recorded"), send("deposit", "recorded", payout("20", "USD")),
			send("registration", "duplicate"),
		}, map[string]string{"/registration": "registration 0 USD = 0, v1", "/deposit": "deposit 20 USD = 20, v1"}},

		{"the letter case of the status word is no difference", nil, []step{
			send("sale", "recorded", word("Approved")), send("sale", "duplicate", word("APPROVED")),
			send("sale", "duplicate", word("")),
			send("sale", "recorded", word("paid")),
		}, map[string]string{"": "sale 0 USD = 0, was sale, v2"}},
		{"what a postback lacks is no difference", nil, []step{
			send("sale", "recorded", payout("10", "USD"), cost("1", "USD"), date(noon), param("keyword", "a"),
				param("utm", "b")),
			send("sale", "duplicate"), send("sale", "duplicate", param("utm", "b")),
			send("sale", "duplicate", param("keyword", "")),
		}, map[string]string{"": "sale 10 USD = 10, v1"}},
		{"each thing a postback can say differs", nil, []step{
			send("sale", "recorded"), send("sale", "recorded", cost("1", "USD")),
			send("sale", "recorded", date(noon.Add(time.Second))),
			send("sale", "recorded", param("sub_id_1", "x")), send("sale", "recorded", param("extra", "y")),
			send("sale", "duplicate", cost("1", "USD")),
		}, map[string]string{"": "sale 0 USD = 0, was sale, v5"}},
		{"a date is the same again although it had nanoseconds", nil, []step{
			send("sale", "recorded", date(noon.Add(1234))), send("sale", "duplicate", date(noon.Add(1234))),
		}, map[string]string{"": "sale 0 USD = 0, v1"}},

		{"an overtaken redelivery is superseded", nil, []step{
			send("lead", "recorded", payout("1", "USD")), send("sale", "recorded", payout("2", "USD")),
			send("rejected", "superseded", payout("3", "USD"), again(0)),
		}, map[string]string{"": "sale 2 USD = 2, was lead, v2"}},
		{"a redelivery that is the newest is recorded", nil, []step{
			send("lead", "recorded"), send("sale", "recorded", again(1)),
		}, map[string]string{"": "sale 0 USD = 0, was lead, v2"}},
		{"a first delivery is never late", nil, []step{
			send("lead", "recorded"), send("sale", "recorded", func(in *conversion.Intent) { in.Stamp = 1 }),
		}, map[string]string{"": "sale 0 USD = 0, was lead, v2"}},
		{"forward only: a redelivered sale replaces the lead that overtook it", []func(*conversion.Rules){forwardOnly},
			[]step{
				send("lead", "recorded"), send("sale", "recorded", again(-1)), send("lead", "ignored status_regression", again(3)),
			}, map[string]string{"": "sale 0 USD = 0, was lead, v2"}},
		{"repeat Add: an overtaken payout still adds up, and does nothing else", []func(*conversion.Rules){addUp}, []step{
			send("lead", "recorded", payout("1", "USD")), send("sale", "recorded", payout("2", "USD")),
			send("lead", "recorded", payout("4", "USD"), again(0)), send("lead", "superseded", again(0)),
		}, map[string]string{"": "sale 7 USD = 7, was lead, v3"}},
		{"the same request is never applied twice", []func(*conversion.Rules){addUp}, []step{
			send("sale", "recorded", payout("1", "USD")),
			send("sale", "duplicate", payout("1", "USD"), func(in *conversion.Intent) { in.RequestID = requestID(0) }, again(0)),
		}, map[string]string{"": "sale 1 USD = 1, v1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := defaults()
			for _, set := range tt.rules {
				set(rules)
			}
			click, slots := demoClick(), map[string]*conversion.Conversion{}
			for n, step := range tt.steps {
				in := postback(n, rules, step.conversionType, step.says...)
				slot := in.Slot.TID
				if in.Slot.Type != "" {
					slot += "/" + in.Slot.Type
				}
				d := conversion.Apply(in, slots[slot], click)
				if got := outcome(d); got != step.want {
					t.Fatalf("postback %d: %s, want %s", n, got, step.want)
				}
				if d.Next != nil {
					slots[slot] = d.Next
				}
				if d.Click != nil {
					click = d.Click
				}
			}
			got := map[string]string{}
			for slot, c := range slots {
				got[slot] = describe(c)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnknownClick(t *testing.T) {
	rules := defaults()
	in := postback(0, rules, "sale", payout("10", "USD"), param("keyword", "shoes"))
	if got := outcome(conversion.Apply(in, nil, nil)); got != "ignored click_not_found" {
		t.Error(got)
	}

	rules.UnknownClick = config.UnknownClickHold
	d := conversion.Apply(in, nil, nil)
	if d.Outcome != conversion.Held || !d.HoldUntil.Equal(noon.Add(time.Hour)) {
		t.Errorf("%s until %s, want held until an hour after noon", d.Outcome, d.HoldUntil)
	}

	rules.UnknownClick = config.UnknownClickRecord
	d = conversion.Apply(in, nil, nil)
	if d.Outcome != conversion.Recorded || d.Click != nil || !d.Next.ClickTime.IsZero() {
		t.Errorf("%+v, want an orphan without click time and no click to update", d)
	}
	known := conversion.Apply(postback(1, rules, "rejected"), d.Next, demoClick())
	if want := demoClick().Time; !known.Next.ClickTime.Equal(want) {
		t.Errorf("the orphan's click came: click time %s, want %s", known.Next.ClickTime, want)
	}
}

func TestClickLookback(t *testing.T) {
	rules := defaults()
	rules.ClickLookback = config.Duration(24 * time.Hour)
	if got := outcome(conversion.Apply(postback(0, rules, "sale"), nil, demoClick())); got != "recorded" {
		t.Errorf("exactly as old as allowed: %s", got)
	}
	if got := outcome(conversion.Apply(postback(1, rules, "sale"), nil, demoClick())); got != "ignored click_expired" {
		t.Errorf("a minute older: %s", got)
	}
	if got := outcome(conversion.Apply(postback(1, rules, "sale", date(noon)), nil,
		demoClick())); got != "ignored click_expired" {
		t.Errorf("a date does not make the click younger: %s", got)
	}
}
