package link

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/click/clicktest"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// newLinks returns the links of an endpoint, by default of clicktest's.
func newLinks(t *testing.T, declared ...config.Endpoint) (*Links, *clicktest.Book) {
	t.Helper()
	if declared == nil {
		declared = []config.Endpoint{clicktest.Endpoint()}
	}
	snapshot, book := clicktest.Snapshot(t, declared...), &clicktest.Book{}
	return New(Options{
		Endpoints: func() *endpoint.Snapshot { return snapshot },
		Rates:     func() *money.Table { return money.NewTable(nil, nil) },
		Clicks:    book.Store(), Clock: func() time.Time { return clicktest.Noon },
	}), book
}

// answer is what a visitor gets.
type answer struct {
	StatusCode int
	Header     http.Header
	body       string
}

// ask returns the answer to a request; nil when there is nothing at its path.
func ask(l *Links, method, target string, header ...string) *answer {
	r := httptest.NewRequestWithContext(context.Background(), method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	handler := l.Handler(r)
	if handler == nil {
		return nil
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return &answer{w.Code, w.Header(), w.Body.String()}
}

func TestAVisitIsAClickAndLeadsToTheOffer(t *testing.T) {
	l, book := newLinks(t)
	r := ask(l, "GET", "/QwErTy?kw=shoes&zone=7", "User-Agent", "UA", "X-Forwarded-For", "203.0.113.9")
	if r.StatusCode != http.StatusFound || len(book.Clicks) != 1 || book.Accepted != 1 {
		t.Fatalf("%d, clicks %+v, observed %d", r.StatusCode, book.Clicks, book.Accepted)
	}
	click := book.Clicks[0]
	want := "https://offer.example/go?clickid=" + click.SubID + "&c=spring&kw=shoes&src=adnet&z=7&cost=0.05EUR#"
	if got := r.Header.Get("Location"); got != want {
		t.Errorf("to %s, want %s", got, want)
	}
	if body := r.body; body != "" {
		t.Errorf("body %q", body)
	}
	if click.Campaign != "spring" || click.UserAgent != "UA" || click.Params.Get("keyword") != "shoes" ||
		click.IP != "192.0.2.1" {
		t.Errorf("click %+v", click) // The peer, 192.0.2.1, is no trusted proxy.
	}
}

func TestTheCookiesOfAClick(t *testing.T) {
	l, book := newLinks(t)
	for _, test := range []struct {
		name, target string
		header       []string
		attributes   string
	}{
		{"in the clear", "http://t.example/QwErTy", nil, "; Path=/; Max-Age=2592000; SameSite=Lax"},
		{"over TLS", "https://t.example/QwErTy", nil, "; Path=/; Max-Age=2592000; Secure; SameSite=None"},
		{"for a script", "https://t.example/QwErTy?return=jsonp", nil, "; Path=/; Max-Age=2592000; Secure; SameSite=None"},
		{"a header that anybody can send", "http://t.example/QwErTy", []string{"X-Forwarded-Proto", "https"},
			"; Path=/; Max-Age=2592000; SameSite=Lax"},
	} {
		t.Run(test.name, func(t *testing.T) {
			book.Clicks = nil
			got := ask(l, "GET", test.target, test.header...).Header.Values("Set-Cookie")
			subid := book.Clicks[0].SubID
			want := []string{"subid=" + subid + test.attributes, "token=" + clicktest.VisitorToken(t, subid) + test.attributes}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("over TLS to a trusted proxy", func(t *testing.T) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/QwErTy", nil)
		r.RemoteAddr = "127.0.0.1:4711"
		r.Header.Set("X-Forwarded-Proto", "https")
		w := httptest.NewRecorder()
		l.Handler(r).ServeHTTP(w, r)
		for _, cookie := range w.Header().Values("Set-Cookie") {
			if !strings.HasSuffix(cookie, "; Secure; SameSite=None") {
				t.Error(cookie)
			}
		}
	})
}

func TestWhatMakesNoClick(t *testing.T) {
	for _, test := range []struct {
		name, method, target string
		header               []string
		status               int
	}{
		{"a robot that looks where it leads", "HEAD", "/QwErTy", nil, 302},
		{"HEAD for a script", "HEAD", "/QwErTy?return=jsonp", nil, 302},
		{"HEAD for an update", "HEAD", "/QwErTy?_update_tokens=1&sub_id=s1&keyword=x", nil, 302},
		{"prefetching", "GET", "/QwErTy", []string{"Sec-Purpose", "prefetch"}, 503},
		{"prerendering", "GET", "/QwErTy", []string{"Sec-Purpose", "prefetch;prerender"}, 503},
		{"prefetching through a proxy", "GET", "/QwErTy", []string{"Sec-Purpose", "prefetch;anonymous-client-ip"}, 503},
		{"prefetching by older browsers", "GET", "/QwErTy", []string{"Purpose", "prefetch"}, 503},
		{"prefetching by Firefox", "GET", "/QwErTy", []string{"X-Moz", "prefetch"}, 503},
		{"Safari's preview", "GET", "/QwErTy", []string{"X-Purpose", "preview"}, 503},
		{"a form that is sent ahead", "POST", "/QwErTy", []string{"Purpose", "prefetch"}, 503},
		{"PUT", "PUT", "/QwErTy", nil, 405},
		{"OPTIONS", "OPTIONS", "/QwErTy", nil, 405},
		{"a URL that is too long", "GET", "/QwErTy?a=" + strings.Repeat("a", request.MaxURLBytes), nil, 414},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, book := newLinks(t)
			r := ask(l, test.method, test.target, test.header...)
			if r.StatusCode != test.status || len(book.Clicks) != 0 || r.Header.Get("Set-Cookie") != "" {
				t.Errorf("%d, want %d; clicks %v, cookies %v", r.StatusCode, test.status, book.Clicks,
					r.Header.Values("Set-Cookie"))
			}
			if test.status == 302 && !strings.HasPrefix(r.Header.Get("Location"), "https://offer.example/go?clickid=&") {
				t.Errorf("to %s", r.Header.Get("Location"))
			}
		})
	}
}

func TestAFormOfAPreLanderIsAClickAndGoesOnByGET(t *testing.T) {
	for _, test := range []struct{ name, target, contentType, body, keyword, zone string }{
		{"a form", "/QwErTy", "application/x-www-form-urlencoded", "kw=red+shoes&zone=7", "red shoes", "7"},
		{"the query goes first", "/QwErTy?kw=boots", "application/x-www-form-urlencoded", "kw=shoes&zone=7", "boots", "7"},
		{"without a body", "/QwErTy?kw=boots", "", "", "boots", ""},
		{"JSON", "/QwErTy", "application/json", `{"kw":"shoes","zone":7}`, "shoes", "7"},
		{"multipart", "/QwErTy", "multipart/form-data; boundary=b",
			"--b\r\nContent-Disposition: form-data; name=\"kw\"\r\n\r\nshoes\r\n--b--\r\n", "shoes", ""},
		{"too much", "/QwErTy?kw=boots", "application/x-www-form-urlencoded", "zone=7&x=" + strings.Repeat("x", 70_000),
			"boots", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, book := newLinks(t)
			r := httptest.NewRequestWithContext(t.Context(), "POST", test.target, strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.contentType)
			w := httptest.NewRecorder()
			l.Handler(r).ServeHTTP(w, r)
			if w.Code != http.StatusSeeOther || len(book.Clicks) != 1 {
				t.Fatalf("%d, %d clicks", w.Code, len(book.Clicks))
			}
			click := book.Clicks[0]
			want := "https://offer.example/go?clickid=" + click.SubID + "&c=spring&kw=" +
				strings.ReplaceAll(test.keyword, " ", "%20") +
				"&src=adnet&z=" + test.zone + "&cost=0.05EUR#"
			if got := w.Header().Get("Location"); got != want || click.Params.Get("sub_id_1") != test.zone {
				t.Errorf("to %s, want %s; click %+v", got, want, click)
			}
		})
	}
}

func TestUpdatesAtTheRoot(t *testing.T) {
	const id = "1m8a5rz1r5yhsn91d0n06txd"
	token := clicktest.VisitorToken(t, id)
	for _, test := range []struct {
		name, target, cookie string
		status               int
		keyword              string
	}{
		{"by the subid alone", "/?_update_tokens=1&sub_id=" + id + "&keyword=new", "", 200, "old"},
		{"by the token", "/?_update_tokens=1&sub_id=" + id + "&_token=" + token + "&keyword=new", "", 200, "new"},
		{"by the token in the cookie", "/?_update_tokens=1&sub_id=" + id + "&keyword=new", "token=" + token, 200, "new"},
		{"by a token without its seal", "/?_update_tokens=1&sub_id=" + id + "&_token=QwErTy." + id + "&keyword=new", "", 200,
			"old"},
		{"another campaign's token", "/?_update_tokens=1&sub_id=" + id + "&_token=autumn." + id + "&keyword=new", "", 404,
			"old"},
		{"a token of another click", "/?_update_tokens=1&sub_id=" + id + "&_token=autumn.x&keyword=new", "", 200, "old"},
		{"an unknown click", "/?_update_tokens=1&sub_id=2m8a5rz1r5yhsn91d0n06txd&keyword=new", "", 404, "old"},
		{"a subid that no receiver minted", "/?_update_tokens=1&sub_id=s1&keyword=new", "", 404, "old"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, book := newLinks(t)
			book.Clicks = []conversion.Click{{
				Endpoint: "default/test", SubID: id, Campaign: "spring", Params: conversion.Params{{Name: "keyword", Value: "old"}},
			}}
			r := ask(l, "GET", test.target, "Cookie", test.cookie)
			if r == nil || r.StatusCode != test.status || book.Clicks[0].Params.Get("keyword") != test.keyword {
				t.Errorf("%+v, click %+v", r, book.Clicks[0])
			}
		})
	}
}

