package access

import (
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
	"github.com/postback-dev/postback-operator/receiver/request"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// served returns a snapshot of two endpoints: shop has each kind of credential and the campaign Spring, other has a
// key.
func served(t *testing.T) *endpoint.Snapshot {
	t.Helper()
	hour := noon.Add(time.Hour)
	shop, other := receivertest.Endpoint(), receivertest.Endpoint()
	shop.Namespace, shop.Name, other.Namespace, other.Name = "ads", "shop", "ads", "other"
	shop.Keys = []config.Key{
		{ID: "k1", SHA256: config.Digest("the-key-of-shop")},
		{ID: "k0", SHA256: config.Digest("the-former-key"), RetireAt: &hour},
	}
	shop.ClickTokens = []config.Key{{ID: "t1", SHA256: config.Digest("the-click-token")}}
	shop.Browser = pages()
	shop.Browser.Keys = []config.Key{{ID: "p1", SHA256: config.Digest("the-client-key")}}
	shop.Campaigns = []config.Campaign{{Name: "spring", Alias: "Spring", OfferURL: "https://offer.example/",
		Tokens: []config.Key{{ID: "c1", SHA256: config.Digest("the-campaign-token")}}}}
	other.Keys, other.ClickTokens = []config.Key{{ID: "k2", SHA256: config.Digest("the-key-of-other")}}, nil
	snapshot, err := endpoint.Build(&config.Config{Fleet: receivertest.Fleet(), Endpoints: []config.Endpoint{shop, other}})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

func TestTheKeyOfAPostbackFindsItsEndpoint(t *testing.T) {
	snapshot, door := served(t), NewDoor()
	for _, c := range []struct {
		key          string
		at           time.Time
		endpoint, id string
		clientKey    bool
		mayUseSpring bool
	}{
		{key: "the-key-of-shop", at: noon, endpoint: "ads/shop", id: "k1"},
		{key: "the-former-key", at: noon.Add(time.Hour - 1), endpoint: "ads/shop", id: "k0"},
		{key: "the-former-key", at: noon.Add(time.Hour)},
		{key: "the-client-key", at: noon, endpoint: "ads/shop", id: "p1", clientKey: true, mayUseSpring: true},
		{key: "the-key-of-other", at: noon, endpoint: "ads/other", id: "k2"},
		{key: "the-click-token", at: noon},
		{key: "the-campaign-token", at: noon},
		{key: "", at: noon},
	} {
		a, ok := door.Postback(snapshot, &request.Request{}, c.key, c.at)
		if ok != (c.endpoint != "") {
			t.Errorf("%q: %v", c.key, ok)
			continue
		}
		if ok && (a.Endpoint.Name != c.endpoint || a.KeyID != c.id || a.ClientKey != c.clientKey ||
			a.MayUse(snapshot.ByAlias("Spring")) != c.mayUseSpring || a.MayUse(nil)) {
			t.Errorf("%q: %s %s, client key %v", c.key, a.Endpoint.Name, a.KeyID, a.ClientKey)
		}
	}
}

func TestTheClickTokenFindsItsEndpoint(t *testing.T) {
	snapshot := served(t)
	for authorization, want := range map[string]bool{
		"Bearer the-click-token": true, "bearer  the-click-token ": true, "Basic the-click-token": false,
		"the-click-token":        false,
		"Bearer the-key-of-shop": false, "Bearer": false, "": false,
	} {
		if ep, ok := Clicks(snapshot, authorization, noon); ok != want || ok && ep.Name != "ads/shop" {
			t.Errorf("%q: %v", authorization, ok)
		}
	}
}

func TestTheTokenOfTheClickAPIFindsItsCampaign(t *testing.T) {
	snapshot := served(t)
	for _, c := range []struct {
		token              string
		inURL, tokenInURL  bool
		found, wantAllowed bool
	}{
		{token: "the-campaign-token", found: true, wantAllowed: true},
		{token: "the-campaign-token", inURL: true, found: true},
		{token: "the-campaign-token", inURL: true, tokenInURL: true, found: true, wantAllowed: true},
		{token: "the-click-token", tokenInURL: true},
		{token: "", inURL: true, tokenInURL: true},
	} {
		snapshot.ByAlias("Spring").TokenInQuery = c.tokenInURL
		got, allowed := ClickAPI(snapshot, c.token, c.inURL, noon)
		if (got != nil) != c.found || allowed != c.wantAllowed {
			t.Errorf("%+v: %v, allowed %v", c, got, allowed)
		}
	}
}
