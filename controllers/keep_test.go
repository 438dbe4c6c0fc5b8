package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// The declarations before each mistake.
const (
	fleetFile = `{apiVersion: postback.dev/v1alpha1, kind: ReceiverFleet, metadata: {name: eu}, spec: {host: pb.example.com}}`
	fileA     = `{apiVersion: postback.dev/v1alpha1, kind: PostbackEndpoint, metadata: {name: a},
  spec: {currency: USD, fleetRef: {name: eu}, key: {secretRef: {name: mine}}, access: {hmac: {secretRef: {name: sign}}}, ` +
		`forwards: [{name: source, url: "https://source.example/?c={external_id}"}]}}`
	fileB      = `{apiVersion: postback.dev/v1alpha1, kind: PostbackEndpoint, metadata: {name: b}, spec: {currency: USD, fleetRef: {name: eu}}}`
	fileOwn    = `{apiVersion: postback.dev/v1alpha1, kind: PostbackEndpoint, metadata: {name: own}, spec: {currency: USD}}`
	fileSummer = `{apiVersion: postback.dev/v1alpha1, kind: Campaign, metadata: {name: summer},
  spec: {endpointRef: {name: a}, offerURL: "https://offer.example/?s={subid}", forwards: [{name: source, url: "https://source.example/"}]}}`
	fileWinter = `{apiVersion: postback.dev/v1alpha1, kind: Campaign, metadata: {name: winter},
  spec: {endpointRef: {name: own}, offerURL: "https://offer.example/?s={subid}", token: {secretRef: {name: token}}}}`
	fileMine  = `{apiVersion: v1, kind: Secret, metadata: {name: mine, labels: {postback.dev/readable: "true"}}, stringData: {key: a-key-of-our-own}}`
	fileSign  = `{apiVersion: v1, kind: Secret, metadata: {name: sign, labels: {postback.dev/readable: "true"}}, stringData: {hmac: signing-secret}}`
	fileToken = `{apiVersion: v1, kind: Secret, metadata: {name: token, labels: {postback.dev/readable: "true"}}, stringData: {token: a-token-of-our-own}}`
)

// shop is a folder of declarations and one to render them into.
type shop struct {
	t       *testing.T
	in, out string
}

func newShop(t *testing.T) shop {
	t.Helper()
	s := shop{t, t.TempDir(), filepath.Join(t.TempDir(), "out")}
	for name, text := range map[string]string{
		"eu": fleetFile, "a": fileA, "b": fileB, "own": fileOwn, "summer": fileSummer, "winter": fileWinter,
		"mine": fileMine, "sign": fileSign, "token": fileToken,
	} {
		s.declare(name, text)
	}
	return s
}

