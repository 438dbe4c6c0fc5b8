package render

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

func TestASelectorThatSelectsNothingIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		selector *metav1.LabelSelector
		says     string
	}{
		"none":    {nil, ""},
		"a label": {&metav1.LabelSelector{MatchLabels: map[string]string{"team": "media"}}, ""},
		"an operator": {&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "team", Operator: "In", Values: []string{"media"}}}}, ""},
		"an operator that there is not": {&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "team", Operator: "Foo"}}},
			`spec.allowedEndpoints.selector.matchExpressions[0].operator: Invalid value: "Foo": write In, NotIn, Exists or ` +
				"DoesNotExist"},
		"an operator without values": {&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "team", Operator: "In"}}}, "spec.allowedEndpoints.selector.matchExpressions[0].values: Required value"},
		"a label that is none": {&metav1.LabelSelector{MatchLabels: map[string]string{"a b": "c"}},
			"spec.allowedEndpoints.selector.matchLabels: Invalid value"},
	} {
		t.Run(name, func(t *testing.T) {
			declared := &v1alpha1.ReceiverFleet{}
			declared.Spec.AllowedEndpoints.Selector = c.selector
			err := CheckFleet(declared)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says: %v", err)
			}
		})
	}
}

func TestErrorsOfTheContractNameTheFieldsOfTheDeclaration(t *testing.T) {
	said := errors.New("endpoint.forwards[0].url: {a} is no macro\nendpoint.campaigns[0].offerURL: endpoint.example\n" +
		"fleet.rates.fixed[1].rate: must be above 0\nendpoint.forwards[1].headers[0].secret.value: must be ASCII")
	want := "spec.forwards[0].url: {a} is no macro\nspec.offerURL: endpoint.example\n" +
		"spec.rates.fixed[1].rate: must be above 0\nspec.forwards[1].headers[0].valueFrom.secretKeyRef: must be ASCII"
	if got := asDeclared(said).Error(); got != want {
		t.Errorf("it says %q", got)
	}
	if asDeclared(nil) != nil {
		t.Error("nothing is something")
	}
}