func TestHowLongBrowsersRememberAClick(t *testing.T) {
	e, book := clicktest.Endpoint(), &clicktest.Book{}
	e.Campaigns[1].CookieDays = 1
	snapshot := clicktest.Snapshot(t, e)
	l := New(Options{
		Endpoints: func() *endpoint.Snapshot { return snapshot },
		Rates:     func() *money.Table { return money.NewTable(nil, nil) },
		Clicks:    book.Store(), Clock: func() time.Time { return clicktest.Noon },
	})
	for _, cookie := range ask(l, "GET", "/QwErTy").Header.Values("Set-Cookie") {
		if !strings.Contains(cookie, "; Max-Age=86400;") {
			t.Error(cookie)
		}
	}
}

func TestThereIsNothingElse(t *testing.T) {
	l, _ := newLinks(t)
	for _, path := range []string{"/qwerty", "/QwErTy/", "/QwErTy/x", "//QwErTy", "/spring", "/x", "/click_api",
		"/?keyword=x", "/", "/click_api/"} {
		if ask(l, "GET", path) != nil {
			t.Errorf("something answers on %s", path)
		}
	}
}

func TestAScriptIsToldItsSubid(t *testing.T) {
	l, book := newLinks(t)
	r := ask(l, "GET", "/QwErTy?return=jsonp&utm_term=a&se_referrer=&default_keyword=Title&landing_url=shop.example/")
	body := r.body
	want := `KTracking.response({"sub_id":"` + book.Clicks[0].SubID + `","token":"` +
		clicktest.VisitorToken(t, book.Clicks[0].SubID) + `"});`
	if r.StatusCode != 200 || body != want || r.Header.Get("Content-Type") != "application/javascript" ||
		r.Header.Get("Location") != "" {
		t.Errorf("%d %q %v", r.StatusCode, body, r.Header)
	}
	if got := book.Clicks[0].Params.Get("keyword"); got != "a" {
		t.Errorf("keyword %q", got)
	}
}

