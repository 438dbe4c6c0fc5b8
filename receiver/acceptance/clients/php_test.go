package clients

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/receivertest"
	"github.com/postback-dev/postback-operator/receiver/receivertest/php"
)

// startPHP serves the pages of testdata/php and returns their address.
func startPHP(t *testing.T, s *stage, more ...string) string {
	t.Helper()
	certificate := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: s.certificate.Raw}
	if err := os.WriteFile(certificate, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return php.Serve(t, "testdata/php", append([]string{
		"CERTIFICATE=" + certificate, "CLICK_API=https://" + s.receiver + "/click_api/v3", "CAMPAIGN_TOKEN=" + campaignToken,
		"POSTBACK=https://" + s.receiver + "/" + receivertest.Key + "/postback",
	}, more...)...)
}

// visitor is a browser without scripts.
type visitor struct {
	*http.Client
	agent string
}

func newVisitor(t *testing.T, agent string) visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return visitor{&http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, agent}
}

// shown is what a visitor gets.
type shown struct {
	status         int
	location, body string
}

func (v visitor) get(t *testing.T, url string) shown {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", v.agent)
	response, err := v.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return shown{response.StatusCode, response.Header.Get("Location"), string(body)}
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// told is what the landing page knows.
type told struct {
	SubID, Token, Offer string
	Bot, Unique         bool
}

func land(t *testing.T, v visitor, address string) told {
	t.Helper()
	got := v.get(t, address)
	var page told
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
		t.Fatalf("%s: %d %s: %v", address, got.status, got.body, err)
	}
	return page
}

