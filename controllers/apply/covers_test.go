package apply

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, document string) map[string]any {
	t.Helper()
	encoded, err := yaml.YAMLToJSON([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(encoded, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestWhatLiveMustHold(t *testing.T) {
	for name, test := range map[string]struct {
		live, want string
		covered    bool
	}{
		"the same":                        {`{a: 1, b: {c: x}}`, `{a: 1, b: {c: x}}`, true},
		"more than is wanted":             {`{a: 1, status: {x: y}}`, `{a: 1}`, true},
		"another value":                   {`{a: 1}`, `{a: 2}`, false},
		"a value of another type":         {`{a: "1"}`, `{a: 1}`, false},
		"less than is wanted":             {`{}`, `{a: 1}`, false},
		"nothing where nothing is wanted": {`{}`, `{a: {b: {}}, c: [], d: "", e: false, f: 0}`, true},
		"something where off is wanted":   {`{e: true}`, `{e: false}`, false},
		"a list with one more item":       {`{rules: [{a: 1}, {a: 2}]}`, `{rules: [{a: 1}]}`, false},
		"a list in another order":         {`{args: [b, a]}`, `{args: [a, b]}`, false},
		"an item with defaults":           {`{rules: [{a: 1, kind: X}]}`, `{rules: [{a: 1}]}`, true},
		"somebody's container beside ours": {`{containers: [{name: proxy}, {name: receiver, image: v1}]}`,
			`{containers: [{name: receiver, image: v1}]}`, true},
		"our container with another image": {`{containers: [{name: receiver, image: evil}]}`,
			`{containers: [{name: receiver, image: v1}]}`, false},
		"no list at all":               {`{}`, `{ports: [{port: 80}]}`, false},
		"a quantity written otherwise": {`{requests: {storage: 1Gi}}`, `{requests: {storage: 1024Mi}}`, true},
		"another quantity":             {`{requests: {storage: 2Gi}}`, `{requests: {storage: 1024Mi}}`, false},
		"a text that is equal as a quantity": {`{env: [{name: A, value: "1.0"}]}`, `{env: [{name: A, value: "1"}]}`,
			false},
		"a key more in a selector": {`{selector: {name: x, app: mine}}`, `{selector: {name: x}}`, false},
		"a key more in the labels of a selector": {`{selector: {matchLabels: {name: x, app: mine}}}`,
			`{selector: {matchLabels: {name: x}}}`, false},
		"an expression more in a selector": {`{podSelector: {matchLabels: {name: x}, matchExpressions: [{key: a}]}}`,
			`{podSelector: {matchLabels: {name: x}}}`, false},
		"a text where an object is wanted":      {`{a: x}`, `{a: {b: c}}`, false},
		"a list of strings where there is none": {`{}`, `{args: [a]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := covers(parse(t, test.live), parse(t, test.want), ""); got != test.covered {
				t.Errorf("covered: %v", got)
			}
		})
	}
}

func TestTheNamesOfFieldsTellWhatWasAppliedAndNoValue(t *testing.T) {
	base := `{metadata: {name: a}, data: {key: c2VjcmV0}, list: [{a: 1}]}`
	for name, test := range map[string]struct {
		document string
		same     bool
	}{
		"other values":      {`{metadata: {name: b}, data: {key: b3RoZXI=}, list: [{a: 2}]}`, true},
		"another order":     {`{list: [{a: 1}], data: {key: x}, metadata: {name: a}}`, true},
		"a field less":      {`{metadata: {name: a}, data: {}, list: [{a: 1}]}`, false},
		"a field more":      {`{metadata: {name: a, x: y}, data: {key: x}, list: [{a: 1}]}`, false},
		"an item more":      {`{metadata: {name: a}, data: {key: x}, list: [{a: 1}, {a: 1}]}`, false},
		"a field elsewhere": {`{metadata: {name: a, key: x}, data: {}, list: [{a: 1}]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if same := fieldNames(parse(t, base)) == fieldNames(parse(t, test.document)); same != test.same {
				t.Errorf("the same: %v", same)
			}
		})
	}
}