func (s shop) declare(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.in, name+".yaml"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// render runs the command. It returns the error that makes the exit code 1.
func (s shop) render() error {
	s.t.Helper()
	var out bytes.Buffer
	err := run(s.t.Context(), []string{"render", "-f", s.in, "-o", s.out}, nil, &out, &out)
	if errors.Is(err, errUsage) {
		s.t.Fatal(err)
	}
	return err
}

// served returns what receivers serve, by endpoint and campaign, each on its own.
func (s shop) served() map[string]string {
	s.t.Helper()
	served := map[string]string{}
	for _, fleet := range []string{"default.eu", "default.own"} {
		opened, err := config.Open(func(name string) ([]byte,
			error) {
			return os.ReadFile(filepath.Join(s.out, fleet, name))
		})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range opened.Endpoints {
			for _, c := range e.Campaigns {
				served[c.Name] = config.Endpoint{Campaigns: []config.Campaign{c}}.Revision()
			}
			e.Campaigns = nil
			served[e.Name] = e.Revision()
		}
	}
	return served
}

var mistakes = map[string]struct {
	file, text string
	// victims keep what was rendered.
	victims string
	says    string
}{
	"a macro is misspelt": {"a", strings.Replace(fileA, "external_id", "externalid", 1), "a",
		"PostbackEndpoint default/a keeps what was rendered before: spec.forwards[0].url: {externalid} is no macro"},
	"a currency is in lower case": {"a", strings.Replace(fileA, "USD", "usd", 1), "a",
		"PostbackEndpoint default/a keeps what was rendered before: spec.currency"},
	"the currency of its own fleet's": {"own", strings.Replace(fileOwn, "USD", "usd", 1), "own",
		"PostbackEndpoint default/own keeps what was rendered before: spec.currency"},
	"a Secret is no base64": {"mine", strings.Replace(fileMine, "stringData", "data", 1), "a",
		"PostbackEndpoint default/a is rendered with the credentials that it had: spec.key.secretRef: Secret " +
			"default/mine: its declaration is not valid"},
	"a Secret is missing": {"mine", "", "a",
		"PostbackEndpoint default/a is rendered with the credentials that it had: spec.key.secretRef: Secret " +
			"default/mine: not found among the files"},
	"a signing Secret is missing": {"sign", "", "a",
		"PostbackEndpoint default/a keeps what was rendered before: spec.access.hmac.secretRef"},
	"a key is a number": {"mine", strings.Replace(fileMine, "a-key-of-our-own", "12345e6", 1), "a",
		"stringData.key is no text for YAML: write it in quotes"},
	"a document has no kind": {"a", strings.Replace(fileA, "kind: PostbackEndpoint, ", "", 1), "a",
		"kind is missing"},
	"a kind is misspelt": {"a", strings.Replace(fileA, "PostbackEndpoint", "PostbackEndpiont", 1), "a",
		"write kind: PostbackEndpoint"},
	"YAML is broken":               {"a", "{" + fileA, "a", "a.yaml, document 1"},
	"YAML of a campaign is broken": {"summer", "{" + fileSummer, "summer", "summer.yaml, document 1"},
	"a fleet is not there": {"b", strings.Replace(fileB, "name: eu", "name: ue", 1), "b",
		"PostbackEndpoint default/b keeps what was rendered before: spec.fleetRef: no ReceiverFleet default/ue"},
	"a key is another's": {"b", strings.Replace(fileB, "fleetRef",
		"key: {secretRef: {name: mine}}, fleetRef", 1), "b",
		"PostbackEndpoint default/b keeps what was rendered before: spec.key: the older PostbackEndpoint a has the same key"},
	"the fleet's host is a URL": {"eu", strings.Replace(fleetFile, "pb.example", "http://pb.example", 1), "",
		"ReceiverFleet default/eu keeps what was rendered before: spec.host"},
	"a provider's key is missing": {"eu", strings.Replace(fleetFile, "host: ",
		"rates: {providers: [{name: oxr, type: OpenExchangeRates, keySecretRef: {name: oxr}}]}, host: ", 1), "",
		"ReceiverFleet default/eu is rendered without a rate provider: spec.rates.providers[oxr].keySecretRef"},
	"an offerURL is wrong": {"summer", strings.Replace(fileSummer, "https://offer", "ftp://offer", 1),
		"summer", "Campaign default/summer keeps what was rendered before: spec.offerURL"},
	"a macro of a campaign is misspelt": {"summer",
		strings.Replace(fileSummer, "source.example/", "source.example/?{sub}", 1), "summer",
		"Campaign default/summer keeps what was rendered before: spec.forwards[0].url: {sub} is no macro"},
	"an endpointRef is wrong": {"summer", strings.Replace(fileSummer, "name: a}", "name: aa}", 1), "summer",
		"Campaign default/summer keeps what was rendered before: spec.endpointRef: no PostbackEndpoint default/aa is " +
			"declared"},
	"a token's Secret is missing": {"token", "", "winter",
		"Campaign default/winter is rendered with the credentials that it had: spec.token.secretRef: Secret " +
			"default/token: not found among the files"},
	"a token's Secret is no base64": {"token", strings.Replace(fileToken, "stringData", "data", 1), "winter",
		"Campaign default/winter is rendered with the credentials that it had: spec.token.secretRef: Secret " +
			"default/token: its declaration is not valid"},
}

// without are the mistakes that leave out no more than a credential, as in a cluster: the link of a campaign works
// without the click API, and the other rate providers go on.
var without = map[string]bool{
	"a provider's key is missing":   true,
	"a token's Secret is missing":   true,
	"a token's Secret is no base64": true,
}

// Each mistake is made in a folder that was rendered before, beside a change of a neighbour, and rendered twice.
func TestAMistakeKeepsWhatWasRenderedBefore(t *testing.T) {
	for name, c := range mistakes {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			if err := s.render(); err != nil {
				t.Fatal(err)
			}
			before := s.served()
			s.declare(c.file, c.text)
			neighbour, changed := "b", strings.Replace(fileB, "USD", "EUR", 1)
			if c.file == "b" {
				neighbour, changed = "own", strings.Replace(fileOwn, "USD", "EUR", 1)
			}
			s.declare(neighbour, changed)
			for range 2 {
				err := s.render()
				if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "of-our-own") {
					t.Fatalf("it says: %v", err)
				}
				after := s.served()
				for what, revision := range before {
					if same := after[what] == revision; same == (what == neighbour) {
						t.Errorf("%s: before %s, after %q", what, revision, after[what])
					}
				}
			}
		})
	}
}

