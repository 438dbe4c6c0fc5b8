package render

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func parse[T any](t *testing.T, path string) *T {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	object := new(T)
	if err := yaml.UnmarshalStrict(data, object); err != nil {
		t.Fatal(err)
	}
	return object
}

func golden(t *testing.T, path string, got any) {
	t.Helper()
	data, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(data)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func ring(observed map[rotation.Purpose][]string) rotation.Ring {
	count := 0
	return rotation.Advance(nil, rotation.Input{
		Now: time.Unix(0, 0), Observed: observed, NewID: func() string {
			count++
			return fmt.Sprintf("id%d", count)
		},
	})
}

// headerValues are those of the golden files' forwards.
func headerValues() credential.HeaderValues {
	return credential.HeaderValues{{Name: "capi", Key: "token"}: "Bearer the-header"}
}

func TestEveryFieldOfAnEndpointIsRendered(t *testing.T) {
	endpoint := parse[v1alpha1.PostbackEndpoint](t, filepath.Join("testdata", "endpoint.yaml"))
	keys := ring(map[rotation.Purpose][]string{
		rotation.Postback: {"the-key"}, rotation.Click: {"the-token"}, rotation.Signing: {"the-secret"},
		rotation.Browser: {"the-client-key"},
		rotation.Forward: {"Bearer the-header"},
	})
	rendered, err := Endpoint(endpoint, keys, []string{"the-secret"}, headerValues())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "endpoint.golden.yaml"), rendered)
}

func TestEveryFieldOfAFleetThatReceiversNeedIsRendered(t *testing.T) {
	fleet := parse[v1alpha1.ReceiverFleet](t, filepath.Join("testdata", "fleet.yaml"))
	keys := ring(map[rotation.Purpose][]string{rotation.Provider("oxr"): {"app-id"}})
	rendered, err := Fleet(fleet, keys, map[string]string{"oxr": "app-id"})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "fleet.golden.yaml"), rendered)
}

func TestWhatOnlyTheContractCanSeeIsAnError(t *testing.T) {
	endpoint := parse[v1alpha1.PostbackEndpoint](t, filepath.Join("testdata", "endpoint.yaml"))
	endpoint.Spec.Aliases["tid"] = v1alpha1.AliasList{"bet_status"}
	_, err := Endpoint(endpoint, rotation.Ring{}, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "conversion type first_bet") {
		t.Errorf("error: %v", err)
	}
}

func TestWhoMayJoinAFleet(t *testing.T) {
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"team": "media"}}
	broken := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Near"}}}
	media, other := map[string]string{"team": "media"}, map[string]string{"team": "other"}
	cases := map[string]struct {
		allowed   v1alpha1.AllowedEndpoints
		namespace string
		labels    map[string]string
		want      bool
	}{
		"Same takes its own namespace": {v1alpha1.AllowedEndpoints{Namespaces: "Same"}, "home", nil, true},
		"Same takes no other":          {v1alpha1.AllowedEndpoints{Namespaces: "Same"}, "away", media, false},
		"nothing said means Same":      {v1alpha1.AllowedEndpoints{}, "away", nil, false},
		"All takes any":                {v1alpha1.AllowedEndpoints{Namespaces: "All"}, "away", nil, true},
		"Selector takes those with the labels": {v1alpha1.AllowedEndpoints{Namespaces: "Selector", Selector: selector},
			"away", media, true},
		"Selector takes no others": {v1alpha1.AllowedEndpoints{Namespaces: "Selector", Selector: selector},
			"away", other, false},
		"Selector asks its own namespace too": {v1alpha1.AllowedEndpoints{Namespaces: "Selector", Selector: selector},
			"home", nil, false},
		"a selector that can't be read takes none": {v1alpha1.AllowedEndpoints{Namespaces: "Selector", Selector: broken},
			"away", media, false},
		"a selector that is missing takes none": {v1alpha1.AllowedEndpoints{Namespaces: "Selector"}, "away", media, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			fleet := &v1alpha1.ReceiverFleet{}
			fleet.Namespace = "home"
			fleet.Spec.AllowedEndpoints = c.allowed
			if got := Permits(fleet, c.namespace, c.labels); got != c.want {
				t.Errorf("permitted: %v", got)
			}
		})
	}
}

func TestWhichFleetServesAnEndpoint(t *testing.T) {
	endpoint := &v1alpha1.PostbackEndpoint{}
	endpoint.Namespace, endpoint.Name = "home", "shop"
	cases := map[string]struct {
		ref  *v1alpha1.FleetReference
		want string
		own  bool
	}{
		"one of its own":               {nil, "home/shop", true},
		"one in its namespace":         {&v1alpha1.FleetReference{Name: "eu"}, "home/eu", false},
		"one in a namespace that is":   {&v1alpha1.FleetReference{Name: "eu", Namespace: "infra"}, "infra/eu", false},
		"one that has its name by ref": {&v1alpha1.FleetReference{Name: "shop"}, "home/shop", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			endpoint.Spec.FleetRef = c.ref
			got, own := FleetOf(endpoint)
			if got.String() != c.want || own != c.own {
				t.Errorf("%s, own: %v", got, own)
			}
		})
	}
}

func TestAnOwnFleetIsACopyOfTheReceiver(t *testing.T) {
	endpoint := &v1alpha1.PostbackEndpoint{}
	endpoint.Namespace, endpoint.Name = "home", "shop"
	endpoint.Spec.Receiver = &v1alpha1.ReceiverSpec{TrustedProxies: []string{"10.0.0.0/8"}}
	fleet := OwnFleet(endpoint)
	fleet.Spec.TrustedProxies[0] = "changed"
	if fleet.Namespace != "home" || fleet.Name != "shop" || endpoint.Spec.Receiver.TrustedProxies[0] != "10.0.0.0/8" {
		t.Errorf("fleet %s/%s, receiver %v", fleet.Namespace, fleet.Name, endpoint.Spec.Receiver.TrustedProxies)
	}
}
