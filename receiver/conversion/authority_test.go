package conversion_test

import (
	"fmt"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// forbidden says why the second writer may not change what the first one wrote.
var forbidden = map[[2]conversion.Writer]conversion.Reason{
	{conversion.WriterKey, conversion.WriterPage}:      conversion.PageMayNotChange,
	{conversion.WriterImport, conversion.WriterPage}:   conversion.PageMayNotChange,
	{conversion.WriterReplay, conversion.WriterPage}:   conversion.PageMayNotChange,
	{conversion.WriterPerson, conversion.WriterPage}:   conversion.PageMayNotChange,
	{conversion.WriterPerson, conversion.WriterKey}:    conversion.CorrectedByHand,
	{conversion.WriterPerson, conversion.WriterImport}: conversion.CorrectedByHand,
	{conversion.WriterPerson, conversion.WriterReplay}: conversion.CorrectedByHand,
}

func TestWhoMayChangeWhat(t *testing.T) {
	for _, first := range writers {
		for _, second := range writers {
			for _, repeat := range []config.Repeat{config.RepeatOverwrite, config.RepeatIgnore, config.RepeatAdd} {
				for _, redelivered := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s after %s, %s, redelivered %t", second, first, repeat, redelivered), func(t *testing.T) {
						rules := defaults()
						rules.Repeat = repeat
						prev := conversion.Apply(postback(0, rules, "sale", payout("100", "USD"), by(first)), nil, demoClick()).Next
						in := postback(1, rules, "lead", payout("0.01", "USD"), by(second))
						in.Redelivered = redelivered
						d := conversion.Apply(in, prev, demoClick())
						reason := forbidden[[2]conversion.Writer{first, second}]
						takesOver := first == conversion.WriterPage && second != conversion.WriterPage
						if reason == "" && repeat == config.RepeatIgnore && !takesOver {
							reason = conversion.AlreadyRecorded
						}
						if d.Reason != reason || (d.Next == nil) != (reason != "") {
							t.Errorf("%s, want reason %q", outcome(d), reason)
						}
					})
				}
			}
		}
	}
}

func TestAPageIsToldTheSameWhetherItGuessesOrNot(t *testing.T) {
	recorded := conversion.Apply(postback(0, defaults(), "sale", payout("100", "USD")), nil, demoClick()).Next
	for _, guess := range []string{"100", "99"} {
		d := conversion.Apply(postback(1, defaults(), "sale", payout(guess, "USD"), by(conversion.WriterPage)), recorded,
			demoClick())
		if outcome(d) != "ignored page_may_not_change" {
			t.Errorf("%s: %s", guess, outcome(d))
		}
	}
}

func TestANetworkIsNotBoundByWhatAPageSaid(t *testing.T) {
	page, network := by(conversion.WriterPage), by(conversion.WriterKey)
	forged := func(rules *conversion.Rules) *conversion.Conversion {
		return conversion.Apply(postback(5, rules, "sale", payout("100", "USD"), page), nil, demoClick()).Next
	}
	forwardOnly := defaults()
	forwardOnly.Transitions = config.TransitionsForwardOnly
	ignoreRepeat := defaults()
	ignoreRepeat.Repeat = config.RepeatIgnore

	for name, tt := range map[string]struct {
		rules *conversion.Rules
		in    *conversion.Intent
		want  string
	}{
		"a lower rank": {forwardOnly, postback(6, forwardOnly, "lead", payout("1", "USD"), network),
			"lead 1 USD = 1, was sale, v2"},
		"a repetition": {ignoreRepeat, postback(6, ignoreRepeat, "sale", payout("7", "USD"), network),
			"sale 7 USD = 7, was sale, v2"},
		"an older stamp": {defaults(), postback(6, defaults(), "lead", payout("1", "USD"), network, again(0)),
			"lead 1 USD = 1, was sale, v2"},
		"the same amount": {defaults(), postback(6, defaults(), "sale", payout("100", "USD"), network),
			"sale 100 USD = 100, v2"},
	} {
		t.Run(name, func(t *testing.T) {
			d := conversion.Apply(tt.in, forged(tt.rules), demoClick())
			if d.Next == nil || describe(d.Next) != tt.want {
				t.Fatalf("%s: %+v, want %s", outcome(d), d.Next, tt.want)
			}
			lie := postback(7, tt.rules, "lead", payout("0.01", "USD"), page)
			if after := conversion.Apply(lie, d.Next, demoClick()); after.Reason != conversion.PageMayNotChange {
				t.Errorf("then a page: %s", outcome(after))
			}
		})
	}
	same := postback(6, defaults(), "sale", payout("100", "USD"), network)
	if d := conversion.Apply(same, forged(defaults()), demoClick()); d.Outcome != conversion.Duplicate ||
		d.Forwards != nil {
		t.Errorf("a network that confirms: %s, forwards %v", outcome(d), d.Forwards)
	}
}