func TestAClickThatIsNotDurableGivesNoSubidAway(t *testing.T) {
	l, book := newLinks(t)
	book.Err = errors.New("store unavailable")
	r := ask(l, "GET", "/QwErTy?kw=shoes")
	if got, want := r.Header.Get("Location"),
		"https://offer.example/go?clickid=&c=spring&kw=shoes&src=adnet&z=&cost=0.05EUR#"; got != want {
		t.Errorf("to %s, want %s", got, want)
	}
	if r.StatusCode != 302 || r.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d, cookies %v", r.StatusCode, r.Header.Values("Set-Cookie"))
	}
	r = ask(l, "GET", "/QwErTy?return=jsonp")
	if body := r.body; r.StatusCode != 503 || body != "" || r.Header.Get("Retry-After") == "" {
		t.Errorf("to a script: %d %q", r.StatusCode, body)
	}
	if book.Unstored != 2 || book.Accepted != 0 {
		t.Errorf("observed %d unstored, %d accepted", book.Unstored, book.Accepted)
	}
}

func TestVisitsAboveALimitLeadToTheOfferAndMakeNoClick(t *testing.T) {
	const one, another = "203.0.113.1", "203.0.113.2"
	for _, test := range []struct {
		name   string
		limits config.Limits
		from   []string
		clicks string // of each visit: whether it is one
	}{
		{"none", config.Limits{}, []string{one, one, one}, "+++"},
		{"of all visitors", config.Limits{Visits: &config.RateLimit{RequestsPerSecond: 1, Burst: 2}},
			[]string{one, another, one, another}, "++--"},
		{"of each source", config.Limits{VisitsPerSource: &config.RateLimit{RequestsPerSecond: 1, Burst: 1}},
			[]string{one, one, another, another}, "+-+-"},
		{"of both, where what a source has too much does not count for all", config.Limits{
			Visits:          &config.RateLimit{RequestsPerSecond: 1, Burst: 2},
			VisitsPerSource: &config.RateLimit{RequestsPerSecond: 1, Burst: 1},
		}, []string{one, one, one, another}, "+--+"},
	} {
		t.Run(test.name, func(t *testing.T) {
			declared := clicktest.Endpoint()
			declared.Limits = &test.limits
			l, book := newLinks(t, declared)
			clicks := ""
			for _, from := range test.from {
				before := len(book.Clicks)
				r := visitFrom(l, from, "/QwErTy?kw=shoes")
				is := map[bool]string{true: "+", false: "-"}[len(book.Clicks) > before]
				to := r.Header.Get("Location")
				if r.StatusCode != http.StatusFound || strings.Contains(to, "clickid=&") != (is == "-") ||
					!strings.Contains(to, "kw=shoes") {
					t.Errorf("%d to %s", r.StatusCode, to)
				}
				clicks += is
			}
			if clicks != test.clicks || book.Limited != strings.Count(clicks, "-") {
				t.Errorf("%s, observed %d, want %s", clicks, book.Limited, test.clicks)
			}
			if strings.HasSuffix(clicks, "-") {
				script := visitFrom(l, test.from[len(test.from)-1], "/QwErTy?return=jsonp")
				if script.StatusCode != http.StatusServiceUnavailable || script.Header.Get("Retry-After") == "" {
					t.Errorf("a script above the limit: %d", script.StatusCode)
				}
			}
		})
	}
}

