package resources

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
)

func fleetWithoutSchema() *v1alpha1.ReceiverFleet {
	fleet := &v1alpha1.ReceiverFleet{}
	fleet.Name, fleet.Namespace = "shop", "ads"
	return fleet
}

func TestObjectsOfAnEndpoint(t *testing.T) {
	endpoint := endpointOf(t, `
  currency: USD
  receiver:
    host: pb.example.com
    podDisruptionBudget: {enabled: false}
    rates: {providers: []}
    podTemplate: {spec: {nodeSelector: {pool: edge}}}
    store: {postgres: {dsnSecretRef: {name: database}, spool: {}}}`)
	fleet, err := OwnFleet(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	served := fleetOf(t, `{host: pb.example.com}`)
	built := map[string]string{
		"ReceiverFleet.yaml": asYAML(t, fleet),
		"Secret-key.yaml": asYAML(t, KeySecret(endpoint,
			&credential.Generated{Revision: 3, Key: "the-key", ClickToken: "the-token"})),
		"Secret-key-client.yaml": asYAML(t, KeySecret(endpoint, &credential.Generated{
			Revision: 3, Key: "the-key", ClickToken: "the-token", ClientRevision: 2, ClientKey: "the-client-key",
		})),
		"Secret-snippets.yaml":       asYAML(t, SnippetsSecret(endpoint, map[string][]byte{"s2s.txt": []byte("x")})),
		"Secret-keyring.yaml":        asYAML(t, KeyringSecret(endpoint, []byte(`{"postback":[]}`))),
		"Secret-postback.yaml":       asYAML(t, URLSecret(endpoint, served, "the-key", "")),
		"Secret-postback-token.yaml": asYAML(t, URLSecret(endpoint, served, "the-key", "the-token")),
		"Secret-rates-keyring.yaml":  asYAML(t, RatesKeyringSecret(served, []byte(`{}`))),
	}
	golden(t, "endpoint", built)
	for file, content := range built {
		if strings.Contains(content, foreignMark) {
			t.Errorf("%s has a label or annotation of the endpoint", file)
		}
	}
}

func TestAnOwnFleetHasTheSpecOfItsEndpoint(t *testing.T) {
	for name, spec := range map[string]string{
		"nothing declared": `{currency: USD}`,
		"everything off":   `{currency: USD, receiver: {podDisruptionBudget: {enabled: false}, networkPolicy: {enabled: false}, rates: {providers: []}, replicas: 0}}`,
		"everything on":    `{currency: USD, receiver: {podDisruptionBudget: {enabled: true}, networkPolicy: {enabled: true}, podMonitor: {enabled: true}, egress: {allowPrivate: true}, host: a.b, ingress: {className: c}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := endpointOf(t, spec)
			applied, err := OwnFleet(endpoint)
			if err != nil {
				t.Fatal(err)
			}
			stored := declared[v1alpha1.ReceiverFleet](t, asYAML(t, applied))
			want := fleetOf(t, `{}`).Spec.ReceiverSpec
			if endpoint.Spec.Receiver != nil {
				want = *endpoint.Spec.Receiver
			}
			if diff := cmp.Diff(toJSON(t, want), toJSON(t, stored.Spec.ReceiverSpec)); diff != "" {
				t.Errorf("(-endpoint +fleet):\n%s", diff)
			}
			if stored.Spec.PodDisruptionBudget != want.PodDisruptionBudget {
				t.Errorf("podDisruptionBudget became %v", stored.Spec.PodDisruptionBudget)
			}
		})
	}
}

func TestAnEndpointOfAnotherFleetHasNoneOfItsOwn(t *testing.T) {
	fleet, err := OwnFleet(endpointOf(t, `{currency: USD, fleetRef: {name: big}}`))
	if fleet != nil || err != nil {
		t.Errorf("got %v, %v", fleet, err)
	}
}

func TestURLs(t *testing.T) {
	for name, test := range map[string]struct{ spec, want string }{
		"without a host, the Service":   {`{}`, "http://shop.ads.svc/{key}/postback"},
		"a host in front of everything": {`{host: pb.example.com}`, "https://pb.example.com/{key}/postback"},
		"an Ingress with a certificate": {`{host: pb.example.com, ingress: {tlsSecretName: tls}}`,
			"https://pb.example.com/{key}/postback"},
		"an Ingress with one of cert-manager": {`{host: pb.example.com, ingress: {}, certificate: {issuerRef: {name: ca}}}`,
			"https://pb.example.com/{key}/postback"},
		"an Ingress without one": {`{host: pb.example.com, ingress: {}}`,
			"http://pb.example.com/{key}/postback"},
		"TLS that ends in front of the Ingress": {
			`{host: pb.example.com, ingress: {}, externalURL: "https://go.example.com:8443"}`,
			"https://go.example.com:8443/{key}/postback"},
		"something in front of the Service": {`{externalURL: "https://go.example.com"}`,
			"https://go.example.com/{key}/postback"},
		"a former host besides": {`{host: pb.example.com, additionalHosts: [old.example.com]}`,
			"https://pb.example.com/{key}/postback"},
		"a Gateway": {`{host: pb.example.com, gateway: {parentRefs: [{name: g}]}}`,
			"https://pb.example.com/{key}/postback"},
		"a Gateway besides an Ingress without": {`{host: pb.example.com, ingress: {}, gateway: {parentRefs: [{name: g}]}}`,
			"https://pb.example.com/{key}/postback"},
	} {
		if got := URLTemplate(fleetOf(t, test.spec)); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
