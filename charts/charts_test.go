// Package charts holds the chart and the kustomizations of config against the code, both versions of Helm and a real
// API server.
package charts

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"
)

// root is the module's folder, chart the chart's, kubeVersion the lowest of Kubernetes: without one Helm supposes an
// old one unless it was built by its own Makefile.
const (
	root        = ".."
	chart       = "postback-operator"
	kubeVersion = "v1.30.0"
)

// programs are what the tests run, by name, made by TestMain: helm3, helm4, kubectl. kubeconfig is the API server's.
var (
	programs   = map[string]string{}
	kubeconfig string
)

// helms are the names of the two versions.
var helms = []string{"helm3", "helm4"}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	for _, name := range helms {
		if programs[name], err = output("go", "tool", "-n", "-modfile=hack/tools/"+name+"/go.mod", "helm"); err != nil {
			return 1, fmt.Errorf("building %s: %w", name, err)
		}
	}
	assets, err := output("hack/envtest.sh")
	if err != nil {
		return 1, fmt.Errorf("building the API server: %w", err)
	}
	programs["kubectl"] = filepath.Join(assets, "kubectl")
	environment := &envtest.Environment{BinaryAssetsDirectory: assets}
	if _, err := environment.Start(); err != nil {
		return 1, fmt.Errorf("starting the API server: %w", err)
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	home, err := os.MkdirTemp("", "charts")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	kubeconfig = filepath.Join(home, "kubeconfig")
	if err := os.WriteFile(kubeconfig, environment.KubeConfig, 0o600); err != nil {
		return 1, err
	}
	for name, value := range map[string]string{
		"KUBECONFIG": kubeconfig, "HELM_CONFIG_HOME": home, "HELM_CACHE_HOME": home, "HELM_DATA_HOME": home,
	} {
		if err := os.Setenv(name, value); err != nil {
			return 1, err
		}
	}
	return m.Run(), nil
}

// output runs a program in the module's folder.
func output(program string, args ...string) (string, error) {
	command := exec.Command(program, args...)
	command.Dir, command.Stderr = root, os.Stderr
	out, err := command.Output()
	return strings.TrimSpace(string(out)), err
}

// try runs one of the programs, with the input as its standard input, and returns what it prints.
func try(t *testing.T, input, program string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), programs[program], args...)
	var out, errs bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(input), &out, &errs
	err = command.Run()
	return out.String(), errs.String(), err
}

// must runs one of the programs and fails the test when it fails.
func must(t *testing.T, program string, args ...string) string {
	t.Helper()
	return mustWith(t, "", program, args...)
}

func mustWith(t *testing.T, input, program string, args ...string) string {
	t.Helper()
	stdout, stderr, err := try(t, input, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout
}

// objects are what manifests declare, by kind and name, or kind, namespace and name.
type objects map[string]*unstructured.Unstructured

// parse reads manifests. Twice the same object is an error.
func parse(t *testing.T, manifests string) objects {
	t.Helper()
	found := objects{}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifests)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		content := map[string]any{}
		if err := yaml.UnmarshalStrict(document, &content); err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		if len(content) == 0 {
			continue
		}
		object := &unstructured.Unstructured{Object: content}
		name := strings.Join(strings.Fields(object.GetKind()+" "+object.GetNamespace()+" "+object.GetName()), "/")
		if found[name] != nil {
			t.Errorf("%s is there twice", name)
		}
		found[name] = object
	}
}

// typed converts an object.
func typed[T any](t *testing.T, all objects, name string) *T {
	t.Helper()
	if all[name] == nil {
		t.Fatalf("there is no %s", name)
	}
	into := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(all[name].Object, into,
		true); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return into
}

// template renders the chart by Helm 3 into the namespace ops, with values like "replicas=1".
func template(t *testing.T, values ...string) objects {
	t.Helper()
	return parse(t, must(t, helms[0], templateArgs(values)...))
}

func templateArgs(values []string) []string {
	args := []string{"template", chart, chart, "--namespace", "ops", "--kube-version", kubeVersion}
	for _, value := range values {
		args = append(args, "--set", value)
	}
	return args
}

// kustomize builds a kustomization of config.
func kustomize(t *testing.T, folder string) objects {
	t.Helper()
	return parse(t, must(t, "kubectl", "kustomize", filepath.Join(root, "config", folder)))
}
