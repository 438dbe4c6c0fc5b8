package offline

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

func campaign(name, spec string) string {
	return "apiVersion: postback.dev/v1alpha1\nkind: Campaign\nmetadata: {name: " + name +
		"}\nspec: {endpointRef: {name: shop}, offerURL: 'https://offer.example/', " + spec + "}"
}

func (h *house) only() config.Endpoint {
	h.t.Helper()
	endpoints := h.open("default.shop").Endpoints
	if len(endpoints) != 1 {
		h.t.Fatalf("%d endpoints", len(endpoints))
	}
	return endpoints[0]
}

// value returns a field of a Secret out of secrets.yaml.
func (h *house) value(name, field string) string {
	h.t.Helper()
	kept, err := loadSecrets(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	for secret := range kept {
		if secret.Name == name {
			return string(kept.get(secret)[field])
		}
	}
	return ""
}

func TestCampaignsStandInTheirEndpoint(t *testing.T) {
	h := newHouse(t)
	h.mustRender(
		campaign("summer", `alias: Sum, parameters: {keyword: [q]}, cost: {amount: "1"}, forwards: [{name: source, url: "https://source.example/"}]`),
		endpoint("shop", "forwards: [{name: own, url: 'https://own.example/'}]"), campaign("winter", ""))
	shop := h.only()
	token := h.value("summer-campaign", "token")
	if len(shop.Campaigns) != 2 || shop.Campaigns[0].Alias != "Sum" || shop.Campaigns[1].Alias != "winter" ||
		len(token) < 20 ||
		shop.Campaigns[0].Tokens[0].SHA256 != config.Digest(token) || shop.Campaigns[0].Cost.Currency != "USD" {
		t.Errorf("campaigns: %+v", shop.Campaigns)
	}
	if len(shop.Forwards) != 2 || shop.Forwards[1].Name != "summer.source" || shop.Forwards[1].Campaigns[0] != "summer" {
		t.Errorf("forwards: %+v", shop.Forwards)
	}
}

func TestAnotherRenderingKeepsTokensAndARaisedRevisionAddsOne(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("shop", ""), campaign("summer", ""))
	first, state := h.value("summer-campaign", "token"), h.state()
	h.mustRender(endpoint("shop", ""), campaign("summer", ""))
	for path, before := range state {
		if h.state()[path] != before {
			t.Errorf("%s was written again", path)
		}
	}
	h.now = h.now.Add(time.Hour)
	h.mustRender(endpoint("shop", ""), campaign("summer", "token: {revision: 2, overlap: 2h}"))
	tokens := h.only().Campaigns[0].Tokens
	if second := h.value("summer-campaign", "token"); second == first || len(tokens) != 2 {
		t.Errorf("tokens: %+v", tokens)
	}
	h.now = h.now.Add(2 * time.Hour)
	h.mustRender(endpoint("shop", ""), campaign("summer", "token: {revision: 2, overlap: 2h}"))
	if tokens := h.only().Campaigns[0].Tokens; len(tokens) != 1 || tokens[0].RetireAt != nil {
		t.Errorf("the former token is still there: %+v", tokens)
	}
}

func TestOneBadCampaignLeavesTheOthersAlone(t *testing.T) {
	cases := map[string]struct{ documents, says string }{
		"of no endpoint": {strings.Replace(campaign("bad", ""), "name: shop", "name: nowhere", 1),
			"Campaign default/bad is left out: spec.endpointRef: no PostbackEndpoint default/nowhere is declared"},
		"with a reserved alias": {campaign("bad", "alias: js"), "alias: is a path of the receiver's own"},
		"with a type of nobody": {campaign("bad", "forwards: [{name: a, url: 'https://s.example/', types: [bet]}]"),
			"Campaign default/bad is left out: spec.forwards[0].types[0]: must be a built-in type"},
		"with an alias of another": {campaign("zbad", "alias: good"),
			"Campaign default/zbad is left out: spec.alias: the older Campaign good of the fleet has the same alias"},
		"with a token of another's": {secret("good-campaign", "token: same-token-1") + "\n---\n" +
			secret("mine", "token: same-token-1") + "\n---\n" + campaign("zbad", "token: {secretRef: {name: mine}}"),
			"spec.token: the older Campaign good has the same token"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			err := h.render(endpoint("shop", ""), campaign("good", ""), c.documents)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error: %v", err)
			}
			if campaigns := h.only().Campaigns; len(campaigns) != 1 || campaigns[0].Name != "good" {
				t.Errorf("campaigns: %+v", campaigns)
			}
		})
	}
}