// visitFrom is a visit through a trusted proxy.
func visitFrom(l *Links, source, target string) *answer {
	r := httptest.NewRequestWithContext(context.Background(), "GET", target, nil)
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("X-Forwarded-For", source)
	w := httptest.NewRecorder()
	l.Handler(r).ServeHTTP(w, r)
	return &answer{w.Code, w.Header(), w.Body.String()}
}

func TestAVisitorWhoHasGoneIsAClickAllTheSame(t *testing.T) {
	l, book := newLinks(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(gone, "GET", "/QwErTy", nil)
	l.Handler(r).ServeHTTP(httptest.NewRecorder(), r)
	if len(book.Clicks) != 1 {
		t.Errorf("%d clicks", len(book.Clicks))
	}
}

func TestUpdates(t *testing.T) {
	token := clicktest.VisitorToken(t, "s1")
	for _, test := range []struct {
		name, target string
		status       int
		body         string
		params       string
	}{
		{"anybody fills empty fields", "/QwErTy?_update_tokens=1&sub_id=s1&sub_id_3=a%26b&keyword=new", 200, "",
			"keyword=old sub_id_3=a&b"},
		{"the visitor changes fields", "/QwErTy?_update_tokens=1&sub_id=s1&sub_id_3=a%26b&keyword=new&_token=" + token, 200,
			"", "keyword=new sub_id_3=a&b"},
		{"a seal of another click", "/QwErTy?_update_tokens=1&sub_id=s1&keyword=new&_token=" +
			strings.Replace(token, "s1", "s2", 1), 200, "", "keyword=old"},
		{"what is no field", "/QwErTy?_update_tokens=1&sub_id=s1&payout=9&cost=1&campaign=x&ip=1.2.3.4&kw=x", 200, "",
			"keyword=old"},
		{"asked by a script", "/QwErTy?_update_tokens=1&sub_id=s1&sub_id_1=x&return=jsonp", 200,
			`KTracking.response("Success");`, "keyword=old sub_id_1=x"},
		{"another campaign's click", "/autumn?_update_tokens=1&sub_id=s1&keyword=new", 404, "", "keyword=old"},
		{"an unknown click", "/QwErTy?_update_tokens=1&sub_id=s2&keyword=new", 404, "", "keyword=old"},
		{"no subid", "/QwErTy?_update_tokens=1&keyword=new", 404, "", "keyword=old"},
		{"a subid that is none", "/QwErTy?_update_tokens=1&sub_id={subid}&keyword=new", 404, "", "keyword=old"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, book := newLinks(t)
			book.Clicks = []conversion.Click{{
				Endpoint: "default/test", SubID: "s1", Campaign: "spring",
				Params: conversion.Params{{Name: "keyword", Value: "old"}},
			}}
			r := ask(l, "GET", test.target)
			if body := r.body; r.StatusCode != test.status || body != test.body {
				t.Errorf("%d %q, want %d %q", r.StatusCode, body, test.status, test.body)
			}
			var got []string
			for _, param := range book.Clicks[0].Params {
				got = append(got, param.Name+"="+param.Value)
			}
			if strings.Join(got, " ") != test.params || len(book.Clicks) != 1 {
				t.Errorf("%d clicks, params %v, want %s", len(book.Clicks), got, test.params)
			}
		})
	}
	l, book := newLinks(t)
	book.Err = errors.New("store unavailable")
	if r := ask(l, "GET", "/QwErTy?_update_tokens=1&sub_id=s1&keyword=new"); r.StatusCode != 503 {
		t.Errorf("the store away: %d", r.StatusCode)
	}
}

