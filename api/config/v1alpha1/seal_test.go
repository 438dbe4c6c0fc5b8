package v1alpha1

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// aFleet is a valid fleet with a secret in it.
func aFleet() Fleet {
	return Fleet{
		Namespace: "default", Name: "eu",
		Rates: Rates{
			Providers: []RateProvider{
				{Name: "oxr", Type: RateProviderOpenExchangeRates, Key: &Secret{ID: "p1", Value: "provider-key"}},
				{Name: "ecb", Type: RateProviderECB},
			},
			RefreshEvery: Duration(12 * time.Hour),
			Fixed:        []FixedRate{{From: "USDT", To: "USD", Rate: "0.9995"}, {From: "EUR", To: "USD", Rate: "1.10"}},
		},
		TrustedProxies: []string{"2001:db8::/32", "10.0.0.0/8"},
	}
}

// anEndpoint is a valid endpoint with nothing that could be left out.
func anEndpoint(name string) Endpoint {
	return Endpoint{
		Namespace: "default", Name: name, Currency: "USD",
		Keys: []Key{{ID: name + "-k1", SHA256: Digest("key of " + name)}},
		Policies: Policies{
			MissingStatus: PolicyIgnore, UnknownStatus: PolicyIgnore, UnknownClick: UnknownClickIgnore,
			Repeat: RepeatOverwrite, Slot: SlotTid, Transitions: TransitionsAny,
		},
	}
}

// aWholeEndpoint is a valid endpoint with something in every field.
func aWholeEndpoint(name string) Endpoint {
	retire := time.Date(2030, 1, 2, 3, 4, 5, 0, time.FixedZone("MSK", 3*3600))
	e := anEndpoint(name)
	e.Keys = append(e.Keys, Key{ID: "a-former", SHA256: Digest("former key of " + name), RetireAt: &retire})
	e.ClickTokens = []Key{{ID: name + "-c1", SHA256: Digest("token of " + name)}}
	e.Aliases = map[string][]string{ParamSubid: {"clickid", "aff_click"}, ParamPayout: {"data[sum]"}}
	e.ConversionTypes = []ConversionType{
		{Name: "upsell", Parameter: "addon", CountsAs: CountsAsConfirmed},
		{Name: "install", Parameter: "install", CountsAs: CountsAsNone},
	}
	e.Training = []TrainingRule{{Type: "upsell", Statuses: []string{"u", "extra"}},
		{Type: TypeSale, Statuses: []string{"1"}}}
	e.Payout = Payout{Default: "-1.50", Max: "500"}
	e.Policies = Policies{
		MissingStatus: TypeSale, UnknownStatus: "install", UnknownClick: UnknownClickHold,
		HoldFor: Duration(time.Hour), ClickLookback: Duration(720 * time.Hour),
		Repeat: RepeatAdd, Slot: SlotTidAndType, Transitions: TransitionsForwardOnly,
		StrictReplies: true, SuccessBody: "OK <&> \u2028 готово",
	}
	e.Access = Access{
		AllowedCIDRs: []string{"2001:db8::/32", "192.0.2.0/24"},
		HMAC: &HMAC{Parameter: "signature", Secrets: []Secret{
			{ID: "s2", Value: "second-signing-secret"}, {ID: "s1", Value: "first-signing-secret"},
		}},
	}
	e.Forwards = []Forward{
		{Name: "b", URL: "https://b.example/{subid}?s={status: lead=1}", Method: "POST", Resend: ResendOnStatusChange},
		{
			Name: "a", URL: "http://[2001:db8::1]:8080/", Method: "GET", Resend: ResendOnAnyChange,
			Types: []string{"upsell", "sale"}, Sources: []string{"y", "x"}, Campaigns: []string{"2", "1"},
		},
	}
	e.Browser = &Browser{
		Keys:  []Key{{ID: name + "-b1", SHA256: Digest("client key of " + name)}},
		Types: []string{"upsell", "lead"}, Origins: []string{"https://shop.example", "http://localhost:8080"},
		RatePerMinute: 60,
	}
	e.Limits = &Limits{
		Visits: &RateLimit{RequestsPerSecond: 500, Burst: 2000}, VisitsPerSource: &RateLimit{RequestsPerSecond: 5, Burst: 5},
	}
	e.Campaigns = []Campaign{
		{Name: "winter", Alias: name + "_winter", OfferURL: "http://offer.example/"},
		{
			Name: "summer", Alias: "Sum-" + name, OfferURL: "https://offer.example/{keyword}?s={subid}&c={campaign}#{_source}",
			Tokens: []Key{{ID: name + "-t1", SHA256: Digest("campaign token of " + name)}}, Source: "push <1>",
			Parameters: map[string][]string{ParamExternalID: {"gclid", "clid"}, "sub_id_30": {"data[1]"}},
			Cost:       &Cost{Amount: "0.05", Currency: "EUR"},
		},
	}
	e.Forwards = append(e.Forwards, Forward{
		Name: "summer.source", URL: "https://s.example/?id={external_id}", Method: "GET", Resend: ResendOnAnyChange,
		Campaigns: []string{"summer"},
	}, Forward{
		Name: "capi", URL: "https://capi.example/events", Method: "POST", Resend: ResendOnAnyChange,
		Headers: []Header{
			{Name: "X-Version", Value: "2"}, {Name: "Authorization", Secret: &Secret{ID: "f1", Value: "Bearer forward-secret"}},
		},
		Body:   &Body{JSON: `{"id": "{subid}", "value": {payout}}`},
		Expect: []string{"409", "200-202"}, Require: []string{"tid", "external_id"}, SendTests: true,
	})
	return e
}