// As in a cluster: the link works, the click API is off.
func TestACampaignWithoutItsTokenIsRenderedWithoutAndTold(t *testing.T) {
	for name, c := range map[string]struct{ documents, says string }{
		"without its Secret": {
			campaign("bad", "token: {secretRef: {name: mine}}"),
			"Campaign default/bad is rendered with the credentials that it had: spec.token.secretRef: Secret default/mine: " +
				"not found among the files",
		},
		"with a token that is none": {
			secret("mine", "token: hunter2") + "\n---\n" + campaign("bad", "token: {secretRef: {name: mine}}"),
			`Secret default/mine: field "token": a token has 8 to 256`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			err := h.render(endpoint("shop", ""), campaign("good", ""), c.documents)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error: %v", err)
			}
			if campaigns := h.only().Campaigns; len(campaigns) != 2 || campaigns[0].Name != "bad" ||
				len(campaigns[0].Tokens) != 0 {
				t.Errorf("campaigns: %+v", campaigns)
			}
		})
	}
}

func TestACampaignGoesWithItsEndpoint(t *testing.T) {
	h := newHouse(t)
	err := h.render(endpoint("other", ""), endpoint("shop", "fleetRef: {name: nowhere}"), campaign("summer", ""))
	if err == nil || !strings.Contains(err.Error(),
		"Campaign default/summer is left out: its PostbackEndpoint default/shop is left out") {
		t.Errorf("error: %v", err)
	}
}

func TestAClientKeyIsGeneratedWherePagesMayReport(t *testing.T) {
	const browser = "browser: {types: [lead], origins: ['https://shop.example']"
	h := newHouse(t)
	h.mustRender(endpoint("shop", ""))
	if h.only().Browser != nil || h.value("shop-key", "clientKey") != "" {
		t.Error("there is one without being asked for")
	}
	key := h.value("shop-key", "key")
	h.mustRender(endpoint("shop", browser+"}"))
	first := h.value("shop-key", "clientKey")
	if b := h.only().Browser; b == nil || len(b.Keys) != 1 || b.Keys[0].SHA256 != config.Digest(first) ||
		b.RatePerMinute != 60 || first == "" {
		t.Errorf("browser: %+v", b)
	}
	h.mustRender(endpoint("shop", browser+", revision: 2}"))
	if second := h.value("shop-key", "clientKey"); second == first || len(h.only().Browser.Keys) != 2 ||
		h.value("shop-key", "key") != key {
		t.Errorf("browser: %+v", h.only().Browser)
	}
	h.mustRender(endpoint("shop", ""))
	if h.only().Browser != nil {
		t.Error("pages may still report")
	}
}

func TestAnOfferWithoutSubidIsRenderedAndTold(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("shop", ""), campaign("summer", ""),
		strings.Replace(campaign("winter", ""), "offer.example/", "offer.example/?s={subid}", 1))
	if got := h.notices.String(); !strings.Contains(got, "Campaign default/summer: offerURL has no {subid}") ||
		strings.Contains(got, "winter") {
		t.Errorf("it says %q", got)
	}
	if len(h.only().Campaigns) != 2 {
		t.Error("one is not rendered")
	}
}

