package offline

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// house is a folder to render into, and a clock.
type house struct {
	t       *testing.T
	dir     string
	now     time.Time
	out     bytes.Buffer
	notices bytes.Buffer
}

func newHouse(t *testing.T) *house {
	return &house{t: t, dir: filepath.Join(t.TempDir(), "out"), now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// render renders documents given as standard input.
func (h *house) render(documents ...string) error {
	h.t.Helper()
	h.out.Reset()
	h.notices.Reset()
	return Render(h.t.Context(), Options{
		Paths: []string{"-"}, Stdin: strings.NewReader(strings.Join(documents, "\n---\n")),
		Dir: h.dir, Out: &h.out, Notices: &h.notices, Now: h.now,
	})
}

func (h *house) mustRender(documents ...string) {
	h.t.Helper()
	if err := h.render(documents...); err != nil {
		h.t.Fatal(err)
	}
}

// open reads a fleet's folder as a receiver does.
func (h *house) open(fleet string) *config.Config {
	h.t.Helper()
	opened, err := config.Open(func(name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(h.dir, fleet, name))
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return opened
}

func (h *house) endpoints(fleet string) string {
	var names []string
	for _, e := range h.open(fleet).Endpoints {
		names = append(names, e.Namespace+"/"+e.Name)
	}
	return strings.Join(names, " ")
}

// generated returns a field of the Secret shop-key out of secrets.yaml.
func (h *house) generated(field string) string {
	h.t.Helper()
	kept, err := loadSecrets(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	for secret := range kept {
		if secret.Name == "shop-key" {
			return string(kept.get(secret)[field])
		}
	}
	h.t.Fatal("no Secret shop-key")
	return ""
}

// state lists what is in the folder: names, contents, link targets, modes and times of change.
func (h *house) state() map[string]string {
	state := map[string]string{}
	err := filepath.WalkDir(h.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		state[path] = info.Mode().String() + info.ModTime().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			state[path] += string(data)
			return err
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return state
}

func endpoint(name, spec string) string {
	return "apiVersion: postback.dev/v1alpha1\nkind: PostbackEndpoint\nmetadata: {name: " + name +
		"}\nspec: {currency: USD, " + spec + "}"
}

func fleet(name, spec string) string {
	return "apiVersion: postback.dev/v1alpha1\nkind: ReceiverFleet\nmetadata: {name: " + name + "}\nspec: {" + spec + "}"
}

func secret(name, data string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name +
		", labels: {postback.dev/readable: 'true'}}\nstringData: {" + data + "}"
}

// closed takes a Secret's label away, by which it opts in to being read.
func closed(secret string) string {
	return strings.Replace(secret, ", labels: {postback.dev/readable: 'true'}", "", 1)
}

func TestOneEndpointBecomesAFolderAndAKey(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("shop", ""))
	got := h.open("default.shop")
	if len(got.Endpoints) != 1 || len(got.Fleet.Rates.Providers) != 2 {
		t.Fatalf("%d endpoints, %d providers", len(got.Endpoints), len(got.Fleet.Rates.Providers))
	}
	shop := got.Endpoints[0]
	key, token := h.generated("key"), h.generated("clickToken")
	if key == token || shop.Keys[0].SHA256 != config.Digest(key) || shop.ClickTokens[0].SHA256 != config.Digest(token) {
		t.Error("the contract holds other digests than those of the generated key and token")
	}
	if want := filepath.Join(h.dir, "default.shop") + "  revision " + got.Revision +
		"  endpoints 1\n"; h.out.String() != want {
		t.Errorf("said %q, want %q", h.out.String(), want)
	}
}

func TestRenderingTwiceWritesNothing(t *testing.T) {
	h := newHouse(t)
	documents := []string{endpoint("shop", ""), endpoint("other", "fleetRef: {name: eu}"), fleet("eu", "")}
	h.mustRender(documents...)
	before := h.state()
	h.now = h.now.Add(time.Hour)
	slices.Reverse(documents)
	h.mustRender(documents...)
	if !maps.Equal(before, h.state()) {
		t.Error("something was written")
	}
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("shop", ""))
	for path, state := range h.state() {
		if !regexp.MustCompile(`^(-rw-------|drwx------|Lrwxrwxrwx)`).MatchString(state) {
			t.Errorf("%s: %.10s", path, state)
		}
	}
}

func TestAChangeSwapsTheFolderAndCleansUp(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("shop", ""))
	before := h.open("default.shop").Revision
	stale := filepath.Join(h.dir, "default.shop", "shard-001.json")
	if err := os.Symlink(filepath.Join(dataLink, "shard-001.json"), stale); err != nil {
		t.Fatal(err)
	}
	h.mustRender(endpoint("shop", "payout: {max: '5'}"))
	if after := h.open("default.shop").Revision; after == before {
		t.Error("the revision is the same")
	}
	entries, err := os.ReadDir(filepath.Join(h.dir, "default.shop"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, regexp.MustCompile(`^\.\.2030_01_01_00_00_00\.[0-9]+$`).ReplaceAllString(entry.Name(),
			"..time"))
	}
	want := []string{dataLink, "..time", "manifest.json", "shard-000.json"}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("the folder holds %v", names)
	}
}

func TestARaisedRevisionRotatesTheKey(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("shop", ""))
	first, token := h.generated("key"), h.generated("clickToken")
	h.mustRender(endpoint("shop", "key: {revision: 2, overlap: 48h}"))
	second := h.generated("key")
	if first == second || token != h.generated("clickToken") {
		t.Fatal("the key must change, the click token must not")
	}
	accepted := map[string]string{}
	for _, key := range h.open("default.shop").Endpoints[0].Keys {
		accepted[key.SHA256] = "for good"
		if key.RetireAt != nil {
			accepted[key.SHA256] = key.RetireAt.Sub(h.now).String()
		}
	}
	want := map[string]string{config.Digest(first): "48h0m0s", config.Digest(second): "for good"}
	if !maps.Equal(accepted, want) {
		t.Errorf("accepted: %v, want %v", accepted, want)
	}
	h.now = h.now.Add(48 * time.Hour)
	h.mustRender(endpoint("shop", "key: {revision: 2, overlap: 48h}"))
	if keys := h.open("default.shop").Endpoints[0].Keys; len(keys) != 1 || h.generated("key") != second {
		t.Errorf("%d keys after the overlap", len(keys))
	}
}

