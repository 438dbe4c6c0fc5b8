package ops

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/space"
)

// readme is the receiver's README.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exposedFamilies are the receiver's own metrics, by name.
func exposedFamilies(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	o := options(&fakeStore{})
	o.Rates = func() []RateStatus { return []RateStatus{{Source: "ecb", Fetched: start}} }
	o.Durability = func() string { return levelSync }
	o.Connections = func() ConnectionStatus { return ConnectionStatus{} }
	o.Volumes = func() []space.Status { return []space.Status{{Name: "store"}} }
	o.Talkers = many(1).Talkers
	o.Spool = func() ledger.SpoolStatus { return ledger.SpoolStatus{} }
	o.Forwards = func() ForwardStatus { return ForwardStatus{CountedAt: start} }
	o.Metrics.QueueDepth(func() []int { return nil })
	o.Metrics.Postback(conversion.Recorded, "", time.Millisecond)
	New(o)
	families, err := o.Metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exposed := map[string]*dto.MetricFamily{}
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "postback_") {
			exposed[family.GetName()] = family
		}
	}
	return exposed
}

func TestTheReadmeNamesEveryMetricAndItsType(t *testing.T) {
	exposed, written := map[string]string{}, map[string]string{}
	for name, family := range exposedFamilies(t) {
		exposed[name] = strings.ToLower(family.GetType().String())
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(postback_[a-z_]+)` \\| "+
		"([a-z]+) \\|").FindAllStringSubmatch(readme(t), -1) {
		written[row[1]] = row[2]
	}
	if diff := cmp.Diff(exposed, written); diff != "" {
		t.Errorf("metrics of /metrics (-) and of README.md (+):\n%s", diff)
	}
}
