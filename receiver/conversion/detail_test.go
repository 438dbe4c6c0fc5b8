package conversion_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/money"
)

func TestFirstVersionSaysWhatThePostbackSaid(t *testing.T) {
	in := postback(3, defaults(), "sale", payout("10", "EUR"), cost("2", "USD"), date(noon), word("Billed"), tid("9"),
		param("keyword", "shoes"), param("utm", ""), param("zone", "z"))
	in.From, in.Warnings = "network", []conversion.Warning{conversion.PayoutAmbiguous}
	want := &conversion.Conversion{
		ID: in.RequestID, Endpoint: "shop/main", SubID: "c1", Slot: conversion.SlotKey{TID: "9"},
		Type: "sale", Status: "Billed", Payout: *amount("10", "EUR"), Cost: amount("2", "USD"), EndpointCurrency: "USD",
		Params:   conversion.Params{{Name: "keyword", Value: "shoes"}, {Name: "zone", Value: "z"}},
		Campaign: "spring", Source: "news", From: "network",
		Warnings: in.Warnings, ClickTime: demoClick().Time, ConversionTime: noon, SaleTime: noon,
		CreatedAt: in.Received, UpdatedAt: in.Received, Version: 1, RequestID: in.RequestID, Stamp: in.Stamp,
	}
	if diff := cmp.Diff(want, conversion.Apply(in, nil, demoClick()).Next); diff != "" {
		t.Error(diff)
	}
}

func TestOverwriteKeepsWhatThePostbackLacks(t *testing.T) {
	rules := defaults()
	first := postback(0, rules, "sale", payout("10", "EUR"), cost("2", "USD"), date(noon.Add(-time.Hour)),
		param("keyword", "a"), param("x", "1"))
	first.From, first.Warnings = "network", []conversion.Warning{conversion.DateInFuture}
	before := conversion.Apply(first, nil, demoClick()).Next

	in := postback(1, rules, "rejected", word("chargeback"), param("keyword", ""), param("x", "2"), param("y", "3"))
	in.Warnings = []conversion.Warning{conversion.AmbiguousTraining}
	want := *before
	want.Type, want.PreviousType, want.Status = "rejected", "sale", "chargeback"
	want.Params = conversion.Params{{Name: "keyword", Value: "a"}, {Name: "x", Value: "2"}, {Name: "y", Value: "3"}}
	want.Warnings = []conversion.Warning{conversion.AmbiguousTraining, conversion.OverwroteOtherType}
	want.UpdatedAt, want.Version, want.RequestID, want.Stamp = in.Received, 2, in.RequestID, in.Stamp
	if diff := cmp.Diff(&want, conversion.Apply(in, before, demoClick()).Next); diff != "" {
		t.Error(diff)
	}
	if len(in.Warnings) != 1 || len(before.Params) != 2 {
		t.Error("Apply changed its arguments")
	}
}

