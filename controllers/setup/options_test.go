package setup

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/controllers/resources"
)

func TestFlags(t *testing.T) {
	o, err := Parse(strings.Fields("--receiver-image r:1 --watch-namespaces a,b,,a --metrics-open --leader-elect "+
		"--log-format text --log-level debug"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{o.Image, o.Namespaces, o.MetricsAddress, o.MetricsOpen, o.ProbeAddress, o.LeaderElection, o.LogFormat,
		o.LogLevel}
	want := []any{"r:1", []string{"a", "b"}, ":8443", true, ":8081", true, "text", slog.LevelDebug}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFlagsThatAreRefused(t *testing.T) {
	for args, says := range map[string]string{
		"":                                      "--receiver-image is missing",
		"--receiver-image r:1 more":             `unexpected argument "more"`,
		"--receiver-image r:1 --log-format xml": `"xml" is neither`,
		"--receiver-image r:1 --log-level loud": "loud",
		"--receiver-image r:1 --metrics-open --metrics-cert-dir d":       "without TLS",
		"--receiver-image r:1 --no-such-flag now":                        "no-such-flag",
		"--receiver-image r:1 --operator-class Blue":                     "lower-case letters",
		"--receiver-image r:1 --operator-id " + strings.Repeat("x", 101): "at most 100 characters",
	} {
		if _, err := Parse(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestTheUsageNamesEveryFlag(t *testing.T) {
	for _, name := range []string{"receiver-image", "watch-namespaces", "metrics-listen", "metrics-open",
		"metrics-cert-dir", "probe-listen", "leader-elect", "log-level"} {
		if !strings.Contains(Usage(), "-"+name) {
			t.Errorf("no word about --%s", name)
		}
	}
}

func TestTheLogNeverGoesBelowDebug(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var b strings.Builder
		logger := logs(Options{LogFormat: format, LogLevel: slog.Level(-100), Logs: &b})
		logger.V(8).Info("Request Body", "body", "a secret")
		if b.Len() > 0 {
			t.Errorf("logged: %s", &b)
		}
		if logger.V(4).Info("Looking"); !strings.Contains(b.String(), "Looking") {
			t.Error("nothing is logged at debug")
		}
	}
}

func TestFlagsOfWhatFleetsMayDeclare(t *testing.T) {
	o, err := Parse(strings.Fields("--receiver-image r:1 --allow-unrestricted-pod-templates --allow-private-egress a,* "+
		"--allowed-annotation-prefixes x/,y. --allowed-host-suffixes example.com --allowed-issuers "+
		"ClusterIssuer/le,Issuer/own"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := resources.Permissions{
		UnrestrictedPods: true, PrivateEgress: []string{"a", "*"}, AnnotationPrefixes: []string{"x/", "y."},
		HostSuffixes: []string{"example.com"}, Issuers: []string{"ClusterIssuer/le", "Issuer/own"},
	}
	if diff := cmp.Diff(want, o.Permitted); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if o, err = Parse(strings.Fields("--receiver-image r:1"), io.Discard); err != nil ||
		!cmp.Equal(o.Permitted, resources.Permissions{}) {
		t.Errorf("by default: %+v, %v", o.Permitted, err)
	}
}

func TestTheIDOfAnOperator(t *testing.T) {
	for args, want := range map[string]string{
		"":                           "outside-the-cluster",
		"--leader-elect-namespace a": "a",
		"--operator-class blue":      "outside-the-cluster/blue",
		"--operator-id b":            "b",
		"--operator-id b --operator-class blue --leader-elect-namespace a": "b",
	} {
		o, err := Parse(strings.Fields("--receiver-image r:1 "+args), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.id(); got != want {
			t.Errorf("%s: %q", args, got)
		}
	}
}