func TestAScheduleRotatesTheKey(t *testing.T) {
	h := newHouse(t)
	const spec = "key: {rotateEvery: 24h}"
	h.mustRender(endpoint("shop", spec))
	first := h.generated("key")
	h.now = h.now.Add(24*time.Hour - time.Second)
	h.mustRender(endpoint("shop", spec))
	if h.generated("key") != first {
		t.Error("rotated before its time")
	}
	h.now = h.now.Add(time.Second)
	h.mustRender(endpoint("shop", spec))
	if h.generated("key") == first {
		t.Error("not rotated when its time had come")
	}
}

func TestDeclaredSecretsAreUsed(t *testing.T) {
	h := newHouse(t)
	h.mustRender(
		endpoint("a", "key: {secretRef: {name: mine, key: postback}}, access: {hmac: {secretRef: {name: sign}}}"),
		secret("mine", "postback: my-own-long-key"), secret("sign", "hmac: signing"),
		endpoint("b", ""), secret("b-key", "key: another-long-key, clickToken: a-click-token"),
	)
	a, b := h.open("default.a").Endpoints[0], h.open("default.b").Endpoints[0]
	if a.Keys[0].SHA256 != config.Digest("my-own-long-key") || len(a.ClickTokens) != 0 ||
		a.Access.HMAC.Secrets[0].Value.Reveal() != "signing" {
		t.Errorf("a: %+v", a)
	}
	if b.Keys[0].SHA256 != config.Digest("another-long-key") || b.ClickTokens[0].SHA256 != config.Digest("a-click-token") {
		t.Errorf("b: %+v", b)
	}
	kept, err := loadSecrets(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	for name := range kept {
		if !strings.HasSuffix(name.Name, "-keyring") {
			t.Errorf("%s was generated", name)
		}
	}
}

// Each case declares a good endpoint too, which must be rendered all the same.
func TestWhatIsWrongWithOneEndpointLeavesTheOthersAlone(t *testing.T) {
	cases := map[string]struct {
		documents []string
		says      string
	}{
		"an unknown field": {[]string{endpoint("bad", "polices: {}")},
			"PostbackEndpoint default/bad is left out: spec.polices: unknown field"},
		"a broken rule": {[]string{endpoint("bad", "payout: {max: '0'}")},
			"PostbackEndpoint default/bad is left out: spec.payout.max: max: write a decimal"},
		"broken YAML":              {[]string{"a: b: c"}, "standard input, document 1"},
		"a key twice in a mapping": {[]string{"kind: A\nkind: B"}, `key "kind" already set`},
		"no object":                {[]string{"- just\n- text"}, "is no Kubernetes object"},
		"a Secret that is missing": {[]string{endpoint("bad", "key: {secretRef: {name: mine}}")},
			"PostbackEndpoint default/bad is left out: spec.key.secretRef: Secret default/mine: not found among the files"},
		"a Secret without its field": {[]string{endpoint("bad", "key: {secretRef: {name: mine}}"),
			secret("mine", "other: x")}, `Secret default/mine: field "key" is missing`},
		"a signing Secret that is missing": {[]string{endpoint("bad", "access: {hmac: {secretRef: {name: sign}}}")},
			"spec.access.hmac.secretRef: Secret default/sign: not found among the files"},
		"a Secret that is no base64": {[]string{"apiVersion: v1\nkind: Secret\nmetadata: {name: mine}\ndata: " +
			"{key: 'hunter2!'}"}, "Secret default/mine: data.key is no base64: plain text belongs in stringData"},
		"a fleet that is missing": {[]string{endpoint("bad", "fleetRef: {name: eu}")},
			"no ReceiverFleet default/eu is declared"},
		"a fleet that permits nobody": {[]string{endpoint("bad", "fleetRef: {name: eu, namespace: infra}"),
			strings.Replace(fleet("eu", ""), "name: eu", "name: eu, namespace: infra", 1)}, "don't permit the namespace"},
		"a fleet that is invalid": {[]string{endpoint("bad", "fleetRef: {name: eu}"),
			fleet("eu", "host: 'http://pb.example.com'")},
			"PostbackEndpoint default/bad is left out: its fleet default/eu is invalid"},
		"a fleet of its own name": {[]string{endpoint("bad", ""), fleet("bad", "")},
			"a ReceiverFleet of the endpoint's name is declared"},
		"no apiVersion": {[]string{"kind: PostbackEndpoint\nmetadata: {name: bad}"},
			"apiVersion is missing: a PostbackEndpoint has apiVersion: postback.dev/v1alpha1"},
		"no apiVersion of a Secret": {[]string{"kind: Secret\nmetadata: {name: bad}"},
			"apiVersion is missing: a Secret has apiVersion: v1"},
		"no kind": {[]string{"apiVersion: postback.dev/v1alpha1\nmetadata: {name: bad}"},
			"kind is missing: write Campaign, PostbackEndpoint, ReceiverFleet"},
		"neither apiVersion nor kind": {[]string{"metadata: {name: bad}"}, "apiVersion and kind are missing"},
		"no name": {[]string{"apiVersion: postback.dev/v1alpha1\nkind: Campaign"},
			"metadata.name of a Campaign is missing"},
		"a kind in the wrong case": {[]string{strings.Replace(endpoint("bad", ""), "PostbackEndpoint",
			"postbackendpoint", 1)}, "write kind: PostbackEndpoint"},
		"a Secret's kind misspelt": {[]string{strings.Replace(secret("mine", "key: hunter2"), "Secret", "Secrets",
			1)}, "write kind: Secret"},
		"a kind of another group": {[]string{strings.Replace(campaign("bad", ""), "postback.dev/v1alpha1",
			"postback.io/v1", 1)}, "Campaign default/bad is left out: there is no such kind in apiVersion postback.io/v1"},
		"a key that YAML takes for a number": {[]string{secret("mine", "key: 12345e6")},
			"Secret default/mine: stringData.key is no text for YAML: write it in quotes"},
		"a key that YAML takes for a boolean": {[]string{secret("mine", "key: yes, other: x")},
			"Secret default/mine: stringData.key is no text for YAML: write it in quotes"},
		"a Secret's key without a value": {[]string{secret("mine", "key: ")},
			"Secret default/mine: stringData.key is empty"},
		"a Secret's data as a number": {[]string{"apiVersion: v1\nkind: Secret\nmetadata: {name: mine}\ndata: " +
			"{key: 12345}"}, "data.key is no text for YAML: write it in quotes"},
		"a Secret that did not opt in": {[]string{endpoint("bad", "key: {secretRef: {name: mine}}"),
			closed(secret("mine", "key: hunter2hunter2"))},
			`PostbackEndpoint default/bad is left out: spec.key.secretRef: Secret default/mine: it needs the label postback.dev/readable: "true"`},
		"a signing Secret that did not opt in": {[]string{endpoint("bad", "access: {hmac: {secretRef: {name: mine}}}"),
			closed(secret("mine", "hmac: hunter2"))}, "spec.access.hmac.secretRef: Secret default/mine: it needs the label"},
		"a signing Secret for another namespace": {[]string{
			endpoint("bad", "fleetRef: {name: eu, namespace: infra}, access: {hmac: {secretRef: {name: mine}}}"),
			secret("mine", "hmac: hunter2"),
			strings.Replace(fleet("eu", "allowedEndpoints: {namespaces: All}"), "name: eu", "name: eu, namespace: infra", 1)},
			"spec.access.hmac.secretRef: Secret default/mine: it needs the annotation postback.dev/shared-with: infra"},
		"a key that is too short": {[]string{endpoint("bad", "key: {secretRef: {name: mine}}"),
			secret("mine", "key: hunter2")}, "fewer than 12 characters and may be guessed: take a longer one, or set " +
			"spec.key.allowWeak"},
		"a provider's key that would go elsewhere": {[]string{fleet("bad",
			"rates: {providers: [{name: own, type: JSON, url: 'https://rates.example/', keySecretRef: {name: mine}}]}")},
			"only type OpenExchangeRates takes a key"},
		"a provider's key that would go to another host": {[]string{fleet("bad",
			"rates: {providers: [{name: oxr, type: OpenExchangeRates, url: 'https://openexchangerates.org.evil.example/', "+
				"keySecretRef: {name: mine}}]}")}, "a key goes to https://openexchangerates.org/ only"},
		"a provider's key in the clear": {[]string{fleet("bad",
			"rates: {providers: [{name: oxr, type: OpenExchangeRates, url: 'http://openexchangerates.org/', keySecretRef: "+
				"{name: mine}}]}")}, "a key goes to https://openexchangerates.org/ only"},
		"two of one name": {[]string{endpoint("good", "suspend: true")},
			"PostbackEndpoint default/good: is declared twice"},
		"a version that is none": {[]string{strings.Replace(endpoint("bad", ""), "v1alpha1", "v1",
			1)}, "PostbackEndpoint default/bad is left out: there is no such kind in apiVersion postback.dev/v1: write " +
			"apiVersion: postback.dev/v1alpha1"},
		"a kind that is none": {[]string{strings.Replace(endpoint("bad", ""), "PostbackEndpoint",
			"PostbackEndpoints", 1)},
			`there is no kind "PostbackEndpoints" in apiVersion postback.dev/v1alpha1: write kind: PostbackEndpoint`},
		"a signature in a training": {[]string{endpoint("bad",
			"conversionTypes: [{name: bet}], access: {hmac: {parameter: bet_status, secretRef: {name: s}}}")},
			"must not be the <parameter>_status of one of conversionTypes"},
		"a type's training as an alias": {[]string{endpoint("bad",
			"conversionTypes: [{name: bet}], aliases: {tid: [bet_status]}")}, "conversion type bet"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			documents := append(slices.Clone(c.documents), endpoint("good", ""))
			if name == "two of one name" {
				slices.Reverse(documents)
			}
			err := h.render(documents...)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error: %v", err)
			}
			if got := h.endpoints("default.good"); got != "default/good" {
				t.Errorf("the good one's folder holds %q", got)
			}
		})
	}
}

