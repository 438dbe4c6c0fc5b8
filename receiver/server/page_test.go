package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pageKey is in the pages of https://shop.example; the endpoint has addresses and a signature that pages lack.
const (
	pageKey = "page-key-5n8r"
	shop    = "https://shop.example"
)

func TestPostbacksOfPages(t *testing.T) {
	for _, test := range []struct {
		name, method, path string
		headers            []string
		status             int
		body, outcome      string
		subid              string // of what was recorded
	}{
		{name: "a lead", path: "/postback?subid=c1&status=lead", headers: []string{"Origin", shop}, status: 200,
			body: "Success", outcome: "recorded", subid: "c1"},
		{name: "a pixel", path: "/postback.gif?subid=c1&status=lead", headers: []string{"Referer", shop + "/"}, status: 200,
			body: "GIF", outcome: "recorded", subid: "c1"},
		{name: "a script", path: "/postback?return=jsonp&subid=c1&status=sale",
			headers: []string{"Referer", shop + "/thanks"}, status: 200,
			body: `KTracking.response("Success");`, outcome: "recorded", subid: "c1"},
		{name: "a type by a trained word", path: "/postback?subid=c1&status=ok&lead_status=ok",
			headers: []string{"Origin", shop}, status: 200, body: "Success", outcome: "recorded", subid: "c1"},
		{name: "the click of the cookie", path: "/postback.gif?status=lead",
			headers: []string{"Referer", shop + "/", "Cookie", "subid=c2"}, status: 200, body: "GIF", outcome: "recorded",
			subid: "c2"},
		{name: "a click in the URL goes before the cookie", path: "/postback?sub_id=c1&status=lead",
			headers: []string{"Origin", shop, "Cookie", "subid=c2"}, status: 200, body: "Success", outcome: "recorded",
			subid: "c1"},
		{name: "a cookie that is no subid", path: "/postback?status=lead",
			headers: []string{"Origin", shop, "Cookie", "subid={x}"}, status: 200, body: "Ignored: subid_missing",
			outcome: "ignored; reason=subid_missing"},
		{name: "neither", path: "/postback?status=lead", headers: []string{"Origin", shop}, status: 200,
			body: "Ignored: subid_missing", outcome: "ignored; reason=subid_missing"},
		{name: "a type that pages may not report", path: "/postback?subid=c1&status=deposit",
			headers: []string{"Origin", shop}, status: 403, body: "Refused: type_not_allowed",
			outcome: "refused; reason=type_not_allowed"},
		{name: "such a type for a script", path: "/postback?return=jsonp&subid=c1&status=deposit",
			headers: []string{"Origin", shop}, status: 200, body: `KTracking.response("Refused: type_not_allowed");`,
			outcome: "refused; reason=type_not_allowed"},
		{name: "such a type for a pixel", path: "/postback.gif?subid=c1&status=deposit", headers: []string{"Origin", shop},
			status: 200, body: "GIF", outcome: "refused; reason=type_not_allowed"},
		{name: "another origin", path: "/postback?subid=c1&status=lead", headers: []string{"Origin", "https://evil.example"},
			status: 403, body: "Refused: origin_not_allowed", outcome: "refused; reason=origin_not_allowed"},
		{name: "the right host by another scheme", path: "/postback?subid=c1&status=lead",
			headers: []string{"Origin", "http://shop.example"}, status: 403, body: "Refused: origin_not_allowed",
			outcome: "refused; reason=origin_not_allowed"},
		{name: "an origin that begins alike", path: "/postback?subid=c1&status=lead",
			headers: []string{"Referer", "https://shop.example.evil.example/"}, status: 403, body: "Refused: origin_not_allowed",
			outcome: "refused; reason=origin_not_allowed"},
		{name: "a hidden origin", path: "/postback?subid=c1&status=lead",
			headers: []string{"Origin", "null", "Referer", shop + "/"}, status: 403, body: "Refused: origin_not_allowed",
			outcome: "refused; reason=origin_not_allowed"},
		{name: "no origin", path: "/postback?subid=c1&status=lead", status: 403, body: "Refused: origin_not_allowed",
			outcome: "refused; reason=origin_not_allowed"},
		{name: "a method that is none", method: "DELETE", path: "/postback?subid=c1&status=lead",
			headers: []string{"Origin", shop}, status: 405, body: "Refused: method_not_allowed",
			outcome: "refused; reason=method_not_allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t)
			url, _ := h.serve(t, nil)
			method := test.method
			if method == "" {
				method = "GET"
			}
			got := exchange(t, http.DefaultClient, method, url+"/"+pageKey+test.path, "", "", test.headers...)
			if got.status != test.status || !strings.HasPrefix(got.body, test.body) ||
				got.header.Get("X-Postback-Outcome") != test.outcome {
				t.Errorf("%d %q %s", got.status, got.body, got.header.Get("X-Postback-Outcome"))
			}
			allowed := ""
			if len(test.headers) > 1 && test.headers[0] == "Origin" && test.headers[1] == shop {
				allowed = shop
			}
			if diff := cmp.Diff(allowed, got.header.Get("Access-Control-Allow-Origin")); diff != "" {
				t.Errorf("Access-Control-Allow-Origin:\n%s", diff)
			}
			rows := h.book.rows()
			if len(rows) != 1 || rows[0].Log.KeyID != "p1" {
				t.Fatalf("received log: %+v", rows)
			}
			subid := ""
			if rows[0].Intent != nil {
				subid = rows[0].Intent.SubID
			}
			if subid != test.subid {
				t.Errorf("recorded for %q, want %q", subid, test.subid)
			}
		})
	}
}

