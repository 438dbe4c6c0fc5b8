package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// declaredConditions returns the values of the constants in conditions.go whose names have the prefix, sorted.
func declaredConditions(t *testing.T, prefix string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../api/v1alpha1/conditions.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]bool{}
	for node := range ast.Preorder(file) {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, prefix) {
			continue
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		values[value] = true
	}
	return slices.Sorted(maps.Keys(values))
}

func TestThePageOfConditionsNamesThemAllAndNoOthers(t *testing.T) {
	page, err := os.ReadFile("conditions.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\|(?: `(\\w+)`)? \\| (?:True|False|Unknown) \\| `(\\w+)` \\|")
	// These two are described above the tables, having no reasons of their own.
	conditions, reasons := map[string]bool{"Reconciling": true, "Stalled": true}, map[string]bool{}
	for _, match := range row.FindAllStringSubmatch(string(page), -1) {
		if match[1] != "" {
			conditions[match[1]] = true
		}
		reasons[match[2]] = true
	}
	if diff := cmp.Diff(declaredConditions(t, "Condition"), slices.Sorted(maps.Keys(conditions))); diff != "" {
		t.Errorf("conditions (-declared +described):\n%s", diff)
	}
	if diff := cmp.Diff(declaredConditions(t, "Reason"), slices.Sorted(maps.Keys(reasons))); diff != "" {
		t.Errorf("reasons (-declared +described):\n%s", diff)
	}
}
