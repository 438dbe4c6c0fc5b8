package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/click/clicktest"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// retired is a former token of the campaign, good until noon.
const retired = "former-campaign-token"

func newAPI(t *testing.T) (*API, *clicktest.Book, *int) {
	t.Helper()
	e, noon := clicktest.Endpoint(), clicktest.Noon
	e.Campaigns[1].Tokens = append(e.Campaigns[1].Tokens,
		config.Key{ID: "ct0", SHA256: config.Digest(retired), RetireAt: &noon})
	e.Campaigns[1].OfferURL += "&t={token}"
	snapshot, book, wrong := clicktest.Snapshot(t, e), &clicktest.Book{}, 0
	return New(Options{
		Endpoints: func() *endpoint.Snapshot { return snapshot },
		Rates:     func() *money.Table { return money.NewTable(nil, nil) },
		Clicks:    book.Store(), Clock: func() time.Time { return clicktest.Noon }, WrongToken: func() { wrong++ },
	}), book, &wrong
}

func post(a *API, target string, form url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), "POST", target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// form is what the official client sends, with more laid over it.
func form(more ...string) url.Values {
	f := url.Values{
		"token": {clicktest.Token}, "version": {"3"}, "info": {"1"}, "ip": {"203.0.113.9"},
		"ua":       {"Mozilla/5.0 (X11) Firefox/140.0"},
		"language": {"en"}, "se_referrer": {""}, "referrer": {"https://search.example/"}, "kversion": {"3.4"},
		"original_host": {"shop.example"}, "original_headers[Accept]": {"text/html"},
		"original_headers[Cookie]": {strings.Repeat("c", 4096)},
	}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

func TestTheOfficialClientIsToldItsClick(t *testing.T) {
	a, book, _ := newAPI(t)
	w := post(a, Path, form("keyword", "shoes", "zone", "7"))
	var got Answer
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || len(book.Clicks) != 1 {
		t.Fatalf("%d %s: %v, %d clicks", w.Code, w.Body, err, len(book.Clicks))
	}
	click := book.Clicks[0]
	token := clicktest.VisitorToken(t, click.SubID)
	want := Answer{
		Headers: []string{}, Status: 200, CookiesTTL: 720, Cookies: map[string]string{"subid": click.SubID, "token": token},
		Info: &Info{
			SubID: click.SubID, Token: token, CampaignID: "spring", Type: "http", Uniqueness: Uniqueness{true, true, true},
			URL: "https://offer.example/go?clickid=" + click.SubID + "&c=spring&kw=shoes&src=adnet&z=7&cost=0.05EUR#&t=",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if click.IP != "203.0.113.9" || click.UserAgent != "Mozilla/5.0 (X11) Firefox/140.0" ||
		click.Params.Get("keyword") != "shoes" {
		t.Errorf("click %+v", click)
	}
	if w.Header().Get("Content-Type") != "application/json" || strings.Contains(w.Body.String(), clicktest.Token) {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
	for _, field := range []string{"body", "contentType", "headers", "status", "info", "cookies", "cookies_ttl", "error"} {
		if !strings.Contains(w.Body.String(), `"`+field+`":`) {
			t.Errorf("no %s in %s", field, w.Body)
		}
	}
}

func TestWhatAPageMayAskFor(t *testing.T) {
	for _, test := range []struct {
		name     string
		form     url.Values
		header   []string
		clicks   int
		status   int // of the page
		location bool
		isNew    bool
		isBot    bool
		info     bool
	}{
		{name: "the offer at once", form: form("force_redirect_offer", "1"), clicks: 1, status: 302, location: true,
			isNew: true, info: true},
		{name: "a visitor with a click", form: form(), header: []string{"Cookie", "a=b; subid=s1"}, clicks: 1, status: 200,
			info: true},
		{name: "a robot", form: form("ua", "Googlebot/2.1"), clicks: 1, status: 200, isNew: true, isBot: true, info: true},
		{name: "no information", form: form("info", "0"), clicks: 1, status: 200},
		{name: "a page that is fetched ahead", form: form("prefetch", "1"), clicks: 0, status: 200, isNew: true, info: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, book, _ := newAPI(t)
			w := post(a, Path, test.form, test.header...)
			var got Answer
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || len(book.Clicks) != test.clicks {
				t.Fatalf("%d %s: %v, %d clicks", w.Code, w.Body, err, len(book.Clicks))
			}
			if got.Status != test.status || (len(got.Headers) == 1) != test.location || (got.Info != nil) != test.info {
				t.Errorf("%s", w.Body)
			}
			if test.location && got.Headers[0] != "Location: "+got.Info.URL {
				t.Errorf("headers %v", got.Headers)
			}
			if test.info && (got.Info.Uniqueness.Campaign != test.isNew || got.Info.IsBot != test.isBot ||
				(got.Info.SubID != "") != (test.clicks == 1)) {
				t.Errorf("info %+v", got.Info)
			}
		})
	}
}

func TestAClickThatIsNotDurableGivesNoSubidAway(t *testing.T) {
	a, book, _ := newAPI(t)
	book.Err = errors.New("store unavailable")
	w := post(a, Path, form("force_redirect_offer", "1"))
	var got Answer
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if got.Info.SubID != "" || got.Info.Token != "" || len(got.Cookies) != 0 || got.Error != "" ||
		!strings.HasPrefix(got.Headers[0], "Location: https://offer.example/go?clickid=&c=spring") || book.Unstored != 1 {
		t.Errorf("%s, %d unstored", w.Body, book.Unstored)
	}
}

func TestWhoIsRefused(t *testing.T) {
	for _, test := range []struct {
		name, method, target string
		form                 url.Values
		status, wrong        int
	}{
		{"a wrong token", "POST", Path, form("token", clicktest.Token+"x"), 404, 1},
		{"a token that has retired", "POST", Path, form("token", retired), 404, 1},
		{"the digest of a token", "POST", Path, form("token", config.Digest(clicktest.Token)), 404, 1},
		{"no token", "POST", Path, url.Values{"info": {"1"}}, 404, 1},
		{"no token in the query", "GET", Path + "?info=1", nil, 404, 1},
		{"a wrong token in the query", "GET", Path + "?token=x", nil, 404, 1},
		{"another method", "PUT", Path, form(), 405, 0},
		{"too much", "POST", Path, form("x", strings.Repeat("x", 70_000)), 413, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, book, wrong := newAPI(t)
			r := httptest.NewRequestWithContext(t.Context(), test.method, test.target, strings.NewReader(test.form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if w.Code != test.status || w.Body.Len() != 0 || len(book.Clicks) != 0 || *wrong != test.wrong {
				t.Errorf("%d %q, %d clicks, %d wrong tokens", w.Code, w.Body, len(book.Clicks), *wrong)
			}
		})
	}
}

func TestWhereTheAPIIs(t *testing.T) {
	for target, want := range map[string]bool{
		"POST /click_api/v2": true, "POST /click_api/v3": true, "POST /click_api/v4": true, "GET /click_api/v3": true,
		"POST /api.php": true, "GET /api.php?token=t": true, "POST /": true, "GET /?token=t": true, "GET /": false,
		"GET /?_lp=1&_token=t": false, "POST /click_api/": false, "POST /QwErTy": false,
	} {
		method, path, _ := strings.Cut(target, " ")
		if got := Serves(httptest.NewRequestWithContext(t.Context(), method, path, nil)); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
}

func TestAnAnswerWithoutAClickIsNotKept(t *testing.T) {
	for _, test := range []struct {
		name, path string
		away       bool
		form       url.Values
	}{
		{"a page that is fetched ahead", Path, false, form("prefetch", "1")},
		{"the store is away", Path, true, form()},
		{"a page that is fetched ahead, version 4", pathV4, false, formV4("headers[Sec-Purpose]", "prefetch")},
		{"the store is away, version 4", pathV4, true, formV4()},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, book, _ := newAPI(t)
			if test.away {
				book.Err = errors.New("store unavailable")
			}
			w := post(a, test.path, test.form)
			var got struct {
				CookiesTTL, TTL *int
				Info            Info
			}
			if err := json.Unmarshal([]byte(strings.ReplaceAll(w.Body.String(), "cookies_ttl", "CookiesTTL")),
				&got); err != nil {
				t.Fatal(err)
			}
			ttl := got.CookiesTTL
			if test.path == pathV4 {
				ttl = got.TTL
			}
			if w.Code != 200 || ttl == nil || *ttl != 0 || got.Info.SubID != "" || len(book.Clicks) != 0 {
				t.Errorf("%d %s, %d clicks", w.Code, w.Body, len(book.Clicks))
			}
		})
	}
}

// formV4 is what a client of version 4 sends, with more laid over it.
func formV4(more ...string) url.Values {
	f := url.Values{
		"token": {clicktest.Token}, "version": {"4"}, "method": {"GET"}, "language": {"en"}, "self_static_serving": {"1"},
		"headers[user-agent]": {"Mozilla/5.0 (X11) Firefox/140.0"}, "headers[referer]": {"https://search.example/"},
		"headers[cookie]": {"a=b"}, "server[remote_addr]": {"203.0.113.9"}, "server[https]": {"on"},
		"get_params[kw]": {"shoes"}, "get_params[zone]": {"7"}, "post_params[zone]": {"8"}, "post_params[click]": {"ext1"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

func TestAClientOfVersion4IsToldItsClick(t *testing.T) {
	a, book, _ := newAPI(t)
	w := post(a, pathV4, formV4("force_redirect_offer", "1"))
	var got AnswerV4
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || len(book.Clicks) != 1 {
		t.Fatalf("%d %s: %v, %d clicks", w.Code, w.Body, err, len(book.Clicks))
	}
	click := book.Clicks[0]
	token := clicktest.VisitorToken(t, click.SubID)
	to := "https://offer.example/go?clickid=" + click.SubID + "&c=spring&kw=shoes&src=adnet&z=7&cost=0.05EUR#&t="
	expires := clicktest.Noon.AddDate(0, 0, 30).Format(http.TimeFormat)
	want := AnswerV4{
		Status:  302,
		Headers: []string{"location: " + to},
		Cookies: []Cookie{
			{Name: "subid", Value: click.SubID, Expires: expires, Path: "/", Secure: true, SameSite: "Lax"},
			{Name: "token", Value: token, Expires: expires, Path: "/", Secure: true, SameSite: "Lax"},
		},
		TTL: 30 * 24 * 3600,
		Info: &InfoV4{Info: Info{
			SubID: click.SubID, Token: token, CampaignID: "spring", Type: "http", URL: to,
			Uniqueness: Uniqueness{true, true, true},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if click.IP != "203.0.113.9" || click.UserAgent != "Mozilla/5.0 (X11) Firefox/140.0" ||
		click.Params.Get("external_id") != "ext1" {
		t.Errorf("click %+v", click)
	}
	for _, field := range []string{"body", "error", "status", "contentType", "headers", "cookies", "httponly", "samesite",
		"ttl", "stream_id"} {
		if !strings.Contains(w.Body.String(), `"`+field+`":`) {
			t.Errorf("no %s in %s", field, w.Body)
		}
	}
}

func TestATokenInAURLIsTakenOnlyWhereTheCampaignSaysSo(t *testing.T) {
	for _, test := range []struct {
		name, method, target string
		header               []string
		allowed              bool
		status, clicks       int
		origin               string
	}{
		{"GET where it is allowed", "GET", Path + "?token=%s&info=1&kw=a", nil, true, 200, 1, ""},
		{"an old client", "GET", "/api.php?token=%s&kw=a", nil, true, 200, 1, ""},
		{"version 2", "GET", "/click_api/v2?token=%s&kw=a", nil, true, 200, 1, ""},
		{"at the root", "GET", "/?token=%s&kw=a", nil, true, 200, 1, ""},
		{"POST with the token in the query", "POST", Path + "?token=%s&kw=a", nil, true, 200, 1, ""},
		{"HEAD records nothing", "HEAD", Path + "?token=%s&kw=a", nil, true, 200, 0, ""},
		{"a page of a declared origin", "GET", Path + "?token=%s&kw=a", []string{"Origin", "https://shop.example"}, true, 200,
			1, "https://shop.example"},
		{"a page of another origin", "GET", Path + "?token=%s&kw=a", []string{"Origin", "https://evil.example"}, true, 200, 1,
			""},
		{"a preflight", "OPTIONS", Path + "?token=%s", []string{"Origin", "https://shop.example"}, true, 204, 0,
			"https://shop.example"},
		{"GET where it is not", "GET", Path + "?token=%s&info=1", nil, false, 403, 0, ""},
		{"POST where it is not", "POST", Path + "?token=%s&info=1", nil, false, 403, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, book := clicktest.Endpoint(), &clicktest.Book{}
			e.Campaigns[1].TokenInQuery = test.allowed
			e.Browser = &config.Browser{
				Keys:  []config.Key{{ID: "p1", SHA256: config.Digest("page-key")}},
				Types: []string{"lead"}, Origins: []string{"https://shop.example"}, RatePerMinute: 60,
			}
			snapshot := clicktest.Snapshot(t, e)
			a := New(Options{
				Endpoints: func() *endpoint.Snapshot { return snapshot },
				Rates:     func() *money.Table { return money.NewTable(nil, nil) },
				Clicks:    book.Store(), Clock: func() time.Time { return clicktest.Noon },
				WrongToken: func() { t.Error("a wrong token") },
			})
			r := httptest.NewRequestWithContext(t.Context(), test.method, strings.Replace(test.target, "%s", clicktest.Token, 1),
				nil)
			for i := 0; i+1 < len(test.header); i += 2 {
				r.Header.Set(test.header[i], test.header[i+1])
			}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if w.Code != test.status || len(book.Clicks) != test.clicks ||
				w.Header().Get("Access-Control-Allow-Origin") != test.origin {
				t.Errorf("%d %s, %d clicks, %v", w.Code, w.Body, len(book.Clicks), w.Header())
			}
			if strings.Contains(w.Body.String(), clicktest.Token) || test.status == 403 &&
				!strings.Contains(w.Body.String(), "token.inQuery") {
				t.Errorf("%s", w.Body)
			}
		})
	}
}
