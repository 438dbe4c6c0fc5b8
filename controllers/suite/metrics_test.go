package suite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// undescribedMetrics holds docs/metrics.md against what the operators exposed at the end of the run.
func undescribedMetrics() error {
	page, err := os.ReadFile(filepath.Join(root, "docs", "metrics.md"))
	if err != nil {
		return err
	}
	_, operators, _ := strings.Cut(string(page), "\n## The operator\n")
	described := map[string]string{}
	for _, match := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([a-z]+) \\| "+
		"([^|]*)\\|").FindAllStringSubmatch(operators, -1) {
		described[match[1]] = strings.TrimSpace(match[2] + " " + strings.TrimSpace(match[3]))
	}
	// Only a Lease whose renewal fails counts here.
	delete(described, "leader_election_slowpath_total")
	families, err := metrics.Registry.Gather()
	if err != nil {
		return err
	}
	var wrong []error
	for _, family := range families {
		name := family.GetName()
		if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
			continue
		}
		if got := typeAndLabels(family); described[name] != got && name != "leader_election_slowpath_total" {
			wrong = append(wrong, fmt.Errorf("docs/metrics.md says of %s %q, it is %q", name, described[name], got))
		}
		delete(described, name)
	}
	for name := range described {
		wrong = append(wrong, fmt.Errorf("docs/metrics.md describes %s, which no operator exposed", name))
	}
	return errors.Join(wrong...)
}

func typeAndLabels(family *dto.MetricFamily) string {
	var labels []string
	for _, label := range family.GetMetric()[0].GetLabel() {
		labels = append(labels, "`"+label.GetName()+"`")
	}
	slices.Sort(labels)
	return strings.TrimSpace(strings.ToLower(family.GetType().String()) + " " + strings.Join(labels, ", "))
}