// As in a cluster: the other providers go on.
func TestARateProviderWithoutItsKeyIsLeftOutAndTold(t *testing.T) {
	h := newHouse(t)
	const oxr = "{name: oxr, type: OpenExchangeRates, keySecretRef: {name: oxr}}"
	err := h.render(endpoint("shop", "fleetRef: {name: eu}"),
		fleet("eu", "rates: {providers: [{name: ecb, type: ECB}, "+oxr+"]}"))
	const says = "ReceiverFleet default/eu is rendered without a rate provider: " +
		"spec.rates.providers[oxr].keySecretRef: Secret default/oxr: not found among the files"
	if err == nil || err.Error() != says {
		t.Errorf("it says: %v", err)
	}
	if providers := h.open("default.eu").Fleet.Rates.Providers; len(providers) != 1 || providers[0].Name != "ecb" {
		t.Errorf("providers: %+v", providers)
	}
}

// A retiring key that an older endpoint has is given up, and the endpoint is served by its own.
func TestARetiringKeyOfAnOlderEndpointIsReleased(t *testing.T) {
	h := newHouse(t)
	const spec = "fleetRef: {name: eu}, key: {secretRef: {name: %}}"
	younger := func(secret string) string { return endpoint("b", strings.Replace(spec, "%", secret, 1)) }
	mine, own := secret("mine", "key: the-key-of-the-older-one"), secret("own", "key: a-key-of-its-own-now")
	h.mustRender(younger("mine"), fleet("eu", ""), mine)
	h.mustRender(younger("own"), endpoint("a", strings.Replace(spec, "%", "mine", 1)), fleet("eu", ""), mine, own)
	served := map[string][]config.Key{}
	for _, e := range h.open("default.eu").Endpoints {
		served[e.Name] = e.Keys
	}
	if len(served["a"]) != 1 || len(served["b"]) != 1 || served["b"][0].SHA256 != config.Digest("a-key-of-its-own-now") {
		t.Errorf("served: %+v", served)
	}
}