func (d Documents) read(name string) ([]byte, error) {
	data, found := d[name]
	if !found {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

func seal(t *testing.T, fleet Fleet, endpoints ...Endpoint) Documents {
	t.Helper()
	documents, err := Seal(fleet, endpoints)
	if err != nil {
		t.Fatal(err)
	}
	return documents
}

func open(t *testing.T, documents Documents) *Config {
	t.Helper()
	config, err := Open(documents.read)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func many(count int) []Endpoint {
	endpoints := make([]Endpoint, 0, count)
	for i := range count {
		endpoints = append(endpoints, aWholeEndpoint(fmt.Sprintf("endpoint-%d", i)))
	}
	return endpoints
}

func TestSealedDocumentsAreAsTheGoldenOnes(t *testing.T) {
	documents := seal(t, aFleet(), aWholeEndpoint("shop"), anEndpoint("casino"))
	for name, data := range documents {
		path := filepath.Join("testdata", "golden", name)
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
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// exact compares secrets too, which print alike.
var exact = cmp.Options{
	cmp.Comparer(func(a, b Redacted) bool { return a.Reveal() == b.Reveal() }), cmpopts.EquateEmpty(),
}

func TestOpenReturnsWhatWasSealed(t *testing.T) {
	fleet, endpoints := aFleet(), []Endpoint{aWholeEndpoint("shop"), anEndpoint("casino")}
	want := canonical(Config{Fleet: fleet, Endpoints: endpoints})
	got := open(t, seal(t, fleet, endpoints...))
	want.Revision = got.Revision
	if diff := cmp.Diff(&want, got, exact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := seal(t, got.Fleet, got.Endpoints...); !maps.EqualFunc(again, seal(t, fleet, endpoints...), bytes.Equal) {
		t.Error("sealing what was opened gives other bytes")
	}
}

func TestTheOrderOfListsWithoutAnOrderDoesNotMatter(t *testing.T) {
	fleet, endpoint := aFleet(), aWholeEndpoint("shop")
	want := seal(t, fleet, endpoint, anEndpoint("casino"))
	slices.Reverse(fleet.TrustedProxies)
	slices.Reverse(fleet.Rates.Fixed)
	slices.Reverse(endpoint.Keys)
	slices.Reverse(endpoint.Training)
	slices.Reverse(endpoint.Training[0].Statuses)
	slices.Reverse(endpoint.Access.AllowedCIDRs)
	slices.Reverse(endpoint.Access.HMAC.Secrets)
	slices.Reverse(endpoint.Forwards)
	for _, forward := range endpoint.Forwards {
		slices.Reverse(forward.Types)
	}
	slices.Reverse(endpoint.Browser.Types)
	slices.Reverse(endpoint.Browser.Origins)
	slices.Reverse(endpoint.Campaigns)
	if got := seal(t, fleet, anEndpoint("casino"), endpoint); !maps.EqualFunc(want, got, bytes.Equal) {
		t.Error("other bytes")
	}
}

func TestTheOrderOfListsWithAnOrderMatters(t *testing.T) {
	reorder := map[string]func(*Fleet, *Endpoint){
		"rate providers":   func(f *Fleet, _ *Endpoint) { slices.Reverse(f.Rates.Providers) },
		"aliases":          func(_ *Fleet, e *Endpoint) { slices.Reverse(e.Aliases[ParamSubid]) },
		"parameters":       func(_ *Fleet, e *Endpoint) { slices.Reverse(e.Campaigns[1].Parameters[ParamExternalID]) },
		"conversion types": func(_ *Fleet, e *Endpoint) { slices.Reverse(e.ConversionTypes) },
	}
	before := open(t, seal(t, aFleet(), aWholeEndpoint("shop"))).Revision
	for name, change := range reorder {
		t.Run(name, func(t *testing.T) {
			fleet, endpoint := aFleet(), aWholeEndpoint("shop")
			change(&fleet, &endpoint)
			if after := open(t, seal(t, fleet, endpoint)).Revision; after == before {
				t.Error("the revision is the same")
			}
		})
	}
}

func TestSealLeavesItsArgumentsAlone(t *testing.T) {
	fleet, endpoint := aFleet(), aWholeEndpoint("shop")
	seal(t, fleet, endpoint)
	if diff := cmp.Diff(aFleet(), fleet, exact); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(aWholeEndpoint("shop"), endpoint, exact); diff != "" {
		t.Error(diff)
	}
}

func TestTheRevisionSaysNothingOfKeysAndSecrets(t *testing.T) {
	fleet, endpoint := aFleet(), aWholeEndpoint("shop")
	before := open(t, seal(t, fleet, endpoint)).Revision
	fleet.Rates.Providers[0].Key.Value = "another-provider-key"
	endpoint.Keys[0].SHA256 = Digest("another key")
	endpoint.ClickTokens[0].SHA256 = Digest("another token")
	endpoint.Browser.Keys[0].SHA256 = Digest("another client key")
	endpoint.Campaigns[1].Tokens[0].SHA256 = Digest("another campaign token")
	endpoint.Access.HMAC.Secrets[0].Value = "another-signing-secret"
	endpoint.Forwards[3].Headers[1].Secret.Value = "Bearer another-forward-secret"
	if after := open(t, seal(t, fleet, endpoint)).Revision; after != before {
		t.Errorf("%s became %s", before, after)
	}
	endpoint.Keys[0].ID = "another-id"
	if after := open(t, seal(t, fleet, endpoint)).Revision; after == before {
		t.Error("another key id leaves the revision as it was")
	}
}

func TestOneChangedEndpointChangesOneShard(t *testing.T) {
	endpoints := many(2000)
	before := seal(t, aFleet(), endpoints...)
	if len(before) < 5 {
		t.Fatalf("%d documents are too few to tell", len(before))
	}
	endpoints[1234].Payout.Default = "7"
	after := seal(t, aFleet(), endpoints...)
	var changed []string
	for name := range after {
		if !bytes.Equal(before[name], after[name]) {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	if len(changed) != 2 || changed[0] != ManifestFile || len(before) != len(after) {
		t.Errorf("changed: %v", changed)
	}
}

func TestDocumentsFitIntoSecrets(t *testing.T) {
	documents := seal(t, aFleet(), many(2000)...)
	for name, data := range documents {
		if base64Size := (len(data) + 2) / 3 * 4; base64Size > 1<<20 {
			t.Errorf("%s takes %d bytes in a Secret", name, base64Size)
		}
	}
	if got := len(open(t, documents).Endpoints); got != 2000 {
		t.Errorf("%d endpoints came back", got)
	}
}

func TestAnEmptyFleetHasOneEmptyShard(t *testing.T) {
	documents := seal(t, aFleet())
	if len(documents) != 2 {
		t.Errorf("%d documents", len(documents))
	}
	if got := open(t, documents); len(got.Endpoints) != 0 {
		t.Errorf("%d endpoints", len(got.Endpoints))
	}
}

func TestDocumentsOfDifferentRevisionsAreIncomplete(t *testing.T) {
	former := seal(t, aFleet(), anEndpoint("shop"))
	changed := anEndpoint("shop")
	changed.Payout.Max = "10"
	cases := map[string]func(Documents){
		"a shard is missing": func(d Documents) { delete(d, "shard-000.json") },
		"a shard is older":   func(d Documents) { d["shard-000.json"] = former["shard-000.json"] },
		"a shard is cut off": func(d Documents) { d["shard-000.json"] = d["shard-000.json"][:100] },
		"the manifest's fleet is not the one of its revision": func(d Documents) {
			d[ManifestFile] = bytes.Replace(d[ManifestFile], []byte("0.9995"), []byte("0.9996"), 1)
		},
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			documents := seal(t, aFleet(), changed)
			spoil(documents)
			if _, err := Open(documents.read); !errors.Is(err, ErrIncomplete) {
				t.Errorf("%v is no ErrIncomplete", err)
			}
		})
	}
}

func TestOpenIsStrict(t *testing.T) {
	replaced := func(from, to string) func(Documents) {
		return func(d Documents) {
			manifest := strings.Replace(string(d[ManifestFile]), from, to, 1)
			if manifest == string(d[ManifestFile]) {
				panic("the case replaces nothing")
			}
			d[ManifestFile] = []byte(manifest)
		}
	}
	cases := map[string]struct {
		spoil func(Documents)
		says  string
	}{
		"unknown field":   {replaced(`"fleet":{`, `"fleet":{"x":1,`), `unknown field "x"`},
		"another version": {replaced("v1alpha1", "v1"), "apiVersion and kind"},
		"another kind":    {replaced(`"Manifest"`, `"Shard"`), "apiVersion and kind"},
		"data after it": {func(d Documents) { d[ManifestFile] = append(d[ManifestFile], "{}"...) },
			"data after the document"},
		"a shard named freely":  {replaced("shard-000.json", "../../etc/passwd"), "shards[0].name"},
		"too many endpoints":    {replaced(`"endpoints":1`, `"endpoints":20001`), "the sum must be between"},
		"endpoints miscounted":  {replaced(`"endpoints":1`, `"endpoints":2`), "the manifest says 2"},
		"a negative count":      {replaced(`"endpoints":1`, `"endpoints":-1`), "the sum must be between"},
		"an invalid fleet":      {replaced(`"12h0m0s"`, `"1s"`), "fleet.rates.refreshEvery"},
		"an unreadable time":    {replaced(`"12h0m0s"`, `"twelve"`), "write it like 72h"},
		"a manifest that is no": {func(d Documents) { d[ManifestFile] = []byte("null") }, "apiVersion and kind"},
		"an endless manifest": {func(d Documents) { d[ManifestFile] = bytes.Repeat([]byte(" "), MaxDocumentBytes+1) },
			"more than 1048576 bytes"},
		"an endless shard": {func(d Documents) { d["shard-000.json"] = bytes.Repeat([]byte(" "), MaxDocumentBytes+1) },
			"more than 1048576 bytes"},
		"no manifest": {func(d Documents) { delete(d, ManifestFile) }, "file does not exist"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			documents := seal(t, aFleet(), anEndpoint("shop"))
			c.spoil(documents)
			_, err := Open(documents.read)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %q", err, c.says)
			}
			if errors.Is(err, ErrIncomplete) {
				t.Errorf("%v: waiting would not help", err)
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	documents, err := Seal(aFleet(), []Endpoint{aWholeEndpoint("shop"), anEndpoint("casino")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(documents[ManifestFile], documents["shard-000.json"], true)
	f.Add([]byte(`{"apiVersion":"config.postback.dev/v1alpha1","kind":"Manifest","shards":[{"name":"shard-000.json"}]}`),
		[]byte(`{}`), true)
	f.Add([]byte("null"), []byte("[]"), false)
	f.Fuzz(func(t *testing.T, manifest, shard []byte, mend bool) {
		documents := Documents{ManifestFile: manifest, "shard-000.json": shard}
		if mend {
			documents = mended(documents)
		}
		config, err := Open(documents.read)
		if err != nil {
			return
		}
		again, err := Seal(config.Fleet, config.Endpoints)
		if err != nil {
			t.Fatalf("what was opened can't be sealed: %v", err)
		}
		got, err := Open(again.read)
		if err != nil {
			t.Fatalf("what was sealed can't be opened: %v", err)
		}
		if diff := cmp.Diff(config, got, exact); diff != "" {
			t.Fatalf("sealing and opening changed it:\n%s", diff)
		}
	})
}

// mended makes digests agree, so that a fuzzer gets past them.
func mended(d Documents) Documents {
	var manifest Manifest
	if decode(d[ManifestFile], &manifest) != nil {
		return d
	}
	var shard Shard
	_ = decode(d["shard-000.json"], &shard)
	manifest.Shards = []ShardRef{{
		Name: "shard-000.json", SHA256: Digest(string(d["shard-000.json"])), Endpoints: len(shard.Endpoints),
	}}
	config := Config{Fleet: manifest.Fleet, Endpoints: shard.Endpoints}
	if config.Validate() != nil {
		return d
	}
	manifest.Revision = revision(canonical(config))
	return Documents{ManifestFile: encode(manifest), "shard-000.json": d["shard-000.json"]}
}