func TestALandingPageSendsItsVisitorOnByTheToken(t *testing.T) {
	l, book := newLinks(t)
	book.Clicks = []conversion.Click{{
		Endpoint: "default/test", SubID: "s1", Campaign: "spring", Params: conversion.Params{{Name: "keyword", Value: "kw"}},
	}}
	for _, test := range []struct {
		name, target string
		status       int
		to           string
	}{
		{"at the root", "/?_lp=1&_token=QwErTy.s1", 302,
			"https://offer.example/go?clickid=s1&c=spring&kw=kw&src=&z=&cost=USD#"},
		{"beside the click API", "/click_api/?_lp=1&_token=QwErTy.s1", 302,
			"https://offer.example/go?clickid=s1&c=spring&kw=kw&src=&z=&cost=USD#"},
		{"at the link", "/autumn?_lp=1&_token=QwErTy.s1", 302,
			"https://offer.example/go?clickid=s1&c=spring&kw=kw&src=&z=&cost=USD#"},
		{"with the page's parameters", "/?_lp=1&_token=QwErTy.s1&zone=a%26b", 302,
			"https://offer.example/go?clickid=s1&c=spring&kw=kw&src=&z=a%26b&cost=USD#"},
		{"another campaign's click", "/?_lp=1&_token=autumn.s1", 404, ""},
		{"an unknown click", "/?_lp=1&_token=QwErTy.s2", 404, ""},
		{"an unknown campaign", "/?_lp=1&_token=winter.s1", 404, ""},
		{"no token", "/?_lp=1", 404, ""},
		{"an address for a token", "/?_lp=1&_token=https://evil.example/", 404, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := ask(l, "GET", test.target)
			if r.StatusCode != test.status || r.Header.Get("Location") != test.to || len(book.Clicks) != 1 {
				t.Errorf("%d to %s, %d clicks", r.StatusCode, r.Header.Get("Location"), len(book.Clicks))
			}
		})
	}
	book.Err = errors.New("store unavailable")
	r := ask(l, "GET", "/?_lp=1&_token=QwErTy.s1")
	if got := r.Header.Get("Location"); got != "https://offer.example/go?clickid=s1&c=spring&kw=&src=&z=&cost=USD#" {
		t.Errorf("the store away: to %s", got)
	}
}

// hostile are values by which somebody might want to lead visitors elsewhere or to run a script of their own.
var hostile = []string{
	"https://evil.example/", "//evil.example", `\\evil.example`, "/\\evil.example", "javascript:alert(1)", "@evil.example",
	".evil.example",
	"%0d%0aLocation:%20https://evil.example/", "\t//evil.example", "<script>alert(1)</script>", `");alert(1);//`,
	"jsonp<script>", "</script>", "{subid}",
}

func TestNobodyElseDecidesWhereAVisitorGoes(t *testing.T) {
	l, _ := newLinks(t)
	names := []string{
		"return", "url", "redirect", "to", "r", "next", "offer", "kw", "zone", "source", "sub_id_2", "cost", "currency",
		"keyword", "_lp", "_token",
		"landing_url", "se_referrer", "host", "callback",
	}
	target := regexp.MustCompile(`^https://offer\.example/go\?clickid=[0-9a-z]{24}&c=spring&[A-Za-z0-9%._~=&-]*#[A-Za-z0-9%._~-]*$`)
	for _, name := range names {
		for _, value := range hostile {
			for _, encoded := range []string{value, escape(value)} {
				request := "/QwErTy?" + name + "=" + encoded
				r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
				r.URL.Path, r.URL.RawQuery, r.RequestURI = "/QwErTy", strings.TrimPrefix(request, "/QwErTy?"), request
				w := httptest.NewRecorder()
				l.Handler(r).ServeHTTP(w, r)
				if w.Code != 302 || !target.MatchString(w.Header().Get("Location")) || w.Body.Len() != 0 {
					t.Errorf("%s: %d to %q, body %q", request, w.Code, w.Header().Get("Location"), w.Body)
				}
			}
		}
	}
}

