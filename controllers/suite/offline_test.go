package suite

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/offline"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// long is a name of 52 characters, the most that the kinds allow.
func long(prefix string) string { return prefix + strings.Repeat("x", 52-len(prefix)) }

// userSecret is a Secret that may be read.
func userSecret(name, data string) string {
	return "{apiVersion: v1, kind: Secret, metadata: {name: " + name +
		`, labels: {postback.dev/readable: "true"}}, stringData: {` + data + "}}"
}

func document(kind, name, spec string) string {
	return "{apiVersion: postback.dev/v1alpha1, kind: " + kind + ", metadata: {name: " + name + "}, spec: {" + spec + "}}"
}

// sameForBoth are declarations with everything that may go well or wrong with credentials, the older of two that claim
// one thing first: created in this order, and first by name. revision is that of the generated key, own the key Secret
// of b.
func sameForBoth(revision int, own string) []string {
	fleet := "fleetRef: {name: " + long("fleet") + "}"
	signed := "access: {hmac: {secretRef: {name: %s}}}"
	capi := "headers: [{name: Authorization, valueFrom: {secretKeyRef: {name: capi, key: token}}}]"
	of := func(endpoint string) string {
		return "endpointRef: {name: " + endpoint + "}, offerURL: 'https://offer.example/?s={subid}'"
	}
	return []string{
		userSecret("oxr", "key: canary-key-of-the-provider"),
		userSecret("mine", "key: canary-key-that-two-have"),
		userSecret("own", "key: canary-key-of-b-alone, clickToken: canary-click-token-of-b"),
		userSecret("weak", "key: canary1"),
		userSecret("sign", "hmac: canary-signing-secret"),
		userSecret("capi", "token: Bearer canary-header"),
		"{apiVersion: v1, kind: Secret, metadata: {name: " + resources.OpsSecretName(&v1alpha1.ReceiverFleet{
			ObjectMeta: metav1.ObjectMeta{Name: long("fleet")},
		}) + ", labels: {app.kubernetes.io/managed-by: postback-operator, postback.dev/fleet: " + long("fleet") +
			", postback.dev/role: ops}}, stringData: {token: canary-ops-token-of-the-fleet}}",
		document("ReceiverFleet", long("fleet"), "host: pb.example.com, rates: {providers: [{name: ecb, type: ECB}, "+
			"{name: oxr, type: OpenExchangeRates, keySecretRef: {name: oxr}}, {name: lost, type: OpenExchangeRates, "+
			"keySecretRef: {name: lost}}]}"),
		document("PostbackEndpoint", "a", "currency: USD, "+fleet+", key: {secretRef: {name: mine}}, "+fmt.Sprintf(signed,
			"sign")),
		document("PostbackEndpoint", "b", "currency: USD, "+fleet+", key: {secretRef: {name: "+own+"}}"),
		document("PostbackEndpoint", "c-loses-an-active-key", "currency: USD, "+fleet+", key: {secretRef: {name: mine}}"),
		document("PostbackEndpoint", "d-lacks-its-key", "currency: USD, "+fleet+", key: {secretRef: {name: lost}}"),
		document("PostbackEndpoint", "e-has-a-weak-key", "currency: USD, "+fleet+", key: {secretRef: {name: weak}}"),
		document("PostbackEndpoint", "f-lacks-its-signing-secret", "currency: USD, "+fleet+", "+fmt.Sprintf(signed, "lost")),
		document("PostbackEndpoint", "g-is-invalid",
			"currency: USD, "+fleet+", forwards: [{name: x, url: 'https://s.example/?c={sub}'}]"),
		document("PostbackEndpoint", long("shop"), "currency: USD, "+fleet+fmt.Sprintf(", key: {revision: %d}, ", revision)+
			"browser: {types: [sale], origins: ['https://shop.example']}, "+
			"forwards: [{name: capi, url: 'https://s.example/', method: POST, body: {json: '{}'}, "+capi+"}]"),
		document("PostbackEndpoint", long("alone"), "currency: EUR"),
		document("Campaign", "alias-of-two", of(long("shop"))+", alias: one"),
		document("Campaign", "alias-taken", of(long("shop"))+", alias: one"),
		document("Campaign", "of-an-invalid-one", of("g-is-invalid")),
		document("Campaign", "lacks-its-token", of(long("shop"))+", token: {secretRef: {name: lost}}"),
		document("Campaign", long("summer"), of(long("shop"))+
			", forwards: [{name: capi, url: 'https://s.example/', method: POST, body: {json: '{}'}, "+capi+"}]"),
		document("Campaign", long("winter"), of(long("alone"))),
	}
}