func TestAPHPPageOfACampaign(t *testing.T) {
	s := newStage(t)
	site := startPHP(t, s)
	v := newVisitor(t, firefox)

	page := land(t, v, site+"/landing.php?kw=red+shoes&click=ext1&token=of+the+page&ip=1.2.3.4")
	clicks := s.clicks(t)
	if len(clicks) != 1 {
		t.Fatalf("%d clicks", len(clicks))
	}
	c := clicks[0]
	token := page.Token
	if !strings.HasPrefix(token, "QwErTy."+c.SubID+".") {
		t.Errorf("token %s of the click %s", token, c.SubID)
	}
	want := told{
		SubID: c.SubID, Token: token, Unique: true, Offer: "https://" + s.receiver + "/click_api/?_lp=1&_token=" + token,
	}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Error(diff)
	}
	if c.UserAgent != firefox || c.Params["keyword"] != "red shoes" || c.Params["external_id"] != "ext1" {
		t.Errorf("click %+v", c)
	}

	t.Run("the page's cookies are those of the click", func(t *testing.T) {
		address, err := url.Parse(site)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, cookie := range v.Jar.Cookies(address) {
			got[cookie.Name] = cookie.Value
		}
		if got["subid"] != c.SubID || got["token"] != token {
			t.Errorf("cookies %v", got)
		}
	})
	t.Run("the session keeps the click", func(t *testing.T) {
		again := land(t, v, site+"/landing.php?kw=other")
		if again.SubID != c.SubID || len(s.clicks(t)) != 1 {
			t.Errorf("subid %s, %d clicks", again.SubID, len(s.clicks(t)))
		}
	})
	t.Run("the offer's link leads on with the click", func(t *testing.T) {
		browser := visitor{s.client(), firefox}
		browser.CheckRedirect = v.CheckRedirect
		got := browser.get(t, page.Offer+"&page=next")
		if want := shop + "/next?_subid=" + c.SubID + "&kw=red%20shoes"; got.location != want || got.status != 302 {
			t.Errorf("%d to %s, want %s", got.status, got.location, want)
		}
	})
	t.Run("the thank-you page reports the conversion", func(t *testing.T) {
		if got := v.get(t, site+"/thanks.php"); got.body != "Success" {
			t.Errorf("answer %s", got.body)
		}
		if diff := cmp.Diff([]string{sale}, s.recordedFor(t, c.SubID)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestVisitorsOfAPHPPage(t *testing.T) {
	s := newStage(t)
	site := startPHP(t, s)
	t.Run("one who has a click is not new", func(t *testing.T) {
		v := newVisitor(t, firefox)
		address, err := url.Parse(site)
		if err != nil {
			t.Fatal(err)
		}
		v.Jar.SetCookies(address, []*http.Cookie{{Name: "subid", Value: "earlier"}})
		if page := land(t, v, site+"/landing.php"); page.Unique || page.SubID == "earlier" {
			t.Errorf("%+v", page)
		}
	})
	t.Run("a robot is told from a browser", func(t *testing.T) {
		if page := land(t, newVisitor(t, "Googlebot/2.1"), site+"/landing.php"); !page.Bot {
			t.Errorf("%+v", page)
		}
	})
	t.Run("the page may send them on at once", func(t *testing.T) {
		got := newVisitor(t, firefox).get(t, site+"/landing.php?force_redirect_offer=1&page=next")
		clicks := s.clicks(t)
		if want := shop + "/next?_subid=" + clicks[len(clicks)-1].SubID + "&kw="; got.status != 302 || got.location != want {
			t.Errorf("%d to %s, want %s", got.status, got.location, want)
		}
	})
	t.Run("one whose page is fetched ahead is a click when they come", func(t *testing.T) {
		before, v := len(s.clicks(t)), newVisitor(t, firefox)
		if page := land(t, v, site+"/landing.php?prefetch=1"); page.SubID != "no_subid" || len(s.clicks(t)) != before {
			t.Errorf("%+v, %d clicks", page, len(s.clicks(t))-before)
		}
		// The session forgets by the second.
		eventually(t, "the client asks again", func() bool { return land(t, v, site+"/landing.php").SubID != "no_subid" })
		if n := len(s.clicks(t)) - before; n != 1 {
			t.Errorf("%d clicks", n)
		}
	})
}

func TestAPHPPageOfVersion4(t *testing.T) {
	s := newStage(t)
	site := startPHP(t, s)
	address, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, firefox)
	page := land(t, v, site+"/landing4.php?kw=red+shoes&click=ext1&token=of+the+page")
	clicks := s.clicks(t)
	if len(clicks) != 1 {
		t.Fatalf("%d clicks", len(clicks))
	}
	c := clicks[0]
	if !strings.HasPrefix(page.Token, "QwErTy."+c.SubID) {
		t.Errorf("token %s of the click %s", page.Token, c.SubID)
	}
	want := told{SubID: c.SubID, Token: page.Token, Unique: true,
		Offer: "https://" + s.receiver + "/?_lp=1&_token=" + page.Token}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Error(diff)
	}
	if c.UserAgent != firefox || c.Params["keyword"] != "red shoes" || c.Params["external_id"] != "ext1" {
		t.Errorf("click %+v", c)
	}
	t.Run("the session keeps the click", func(t *testing.T) {
		if again := land(t, v, site+"/landing4.php"); again.SubID != c.SubID || len(s.clicks(t)) != 1 {
			t.Errorf("%+v, %d clicks", again, len(s.clicks(t)))
		}
	})
	t.Run("the offer's link leads on with the click", func(t *testing.T) {
		browser := visitor{s.client(), firefox}
		browser.CheckRedirect = v.CheckRedirect
		if got, want := browser.get(t, page.Offer).location, shop+"/?_subid="+c.SubID+"&kw=red%20shoes"; got != want {
			t.Errorf("to %s, want %s", got, want)
		}
	})
	t.Run("the cookies outlive the session", func(t *testing.T) {
		jar := &jarWithDates{}
		visitor{&http.Client{Jar: jar, CheckRedirect: v.CheckRedirect}, firefox}.get(t, site+"/landing4.php")
		for _, name := range []string{"subid", "token"} {
			if days := time.Until(jar.expires[name]).Hours() / 24; days < 29 || days > 31 {
				t.Errorf("cookie %s lasts for %.1f days, want 30", name, days)
			}
		}
	})
	t.Run("a visitor with a cookie of an earlier click is not new", func(t *testing.T) {
		known := newVisitor(t, firefox)
		known.Jar.SetCookies(address, []*http.Cookie{{Name: "subid", Value: "earlier"}})
		if page := land(t, known, site+"/landing4.php"); page.Unique {
			t.Errorf("%+v", page)
		}
	})
	t.Run("the page may send them on at once", func(t *testing.T) {
		got := newVisitor(t, firefox).get(t, site+"/landing4.php?redirect=1&kw=a")
		if got.status != http.StatusFound || !strings.HasPrefix(got.location, shop+"/?_subid=") {
			t.Errorf("%d to %s", got.status, got.location)
		}
	})
}

// jarWithDates remembers until when cookies last.
type jarWithDates struct{ expires map[string]time.Time }

// SetCookies implements [http.CookieJar].
func (j *jarWithDates) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	j.expires = map[string]time.Time{}
	for _, cookie := range cookies {
		j.expires[cookie.Name] = cookie.Expires
	}
}

