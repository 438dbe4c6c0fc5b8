package resources

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/config/crd"
	"github.com/postback-dev/postback-operator/controllers/schema"
)

var update = flag.Bool("update", false, "write the goldens")

// everything is a cluster that knows all foreign kinds.
var everything = Facts{
	Image:  "ghcr.io/postback-dev/receiver:v1.2.3",
	Serves: func(runtimeschema.GroupVersionKind) bool { return true },
}

// foreignMark is in labels and annotations of every declaration here, and nowhere in what is built.
const foreignMark = "must-not-be-copied"

var schemas = sync.OnceValues(func() (schema.Schemas, error) { return schema.Load(crd.Files) })

// declared reads a declaration as a cluster would store it.
func declared[T any](t *testing.T, document string) *T {
	t.Helper()
	schemas, err := schemas()
	if err != nil {
		t.Fatal(err)
	}
	object, err := schema.Decode([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	object.SetNamespace("ads")
	object.SetUID("11111111-2222-3333-4444-555555555555")
	object.SetLabels(map[string]string{"team": foreignMark})
	object.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": foreignMark})
	if err := schemas[object.GroupVersionKind()].Admit(t.Context(), object, nil); err != nil {
		t.Fatalf("the fixture is no valid declaration: %v", err)
	}
	var typed T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &typed); err != nil {
		t.Fatal(err)
	}
	return &typed
}

// fleetOf declares a fleet by its spec.
func fleetOf(t *testing.T, spec string) *v1alpha1.ReceiverFleet {
	t.Helper()
	return declared[v1alpha1.ReceiverFleet](t,
		"apiVersion: postback.dev/v1alpha1\nkind: ReceiverFleet\nmetadata: {name: shop}\nspec: "+spec)
}

func endpointOf(t *testing.T, spec string) *v1alpha1.PostbackEndpoint {
	t.Helper()
	return declared[v1alpha1.PostbackEndpoint](t,
		"apiVersion: postback.dev/v1alpha1\nkind: PostbackEndpoint\nmetadata: {name: shop}\nspec: "+spec)
}

// ownFleetOf is a fleet that an endpoint made for itself.
func ownFleetOf(t *testing.T) *v1alpha1.ReceiverFleet {
	t.Helper()
	fleet := fleetOf(t, "{}")
	yes := true
	fleet.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindPostbackEndpoint, Name: "shop", Controller: &yes,
	}}
	return fleet
}

func asYAML(t *testing.T, object any) string {
	t.Helper()
	data, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// golden compares the files of a folder with what was built, and leaves no file there that nothing was built for.
func golden(t *testing.T, dir string, built map[string]string) {
	t.Helper()
	dir = filepath.Join("testdata", dir)
	if *update {
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
			t.Fatal(err)
		}
		for name, content := range built {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("%v; -update writes goldens", err)
	}
	kept := map[string]string{}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		kept[entry.Name()] = string(data)
	}
	if diff := cmp.Diff(kept, built); diff != "" {
		t.Errorf("%s differs from what was built (-golden +built); -update takes it over:\n%s", dir, diff)
	}
}

// files names every child's golden after its kind and lists the children in their order.
func files(t *testing.T, children []Child) map[string]string {
	t.Helper()
	built := map[string]string{}
	var order strings.Builder
	for _, c := range children {
		name := c.Kind.Kind + " " + c.Namespace + "/" + c.Name
		if c.Apply == nil {
			order.WriteString("delete " + name + "\n")
			continue
		}
		order.WriteString("apply  " + name + "\n")
		file := c.Kind.Kind + ".yaml"
		if strings.HasSuffix(c.Name, v1alpha1.AdminSuffix) { // the second of its kind
			file = c.Kind.Kind + v1alpha1.AdminSuffix + ".yaml"
		}
		built[file] = asYAML(t, c.Apply)
	}
	built["order.txt"] = order.String()
	return built
}
