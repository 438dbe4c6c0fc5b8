package charts

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the table of values into the chart's README")

// property is what the schema says of a value.
type property struct {
	Type        string
	Enum        []string
	Description string
	Properties  map[string]property
}

// leaves puts the properties below a path that have none themselves into found.
func (p property) leaves(path string, found map[string]property) {
	if p.Properties == nil {
		found[path] = p
		return
	}
	for name, child := range p.Properties {
		child.leaves(strings.TrimPrefix(path+"."+name, "."), found)
	}
}

func schemaOf(t *testing.T) map[string]property {
	t.Helper()
	var root property
	if err := json.Unmarshal(file(t, "values.schema.json"), &root); err != nil {
		t.Fatal(err)
	}
	found := map[string]property{}
	root.leaves("", found)
	delete(found, "global")
	return found
}

// defaults returns the values of values.yaml at the schema's leaves, and the paths of those that the schema lacks.
func defaults(t *testing.T, schema map[string]property) (found map[string]any, unknown []string) {
	t.Helper()
	var values map[string]any
	if err := yaml.UnmarshalStrict(file(t, "values.yaml"), &values); err != nil {
		t.Fatal(err)
	}
	found = map[string]any{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		if _, ok := schema[path]; ok {
			found[path] = value
			return
		}
		children, ok := value.(map[string]any)
		if !ok {
			unknown = append(unknown, path)
		}
		for name, child := range children {
			walk(strings.TrimPrefix(path+"."+name, "."), child)
		}
	}
	walk("", values)
	return found, unknown
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(chart, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEveryValueHasADefaultAndADescription(t *testing.T) {
	schema := schemaOf(t)
	values, unknown := defaults(t, schema)
	if len(unknown) > 0 {
		t.Errorf("the schema lacks %v", unknown)
	}
	for path, p := range schema {
		if _, ok := values[path]; !ok || p.Description == "" {
			t.Errorf("%s: has a default: %t, is described: %t", path, ok, p.Description != "")
		}
	}
}

func TestTheReadmeHasTheTableOfValues(t *testing.T) {
	const from, to = "## Values\n\n", "\n## "
	schema := schemaOf(t)
	values, _ := defaults(t, schema)
	var table strings.Builder
	table.WriteString("| value | default | |\n|---|---|---|\n")
	for _, path := range slices.Sorted(maps.Keys(schema)) {
		p := schema[path]
		value, err := json.Marshal(values[path])
		if err != nil {
			t.Fatal(err)
		}
		description := p.Description
		if len(p.Enum) > 0 {
			description += " One of `" + strings.TrimPrefix(strings.Join(p.Enum, "`, `"), "`, `") + "`."
		}
		fmt.Fprintf(&table, "| `%s` | `%s` | %s |\n", path, value, description)
	}
	readme := string(file(t, "README.md"))
	before, rest, found := strings.Cut(readme, from)
	_, after, ends := strings.Cut(rest, to)
	if !found || !ends {
		t.Fatal("the README has no part about values, or none after it")
	}
	want := before + from + table.String() + to + after
	if *update {
		if err := os.WriteFile(filepath.Join(chart, "README.md"), []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, readme); diff != "" {
		t.Errorf("go test ./charts -run Readme -update writes it again (-want +got):\n%s", diff)
	}
}
