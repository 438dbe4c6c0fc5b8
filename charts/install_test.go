package charts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The release's namespace and name are not those of the kustomizations.
const namespace, release = "helm-system", "ops"

// olderChart returns a copy of the chart whose definition of endpoints lacks a printer column.
func olderChart(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), chart)
	if err := os.CopyFS(dir, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "files", "postback.dev_postbackendpoints.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	older := strings.Replace(string(data), "    - jsonPath: .spec.currency\n      name: Currency\n      type: string\n",
		"", 1)
	if older == string(data) {
		t.Fatal("the definition has no column Currency")
	}
	if err := os.WriteFile(file, []byte(older), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// columns returns the printer columns of the definition of endpoints on the server.
func columns(t *testing.T) string {
	t.Helper()
	return must(t, "kubectl", "get", "crd", "postbackendpoints.postback.dev",
		"-o", "jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}")
}

// Helm 4 takes over what Helm 3 left, as who changes from one to the other has it.
func TestInstallUpgradeUninstall(t *testing.T) {
	// Helm takes over only what Helm made, and another test may have run before.
	must(t, "kubectl", "delete", "crd", "--all", "--wait")
	for _, helm := range helms {
		t.Run(helm, func(t *testing.T) {
			must(t, helm, "install", release, olderChart(t), "--namespace", namespace, "--create-namespace")
			must(t, "kubectl", "wait", "--for=condition=Established", "--timeout=1m", "crd", "--all")
			must(t, "kubectl", "apply", "-f", filepath.Join(root, "config", "samples", "shop.yaml"))
			if helm == helms[0] && strings.Contains(columns(t), "Currency") {
				t.Fatal("the older chart's definition is not the older one")
			}

			notes := must(t, helm, "upgrade", release, chart, "--namespace", namespace, "--set", "replicas=3")
			if !strings.Contains(notes, "kubectl wait -n default --for=condition=Ready pbe/shop") {
				t.Errorf("the notes are:\n%s", notes)
			}
			if got := columns(t); !strings.Contains(got, "Currency") {
				t.Errorf("the definition was not upgraded: its columns are %s", got)
			}
			if got := must(t, "kubectl", "get", "deployment", "-n", namespace, release+"-"+chart, "-o",
				"jsonpath={.spec.replicas}"); got != "3" {
				t.Errorf("%s replicas", got)
			}

			must(t, helm, "uninstall", release, "--namespace", namespace)
			left := must(t, "kubectl", "get", "deployment,serviceaccount,clusterrole,clusterrolebinding,role,service", "-n",
				namespace,
				"-o", "name", "-l", "app.kubernetes.io/instance="+release)
			if left != "" {
				t.Errorf("left behind: %s", left)
			}
			if got := must(t, "kubectl", "get", "pbe", "shop", "-o", "name"); got == "" {
				t.Error("the declaration went with the operator")
			}
		})
	}
}

func TestWhatKustomizeBuildsIsTakenAndLeavesNothingToDo(t *testing.T) {
	must(t, "kubectl", "create", "namespace", "postback")
	for _, folder := range []string{"default", "namespaced", "samples"} {
		t.Run(folder, func(t *testing.T) {
			apply := func() string {
				path := filepath.Join(root, "config", folder)
				must(t, "kubectl", "apply", "--server-side", "--force-conflicts", "--validate=strict", "-k", path)
				return must(t, "kubectl", "get", "-k", path, "-o",
					`jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.generation}{"\n"}{end}`)
			}
			first := apply()
			if first == "" {
				t.Fatal("nothing is there")
			}
			if diff := cmp.Diff(first, apply()); diff != "" {
				t.Errorf("applying the same again changed something (-before +after):\n%s", diff)
			}
		})
	}
}

func TestArgoCDsOtherSettingsStay(t *testing.T) {
	must(t, "kubectl", "create", "namespace", "argocd")
	must(t, "kubectl", "create", "configmap", "-n", "argocd", "argocd-cm", "--from-literal=url=https://argocd.example")
	must(t, "kubectl", "apply", "--server-side", "-n", "argocd", "-k", filepath.Join(root, "config", "argocd"))
	got := must(t, "kubectl", "get", "configmap", "-n", "argocd", "argocd-cm", "-o", "jsonpath={.data}")
	for _, part := range []string{"https://argocd.example", "health.postback.dev_PostbackEndpoint",
		"health.postback.dev_ReceiverFleet"} {
		if !strings.Contains(got, part) {
			t.Errorf("no word of %s: %s", part, got)
		}
	}
}
