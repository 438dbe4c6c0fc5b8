package render

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/currency"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Check finds in a declaration that the schema has accepted what cannot work and what no schema can say. It judges
// declarations and not the contract, so that receivers go on serving what was rendered before there was a check. rates
// are the fixed ones of the fleet.
func Check(declared *v1alpha1.PostbackEndpoint, rates []config.FixedRate) error {
	return errors.Join(checkCurrency("spec.currency", declared.Spec.Currency, rates),
		checkTraining(declared.Spec.Training))
}

// CheckCampaign is [Check] for a campaign.
func CheckCampaign(declared *v1alpha1.Campaign, rates []config.FixedRate) error {
	if cost := declared.Spec.Cost; cost != nil && cost.Currency != "" {
		return checkCurrency("spec.cost.currency", cost.Currency, rates)
	}
	return nil
}

// CheckFleet is [Check] for a fleet.
func CheckFleet(declared *v1alpha1.ReceiverFleet) error {
	selector := declared.Spec.AllowedEndpoints.Selector
	if selector == nil {
		return nil
	}
	at := field.NewPath("spec", "allowedEndpoints", "selector")
	var errs []error
	for _, found := range validation.ValidateLabelSelector(selector, validation.LabelSelectorValidationOptions{}, at) {
		if strings.HasSuffix(found.Field, ".operator") {
			found.Detail = "write In, NotIn, Exists or DoesNotExist"
		}
		errs = append(errs, found)
	}
	return errors.Join(errs...)
}

// contractPath begins a sentence of the contract about an endpoint, a campaign in it, or a fleet.
var contractPath = regexp.MustCompile(`(?m)^(?:endpoint\.campaigns\[[0-9]+\]|endpoint|fleet)\.`)

// Secrets are elsewhere in the contract than in declarations.
var declaredSecrets = strings.NewReplacer(".secret.value:", ".valueFrom.secretKeyRef:")

// asDeclared gives the paths in an error of the contract as the declaration has them.
func asDeclared(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(declaredSecrets.Replace(contractPath.ReplaceAllString(err.Error(), "spec.")))
}

// checkCurrency refuses a code to which nothing can ever be converted.
func checkCurrency(at, code string, rates []config.FixedRate) error {
	if _, err := currency.ParseISO(code); err == nil {
		return nil
	}
	if slices.ContainsFunc(rates, func(r config.FixedRate) bool { return r.From == code || r.To == code }) {
		return nil
	}
	return fmt.Errorf("%s: %s is no ISO 4217 code: correct it, or declare a rate of it in the fleet's rates.fixed", at,
		code)
}

// checkTraining refuses a word of two types: one of the two rules would never count.
func checkTraining(rules []v1alpha1.TrainingRule) error {
	var errs []error
	types := map[string]string{}
	for i, rule := range rules {
		for j, word := range rule.Statuses {
			same := foldWord(word)
			if other, taken := types[same]; taken && other != rule.Type {
				errs = append(errs, fmt.Errorf("spec.training[%d].statuses[%d]: %q is a word for %s already: leave it with "+
					"one type", i, j, word, other))
				continue
			}
			types[same] = rule.Type
		}
	}
	return errors.Join(errs...)
}

var wholeDecimal = regexp.MustCompile(`^([0-9]+)\.0+$`)

// foldWord returns what is the same for words that receivers take for the same (docs/semantics.md §3.5 and §3.7).
func foldWord(word string) string {
	word = strings.ToLower(strings.ToUpper(strings.TrimSpace(word)))
	return wholeDecimal.ReplaceAllString(word, "$1")
}

// FixedRates returns a fleet's fixed rates as the contract has them.
func FixedRates(fleet *v1alpha1.ReceiverFleet) []config.FixedRate {
	var rates []config.FixedRate
	for _, rate := range fleet.Spec.Rates.Fixed {
		rates = append(rates, config.FixedRate(rate))
	}
	return rates
}

// ReportedType is the conversion type in the examples for pages.
func ReportedType(endpoint *v1alpha1.PostbackEndpoint) string {
	if browser := endpoint.Spec.Browser; browser != nil && len(browser.Types) > 0 {
		return browser.Types[0]
	}
	return config.TypeLead
}