func TestAPageOfADeclaredOriginMayAskBefore(t *testing.T) {
	for _, test := range []struct {
		origin string
		status int
		allow  string
	}{{shop, http.StatusNoContent, shop}, {"https://evil.example", http.StatusForbidden, ""},
		{"", http.StatusForbidden, ""}} {
		h := newHarness(t)
		url, _ := h.serve(t, nil)
		got := exchange(t, http.DefaultClient, http.MethodOptions, url+"/"+pageKey+"/postback", "", "", "Origin", test.origin)
		if got.status != test.status || got.header.Get("Access-Control-Allow-Origin") != test.allow {
			t.Errorf("%q: %d, allowed %q", test.origin, got.status, got.header.Get("Access-Control-Allow-Origin"))
		}
		if asked := len(h.book.rows()) > 0; asked == (test.allow != "") {
			t.Errorf("%q: in the received log: %v", test.origin, asked)
		}
		if test.allow != "" && got.header.Get("Access-Control-Allow-Headers") != "Content-Type" {
			t.Errorf("JSON is not allowed: %v", got.header)
		}
	}
}

func TestOnlyAClientKeyMakesACookieCount(t *testing.T) {
	h := newHarness(t)
	url, _ := h.serve(t, nil)
	got := exchange(t, http.DefaultClient, "GET", url+"/"+key+"/postback?status=lead", "", "", "Cookie", "subid=c2")
	if got.body != "Ignored: subid_missing" || got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%q %v", got.body, got.header)
	}
}

func TestAPageThatReportsTooOftenIsRefusedAndNotWrittenDown(t *testing.T) {
	h := newHarness(t)
	url, _ := h.serve(t, nil)
	for i := range 8 {
		origin, path := shop, "/postback?subid=c1&status=lead"
		if i == 1 {
			origin = "https://evil.example" // What is refused counts, too.
		}
		if i == 7 {
			path = "/postback.gif?subid=c1&status=lead"
		}
		got := exchange(t, http.DefaultClient, "GET", url+"/"+pageKey+path, "", "", "Origin", origin)
		status, outcome := 200, "recorded"
		switch {
		case i == 1:
			status, outcome = 403, "refused; reason=origin_not_allowed"
		case i == 7:
			status, outcome = 200, "refused; reason=rate_limited"
		case i >= 5:
			status, outcome = 429, "refused; reason=rate_limited"
		}
		if got.status != status || got.header.Get("X-Postback-Outcome") != outcome ||
			(i >= 5) != (got.header.Get("Retry-After") == "60") {
			t.Errorf("postback %d: %d %v", i, got.status, got.header)
		}
	}
	if rows := h.book.rows(); len(rows) != 5 {
		t.Errorf("%d rows in the received log, want 5", len(rows))
	}
	if n := len(h.seen.outcomes); n != 8 {
		t.Errorf("%d outcomes were counted, want 8", n)
	}
}

func TestAPathThatIsNoPostbacksIsAPages(t *testing.T) {
	h := newHarness(t)
	url, _ := h.serve(t, nil)
	if got := exchange(t, http.DefaultClient, "GET", url+"/QwErTy", "", ""); got.body != "page /QwErTy" {
		t.Errorf("%d %q", got.status, got.body)
	}
	wrong := exchange(t, http.DefaultClient, "GET", url+"/wrong/postback", "", "")
	for _, path := range []string{"/nothing", "/", "/QwErTy/x", "/wrong"} {
		got := exchange(t, http.DefaultClient, "GET", url+path, "", "")
		for _, name := range []string{"X-Request-Id", "Date"} {
			got.header.Del(name)
			wrong.header.Del(name)
		}
		if diff := cmp.Diff(wrong, got, cmp.AllowUnexported(answer{})); diff != "" {
			t.Errorf("%s is told from a wrong key:\n%s", path, diff)
		}
	}
	if h.seen.wrongKeys != 5 {
		t.Errorf("%d wrong keys", h.seen.wrongKeys)
	}
}
