//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/hack/testbed"
)

// olderChart is a copy of the chart as one of a former version. There is no released one yet.
func olderChart(t *testing.T) string {
	t.Helper()
	const chart = "charts/postback-operator"
	dir := filepath.Join(t.TempDir(), "postback-operator")
	if err := os.CopyFS(dir, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "Chart.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var older []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "version:") {
			line = "version: 0.0.1\n"
		}
		older = append(older, line)
	}
	if err := os.WriteFile(file, []byte(strings.Join(older, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// helm runs Helm on the release.
func helm(t *testing.T, verb string, args ...string) {
	t.Helper()
	if _, err := bed.Helm(t.Context(), append([]string{verb, testbed.Release, "--namespace", testbed.Namespace, "--wait",
		"--timeout", "3m"}, args...)...); err != nil {
		t.Fatal(err)
	}
}

// reinstalled brings the operator back after a test that takes it away.
func reinstalled(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if err := bed.Install(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// An upgrade of the operator, by which the receivers' image stays what it is, restarts no receiver and fails no
// request.
func TestAnUpgradeRestartsNoReceiver(t *testing.T) {
	reinstalled(t)
	helm(t, "uninstall")
	helm(t, "install", append([]string{olderChart(t)}, testbed.Values(testbed.ImageTag)...)...)
	namespace := inNamespace(t, "e2e-upgrade")
	apply(t, namespace, fleetManifest(t, namespace, "replicas: 2"))
	shop := endpointOn(t, namespace, "shop")
	fleetReady(t, namespace, fleetName, 2)
	before := identities(receiverPods(t, namespace, fleetName))
	under(t, shop, func(t *testing.T, _ *load) {
		helm(t, "upgrade", append([]string{"charts/postback-operator", "--set", "podAnnotations.upgraded=yes"},
			testbed.Values(testbed.ImageTag)...)...)
		apply(t, namespace, endpointManifest("shop", "aliases: {subid: [clickid]}")) // the new operator works
		endpointReady(t, namespace, "shop")
	})
	if diff := cmp.Diff(before, identities(receiverPods(t, namespace, fleetName))); diff != "" {
		t.Errorf("it restarted receivers:\n%s", diff)
	}
}

// Objects can be removed in any order, and nothing waits: there are no finalizers.
func TestNothingHangsWhenItIsRemoved(t *testing.T) {
	manifests := func(t *testing.T, namespace string) {
		apply(t, namespace, fleetManifest(t, namespace))
		endpointOn(t, namespace, "shop")
	}
	children := "deployments,statefulsets,pods,services,poddisruptionbudgets,serviceaccounts"
	gone := func(t *testing.T, namespace string) {
		t.Helper()
		eventually(t, func() error {
			left := kubectl(t, "get", children, "-n", namespace, "-l", v1alpha1.LabelManagedBy+"="+v1alpha1.LabelManagedByValue,
				"-o", "name")
			if left != "" {
				return fmt.Errorf("left behind: %s", left)
			}
			return nil
		})
	}
	t.Run("the declarations first", func(t *testing.T) {
		namespace := inNamespace(t, "e2e-removed-first")
		manifests(t, namespace)
		kubectl(t, "delete", "pbe", "--all", "-n", namespace, "--timeout=2m")
		eventually(t, func() error { // A fleet can be deleted once it has seen that its endpoints are.
			_, err := bed.Kubectl(t.Context(), "delete", "rfl", "--all", "-n", namespace, "--timeout=2m")
			return err
		})
		gone(t, namespace)
		if key := secret(t, namespace, "shop-key", "key"); key == "" {
			t.Error("the generated key is gone")
		}
	})
	t.Run("the operator first", func(t *testing.T) {
		reinstalled(t)
		namespace := inNamespace(t, "e2e-removed-last")
		manifests(t, namespace)
		helm(t, "uninstall")
		shop := target{namespace, "shop", postbackURL(t, namespace, "shop"), databases[namespace]}
		if got := visit(t, shop.url+"?subid=load-0&status=sale&tid=orphan"); got.outcome() != "recorded" {
			t.Errorf("without the operator a receiver answers %d %s", got.Status, got.outcome())
		}
		kubectl(t, "delete", "pbe,rfl", "--all", "-n", namespace, "--timeout=2m")
		gone(t, namespace)
	})
	t.Run("the definitions first", func(t *testing.T) {
		reinstalled(t)
		namespace := inNamespace(t, "e2e-removed-kinds")
		manifests(t, namespace)
		kubectl(t, "delete", "-k", "config/crd", "--timeout=2m")
		gone(t, namespace)
		helm(t, "uninstall")
	})
}
