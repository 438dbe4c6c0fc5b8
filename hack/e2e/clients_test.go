//go:build e2e

package e2e

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/receivertest/chromium"
	"github.com/postback-dev/postback-operator/receiver/receivertest/php"
)

// Every client of docs/clients.md, as its snippet is in the Secret: by the Service, from a click to the S2S postback at
// the traffic source.
func TestClients(t *testing.T) {
	s := newStage(t)
	t.Run("a campaign link leads on with the subid", s.campaignLink)
	t.Run("a script's request is answered as the tracking script asks it", s.jsonp)
	t.Run("S2S postbacks tell of each change once, and of no repeat", s.changes)
	t.Run("in a browser", func(t *testing.T) {
		browser := chromium.Open(t, chromium.OwnCookies, map[string]string{
			strings.TrimPrefix(s.base, "http://") + ":80": s.address, strings.TrimPrefix(shopSite, "http://") + ":80": s.shop,
		})
		for _, client := range []struct {
			name string
			walk func(*testing.T, *chromium.Tab)
		}{
			{"the tracking script", s.trackingScript},
			{"the JS adapter", s.adapter},
			{"the image pixel", s.imagePixel},
			{"the script pixel", s.scriptPixel},
		} {
			t.Run(client.name, func(t *testing.T) { client.walk(t, browser.Tab(t)) })
		}
	})
	t.Run("KClient PHP", s.kclient)
	t.Run("the WordPress plugin", s.wordPress)
	// it ends connections of the others: last
	t.Run("a receiver that is deleted without grace loses no S2S postback", s.deleted)
}

// follow follows the campaign's link from inside the cluster and returns the click's subid.
func (s *stage) follow(t *testing.T, click string) string {
	t.Helper()
	got := visit(t, s.link+"?page=landing&utm_term=red+shoes&gclid="+click)
	to, err := url.Parse(got.Header.Get("Location"))
	if err != nil || got.Status != http.StatusFound {
		t.Fatalf("the link answers %d, location %q", got.Status, got.Header.Get("Location"))
	}
	subid := to.Query().Get("_subid")
	if want := shopSite + "/landing?_subid=" + subid + "&kw=red%20shoes"; to.String() != want || len(subid) != 24 {
		t.Fatalf("the link leads to %s, want %s", to, want)
	}
	return subid
}

// reports sends a postback by the postback key, as networks and a shop's server do.
func (s *stage) reports(t *testing.T, query, outcome string) {
	t.Helper()
	if got := visit(t, s.url+"?"+query); got.outcome() != outcome {
		t.Errorf("%s is answered %d %s %s, want %s", query, got.Status, got.outcome(), got.Body, outcome)
	}
}

func (s *stage) campaignLink(t *testing.T) {
	subid := s.follow(t, "g-link")
	s.reports(t, "subid="+subid+"&status=sale&payout=7&tid=55", "recorded")
	s.converts(t, subid, "g-link", fact{"sale", "7", "55"})
}

// jsonp asks, word for word, what the tracking script asks: the page's query in front, revenue and subid as they are.
func (s *stage) jsonp(t *testing.T) {
	from := map[string]string{"Referer": shopSite + "/"}
	ask := func(address, want string) string {
		t.Helper()
		got := fetch(t, "GET", address, from, "")
		if contentType := got.Header.Get("Content-Type"); got.Status != http.StatusOK ||
			!strings.HasPrefix(contentType, "application/javascript") ||
			!strings.Contains(got.Body, "KTracking.response(") || !strings.Contains(got.Body, want) {
			t.Fatalf("it is answered %d %s %s %s", got.Status, contentType, got.Body, got.Error)
		}
		return got.Body
	}
	click := ask(s.link+"?return=jsonp&gclid=g-jsonp&se_referrer=&default_keyword=Landing%20page"+
		"&landing_url=shop.test%2Flanding", "sub_id")
	_, rest, _ := strings.Cut(click, `"sub_id":"`)
	subid, _, found := strings.Cut(rest, `"`)
	if !found {
		t.Fatalf("there is no subid in %s", click)
	}
	report := s.pasted(t, "client-postback-url") + "?return=jsonp&gclid=g-jsonp&revenue=7&sub_id=" + subid +
		"&status=lead&tid=55"
	ask(report, "Success")
	s.converts(t, subid, "g-jsonp", fact{"lead", "7", "55"})

	from["Referer"] = "http://evil.test/"
	ask(report, "Refused: origin_not_allowed")
}

