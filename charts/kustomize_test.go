package charts

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestTheKustomizationsComponentsFit(t *testing.T) {
	all := overlay(t, `
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: postback-system
resources: [../config/default]
components: [../config/network-policy, ../config/prometheus]
`)
	labels := typed[appsv1.Deployment](t, all, "Deployment/postback-system/postback-operator").Spec.Template.Labels
	for name, path := range map[string][]string{
		"NetworkPolicy/postback-system/postback-operator":       {"spec", "podSelector", "matchLabels"},
		"Service/postback-system/postback-operator-metrics":     {"spec", "selector"},
		"ServiceMonitor/postback-system/postback-operator":      {"spec", "selector", "matchLabels"},
		"PodDisruptionBudget/postback-system/postback-operator": {"spec", "selector", "matchLabels"},
	} {
		if all[name] == nil {
			t.Errorf("there is no %s", name)
			continue
		}
		if diff := cmp.Diff(labels, stringsAt(t, all[name], path...)); diff != "" {
			t.Errorf("%s selects others (-pods +selected):\n%s", name, diff)
		}
	}
}

func TestTheOverlayOfThePageSetsBothImages(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "install.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 2 {
		t.Fatalf("the page has %d examples", len(blocks))
	}
	chartPath, _, _ := unstructured.NestedString(parse(t,
		blocks[1][1])["HelmRelease/flux-system/postback-operator"].Object, "spec", "chart", "spec", "chart")
	if _, err := os.Stat(filepath.Join(root, chartPath, "Chart.yaml")); err != nil {
		t.Errorf("Flux would look for the chart where it is not: %v", err)
	}
	const name = "Deployment/postback-system/postback-operator"
	all := overlay(t, blocks[0][1])
	container := typed[appsv1.Deployment](t, all, name).Spec.Template.Spec.Containers[0]
	got := append([]string{container.Image}, expand(t, "postback-system", container)...)
	want := []string{
		"registry.example/postback/operator:v1", "run", "--receiver-image=registry.example/postback/receiver:v1",
		"--leader-elect",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGitOpsToolsKeepTheDefinitions(t *testing.T) {
	definitions := 0
	for name, object := range kustomize(t, "default") {
		annotations := object.GetAnnotations()
		kept := annotations["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false" &&
			annotations["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
		definition := object.GetKind() == "CustomResourceDefinition"
		if kept != definition {
			t.Errorf("%s is kept: %t", name, kept)
		}
		if definition {
			definitions++
		}
	}
	if definitions < 2 {
		t.Errorf("%d definitions", definitions)
	}
}

// overlay builds a kustomization that is in a folder beside config.
func overlay(t *testing.T, kustomization string) objects {
	t.Helper()
	dir := t.TempDir()
	config, err := filepath.Abs(filepath.Join(root, "config"))
	if err != nil {
		t.Fatal(err)
	}
	// Kustomize takes relative paths only.
	relative, err := filepath.Rel(dir, config)
	if err != nil {
		t.Fatal(err)
	}
	content := strings.ReplaceAll(kustomization, "../config", relative)
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return parse(t, must(t, "kubectl", "kustomize", dir))
}

func stringsAt(t *testing.T, object *unstructured.Unstructured, path ...string) map[string]string {
	t.Helper()
	found, _, err := unstructured.NestedStringMap(object.Object, path...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
