package endpoint_test

import (
	"strings"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

// withPages gives the endpoints of twoEndpoints a campaign each, and the shop's pages a key.
func withPages() *config.Config {
	c := twoEndpoints()
	shop, blog := &c.Endpoints[0], &c.Endpoints[1]
	shop.Browser = &config.Browser{
		Keys:  []config.Key{key("p2", "page-key", nil), key("p1", "old-page-key", &noon)},
		Types: []string{"lead"}, Origins: []string{"https://shop.example"}, RatePerMinute: 60,
	}
	shop.Campaigns = []config.Campaign{{
		Name: "spring", Alias: "QwErTy", OfferURL: "https://offer.example/%zz?s={subid}", Source: "adnet",
		Tokens: []config.Key{key("ct2", "campaign-token", nil), key("ct1", "old-campaign-token", &noon)},
		Cost:   &config.Cost{Amount: "0.05", Currency: "EUR"},
	}}
	blog.Campaigns = []config.Campaign{{Name: "spring", Alias: "qwerty", OfferURL: "https://blog.example"}}
	return c
}

func buildWithPages(t *testing.T) *endpoint.Snapshot {
	t.Helper()
	c := withPages()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := endpoint.Build(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestByAlias(t *testing.T) {
	s := buildWithPages(t)
	spring := s.ByAlias("QwErTy")
	if spring == nil || spring.Endpoint.Name != "ads/shop" || spring.Source != "adnet" || spring.Cost.String() != "0.05" ||
		spring.CostCurrency != "EUR" {
		t.Fatalf("campaign %+v", spring)
	}
	if got := spring.Offer.Render(func(m *config.TemplatePart) string { return m.Macro }); got != "https://offer.example/%zz?s=subid" {
		t.Errorf("offer %s", got)
	}
	if other := s.ByAlias("qwerty"); other == nil || other.Endpoint.Name != "ads/blog" || other.Cost != nil {
		t.Errorf("an alias in another letter case: %+v", other)
	}
	if s.ByAlias("") != nil || s.ByAlias("spring") != nil {
		t.Error("there are campaigns under aliases that nobody declared")
	}
}

func TestWhatPagesMayReport(t *testing.T) {
	s := buildWithPages(t)
	pages := s.ByAlias("QwErTy").Endpoint.Browser
	if !pages.AllowsType("lead") || pages.AllowsType("sale") || !pages.AllowsOrigin("https://shop.example") ||
		pages.AllowsOrigin("") || pages.AllowsOrigin("http://shop.example") || pages.RatePerMinute != 60 {
		t.Errorf("pages %+v", pages)
	}
	if s.ByAlias("qwerty").Endpoint.Browser != nil {
		t.Error("an endpoint without client keys lets pages report")
	}
}

func TestOriginsBelowADomain(t *testing.T) {
	c := withPages()
	c.Endpoints[0].Browser.Origins = []string{"https://*.shop.example", "https://one.example"}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := endpoint.Build(c)
	if err != nil {
		t.Fatal(err)
	}
	pages := s.ByAlias("QwErTy").Endpoint.Browser
	for origin, want := range map[string]bool{
		"https://a.shop.example": true, "https://a.b.shop.example": true, "https://one.example": true,
		"https://shop.example": false, "http://a.shop.example": false, "https://a.shop.example:8443": false,
		"https://evilshop.example":            false,
		"https://a.shop.example.evil.example": false, "https://a.one.example": false, "https://*.one.example": false,
		"https://.shop.example": false, "": false,
	} {
		if got := pages.AllowsOrigin(origin); got != want {
			t.Errorf("%s: %v", origin, got)
		}
	}
}

func TestCredentialsOfPagesAndCampaigns(t *testing.T) {
	s := buildWithPages(t)
	byCampaignToken := func(token string, now time.Time) (*endpoint.Endpoint, string, bool) {
		campaign, ok := s.ByCampaignToken(token, now)
		if !ok {
			return nil, "", false
		}
		return campaign.Endpoint, campaign.Name, true
	}
	for _, test := range []struct {
		name             string
		find             func(string, time.Time) (*endpoint.Endpoint, string, bool)
		secret, ep, what string
	}{
		{"the active client key", s.ByClientKey, "page-key", "ads/shop", "p2"},
		{"a client key that has retired", s.ByClientKey, "old-page-key", "", ""},
		{"a postback key is no client key", s.ByClientKey, "new-key", "", ""},
		{"a client key is no postback key", s.ByKey, "page-key", "", ""},
		{"a campaign's token", byCampaignToken, "campaign-token", "ads/shop", "spring"},
		{"a campaign's token that has retired", byCampaignToken, "old-campaign-token", "", ""},
		{"a click token is no campaign's", byCampaignToken, "token", "", ""},
		{"a campaign's token is no click token", s.ByClickToken, "campaign-token", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) { checkFound(t, test.find, test.secret, noon, test.ep, test.what) })
	}
}

func TestTwoCampaignsOfOneAliasAreRefused(t *testing.T) {
	c := withPages()
	c.Endpoints[1].Campaigns[0].Alias = "QwErTy"
	if _, err := endpoint.Build(c); err == nil || !strings.Contains(err.Error(), "same alias") {
		t.Errorf("error %v", err)
	}
}