func TestAMistakeThatWasNeverRenderedIsLeftOut(t *testing.T) {
	for name, c := range mistakes {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.declare(c.file, c.text)
			err := s.render()
			if err == nil || strings.Contains(err.Error(), "keeps what") {
				t.Fatalf("it says: %v", err)
			}
			if without[name] {
				if served := s.served(); served["a"] == "" || served["winter"] == "" {
					t.Errorf("served: %v", served)
				}
				return
			}
			if c.victims == "" { // the fleet, and with it its endpoints
				if _, err := os.Stat(filepath.Join(s.out, "default.eu")); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the fleet's folder: %v", err)
				}
				return
			}
			if c.victims == "own" {
				if _, err := os.Stat(filepath.Join(s.out, "default.own")); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the fleet's folder: %v", err)
				}
				return
			}
			if revision, found := s.served()[c.victims]; found {
				t.Errorf("%s is there: %s", c.victims, revision)
			}
		})
	}
}

func TestAMistakeRepairedIsRendered(t *testing.T) {
	s := newShop(t)
	if err := s.render(); err != nil {
		t.Fatal(err)
	}
	before := s.served()
	s.declare("a", strings.Replace(fileA, "USD", "usd", 1))
	if err := s.render(); err == nil {
		t.Fatal("no error")
	}
	s.declare("a", strings.Replace(fileA, "USD", "EUR", 1))
	if err := s.render(); err != nil {
		t.Fatal(err)
	}
	if after := s.served(); after["a"] == before["a"] || after["summer"] != before["summer"] {
		t.Errorf("before %v, after %v", before, after)
	}
}

// A key that is revoked stays refused whatever else is wrong.
func TestWhatIsKeptIsKeptWithoutWhatIsRevoked(t *testing.T) {
	s := newShop(t)
	if err := s.render(); err != nil {
		t.Fatal(err)
	}
	keys := func() []config.Key {
		opened, err := config.Open(func(name string) ([]byte,
			error) {
			return os.ReadFile(filepath.Join(s.out, "default.eu", name))
		})
		if err != nil {
			t.Fatal(err)
		}
		return opened.Endpoints[0].Keys
	}
	before := keys()
	if len(before) != 1 {
		t.Fatalf("%d keys", len(before))
	}
	s.declare("a", strings.NewReplacer("key: {", "key: {revoked: ["+before[0].ID+"], ", "external_id",
		"externalid").Replace(fileA))
	if err := s.render(); err == nil || !strings.Contains(err.Error(), "keeps what was rendered before") {
		t.Fatalf("it says: %v", err)
	}
	if after := keys(); len(after) != 0 {
		t.Errorf("accepted: %+v", after)
	}
}

// What nobody declares any more is taken away, unless it may be in a document that cannot be read.
func TestWhatIsNoLongerDeclaredGoes(t *testing.T) {
	s := newShop(t)
	if err := s.render(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b", "summer"} {
		if err := os.Remove(filepath.Join(s.in, name+".yaml")); err != nil {
			t.Fatal(err)
		}
	}
	s.declare("other", "a: b: c")
	if err := s.render(); err == nil || !strings.Contains(err.Error(),
		"what was rendered before and is missing now is kept") {
		t.Fatalf("it says: %v", err)
	}
	if served := s.served(); served["b"] == "" || served["summer"] == "" {
		t.Errorf("served: %v", served)
	}
	s.declare("other", "")
	if err := s.render(); err != nil {
		t.Fatal(err)
	}
	if served := s.served(); served["b"] != "" || served["summer"] != "" || served["a"] == "" {
		t.Errorf("served: %v", served)
	}
	for _, gone := range []string{"default.b", "default.summer.campaign"} {
		if _, err := os.Stat(filepath.Join(s.out, "snippets", gone)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("snippets of %s: %v", gone, err)
		}
	}
}
