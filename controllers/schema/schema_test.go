package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/config/crd"
)

func load(t *testing.T) Schemas {
	t.Helper()
	schemas, err := Load(crd.Files)
	if err != nil {
		t.Fatal(err)
	}
	return schemas
}

// admit judges the YAML documents of a file, each as an update of the one before it.
func admit(t *testing.T, schemas Schemas, data string) (last *unstructured.Unstructured, err error) {
	t.Helper()
	for document := range strings.SplitSeq(data, "\n---\n") {
		object, decodeErr := Decode([]byte(document))
		if decodeErr != nil {
			t.Fatal(decodeErr)
		}
		object.SetNamespace("default")
		schema := schemas[object.GroupVersionKind()]
		if schema == nil {
			t.Fatalf("no schema for %s", object.GroupVersionKind())
		}
		if err != nil {
			t.Fatalf("only the last document of a file may be wrong: %v", err)
		}
		err = schema.Admit(t.Context(), object, last)
		last = object
	}
	return last, err
}

func samples(t *testing.T, dir string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no samples in %s: %v", dir, err)
	}
	contents := map[string]string{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		contents[filepath.Base(path)] = string(data)
	}
	return contents
}

func TestValidSamplesAreAdmitted(t *testing.T) {
	schemas := load(t)
	for name, data := range samples(t, "valid") {
		t.Run(name, func(t *testing.T) {
			if _, err := admit(t, schemas, data); err != nil {
				t.Error(err)
			}
		})
	}
}

// An invalid sample has one thing wrong. Its first line is a comment with the text that the error must
// contain. A second document is the declaration after an update.
func TestInvalidSamplesAreRefusedWithAHelpfulMessage(t *testing.T) {
	schemas := load(t)
	for name, data := range samples(t, "invalid") {
		t.Run(name, func(t *testing.T) {
			comment, rest, _ := strings.Cut(data, "\n")
			want := strings.TrimPrefix(comment, "# ")
			_, err := admit(t, schemas, rest)
			if err == nil {
				t.Fatal("admitted")
			}
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say %q:\n%v", want, err)
			}
			if got := strings.Count(err.Error(), "\n") + 1; got != 1 {
				t.Errorf("%d problems found, each sample has one:\n%v", got, err)
			}
		})
	}
}

func TestAnEndpointWithItsCurrencyOnlyIsDefaulted(t *testing.T) {
	object, err := admit(t, load(t),
		`{apiVersion: postback.dev/v1alpha1, kind: PostbackEndpoint, metadata: {name: shop}, spec: {currency: USD}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"currency":         "USD",
		"timeZone":         "UTC",
		"ignoreParameters": []any{"_", "gtmcb", "cb", "cachebuster", "nocache", "rnd", "rand", "ts", "retry", "attempt"},
		"key":              map[string]any{"overlap": "72h"},
		"policies": map[string]any{
			"missingStatus": "Ignore", "unknownStatus": "Ignore", "unknownClick": "Ignore", "holdFor": "1h",
			"repeat": "Overwrite", "slot": "Tid", "transitions": "Any",
		},
	}
	if diff := cmp.Diff(want, object.Object["spec"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFleetWithoutASpecIsDefaulted(t *testing.T) {
	object, err := admit(t, load(t), `{apiVersion: postback.dev/v1alpha1, kind: ReceiverFleet, metadata: {name: eu}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"allowedEndpoints":    map[string]any{"namespaces": "Same"},
		"networkPolicy":       map[string]any{"enabled": false},
		"podDisruptionBudget": map[string]any{"enabled": true},
		"podMonitor":          map[string]any{"enabled": false},
		"rates": map[string]any{
			"providers": []any{
				map[string]any{"name": "ecb", "type": "ECB"},
				map[string]any{"name": "open-er-api", "type": "OpenERAPI"},
			},
			"refreshEvery": "12h",
		},
		"service": map[string]any{"type": "ClusterIP"},
		"store":   map[string]any{"embedded": map[string]any{"size": "10Gi"}},
	}
	if diff := cmp.Diff(want, object.Object["spec"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The API server refuses a definition whose rules could cost too much; this runs the same estimate.
func TestDefinitionsAreAcceptedByTheAPIServerAndSmall(t *testing.T) {
	const limit = 150_000
	for _, name := range []string{"campaigns", "postbackendpoints", "receiverfleets"} {
		data, err := crd.Files.ReadFile(fmt.Sprintf("bases/postback.dev_%s.yaml", name))
		if err != nil {
			t.Fatal(err)
		}
		if len(data) >= limit {
			t.Errorf("%s: %d bytes, must stay below %d", name, len(data), limit)
		}
		var v1 apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(data, &v1); err != nil {
			t.Fatal(err)
		}
		apiextensionsv1.SetDefaults_CustomResourceDefinition(&v1)
		apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&v1.Spec)
		var internal apiextensions.CustomResourceDefinition
		if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&v1,
			&internal, nil); err != nil {
			t.Fatal(err)
		}
		internal.Status.StoredVersions = []string{"v1alpha1"}
		for _, err := range apiextensionsvalidation.ValidateCustomResourceDefinition(t.Context(), &internal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