func TestWhoMaySetFieldsOfAClick(t *testing.T) {
	type said struct{ who, text string }
	for _, tt := range []struct {
		name string
		says []said
		want string
	}{
		{"a page fills what is empty, and only that", []said{{"page", "keyword=evil sub_id_1=a"}},
			"keyword=boots source=news sub_id_1=a cost=0.5"},
		{"a page changes what a page set", []said{{"page", "sub_id_1=a"}, {"page", "sub_id_1=b"}},
			"keyword=boots source=news sub_id_1=b cost=0.5"},
		{"a page does not change what a network set", []said{{"key", "sub_id_1=a"}, {"page", "sub_id_1=b"}},
			"keyword=boots source=news sub_id_1=a cost=0.5"},
		{"a network changes everything", []said{{"page", "sub_id_1=a"}, {"key", "sub_id_1=b keyword=k cost=1"}},
			"keyword=k source=news sub_id_1=b cost=1"},
		{"what a network confirms stays", []said{{"page", "sub_id_1=a"}, {"key", "sub_id_1=a"}, {"page", "sub_id_1=b"}},
			"keyword=boots source=news sub_id_1=a cost=0.5"},
		{"a page does not change the cost", []said{{"page", "cost=9"}}, "keyword=boots source=news cost=0.5"},
		{"anybody fills what is empty", []said{{"anybody", "sub_id_2=x"}, {"anybody", "sub_id_2=y"}},
			"keyword=boots source=news sub_id_2=y cost=0.5"},
		{"anybody changes nothing else", []said{{"anybody", "keyword=evil source=evil"}},
			"keyword=boots source=news cost=0.5"},
		{"the visitor changes everything", []said{{"visitor", "keyword=mine"}}, "keyword=mine source=news cost=0.5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			click := demoClick()
			click.Cost = amount("0.5", "USD")
			for n, say := range tt.says {
				if updated := overlay(click, n, say.who, say.text); updated != nil {
					click = updated
				}
			}
			var got []string
			for _, param := range click.Params {
				got = append(got, param.Name+"="+param.Value)
			}
			if all := strings.Join(append(got, "cost="+click.Cost.Original.String()), " "); all != tt.want {
				t.Errorf("%s, want %s", all, tt.want)
			}
		})
	}
}

// overlay returns the click after someone said something like "keyword=a cost=1".
func overlay(click *conversion.Click, n int, who, text string) *conversion.Click {
	var params conversion.Params
	in := postback(n, defaults(), "lead")
	for pair := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(pair, "=")
		if name == config.ParamCost {
			in.Cost = amount(value, "USD")
			continue
		}
		params = append(params, conversion.Param{Name: name, Value: value})
	}
	if who == "anybody" || who == "visitor" {
		return click.With(params, who == "visitor")
	}
	in.Writer, in.Params, in.Slot.TID = conversion.Writer(who), params, fmt.Sprint(n)
	return conversion.Apply(in, nil, click).Click
}
