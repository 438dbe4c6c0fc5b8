//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// shopSite is where a browser finds the pages of the shop.
const shopSite = "http://shop.test"

// What the traffic source, which is the sender, gets: at one path by the campaign's rule, at the other by the
// endpoint's.
const (
	sourceURL    = "http://sender." + senderNamespace + ".svc/source"
	campaignRule = "/clients/campaign"
	endpointRule = "/clients/endpoint"
)

// stage is a fleet with an endpoint and a campaign, and a shop whose pages are made of what their Secrets say to paste.
type stage struct {
	target
	// base is the fleet's address in what is to be pasted; address is where this machine reaches its Service.
	base, address string
	// link of the campaign.
	link string
	// shop is its address on this machine.
	shop string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	namespace := inNamespace(t, "e2e-clients")
	apply(t, namespace, fleetManifest(t, namespace, "replicas: 2"))
	s := &stage{base: "http://" + fleetName + "." + namespace + ".svc"}
	s.target = endpointOn(t, namespace, "shop",
		fmt.Sprintf("browser: {types: [lead, sale], origins: [%q], ratePerMinute: 6000}", shopSite),
		"forwards: ["+forwardTo(endpointRule)+"]")
	apply(t, namespace, fmt.Sprintf(`
apiVersion: postback.dev/v1alpha1
kind: Campaign
metadata: {name: spring}
spec:
  endpointRef: {name: shop}
  offerURL: %q
  parameters: {external_id: [gclid], keyword: [utm_term]}
  forwards: [%s]
`, shopSite+"/{page}?_subid={subid}&kw={keyword}", forwardTo(campaignRule)))
	eventually(t, func() error {
		campaign := get[v1alpha1.Campaign](t, namespace, "spring")
		s.link = campaign.Status.Link
		return isReady(campaign.Status.Conditions, campaign.Status.ObservedGeneration, campaign.Generation)
	})
	fleetReady(t, namespace, fleetName, 2)
	address, err := bed.Forward(t.Context(), namespace, "service/"+fleetName, "http")
	if err != nil {
		t.Fatal(err)
	}
	s.address = address
	server := httptest.NewServer(s.pages(t))
	t.Cleanup(server.Close)
	s.shop = server.Listener.Addr().String()
	return s
}

// pasted is one of the endpoint's snippets.
func (s *stage) pasted(t *testing.T, name string) string {
	t.Helper()
	return secret(t, s.namespace, s.endpoint+"-snippets", name)
}

// pastedOfCampaign is one of the campaign's.
func (s *stage) pastedOfCampaign(t *testing.T, name string) string {
	t.Helper()
	return secret(t, s.namespace, "spring.campaign-snippets", name)
}

// here is a text with addresses that this machine reaches.
func (s *stage) here(text string) string {
	return strings.ReplaceAll(text, s.base, "http://"+s.address)
}

// pages are those of the shop. They say in their titles what happened.
func (s *stage) pages(t *testing.T) http.Handler {
	t.Helper()
	script := s.pastedOfCampaign(t, "tracking-script.html")
	const tells = `<script>window.KTracking = {response: function (answer) { document.title = "Reported: " + answer; }};</script>`
	pages := map[string]string{
		"/landing": script + `<script>KTracking.ready(function (subid) { document.title = "Subid " + subid; });</script>
			<a id="order" href="/thanks">Order</a>`,
		"/thanks": script + `<script>KTracking.reportConversion(7, "lead", {tid: "55"}, function (answer) { document.title = "Reported: " + answer; });</script>`,
		"/adapted": s.pasted(t, "js-adapter.html") + `<form action="/order" method="post"><input type="hidden" name="subid"><button id="order">Order</button></form>
			<script>document.title = "Adapted";</script>`,
		"/order": `<script>document.title = "Ordered ORDERED";</script>`,
		"/image": s.pasted(t, "pixel-image.html") +
			`<script>window.addEventListener("load", function () { document.title = "Loaded"; });</script>`,
		"/script": tells + s.pasted(t, "pixel-script.html"),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_ = r.ParseForm() // The test writes the queries.
		if r.URL.Path != "/adapted" {
			// The shop's own code puts the subid in where a snippet says so.
			page = strings.ReplaceAll(page, "{subid}", url.QueryEscape(r.Form.Get("_subid")))
		}
		page = strings.ReplaceAll(page, "ORDERED", url.QueryEscape(r.Form.Get("subid")))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, "<!doctype html><title>Shop</title>\n", page)
	})
}

// fact is a conversion as the ledger has it, or as the traffic source was told of it.
type fact struct{ Type, Payout, TID string }

// recorded are a click's conversions.
func (s *stage) recorded(t *testing.T, subid string) []fact {
	t.Helper()
	return decode[struct{ Items []fact }](t, read(t, s.namespace, fleetName,
		"/api/v1/conversions?subid="+url.QueryEscape(subid))).Items
}

// toldAt is what came to a path of the traffic source, in that order.
func toldAt(t *testing.T, path string) []url.Values {
	t.Helper()
	got, err := call[[]struct{ Method, Query string }](t.Context(), "POST", "/received", map[string]string{"path": path})
	if err != nil {
		t.Fatal(err)
	}
	var told []url.Values
	for _, one := range got {
		values, err := url.ParseQuery(one.Query)
		if err != nil || one.Method != http.MethodGet {
			t.Fatalf("the traffic source is sent %s %q: %v", one.Method, one.Query, err)
		}
		told = append(told, values)
	}
	return told
}

// tells waits until the traffic source was told of a click by both rules: of the facts, in that order, each once, with
// the click's own id at the traffic source.
func (s *stage) tells(t *testing.T, subid, click string, facts ...fact) {
	t.Helper()
	for _, path := range []string{campaignRule, endpointRule} {
		var told []fact
		eventually(t, func() error {
			told = nil
			for _, values := range toldAt(t, path) {
				if values.Get("subid") != subid {
					continue
				}
				told = append(told, fact{values.Get("status"), values.Get("payout"), values.Get("tid")})
				if got := values.Get("click"); got != click {
					t.Errorf("it is told of its click %q, want %q", got, click)
				}
			}
			if len(told) < len(facts) {
				return fmt.Errorf("at %s it is told %v, want %v", path, told, facts)
			}
			return nil
		})
		if diff := cmp.Diff(facts, told); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", path, diff)
		}
	}
}

// converts holds one conversion of a click against the ledger and the traffic source.
func (s *stage) converts(t *testing.T, subid, click string, want fact) {
	t.Helper()
	s.tells(t, subid, click, want)
	if diff := cmp.Diff([]fact{want}, s.recorded(t, subid)); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s", diff)
	}
}