func TestTheOlderOfTwoEndpointsKeepsTheKey(t *testing.T) {
	const spec = "fleetRef: {name: eu}, key: {secretRef: {name: mine}}"
	born := func(document, name, when string) string {
		return strings.Replace(document, "{name: "+name+"}", "{name: "+name+", creationTimestamp: '"+when+"'}", 1)
	}
	h := newHouse(t)
	err := h.render(
		born(endpoint("a", spec), "a", "2029-02-02T00:00:00Z"), born(endpoint("b", spec), "b", "2029-01-01T00:00:00Z"),
		endpoint("c", "fleetRef: {name: eu}"), fleet("eu", ""), secret("mine", "key: hunter2hunter2"),
	)
	if err == nil || !strings.Contains(err.Error(),
		"PostbackEndpoint default/a is left out: spec.key: the older PostbackEndpoint b has the same key") ||
		strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error: %v", err)
	}
	if got := h.endpoints("default.eu"); got != "default/b default/c" {
		t.Errorf("the fleet holds %q", got)
	}
}

func TestEndpointsOfOtherNamespacesJoinByLabel(t *testing.T) {
	away := strings.Replace(endpoint("shop", "fleetRef: {name: eu, namespace: default}"), "name: shop",
		"name: shop, namespace: media", 1)
	h := newHouse(t)
	h.mustRender(away, fleet("eu", "allowedEndpoints: {namespaces: Selector, selector: {matchLabels: {team: a}}}"),
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: media, labels: {team: a}}")
	if got := h.endpoints("default.eu"); got != "media/shop" {
		t.Errorf("the fleet holds %q", got)
	}
}