// escape encodes every byte that is no letter or digit.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		const hex = "0123456789ABCDEF"
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

func TestNothingOfARequestStandsInAScript(t *testing.T) {
	l, _ := newLinks(t)
	told := regexp.MustCompile(`^KTracking\.response\(\{"sub_id":"[0-9a-z]{24}","token":"QwErTy\.[0-9a-z]{24}\.[\w-]{22}"\}\);$`)
	for _, value := range hostile {
		for _, name := range []string{"callback", "jsonp", "sub_id", "token", "keyword", "landing_url"} {
			r := ask(l, "GET", "/QwErTy?return=jsonp&"+name+"="+escape(value))
			if body := r.body; !told.MatchString(body) {
				t.Errorf("%s=%s: %q", name, value, body)
			}
		}
	}
}

func TestTheHeadersOfEveryAnswer(t *testing.T) {
	l, _ := newLinks(t)
	for _, target := range []string{"/QwErTy", "/QwErTy?return=jsonp", "/QwErTy?_update_tokens=1&sub_id=s1",
		"/?_lp=1&_token=x"} {
		header := ask(l, "GET", target).Header
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "strict-origin-when-cross-origin",
			"Cross-Origin-Resource-Policy": "cross-origin",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
	}
}

func TestTheFirstVisitOfABrowserIsUnique(t *testing.T) {
	l, book := newLinks(t)
	first := ask(l, "GET", "/QwErTy", "User-Agent", "UA")
	token := (&http.Response{Header: first.Header}).Cookies()[1].Value
	ask(l, "GET", "/QwErTy", "User-Agent", "UA")
	ask(l, "GET", "/QwErTy", "User-Agent", "moved", "Cookie", "token="+token)
	ask(l, "GET", "/QwErTy", "User-Agent", "another")
	book.Err = errors.New("away")
	ask(l, "GET", "/QwErTy", "User-Agent", "unlucky")
	book.Err = nil
	ask(l, "GET", "/QwErTy", "User-Agent", "unlucky")
	var got []bool
	for _, click := range book.Clicks {
		got = append(got, click.Unique)
	}
	if diff := cmp.Diff([]bool{true, false, false, true, true}, got); diff != "" {
		t.Error(diff)
	}
}

func TestATestNeedsTheCampaignsToken(t *testing.T) {
	for _, test := range []struct {
		name, target string
		status       int
		clicks       []bool
	}{
		{"the campaign's token", "/QwErTy?_test=" + clicktest.Token + "&kw=shoes", 302, []bool{true}},
		{"for a script", "/QwErTy?return=jsonp&_test=" + clicktest.Token, 200, []bool{true}},
		{"another word", "/QwErTy?_test=1", 404, nil},
		{"none", "/QwErTy?_test=", 302, []bool{false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, book := newLinks(t)
			r := ask(l, "GET", test.target)
			var clicks []bool
			for _, click := range book.Clicks {
				clicks = append(clicks, click.Test)
				if click.Test && click.Unique {
					t.Error("a test is a unique visit")
				}
			}
			if r.StatusCode != test.status || !slices.Equal(clicks, test.clicks) {
				t.Errorf("%d, clicks that are tests: %v", r.StatusCode, clicks)
			}
			if strings.Contains(r.Header.Get("Location"), clicktest.Token) {
				t.Errorf("the token goes on to %s", r.Header.Get("Location"))
			}
		})
	}
}

func TestATestTakesNoVisitorsUniqueVisit(t *testing.T) {
	l, book := newLinks(t)
	for _, target := range []string{"/QwErTy?_test=" + clicktest.Token, "/QwErTy", "/QwErTy"} {
		ask(l, "GET", target, "User-Agent", "UA")
	}
	var unique []bool
	for _, click := range book.Clicks {
		unique = append(unique, click.Unique)
	}
	if !slices.Equal(unique, []bool{false, true, false}) {
		t.Errorf("unique: %v", unique)
	}
}