func (s *stage) changes(t *testing.T) {
	subid := s.follow(t, "g-changes")
	report := func(rest, outcome string) { s.reports(t, "subid="+subid+"&tid=55&"+rest, outcome) }
	report("status=lead&payout=1", "recorded")
	report("status=lead&payout=1", "duplicate")
	report("status=sale&payout=7", "recorded")
	report("status=sale&payout=7", "duplicate")
	report("status=sale&payout=8", "recorded")
	report("status=sale&payout=8", "duplicate")
	// Each waits for the one before: when the last has come, a repeat's would have.
	report("status=rejected&payout=8", "recorded")
	s.tells(t, subid, "g-changes", fact{"lead", "1", "55"}, fact{"sale", "7", "55"}, fact{"sale", "8", "55"},
		fact{"rejected", "8", "55"})
}

// lands follows the campaign's link in a browser to a page of the shop, and returns the subid in its address.
func (s *stage) lands(tb *chromium.Tab, page, click, title string) string {
	tb.Helper()
	tb.Visit(s.link + "?page=" + page + "&utm_term=red+shoes&gclid=" + click)
	tb.Await(title)
	return tb.Text(`new URLSearchParams(location.search).get("_subid")`)
}

func (s *stage) trackingScript(t *testing.T, tb *chromium.Tab) {
	subid := s.lands(tb, "landing", "g-script", "Subid ")
	if got := tb.Await("Subid "); got != "Subid "+subid {
		t.Errorf("the page is told %s, its address has %s", got, subid)
	}
	tb.Click("#order", "Reported: Success")
	tb.Visit(shopSite + "/thanks") // Reloading it changes nothing.
	tb.Await("Reported: Success")
	s.reports(t, "subid="+subid+"&status=sale&payout=9&tid=55", "recorded")
	s.tells(t, subid, "g-script", fact{"lead", "7", "55"}, fact{"sale", "9", "55"})
}

// adapter has the subid in the shop's own form. Its server reports the order.
func (s *stage) adapter(t *testing.T, tb *chromium.Tab) {
	subid := s.lands(tb, "adapted", "g-adapter", "Adapted")
	tb.Click("#order", "Ordered "+subid)
	s.reports(t, "subid="+subid+"&status=sale&payout=7&tid=55", "recorded")
	s.converts(t, subid, "g-adapter", fact{"sale", "7", "55"})
}

func (s *stage) imagePixel(t *testing.T, tb *chromium.Tab) {
	s.converts(t, s.lands(tb, "image", "g-image", "Loaded"), "g-image", fact{Type: "lead", Payout: "0"})
}

func (s *stage) scriptPixel(t *testing.T, tb *chromium.Tab) {
	s.converts(t, s.lands(tb, "script", "g-pixel", "Reported: Success"), "g-pixel", fact{Type: "lead", Payout: "0"})
}

// phpClients are the PHP clients of the receiver's own tests.
const phpClients = "receiver/acceptance/clients/testdata/php"

// kclient serves a landing page that is the snippet, and a thank-you page that does what the snippet's comment says.
func (s *stage) kclient(t *testing.T) {
	clients, err := filepath.Abs(phpClients)
	if err != nil {
		t.Fatal(err)
	}
	snippet := s.here(s.pastedOfCampaign(t, "kclient.php"))
	report := strings.NewReplacer("// $query", "$query", "// file_get_contents", "echo file_get_contents").Replace(snippet)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"kclient.php": "<?php require '" + clients + `/client.php';
class KClient extends ClickClient { public function __construct($url, $token) { parent::__construct($url . 'click_api/v3', $token); } }`,
		"landing.php": snippet + "\necho $client->getSubId();",
		"thanks.php":  report,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	site := php.Serve(t, dir)
	jar := newVisitor(t)
	subid := jar.get(t, site+"/landing.php?gclid=g-php")
	if len(subid) != 24 {
		t.Fatalf("the landing page says %s", subid)
	}
	if got := jar.get(t, site+"/thanks.php"); got != "Success" {
		t.Errorf("the thank-you page says %s", got)
	}
	s.converts(t, subid, "g-php", fact{Type: "lead", Payout: "0"})
}

func (s *stage) wordPress(t *testing.T) {
	subid := s.follow(t, "g-wordpress")
	site := php.Serve(t, phpClients, "POSTBACK="+strings.TrimSpace(s.here(s.pasted(t, "wordpress.txt"))))
	for range 2 {
		if got := newVisitor(t).get(t, site+"/wordpress.php?status=sale&subid="+subid); got != "reported" {
			t.Errorf("the plugin says %s", got)
		}
	}
	s.converts(t, subid, "g-wordpress", fact{Type: "sale", Payout: "7"})
}