// Cookies implements [http.CookieJar].
func (j *jarWithDates) Cookies(*url.URL) []*http.Cookie { return nil }

func TestTheWordPressPluginWithTheStatusInItsAddress(t *testing.T) {
	s := newStage(t)
	site := startPHP(t, s,
		"CLICK_API=https://"+s.receiver+"//api.php?",
		"POSTBACK=https://"+s.receiver+"/"+receivertest.Key+"/postback?status=sale")
	subid := land(t, newVisitor(t, firefox), site+"/landing.php").SubID
	for _, test := range []struct{ query, recorded string }{
		{"subid=" + subid, `sale 7 ""`},
		{"subid=" + subid + "&status=lead&tid=2", `lead 7 "2"`}, // The page's own status goes first.
	} {
		if got := newVisitor(t, firefox).get(t, site+"/wordpress.php?"+test.query); got.body != "reported" {
			t.Errorf("%s: %s", test.query, got.body)
		}
		if got := s.recordedFor(t, subid); len(got) == 0 || got[0] != test.recorded {
			t.Errorf("%s: %v, want %s", test.query, got, test.recorded)
		}
	}
}

func TestThePHPClientWorksWithEveryAddressThatItWasEverGiven(t *testing.T) {
	s := newStage(t)
	for _, path := range []string{"/click_api/v3", "/api.php", "/"} {
		t.Run(path, func(t *testing.T) {
			page := land(t, newVisitor(t, firefox), startPHP(t, s, "CLICK_API=https://"+s.receiver+path)+"/landing.php?kw=a")
			browser := visitor{s.client(), firefox}
			browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			if got, want := browser.get(t, page.Offer).location, shop+"/?_subid="+page.SubID+"&kw=a"; got != want {
				t.Errorf("%s leads to %s, want %s", page.Offer, got, want)
			}
		})
	}
}

func TestAPHPPageWithAWrongTokenIsToldNothing(t *testing.T) {
	s := newStage(t)
	site := startPHP(t, s, "CAMPAIGN_TOKEN=wrong")
	if got := newVisitor(t, firefox).get(t, site+"/landing.php"); !strings.Contains(got.body, "404 Not Found") ||
		len(s.clicks(t)) != 0 {
		t.Errorf("%d clicks, page:\n%s", len(s.clicks(t)), got.body)
	}
}

func TestTheWordPressPlugin(t *testing.T) {
	s := newStage(t)
	site := startPHP(t, s)
	subid := land(t, newVisitor(t, firefox), site+"/landing.php").SubID
	for _, test := range []struct {
		name, query, says string
		recorded          []string
	}{
		{"a sale", "subid=" + subid + "&status=sale", "reported", []string{`sale 7 ""`}},
		{"the same again", "subid=" + subid + "&status=sale", "reported", []string{`sale 7 ""`}},
		{"without a status", "subid=" + subid, "error: Ignored: status_missing", []string{`sale 7 ""`}},
		{"an unknown click", "subid=unknown&status=sale", "error: Ignored: click_not_found", []string{`sale 7 ""`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := newVisitor(t, firefox).get(t, site+"/wordpress.php?"+test.query); got.body != test.says {
				t.Errorf("%s, want %s", got.body, test.says)
			}
			if diff := cmp.Diff(test.recorded, s.recordedFor(t, subid)); diff != "" {
				t.Error(diff)
			}
			if got := list[received](t, s, "/api/v1/postbacks", url.Values{"limit": {"1"}})[0]; got.Method != "POST" {
				t.Errorf("received by %s", got.Method)
			}
		})
	}
}
