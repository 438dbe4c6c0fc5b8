package ops

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
)

// row is a metric in a table of docs/metrics.md: name, type, labels.
var row = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([a-z]+) \\| ([^|]*)\\|")

func TestThePageOfMetricsHasEveryOneOfTheReceiver(t *testing.T) {
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	receivers, _, _ := strings.Cut(string(page), "\n## The operator\n")
	written := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(receivers, -1) {
		written[match[1]] = match[2] + " " + strings.TrimSpace(match[3])
	}
	exposed := map[string]string{}
	for name, family := range exposedFamilies(t) {
		exposed[name] = strings.ToLower(family.GetType().String()) + " " + strings.Join(labels(family), ", ")
	}
	if diff := cmp.Diff(exposed, written); diff != "" {
		t.Errorf("metrics of /metrics (-) and of docs/metrics.md (+):\n%s", diff)
	}
}

// labels returns a metric's labels, sorted and quoted as on the page.
func labels(family *dto.MetricFamily) []string {
	var names []string
	for _, label := range family.GetMetric()[0].GetLabel() {
		names = append(names, "`"+label.GetName()+"`")
	}
	slices.Sort(names)
	return names
}