func TestOverwroteOtherTypeIsWarnedOnlyWithoutTid(t *testing.T) {
	rules := defaults()
	for _, tt := range []struct {
		name string
		tid  string
		to   string
		want []conversion.Warning
	}{
		{"another type without tid", "", "sale", []conversion.Warning{conversion.OverwroteOtherType}},
		{"another type with tid", "7", "sale", nil},
		{"the same type", "", "lead", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := conversion.Apply(postback(0, rules, "lead", tid(tt.tid)), nil, demoClick()).Next
			after := conversion.Apply(postback(1, rules, tt.to, tid(tt.tid), payout("1", "USD")), before, demoClick()).Next
			if diff := cmp.Diff(tt.want, after.Warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSaleTimeIsSetOnce(t *testing.T) {
	rules := defaults()
	sold := noon.Add(-3 * time.Hour)
	c := conversion.Apply(postback(0, rules, "lead", date(noon.Add(-4*time.Hour))), nil, demoClick()).Next
	if !c.SaleTime.IsZero() {
		t.Errorf("a lead has sale time %s", c.SaleTime)
	}
	for n, in := range []*conversion.Intent{
		postback(1, rules, "sale", date(sold)), postback(2, rules, "rejected"), postback(3, rules, "sale", date(noon)),
	} {
		c = conversion.Apply(in, c, demoClick()).Next
		if !c.SaleTime.Equal(sold) {
			t.Errorf("after change %d: sale time %s, want %s", n, c.SaleTime, sold)
		}
	}
	undated := conversion.Apply(postback(5, rules, "sale"),
		conversion.Apply(postback(4, rules, "lead"), nil, demoClick()).Next, demoClick()).Next
	if want := noon.Add(5 * time.Minute); !undated.SaleTime.Equal(want) ||
		!undated.ConversionTime.Equal(noon.Add(4*time.Minute)) {
		t.Errorf("sale time %s, conversion time %s: want the sale's receipt and the lead's", undated.SaleTime,
			undated.ConversionTime)
	}
}

func TestClickUpdates(t *testing.T) {
	rules := defaults()
	for _, tt := range []struct {
		name string
		says []option
		want func(*conversion.Click) // nil: the click does not change
	}{
		{"click fields and sub ids overwrite", []option{param("keyword", "kw"), param("sub_id_3", "abc"),
			param("sub_id_31", "z")},
			func(c *conversion.Click) {
				c.Params = conversion.Params{{Name: "keyword", Value: "kw"}, {Name: "source", Value: "news"},
					{Name: "sub_id_3", Value: "abc"}}
			}},
		{"a cost overwrites", []option{cost("2", "EUR")}, func(c *conversion.Click) { c.Cost = amount("2", "EUR") }},
		{"extra parameters do not touch the click",
			[]option{param("sub_id_0", "x"), param("sub_id_03", "x"), param("utm", "x")}, nil},
		{"an empty field overwrites nothing", []option{param("keyword", "")}, nil},
		{"what the click says already is no change", []option{param("keyword", "boots")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			click := demoClick()
			d := conversion.Apply(postback(0, rules, "sale", tt.says...), nil, click)
			var want *conversion.Click
			if tt.want != nil {
				want = demoClick()
				tt.want(want)
			}
			if diff := cmp.Diff(want, d.Click); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(demoClick(), click); diff != "" {
				t.Errorf("Apply changed its argument: %s", diff)
			}
		})
	}
}

func TestForwardsDue(t *testing.T) {
	rules := defaults()
	rules.Forwards = []conversion.ForwardRule{
		{Name: "any", Resend: config.ResendOnAnyChange},
		{Name: "status", Resend: config.ResendOnStatusChange},
		{Name: "sales", Types: []string{"sale", "upsell"}, Resend: config.ResendOnAnyChange},
		{Name: "source", Sources: []string{"News ", "ads"}, Resend: config.ResendOnAnyChange},
		{Name: "campaign", Campaigns: []string{"autumn"}, Resend: config.ResendOnAnyChange},
	}
	lead := conversion.Apply(postback(0, rules, "lead"), nil, demoClick()).Next
	orphans := *rules
	orphans.UnknownClick = config.UnknownClickRecord
	autumn := demoClick()
	autumn.Campaign = "autumn"
	for _, tt := range []struct {
		name  string
		in    *conversion.Intent
		prev  *conversion.Conversion
		click *conversion.Click
		want  []string
	}{
		{"a new lead", postback(1, rules, "lead"), nil, demoClick(), []string{"any", "status", "source"}},
		{"a change of type", postback(1, rules, "sale"), lead, demoClick(), []string{"any", "status", "sales", "source"}},
		{"a change of something else", postback(1, rules, "lead", payout("1", "USD")), lead, demoClick(),
			[]string{"any", "source"}},
		{"a source that this postback brings", postback(1, rules, "lead", param("source", "mail")), nil, demoClick(),
			[]string{"any", "status"}},
		{"a source in other letters", postback(1, rules, "lead", param("source", " ADS")), nil, demoClick(),
			[]string{"any", "status", "source"}},
		{"another campaign", postback(1, rules, "lead"), nil, autumn, []string{"any", "status", "source", "campaign"}},
		{"an orphan", postback(1, &orphans, "sale", param("source", "news")), nil, nil, []string{"any", "status", "sales"}},
		{"a duplicate", postback(1, rules, "lead"), lead, demoClick(), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, conversion.Apply(tt.in, tt.prev, tt.click).Forwards); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEndpointThatChangedItsCurrency(t *testing.T) {
	usd := defaults()
	euro := conversion.Apply(postback(0, usd, "sale", payout("10", "EUR"), cost("2", "USD")), nil, demoClick()).Next
	eur := defaults()
	eur.Currency = "EUR"
	got := conversion.Apply(postback(1, eur, "rejected"), euro, demoClick()).Next
	if got.EndpointCurrency != "EUR" || got.Payout.Pending() || got.Payout.Converted.String() != "10" ||
		!got.Cost.Pending() {
		t.Errorf("%s, cost %+v: want 10 EUR = 10 and a cost that waits for a rate", describe(got), got.Cost)
	}
}

func TestReprice(t *testing.T) {
	rules := defaults()
	rules.MaxPayout = number("100")
	rules.Forwards = append(rules.Forwards, conversion.ForwardRule{Name: "status", Resend: config.ResendOnStatusChange})
	pending := conversion.Apply(postback(0, rules, "sale", payout("1000", "RUB"), cost("5", "EUR")), nil, demoClick()).Next
	by := conversion.Repricing{Convert: convert, Rules: rules, At: noon.Add(time.Hour), RequestID: requestID(60)}
	if d := conversion.Reprice(pending, demoClick(), by); d.Outcome != conversion.Duplicate || d.Next != nil {
		t.Errorf("no rate yet: %+v", d)
	}

	by.Convert = func(original decimal.Decimal, currency, _ string) money.Amount {
		if currency != "RUB" {
			t.Errorf("%s is converted a second time", currency)
		}
		value := original.Mul(*number("0.2"))
		return money.Amount{Original: original, Currency: currency, Converted: &value,
			Rate: money.Rate{Value: *number("0.2"), Source: "fixed"}}
	}
	want := *pending
	want.Payout = by.Convert(*number("1000"), "RUB", "USD")
	want.Version, want.RequestID, want.UpdatedAt = 2, by.RequestID, by.At
	want.Warnings = []conversion.Warning{conversion.PayoutOverLimitLate}
	d := conversion.Reprice(pending, demoClick(), by)
	if diff := cmp.Diff(conversion.Decision{Outcome: conversion.Recorded, Next: &want, Forwards: []string{"all"}},
		d); diff != "" {
		t.Error(diff)
	}
	if again := conversion.Reprice(d.Next, demoClick(), by); again.Next != nil {
		t.Error("nothing is pending any more, and still a version was made")
	}
	by.Rules = nil
	if gone := conversion.Reprice(pending, nil, by); gone.Next == nil || gone.Next.Warnings != nil ||
		gone.Forwards != nil {
		t.Errorf("the endpoint is gone: %+v", gone)
	}
}

func TestRepriceEndsTheWarningOfAnUnknownCurrency(t *testing.T) {
	pending := conversion.Apply(postback(0, defaults(), "sale", payout("10", "RUB"), cost("5", "ZZZ")), nil,
		demoClick()).Next
	pending.Warnings = []conversion.Warning{conversion.AmbiguousTraining, conversion.CurrencyUnknown,
		conversion.OverwroteOtherType}
	by := conversion.Repricing{At: noon, RequestID: requestID(60)}
	known := map[string]bool{"RUB": true}
	by.Convert = func(original decimal.Decimal, currency, _ string) money.Amount {
		a := money.Amount{Original: original, Currency: currency}
		if known[currency] {
			a.Converted = &original
		}
		return a
	}
	half := conversion.Reprice(pending, nil, by).Next
	if diff := cmp.Diff(pending.Warnings, half.Warnings); diff != "" {
		t.Errorf("while the cost still waits: %s", diff)
	}
	known["ZZZ"] = true
	whole := conversion.Reprice(half, nil, by).Next
	want := []conversion.Warning{conversion.AmbiguousTraining, conversion.OverwroteOtherType}
	if diff := cmp.Diff(want, whole.Warnings); diff != "" {
		t.Errorf("when nothing waits: %s", diff)
	}
	if len(half.Warnings) != 3 || half.Warnings[1] != conversion.CurrencyUnknown {
		t.Error("the former version was changed")
	}
}

func TestRepriceClick(t *testing.T) {
	click := demoClick()
	click.Cost = amount("3", "RUB")
	by := conversion.Repricing{Convert: convert}
	if conversion.RepriceClick(demoClick(), "USD", by) != nil || conversion.RepriceClick(click, "USD", by) != nil {
		t.Error("a click without cost or without rate was repriced")
	}
	updated := conversion.RepriceClick(click, "RUB", by)
	if updated == nil || updated.Cost.Converted.String() != "3" || !click.Cost.Pending() {
		t.Errorf("cost %+v, want 3 in a copy", updated)
	}
}

func TestTotals(t *testing.T) {
	var totals conversion.Totals
	for _, sum := range []struct {
		conversionType, payout, currency string
		countsAs                         config.CountsAs
	}{
		{"lead", "1", "USD", ""}, {"sale", "10", "EUR", ""}, {"sale", "0.5", "USD", ""}, {"sale", "99", "RUB", ""},
		{"rejected", "3", "USD", ""}, {"registration", "4", "USD", ""}, {"deposit", "20", "USD", ""},
		{"trash", "-6", "USD", ""},
		{"upsell", "7", "USD", config.CountsAsConfirmed}, {"trial", "8", "USD", config.CountsAsHold},
		{"call", "9", "USD", config.CountsAsNone},
	} {
		totals.Add(&conversion.Conversion{Type: sum.conversionType, Payout: *amount(sum.payout, sum.currency)}, sum.countsAs)
	}
	want := conversion.Totals{
		Hold: *number("9"), Confirmed: *number("18.5"), Rejected: *number("3"), Registration: *number("4"),
		Deposit: *number("20"), Trash: *number("-6"), Conversions: 11, Pending: 1,
		Custom: map[string]decimal.Decimal{"upsell": *number("7"), "trial": *number("8"), "call": *number("9")},
	}
	if diff := cmp.Diff(want, totals); diff != "" {
		t.Error(diff)
	}
	if got := totals.Total().String(); got != "38.5" {
		t.Errorf("total %s, want confirmed and deposits: 38.5", got)
	}
}

func TestMetric(t *testing.T) {
	for conversionType, want := range map[string]string{
		"lead": "hold", "sale": "confirmed", "rejected": "rejected", "registration": "registration", "deposit": "deposit",
		"trash": "trash", "upsell": "upsell",
	} {
		if got := conversion.Metric(conversionType); got != want {
			t.Errorf("%s counts as %s, want %s", conversionType, got, want)
		}
	}
}
