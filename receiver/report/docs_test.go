package report

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of metrics into docs/reports.md")

const page = "../../docs/reports.md"

func TestThePageHasTheTableOfMetrics(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("<!-- metrics -->\n| metric | unit | is |\n|---|---|---|\n")
	for _, m := range Metrics() {
		what := m.Title
		if formula := m.Formula.String(); formula != "" {
			what = strings.TrimPrefix(what+": "+formula, ": ")
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", m.Name, m.Unit, what)
	}
	table.WriteString("<!-- /metrics -->")
	want := regexp.MustCompile(`(?s)<!-- metrics -->.*<!-- /metrics -->`).ReplaceAllLiteralString(string(text),
		table.String())
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("the table of metrics in docs/reports.md is not up to date: go test ./receiver/report -update")
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestThePagesExampleIsTheTestsExample(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Make(query(t, ""), facts(worked...), rules)
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "### By hand")
	lines := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| .*= ([0-9.]+)").FindAllStringSubmatch(example, -1)
	if len(lines) < 10 {
		t.Fatalf("only %d lines of the example were found", len(lines))
	}
	for _, line := range lines {
		m, ok := MetricNamed(line[1])
		if !ok || r.Value(m, r.Totals[0]).String() != line[2] {
			t.Errorf("%s is not %s", line[1], line[2])
		}
	}
}

func TestThePageNamesEveryParameterAndDimension(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	names := Parameters()
	for _, d := range Dimensions() {
		if !strings.HasPrefix(string(d), "sub_id_") {
			names = append(names, string(d))
		}
	}
	for _, name := range names {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/reports.md does not name %s", name)
		}
	}
}
