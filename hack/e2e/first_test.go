//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// What a newcomer does: the sample, as it stands.
func TestFromADeclarationToAConversion(t *testing.T) {
	namespace := inNamespace(t, "e2e-first")
	began := time.Now()
	kubectl(t, "apply", "-n", namespace, "-f", "config/samples/shop.yaml")
	kubectl(t, "wait", "-n", namespace, "--for=condition=Ready", "pbe/shop", "--timeout=4m")
	t.Logf("Ready %.1f s after kubectl apply", time.Since(began).Seconds())

	service := "http://shop." + namespace + ".svc.cluster.local"
	key := secret(t, namespace, "shop-key", "key")
	addClicks(t, service, secret(t, namespace, "shop-key", "clickToken"), "c1")
	postback := service + "/" + key + "/postback"
	for _, step := range []struct{ query, outcome string }{
		{"subid=c1&status=lead&payout=10", "recorded"},
		{"subid=c1&status=lead&payout=10", "duplicate"},
		{"clickid=c1&type=approved&amount=12.5&currency=eur", "recorded"},
		{"subid={subacc4}&status=sale", "ignored; reason=subid_unresolved_macro"},
	} {
		if got := visit(t, postback+"?"+strings.NewReplacer("{", "%7B", "}",
			"%7D").Replace(step.query)); got.outcome() != step.outcome {
			t.Errorf("%s is answered %d %s %s, want %s", step.query, got.Status, got.outcome(), got.Body, step.outcome)
		}
	}
	if got := visit(t, service+"/wrong/postback?subid=c1&status=sale"); got.Status != http.StatusNotFound ||
		got.Body != "" {
		t.Errorf("a wrong key is answered %d %q", got.Status, got.Body)
	}

	type conversion struct {
		Type         string
		PreviousType string `json:"previous_type"`
		Payout       string
		Status       string `json:"original_status"`
	}
	log := decode[struct{ Items []conversion }](t, read(t, namespace, "shop", "/api/v1/conversions?subid=c1"))
	if diff := cmp.Diff([]conversion{{"sale", "lead", "13.75", "approved"}}, log.Items); diff != "" {
		t.Errorf("the conversion log (-want +got):\n%s", diff)
	}
}

// The status, its columns and the Secrets say what the documentation says.
func TestWhatKubectlShows(t *testing.T) {
	namespace := inNamespace(t, "e2e-shown")
	apply(t, namespace, `
apiVersion: postback.dev/v1alpha1
kind: PostbackEndpoint
metadata: {name: shop}
spec:
  currency: USD
  receiver:
    host: pb.shop.example
    rates: {providers: []}
`)
	endpoint := endpointReady(t, namespace, "shop")
	key := secret(t, namespace, "shop-key", "key")
	if got, want := secret(t, namespace, "shop-postback", "url"), "https://pb.shop.example/"+key+"/postback"; got != want {
		t.Error("the Secret's URL is another one than that of the host and the key")
	}
	if got, want := endpoint.Status.URLTemplate, "https://pb.shop.example/{key}/postback"; got != want {
		t.Errorf("urlTemplate is %s, want %s", got, want)
	}
	if len(endpoint.Status.Keys) != 1 || endpoint.Status.Keys[0].State != v1alpha1.KeyActive {
		t.Errorf("the keys are %+v", endpoint.Status.Keys)
	}
	for kind, want := range map[string][]string{
		"pbe/shop": {"NAME", "READY", "REASON", "CURRENCY", "FLEET", "KEY", "REVISION", "AGE"},
		"rfl/shop": {"NAME", "READY", "REASON", "ENDPOINTS", "REPLICAS", "CONFIRMED", "REVISION", "AGE"},
	} {
		shown := kubectl(t, "get", "-n", namespace, kind, "-o", "wide")
		head, row, _ := strings.Cut(shown, "\n")
		if diff := cmp.Diff(want, strings.Fields(head)); diff != "" {
			t.Errorf("columns of %s (-want +got):\n%s", kind, diff)
		}
		if !strings.Contains(row, "True") {
			t.Errorf("kubectl get %s shows\n%s", kind, shown)
		}
		t.Logf("kubectl get %s\n%s", kind, shown)
	}
	everything := kubectl(t, "get", "pbe,rfl,deployments,pods,services,events", "-n", namespace, "-o", "yaml")
	if strings.Contains(everything, key) {
		t.Error("the key stands somewhere else than in a Secret")
	}
}

// The embedded store is on a volume: a pod that is deleted takes nothing along.
func TestAnEmbeddedStoreOutlivesItsPod(t *testing.T) {
	namespace := inNamespace(t, "e2e-embedded")
	kubectl(t, "apply", "-n", namespace, "-f", "config/samples/shop.yaml")
	endpointReady(t, namespace, "shop")
	service := "http://shop." + namespace + ".svc.cluster.local"
	postback := service + "/" + secret(t, namespace, "shop-key", "key") + "/postback"
	addClicks(t, service, secret(t, namespace, "shop-key", "clickToken"), "c1")
	if got := visit(t, postback+"?subid=c1&status=sale&payout=7"); got.outcome() != "recorded" {
		t.Fatalf("it is answered %d %s %s", got.Status, got.outcome(), got.Body)
	}
	before := identities(receiverPods(t, namespace, "shop"))
	for _, how := range [][]string{nil, {"--force", "--grace-period=0"}} {
		kubectl(t, append([]string{"delete", "pod", "-n", namespace, "-l", v1alpha1.LabelFleet + "=shop"}, how...)...)
		fleetReady(t, namespace, "shop", 1)
		after := identities(receiverPods(t, namespace, "shop"))
		if cmp.Equal(before, after) {
			t.Fatal("the pod is the same one")
		}
		before = after
		eventually(t, func() error {
			got := fetch(t, "GET", postback+"?subid=c1&status=sale&payout=7", nil, "")
			if got.outcome() != "duplicate" {
				return fmt.Errorf("the same postback is answered %d %s %s", got.Status, got.outcome(), got.Error)
			}
			return nil
		})
	}
}

// read reads a page of a fleet's read API, as those do who may forward ports and read the fleet's Secret.
func read(t *testing.T, namespace, fleet, path string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address, err := bed.Forward(ctx, namespace, "deployment/"+fleet, "ops")
	if err != nil {
		t.Fatal(err)
	}
	status, _ := readAs(t, "", address, path)
	if status != http.StatusUnauthorized {
		t.Errorf("%s without the token is answered %d", path, status)
	}
	status, body := readAs(t, secret(t, namespace, fleet+"-ops", "token"), address, path)
	if status != http.StatusOK {
		t.Fatalf("%s is answered %d", path, status)
	}
	return body
}

// readAs reads a page with a token, or without one when it is empty.
func readAs(t *testing.T, token, address, path string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}