// The operator and manager render make the same documents of the same declarations, byte for byte, once the operator
// was given the keys and keyrings that rendering has generated.
func TestOfflineRendersWhatTheOperatorServes(t *testing.T) {
	namespace := newNamespace(t, nil)
	for _, value := range []string{
		"canary-key-of-the-provider", "canary-key-that-two-have", "canary-key-of-b-alone", "canary-signing-secret",
		"canary-header", "canary-ops-token-of-the-fleet",
	} {
		secret(value)
	}
	out := t.TempDir()
	render := func(documents []string) string {
		for i, d := range documents {
			documents[i] = strings.Replace(d, "metadata: {", "metadata: {namespace: "+namespace+", ", 1)
		}
		var said bytes.Buffer
		err := offline.Render(t.Context(), offline.Options{
			Paths: []string{"-"}, Stdin: strings.NewReader(strings.Join(documents, "\n---\n")), Dir: out,
			Out: &said, Notices: &said, Now: time.Now(),
		})
		return fmt.Sprint(err, "\n", said.String())
	}
	// Before, b had the key that a has now, and the shop another one.
	before := sameForBoth(1, "mine")
	render(append(before[:8:8], before[9], before[15]))
	final := sameForBoth(2, "own")
	said := render(final)

	kept, err := os.ReadFile(filepath.Join(out, "secrets.yaml"))
	noError(t, err)
	urls := map[string]*corev1.Secret{}
	for document := range strings.SplitSeq(string(kept)+"\n---\n"+strings.Join(final, "\n---\n"), "\n---\n") {
		object := &unstructured.Unstructured{}
		noError(t, yaml.Unmarshal([]byte(document), object))
		if object.GetLabels()[v1alpha1.LabelRole] == v1alpha1.RoleURL {
			url := &corev1.Secret{}
			noError(t, yaml.Unmarshal([]byte(document), url))
			urls[url.Name] = url
			continue // the operator has to make the same
		}
		noError(t, admin.Create(t.Context(), object))
	}
	for _, fleet := range []string{long("fleet"), long("alone")} {
		var rendered, made map[string]string
		eventually(t, soon, func() error {
			rendered, made = folder(t, filepath.Join(out, namespace+"."+fleet)), map[string]string{}
			var held corev1.Secret
			name := types.NamespacedName{Namespace: namespace, Name: resources.ManifestSecretName(fleet)}
			if err := admin.Get(t.Context(), name, &held); err != nil {
				return err
			}
			for file, data := range held.Data {
				made[file] = string(data)
			}
			if diff := cmp.Diff(made, rendered); diff != "" {
				return fmt.Errorf("%s (-cluster +files):\n%s\nrendering said: %s", fleet, diff, said)
			}
			return nil
		})
	}
	content, err := served(t.Context(), types.NamespacedName{Namespace: namespace, Name: long("fleet")})
	noError(t, err)
	// With an ops token on both sides the Secrets with URL and API token are the same, too: those of the endpoints that
	// have a key, in the fleet whose ops token is there.
	for _, name := range []string{"a-postback", "b-postback"} {
		if urls[name] == nil {
			t.Errorf("%s was not rendered", name)
		}
	}
	for name, rendered := range urls {
		eventually(t, soon, func() error {
			made := map[string]string{}
			for field, data := range get[corev1.Secret](t, namespace, name).Data {
				made[field] = string(data)
			}
			if !maps.Equal(made, rendered.StringData) || made[v1alpha1.APITokenField] == "" {
				return fmt.Errorf("%s: fields %v, rendered %v, and they differ", name,
					slices.Sorted(maps.Keys(made)), slices.Sorted(maps.Keys(rendered.StringData)))
			}
			return nil
		})
	}
	if got := keysAndCampaigns(content); got != "a 1/0, b 1/0, "+long("shop")+" 2/3" {
		t.Errorf("served, with keys/campaigns: %s", got)
	}
}

// folder returns what a receiver reads in a fleet's folder.
func folder(t *testing.T, path string) map[string]string {
	t.Helper()
	files := map[string]string{}
	names, err := filepath.Glob(filepath.Join(path, "*.json"))
	noError(t, err)
	for _, name := range names {
		data, err := os.ReadFile(name)
		noError(t, err)
		files[filepath.Base(name)] = string(data)
	}
	return files
}

func keysAndCampaigns(content *config.Config) string {
	var all []string
	for _, e := range content.Endpoints {
		all = append(all, fmt.Sprintf("%s %d/%d", e.Name, len(e.Keys), len(e.Campaigns)))
	}
	return strings.Join(all, ", ")
}