func TestATemplateThatCannotBeMeantIsRefused(t *testing.T) {
	for spec, want := range map[string]string{
		"forwards: [{name: a, url: 'https://s.example/?s={status: slae=5}'}]": "did you mean sale?",
		"forwards: [{name: a, url: 'https://s.example/?a=1&amp;c={subid}'}]":  "write & alone",
	} {
		if err := newHouse(t).render(endpoint("shop", spec)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", spec, err)
		}
	}
	err := newHouse(t).render(endpoint("shop", ""), campaign("summer", "cookieDays: 1"),
		strings.Replace(campaign("winter", ""), "offer.example/", "offer.example/?s={{subid}}", 1))
	if err == nil || !strings.Contains(err.Error(), "write {subid} instead of {{subid}}") {
		t.Errorf("an offer: %v", err)
	}
}

func (h *house) snippet(parts ...string) string {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{h.dir, snippetsDir}, parts...)...))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

func TestSnippetsAreReadyToPaste(t *testing.T) {
	h := newHouse(t)
	documents := []string{
		endpoint("shop", "receiver: {host: pb.example.com}, browser: {types: [sale], origins: ['https://shop.example']}"),
		campaign("summer", "alias: sum"),
	}
	h.mustRender(documents...)
	key, client, token := h.generated("key"), h.generated("clientKey"), h.value("summer-campaign", "token")
	for _, want := range []struct{ folder, file, text string }{
		{"default.shop", "postback-url", "https://pb.example.com/" + key + "/postback"},
		{"default.shop", "s2s.txt", key + "/postback?subid={subid}&status={status}&payout={payout}"},
		{"default.shop", "pixel-image.html", client + "/postback.gif?subid={subid}&amp;status=sale"},
		{"default.shop", "pixel-script.html", client + "/postback?return=jsonp"},
		{"default.summer.campaign", "link.txt", "https://pb.example.com/sum\n"},
		{"default.summer.campaign", "tracking-script.html", `data-click="https://pb.example.com/sum"`},
		{"default.summer.campaign", "kclient.php", token},
		{"default.summer.campaign", "kclient.php", key},
	} {
		if got := h.snippet(want.folder, want.file); !strings.Contains(got, want.text) {
			t.Errorf("%s/%s:\n%s", want.folder, want.file, got)
		}
	}
	before := h.state()
	h.mustRender(documents...)
	for path, state := range h.state() {
		if state != before[path] {
			t.Errorf("%s was written again", path)
		}
	}
	h.mustRender(endpoint("shop", "receiver: {host: pb.example.com}"), documents[1])
	if _, err := os.Stat(filepath.Join(h.dir, snippetsDir, "default.shop", "pixel-image.html")); !errors.Is(err,
		os.ErrNotExist) {
		t.Errorf("a snippet of a key that nobody accepts: %v", err)
	}
}

// The snippets of what was kept stay as they are served; those of a revoked key go nowhere.
func TestSnippetsShowWhatIsAccepted(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("shop", ""))
	first := h.snippet("default.shop", "postback-url")
	if err := h.render(endpoint("shop", "key: {revision: 2}, forwards: [{name: a, url: "+
		"'https://s.example/?{sub}'}]")); err == nil {
		t.Fatal("no error")
	}
	if h.snippet("default.shop", "postback-url") != first {
		t.Error("the snippets show a key that is not served")
	}
	h.mustRender(endpoint("shop", "key: {revision: 2}"))
	if got := h.snippet("default.shop", "postback-url"); got == first || !strings.Contains(got, h.generated("key")) {
		t.Error("the snippets do not show the new key")
	}
}

func TestAnAliasOfAnotherTakesNoLinkAway(t *testing.T) {
	h := newHouse(t)
	h.mustRender(endpoint("shop", ""), campaign("good", ""), campaign("late", "alias: own"))
	before := h.only().Campaigns
	for range 2 {
		err := h.render(endpoint("shop", ""), campaign("good", ""), campaign("late", "alias: good, source: other"))
		if err == nil || !strings.Contains(err.Error(),
			"Campaign default/late keeps what was rendered before: spec.alias: the older Campaign good of the fleet has the "+
				"same alias") {
			t.Errorf("error: %v", err)
		}
		if diff := cmp.Diff(before, h.only().Campaigns); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	}
}
