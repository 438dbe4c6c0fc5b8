package render

import (
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

func TestWhatCannotWorkIsRefused(t *testing.T) {
	train := func(rules ...v1alpha1.TrainingRule) v1alpha1.PostbackEndpointSpec {
		return v1alpha1.PostbackEndpointSpec{Currency: "USD", Training: rules}
	}
	rule := func(kind string, words ...string) v1alpha1.TrainingRule {
		return v1alpha1.TrainingRule{Type: kind, Statuses: words}
	}
	in := func(currency string) v1alpha1.PostbackEndpointSpec {
		return v1alpha1.PostbackEndpointSpec{Currency: currency}
	}
	rates := []config.FixedRate{{From: "ZZZ", To: "USD", Rate: "2"}, {From: "USD", To: "QQQ", Rate: "2"}}
	for name, c := range map[string]struct {
		spec  v1alpha1.PostbackEndpointSpec
		rates []config.FixedRate
		says  string // empty: accepted
	}{
		"different words": {train(rule("sale", "won", "paid"), rule("rejected", "lost")), nil, ""},
		"one word of two types": {train(rule("sale", "won"), rule("lead", "new", "won")), nil,
			`spec.training[1].statuses[1]: "won" is a word for sale already`},
		"one word in two letter cases": {train(rule("sale", "Won"), rule("lead", "wON")), nil,
			`"wON" is a word for sale already`},
		"one word with space around": {train(rule("sale", "won"), rule("lead", " won ")), nil,
			`" won " is a word for sale already`},
		"one word in Cyrillic": {train(rule("sale", "ОПЛАЧЕН"), rule("lead", "оплачен")), nil,
			"is a word for sale already"},
		"one number written in two ways": {train(rule("sale", "1"), rule("lead", "1.0")), nil,
			`"1.0" is a word for sale already`},
		"two numbers": {train(rule("sale", "1"), rule("lead", "10"), rule("rejected", "1.05")), nil,
			""},
		"one word twice of one type":      {train(rule("sale", "won", "Won")), nil, ""},
		"a built-in word of another type": {train(rule("rejected", "trash")), nil, ""},
		"three types of one word": {train(rule("sale", "x"), rule("lead", "x"), rule("trash", "x")), nil,
			`spec.training[2].statuses[0]: "x" is a word for sale already`},
		"a currency":                          {in("UAH"), nil, ""},
		"a currency that is gone":             {in("DEM"), nil, ""},
		"a currency that is none":             {in("ZZZ"), nil, "spec.currency: ZZZ is no ISO 4217 code"},
		"a currency that is misspelt":         {in("UDS"), nil, "spec.currency: UDS is no ISO 4217 code"},
		"a currency with a rate from it":      {in("ZZZ"), rates, ""},
		"a currency with a rate to it":        {in("QQQ"), rates, ""},
		"a currency with a rate of another's": {in("QZQ"), rates, "is no ISO 4217 code"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(&v1alpha1.PostbackEndpoint{Spec: c.spec}, c.rates)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says: %v", err)
			}
		})
	}
}

func TestTheCurrencyOfACampaignsCostIsOne(t *testing.T) {
	for code, says := range map[string]string{"": "", "EUR": "", "ZZZ": "spec.cost.currency: ZZZ is no ISO 4217 code"} {
		declared := &v1alpha1.Campaign{Spec: v1alpha1.CampaignSpec{Cost: &v1alpha1.CostSpec{Amount: "1", Currency: code}}}
		err := CheckCampaign(declared, nil)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", code, err)
		}
	}
}
