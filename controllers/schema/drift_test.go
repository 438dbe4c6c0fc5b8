package schema

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/config/crd"
)

// CEL rules can't call Go, so they repeat the lists of api/config/v1alpha1/parameters.go. What is added there and not
// to the rules is refused here, and a word that the rules know and that file does not is found below.

// endpointWith is a document with fields beside the currency, in YAML's flow style.
func endpointWith(fields string) string {
	return "apiVersion: postback.dev/v1alpha1\nkind: PostbackEndpoint\nmetadata: {name: shop}\nspec: {currency: USD, " +
		fields + "}"
}

func campaignWith(fields string) string {
	return "apiVersion: postback.dev/v1alpha1\nkind: Campaign\nmetadata: {name: summer}\n" +
		"spec: {endpointRef: {name: shop}, offerURL: 'https://offer.example/{subid}', " + fields + "}"
}

type ruling struct {
	document string
	admitted bool
}

func (r ruling) check(t *testing.T, schemas Schemas) {
	t.Helper()
	if _, err := admit(t, schemas, r.document); (err == nil) != r.admitted {
		t.Errorf("admitted is %t, should be %t: %v\n%s", err == nil, r.admitted, err, r.document)
	}
}

func TestTheRulesKnowEveryBuiltInType(t *testing.T) {
	schemas := load(t)
	rulings := []ruling{}
	for _, name := range append(config.BuiltinTypes(), "no_such_type") {
		builtIn := config.IsBuiltinType(name)
		for _, fields := range []string{
			"training: [{type: %s, statuses: [a]}]",
			"policies: {missingStatus: %s}",
			"policies: {unknownStatus: %s}",
			"policies: {repeatByType: [{type: %s, repeat: Add}]}",
			"forwards: [{name: a, url: 'https://source.example/', types: [%s]}]",
			"browser: {types: [%s], origins: ['https://shop.example']}",
		} {
			rulings = append(rulings, ruling{endpointWith(fmt.Sprintf(fields, name)), builtIn})
		}
		for _, fields := range []string{
			"conversionTypes: [{name: %s}]",
			"conversionTypes: [{name: another, parameter: %s}]",
			"access: {hmac: {secretRef: {name: a}, parameter: %s_status}}",
			"access: {signature: {secretRef: {name: a}, algorithm: MD5, template: '{secret}', parameter: %s_status}}",
		} {
			rulings = append(rulings, ruling{endpointWith(fmt.Sprintf(fields, name)), !builtIn})
		}
	}
	for _, r := range rulings {
		r.check(t, schemas)
	}
}

func TestTheRulesKnowEveryParameter(t *testing.T) {
	schemas := load(t)
	var rulings []ruling
	taken := func(name string) { // by a parameter: it is no name for anything else
		other := config.ParamStatus
		if name == other {
			other = config.ParamSubid
		}
		rulings = append(rulings,
			ruling{endpointWith(fmt.Sprintf("aliases: {%s: [%s]}", other, name)), false},
			ruling{endpointWith(fmt.Sprintf("access: {hmac: {secretRef: {name: a}, parameter: %s}}", name)), false},
			ruling{endpointWith(fmt.Sprintf(
				"access: {signature: {secretRef: {name: a}, algorithm: MD5, template: '{secret}', parameter: %s}}", name)), false})
	}
	for _, name := range config.CanonicalParameters() {
		rulings = append(rulings, ruling{endpointWith(fmt.Sprintf("aliases: {%s: [another]}", name)), true})
		taken(name)
	}
	for parameter, aliases := range config.BuiltinAliases() {
		for _, alias := range aliases {
			rulings = append(rulings,
				ruling{endpointWith(fmt.Sprintf("aliases: {%s: [%s]}", parameter, alias)), true},
				ruling{endpointWith(fmt.Sprintf("aliases: {%s: [another]}", alias)), false})
			taken(alias)
		}
	}
	for _, beyond := range []string{"sub_id_0", fmt.Sprintf("sub_id_%d", config.SubIDs+1)} {
		rulings = append(rulings, ruling{endpointWith(fmt.Sprintf("aliases: {%s: [another]}", beyond)), false},
			ruling{campaignWith(fmt.Sprintf("parameters: {%s: [another]}", beyond)), false})
	}
	for _, field := range config.ClickFields() {
		rulings = append(rulings, ruling{campaignWith(fmt.Sprintf("parameters: {%s: [another]}", field)), true})
	}
	for _, r := range rulings {
		r.check(t, schemas)
	}
}

func TestAnEndpointMayHaveAliasesOfAllParametersAndACampaignOfAllFields(t *testing.T) {
	schemas := load(t)
	every := func(names []string) string {
		var pairs []string
		for i, name := range names {
			pairs = append(pairs, fmt.Sprintf("%s: [another%d]", name, i))
		}
		return strings.Join(pairs, ", ")
	}
	ruling{endpointWith("aliases: {" + every(config.CanonicalParameters()) + "}"), true}.check(t, schemas)
	ruling{campaignWith("parameters: {" + every(config.ClickFields()) + "}"), true}.check(t, schemas)
}

// The rules that list types or parameters name none that the code does not know, and their messages name all of them.
func TestTheRulesKnowNoOtherTypesAndParameters(t *testing.T) {
	known := slices.Concat(config.BuiltinTypes(), config.CanonicalParameters(), config.ClickFields(),
		[]string{"Ignore", "ignore", "reject"}) // a policy, and the parameters of ignore_status and reject_status
	for _, aliases := range config.BuiltinAliases() {
		known = append(known, aliases...)
	}
	list := regexp.MustCompile(`\[('[a-z_]+'(?:,'[a-z_]+')+)\]`)
	lists := 0
	for _, r := range rulesOf(t) {
		for _, match := range list.FindAllStringSubmatch(strings.ReplaceAll(r.Rule, "'Ignore'", "'ignore'"), -1) {
			words := strings.Split(strings.ReplaceAll(match[1], "'", ""), ",")
			if !slices.Contains(words, config.TypeLead) && !slices.Contains(words, config.ParamKeyword) &&
				!slices.Contains(words, "sub_id") {
				continue // of something else
			}
			lists++
			for _, word := range words {
				if !slices.Contains(known, word) {
					t.Errorf("%q is neither a type nor a parameter: %s", word, r.Rule)
				}
			}
			if !slices.Contains(words, config.TypeLead) || strings.HasPrefix(r.Message, "access") {
				continue
			}
			for _, name := range config.BuiltinTypes() {
				if !strings.Contains(r.Message, name) {
					t.Errorf("the message does not name %s: %s", name, r.Message)
				}
			}
		}
	}
	if lists < 10 {
		t.Errorf("only %d lists were found", lists)
	}
}

type celRule struct{ Rule, Message string }

// rulesOf returns all rules of all kinds.
func rulesOf(t *testing.T) []celRule {
	t.Helper()
	var found []celRule
	var walk func(node any)
	walk = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			rules, _ := node["x-kubernetes-validations"].([]any)
			for _, r := range rules {
				rule := r.(map[string]any)
				message, _ := rule["message"].(string)
				found = append(found, celRule{rule["rule"].(string), message})
			}
			for _, child := range node {
				walk(child)
			}
		case []any:
			for _, child := range node {
				walk(child)
			}
		}
	}
	files, err := fs.Glob(crd.Files, "bases/*.yaml")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := crd.Files.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var document any
		if err := yaml.Unmarshal(data, &document); err != nil {
			t.Fatal(err)
		}
		walk(document)
	}
	return found
}