func TestSuspendedEndpointsAreRenderedAsDeclared(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("shop", "suspend: true"))
	if got := h.endpoints("default.shop"); got != "default/shop" {
		t.Errorf("the fleet holds %q", got)
	}
}

func TestNothingThatIsSaidShowsASecret(t *testing.T) {
	h := newHouse(t)
	err := h.render(endpoint("shop", ""), endpoint("bad", "key: {secretRef: {name: mine}}"),
		secret("mine", "key: 'hunter2 with spaces'"))
	said := h.out.String() + h.notices.String() + err.Error()
	for _, value := range []string{"hunter2", h.generated("key"), h.generated("clickToken")} {
		if strings.Contains(said, value) || strings.Contains(said, config.Digest(value)) {
			t.Errorf("a secret or its digest shows in %q", said)
		}
	}
}

func TestFoldersAreReadButForTheOutput(t *testing.T) {
	in := t.TempDir()
	files := map[string]string{
		"a.yaml": endpoint("a", ""), "sub/b.yml": endpoint("b", "") + "\n---\n" + endpoint("c", ""),
		"d.json":    `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"postback.dev/v1alpha1","kind":"PostbackEndpoint","metadata":{"name":"d"},"spec":{"currency":"EUR"}}]}`,
		"readme.md": "not read", "other.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}",
		"kustomization.yaml":    "resources: [a.yaml]",
		"sub/kustomization.yml": "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1",
	}
	for name, content := range files {
		path := filepath.Join(in, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700),
			os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	h := newHouse(t)
	h.dir = filepath.Join(in, "out")
	options := Options{Paths: []string{in}, Dir: h.dir, Out: io.Discard, Notices: &h.notices, Now: h.now}
	for range 2 {
		h.notices.Reset()
		if err := Render(t.Context(), options); err != nil {
			t.Fatal(err)
		}
		if got := h.notices.String(); got != "ignored: ConfigMap \"x\" is none of the kinds that are rendered\n" {
			t.Errorf("noticed: %s", got)
		}
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if got := h.endpoints("default." + name); got != "default/"+name {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestAFolderOfNoFleetIsLeftAndTold(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("old", ""))
	h.mustRender(endpoint("new", ""))
	if !strings.Contains(h.notices.String(), "default.old belongs to no fleet") ||
		h.endpoints("default.old") != "default/old" {
		t.Errorf("noticed: %s", h.notices.String())
	}
}

func TestNothingIsDoneWithoutGoodInput(t *testing.T) {
	h := newHouse(t)
	if err := h.render("# nothing\n"); err == nil || !strings.Contains(err.Error(), "no PostbackEndpoint") {
		t.Errorf("empty input: %v", err)
	}
	h.mustRender(endpoint("shop", ""))
	path := filepath.Join(h.dir, secretsFile)
	if err := os.WriteFile(path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := h.state()
	if err := h.render(endpoint("shop", "suspend: true")); err == nil ||
		!strings.Contains(err.Error(), "repair it or move it away") {
		t.Errorf("broken secrets.yaml: %v", err)
	}
	if !maps.Equal(before, h.state()) {
		t.Error("something was written")
	}
}

func TestTheSamplesRender(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"../../config/samples/shop.yaml", "../../config/samples/agency.yaml"} {
		options := Options{Paths: []string{path}, Dir: h.dir, Out: io.Discard, Notices: io.Discard, Now: h.now}
		if err := Render(t.Context(), options); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got := h.endpoints("default.shop") + " " +
		h.endpoints("default.agency"); got != "default/shop default/casino default/nutra" {
		t.Errorf("rendered: %s", got)
	}
	if providers := h.open("default.shop").Fleet.Rates.Providers; len(providers) != 0 {
		t.Errorf("the shop sample asks %d providers", len(providers))
	}
}

func TestTheHeadersOfForwardsComeFromDeclaredSecrets(t *testing.T) {
	const spec = "forwards: [{name: a, url: 'https://s.example/', method: POST, body: {json: '{}'}, " +
		"headers: [{name: Authorization, valueFrom: {secretKeyRef: {name: capi, key: token}}}]}]"
	h := newHouse(t)
	linked := strings.Replace(campaign("summer", spec), "offer.example/", "offer.example/?s={subid}", 1)
	h.mustRender(endpoint("shop", spec), linked, secret("capi", "token: Bearer canary"))
	shop, ids := h.only(), map[string]bool{}
	for _, f := range shop.Forwards {
		if f.Headers[0].Secret.Value.Reveal() != "Bearer canary" {
			t.Errorf("%s: %+v", f.Name, f.Headers)
		}
		ids[f.Headers[0].Secret.ID] = true
	}
	revision := h.open("default.shop").Revision
	h.mustRender(endpoint("shop", spec), linked, secret("capi", "token: Bearer canary"))
	if h.open("default.shop").Revision != revision {
		t.Error("rendering again gives another revision")
	}
	h.mustRender(endpoint("shop", spec), linked, secret("capi", "token: Bearer canary-2"))
	if after := h.only(); ids[after.Forwards[0].Headers[0].Secret.ID] || h.open("default.shop").Revision == revision {
		t.Error("a new value leaves the id or the revision as it was")
	}
	for says, documents := range map[string][]string{
		"spec.forwards: Secret default/capi: not found among the files": {endpoint("shop", spec)},
		`spec.forwards: Secret default/capi: field "token" is missing`: {endpoint("shop", spec),
			secret("capi", "other: canary")},
	} {
		if err := newHouse(t).render(documents...); err == nil || !strings.Contains(err.Error(), says) ||
			strings.Contains(err.Error(), "canary") {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

func TestAWeakKeyIsTold(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("shop", "key: {allowWeak: true, secretRef: {name: mine}}"), secret("mine", "key: ba1ec3c"))
	said := h.notices.String()
	if !strings.Contains(said, "PostbackEndpoint default/shop: The key in Secret default/mine is in use, but it has "+
		"less than 64 bits of entropy") || strings.Contains(said, "ba1ec3c") {
		t.Errorf("noticed: %s", said)
	}
	if key := h.open("default.shop").Endpoints[0].Keys[0]; key.SHA256 != config.Digest("ba1ec3c") {
		t.Errorf("key: %+v", key)
	}
}

// A Secret of the type needs no label, and one that says so may go to the fleet's namespace.
func TestSecretsOptIn(t *testing.T) {
	h := newHouse(t)
	typed := closed(secret("mine", "key: a-key-of-my-own")) + "\ntype: postback.dev/credentials"
	shared := strings.Replace(secret("sign", "hmac: signing"), "{name: sign",
		"{name: sign, annotations: {postback.dev/shared-with: 'other, infra'}", 1)
	h.mustRender(typed, shared,
		endpoint("shop", "fleetRef: {name: eu, namespace: infra}, key: {secretRef: {name: mine}}, access: {hmac: "+
			"{secretRef: {name: sign}}}"),
		strings.Replace(fleet("eu", "allowedEndpoints: {namespaces: All}"), "name: eu", "name: eu, namespace: infra", 1))
	if shop := h.open("infra.eu").Endpoints[0]; len(shop.Keys) != 1 || len(shop.Access.HMAC.Secrets) != 1 {
		t.Errorf("rendered: %+v", shop)
	}
}
