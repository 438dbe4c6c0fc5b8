package snippets

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/api/browser"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, dir string, made map[string][]byte) {
	t.Helper()
	dir = filepath.Join("testdata", dir)
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		for name, text := range made {
			if err := os.WriteFile(filepath.Join(dir, name), hashless(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
		want, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(hashless(made[entry.Name()]))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", entry.Name(), diff)
		}
	}
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(made))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// hashless takes the hashes out, which change with the scripts.
func hashless(text []byte) []byte {
	return []byte(strings.NewReplacer(escaped(browser.ScriptIntegrity()), "HASH-OF-SCRIPT",
		escaped(browser.AdapterIntegrity()), "HASH-OF-ADAPTER").Replace(string(text)))
}

// escaped is how a hash is in an attribute.
func escaped(hash string) string { return strings.ReplaceAll(hash, "+", "&#43;") }

func endpoint() EndpointInput {
	return EndpointInput{Base: "https://pb.example.com", Key: "the-key", ClientKey: "the-client-key", Status: "lead"}
}

func campaign() CampaignInput {
	return CampaignInput{
		Base: "https://pb.example.com", Alias: "summer", Token: "the-token",
		PostbackURL: "https://pb.example.com/the-key/postback", ClientURL: "https://pb.example.com/the-client-key/postback",
	}
}

func TestTheSnippetsOfAnEndpoint(t *testing.T) { golden(t, "endpoint", Endpoint(endpoint())) }

func TestTheSnippetsOfACampaign(t *testing.T) { golden(t, "campaign", Campaign(campaign())) }

func TestPagesGetNothingWithoutAClientKey(t *testing.T) {
	in := endpoint()
	in.ClientKey = ""
	want := []string{"js-adapter.html", PostbackURLField, "s2s.txt", "wordpress.txt"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(Endpoint(in)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestACampaignWithoutCredentialsHasALinkThatRecordsVisits(t *testing.T) {
	made := Campaign(CampaignInput{Base: "https://pb.example.com", Alias: "summer"})
	if diff := cmp.Diff([]string{"link.txt", "tracking-script.html"}, slices.Sorted(maps.Keys(made))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(string(made["tracking-script.html"]), "data-postback") {
		t.Error("the page would report to nowhere")
	}
}

// Pages are public: what a network may use must not get into one.
func TestNoPageHasThePostbackKeyOrTheToken(t *testing.T) {
	for _, made := range []map[string][]byte{Endpoint(endpoint()), Campaign(campaign())} {
		for name, text := range made {
			if strings.HasSuffix(name, ".html") && (strings.Contains(string(text), "the-key") ||
				strings.Contains(string(text), "the-token")) {
				t.Errorf("%s has it", name)
			}
		}
	}
}

func TestWhatMeansSomethingToHTMLOrPHPIsEscaped(t *testing.T) {
	const nasty = `x"><script>alert(1)</script>'\`
	made := Campaign(CampaignInput{Base: "https://a", Alias: nasty, Token: nasty, PostbackURL: nasty + "\n",
		ClientURL: nasty})
	maps.Copy(made, Endpoint(EndpointInput{Base: "https://a", Key: nasty, ClientKey: nasty, Status: nasty}))
	for name, text := range made {
		if strings.HasSuffix(name, ".html") && strings.Contains(string(text), "<script>alert") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	want := `new KClient('https://a/', 'x"><script>alert(1)</script>\'\\');`
	if !strings.Contains(string(made["kclient.php"]), want) {
		t.Errorf("kclient.php does not have %s:\n%s", want, made["kclient.php"])
	}
	if strings.Count(string(made["kclient.php"]), "\n") != strings.Count(string(Campaign(campaign())["kclient.php"]),
		"\n") {
		t.Errorf("a value breaks a line:\n%s", made["kclient.php"])
	}
}
