package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/request"
)

const formType = "application/x-www-form-urlencoded"

func TestPostbacksAreJudgedLoggedAndAnswered(t *testing.T) {
	query := "/postback?subid=c1&status=sale&payout=10"
	parameters := func(n int) string { return "/postback?subid=c1" + strings.Repeat("&a=1", n-1) }
	for _, test := range []struct {
		name, method, path string
		contentType, body  string
		headers            []string
		status             int
		reply              string
		// outcome is the header, and what the received log says.
		outcome string
	}{
		{name: "a sale", path: key + query, status: 200, reply: "Success", outcome: "recorded"},
		{name: "a sale by POST with an empty body", method: "POST", path: key + query, status: 200, reply: "Success",
			outcome: "recorded"},
		{name: "a sale in a form", method: "POST", path: key + "/postback", contentType: formType,
			body: "subid=c1&status=sale", status: 200, reply: "Success", outcome: "recorded"},
		{name: "a sale in JSON", method: "POST", path: key + "/postback", contentType: "application/json",
			body: `{"subid":"c1","status":"sale"}`, status: 200, reply: "Success", outcome: "recorded"},
		{name: "the body of a GET is not read", path: key + "/postback?subid=c1", contentType: formType, body: "status=sale",
			status: 200, reply: "Ignored: status_missing", outcome: "ignored; reason=status_missing"},
		{name: "no status", path: key + "/postback?subid=c1", status: 200, reply: "Ignored: status_missing",
			outcome: "ignored; reason=status_missing"},
		{name: "no parameters at all", path: key + "/postback", status: 200, reply: "Ignored: subid_missing",
			outcome: "ignored; reason=subid_missing"},
		{name: "a script", path: key + query + "&return=jsonp", status: 200, reply: `KTracking.response("Success");`,
			outcome: "recorded"},
		{name: "a refused script", path: signedKey + query + "&return=jsonp", status: 200,
			reply: `KTracking.response("Refused: signature_invalid");`, outcome: "refused; reason=signature_invalid"},
		{name: "more slashes", path: "/" + key + "//postback/?subid=c1&status=sale", status: 200, reply: "Success",
			outcome: "recorded"},
		{name: "a query behind an ampersand", path: key + "/postback&subid=c1&status=sale", status: 200, reply: "Success",
			outcome: "recorded"},
		{name: "another method", method: "PUT", path: key + query, status: 405, reply: "Refused: method_not_allowed",
			outcome: "refused; reason=method_not_allowed"},
		{name: "as many parameters as are allowed", path: key + parameters(request.MaxUnknown), status: 200,
			reply: "Ignored: status_missing", outcome: "ignored; reason=status_missing"},
		{name: "more parameters beside what counts", path: key + parameters(request.MaxUnknown+50) + "&subid=c1&status=sale",
			status: 200, reply: "Success", outcome: "recorded"},
		{name: "a long value", path: key + query + "&a=" + strings.Repeat("x", request.MaxValueBytes+1), status: 200,
			reply: "Success", outcome: "recorded"},
		{name: "a long URL", path: key + query + "&a=" + strings.Repeat("x", request.MaxURLBytes), status: 414,
			reply: "Refused: request_too_large", outcome: "refused; reason=request_too_large"},
		{name: "a long body beside a whole query", method: "POST", path: key + query, contentType: formType,
			body: strings.Repeat("x", request.MaxBodyBytes+1), status: 200, reply: "Success", outcome: "recorded"},
		{name: "a long body", method: "POST", path: key + "/postback?status=sale", contentType: formType,
			body: strings.Repeat("x", request.MaxBodyBytes+1), status: 413, reply: "Refused: request_too_large",
			outcome: "refused; reason=request_too_large"},
		{name: "a broken body beside a whole query", method: "POST", path: key + query, contentType: "application/json",
			body: "{", status: 200, reply: "Success", outcome: "recorded"},
		{name: "a broken body", method: "POST", path: key + "/postback?status=sale", contentType: "application/json",
			body: "{", status: 400, reply: "Refused: request_unreadable", outcome: "refused; reason=request_unreadable"},
		{name: "an address that is not allowed", path: listedKey + query, status: 403, reply: "Refused: ip_not_allowed",
			outcome: "refused; reason=ip_not_allowed"},
		{name: "an allowed address behind a trusted proxy", path: listedKey + query,
			headers: []string{"X-Forwarded-For", "198.51.100.1, 203.0.113.9"}, status: 200, reply: "Success",
			outcome: "recorded"},
		{name: "an allowed address that the sender made up", path: listedKey + query,
			headers: []string{"X-Forwarded-For", "203.0.113.9, 198.51.100.1"}, status: 403, reply: "Refused: ip_not_allowed",
			outcome: "refused; reason=ip_not_allowed"},
		{name: "no signature", path: signedKey + query, status: 403, reply: "Refused: signature_invalid",
			outcome: "refused; reason=signature_invalid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t)
			url, _ := h.serve(t, nil)
			method := test.method
			if method == "" {
				method = http.MethodGet
			}
			got := exchange(t, http.DefaultClient, method, url+"/"+test.path, test.contentType, test.body, test.headers...)
			outcome := got.header.Get("X-Postback-Outcome")
			if got.status != test.status || got.body != test.reply || outcome != test.outcome {
				t.Errorf("got %d %q %q, want %d %q %q", got.status, got.body, outcome, test.status, test.reply, test.outcome)
			}
			if len(h.book.got) != 1 {
				t.Fatalf("%d postbacks reached the ledger, want 1", len(h.book.got))
			}
			h.checkLog(t, got, test.outcome, method, test.path)
			h.checkObserved(t, got, test.outcome)
		})
	}
}

// checkLog checks the row of the received log against the answer.
func (h *harness) checkLog(t *testing.T, got answer, outcome, method, path string) {
	t.Helper()
	p := h.book.got[0]
	id, err := uuid.Parse(got.header.Get("X-Request-Id"))
	if err != nil || id.Version() != 7 {
		t.Errorf("request id %v, error %v", id, err)
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	_, query, _ := strings.Cut(strings.Replace(rest, "postback&", "postback?", 1), "?")
	want := ledger.Received{
		ID: id, Kind: ledger.KindPostback, KeyID: "k1", At: noon.Truncate(time.Microsecond), Stamp: 7, Method: method,
		Endpoint: map[string]string{key: "default/test", listedKey: "default/listed", signedKey: "default/signed"}[name],
		Query:    query[:min(len(query), request.MaxURLBytes)],
	}
	word, reason, _ := strings.Cut(outcome, "; reason=")
	want.Outcome, want.Reason = conversion.Outcome(word), conversion.Reason(reason)
	judged := cmpopts.IgnoreFields(ledger.Received{}, "IP", "Body", "ContentType", "SubIDFrom", "SubID", "TID", "Type",
		"Status", "Warnings")
	if diff := cmp.Diff(want, p.Log, judged); diff != "" {
		t.Errorf("the row -want +got:\n%s", diff)
	}
	if (p.Intent != nil) != (word == "recorded") {
		t.Errorf("intent %+v of a postback that is %s", p.Intent, word)
	}
	if len(p.Log.Body) > request.MaxBodyBytes {
		t.Errorf("logged %d bytes of the body", len(p.Log.Body))
	}
}

func TestTheLogKeepsWhatAnotherJudgementNeeds(t *testing.T) {
	for _, test := range []struct {
		name, method, path, contentType, body string
		headers                               []string
		from, keptType                        string
	}{
		{name: "a parameter", method: "GET", path: key + "/postback?sub_id=c1&status=sale", from: "query:sub_id"},
		{name: "a repaired name", method: "GET", path: key + "/postback?SUBID=c1&status=sale", from: "query:subid"},
		{name: "a query in the path", method: "GET", path: key + "/postback&subid=c1&status=sale", from: "path:subid"},
		{name: "a form", method: "POST", path: key + "/postback?status=sale", contentType: formType, body: "subid=c1",
			from: "body:subid", keptType: formType},
		{name: "a subid that is none", method: "GET", path: key + "/postback?subid={x}", from: "query:subid"},
		{name: "no subid", method: "GET", path: key + "/postback"},
		{name: "a cookie", method: "GET", path: pageKey + "/postback?status=lead",
			headers: []string{"Origin", shop, "Cookie", "subid=c2"}, from: "cookie:subid"},
		{name: "a type that is too long", method: "POST", path: key + "/postback?subid=c1",
			contentType: strings.Repeat("x", 300), from: "query:subid",
			keptType: strings.Repeat("x", maxContentType)},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t)
			url, _ := h.serve(t, nil)
			exchange(t, http.DefaultClient, test.method, url+"/"+test.path, test.contentType, test.body, test.headers...)
			if log := h.book.rows()[0].Log; log.SubIDFrom != test.from || log.ContentType != test.keptType {
				t.Errorf("from %q, Content-Type %q", log.SubIDFrom, log.ContentType)
			}
		})
	}
}

// checkObserved checks that the observer was told of one request with the outcome, and that every answer has the
// headers which do not depend on it.
func (h *harness) checkObserved(t *testing.T, got answer, outcome string) {
	t.Helper()
	word, _, _ := strings.Cut(outcome, ";")
	if diff := cmp.Diff([]conversion.Outcome{conversion.Outcome(word)}, h.seen.outcomes); diff != "" ||
		h.seen.inFlight != 0 || h.seen.begun != 1 {
		t.Errorf("observed %+v: %s", h.seen, diff)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got.header.Get(name) != want {
			t.Errorf("%s is %q", name, got.header.Get(name))
		}
	}
}

func TestWithoutTheRightKeyNothingIsTold(t *testing.T) {
	for _, path := range []string{
		"/", "/" + key, "/" + key + "/", "/" + key + "/postback/more", "/" + key + "/other", "/" + key + "%2Fpostback",
		"/" + key + "/postback.png",
		"/wrong/postback?subid=c1", "/wrong/postback.gif", "/" + retiredKey + "/postback",
		"/" + strings.ToUpper(key) + "/postback",
		"/wrong/postback?a=" + strings.Repeat("x", 20<<10), "/readyz", "/" + key + "%2Fpostback/postback", "/%00/postback",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS"} {
			h := newHarness(t)
			url, _ := h.serve(t, nil)
			got := exchange(t, http.DefaultClient, method, url+path, "", "")
			if got.status != http.StatusNotFound || got.body != "" || got.header.Get("Allow") != "" ||
				got.header.Get("X-Postback-Outcome") != "" {
				t.Errorf("%s %.60s: %+v", method, path, got)
			}
			if len(h.book.got) != 0 || h.seen.wrongKeys != 1 || h.seen.begun != 0 {
				t.Errorf("%s %.60s: %d recorded, observed %+v", method, path, len(h.book.got), h.seen)
			}
		}
	}
}

func TestHEADAnswersLikeGETAndRecordsNothing(t *testing.T) {
	for _, path := range []string{"postback?subid=c1&status=sale", "postback?subid=c1", "postback.gif?subid=c1",
		"postback?subid=c1&status=sale&return=jsonp"} {
		h := newHarness(t)
		url, _ := h.serve(t, nil)
		get := exchange(t, http.DefaultClient, "GET", url+"/"+key+"/"+path, "", "")
		recorded := len(h.book.got)
		head := exchange(t, http.DefaultClient, "HEAD", url+"/"+key+"/"+path, "", "")
		if len(h.book.got) != recorded || len(h.seen.outcomes) != recorded {
			t.Errorf("%s: HEAD was recorded", path)
		}
		for _, header := range []http.Header{get.header, head.header} {
			header.Del("X-Request-Id")
			header.Del("Date")
		}
		if diff := cmp.Diff(get.header, head.header); diff != "" || head.status != get.status || head.body != "" {
			t.Errorf("%s: status %d, body %q, headers -GET +HEAD:\n%s", path, head.status, head.body, diff)
		}
	}
}

func TestTheImageIsAnsweredWhateverTheOutcome(t *testing.T) {
	for path, outcome := range map[string]string{
		key + "/postback.gif?subid=c1&status=sale":                          "recorded",
		key + "/postback.gif":                                               "ignored; reason=subid_missing",
		signedKey + "/postback.gif":                                         "refused; reason=signature_invalid",
		key + "/postback.gif?a=" + strings.Repeat("x", request.MaxURLBytes): "refused; reason=request_too_large",
	} {
		h := newHarness(t)
		url, _ := h.serve(t, nil)
		got := exchange(t, http.DefaultClient, "GET", url+"/"+path, "", "")
		if got.status != 200 || !strings.HasPrefix(got.body, "GIF89a") || got.header.Get("Content-Type") != "image/gif" ||
			got.header.Get("X-Postback-Outcome") != outcome {
			t.Errorf("%.60s: %+v", path, got)
		}
	}
}

func TestWhatIsNotStoredIsNeverASuccess(t *testing.T) {
	for _, test := range []struct {
		name       string
		err        error
		status     int
		retryAfter string
	}{
		{"too many wait", ledger.ErrBusy, 503, "5"},
		{"the store is away", fmt.Errorf("commit: %w", ledger.ErrUnavailable), 503, "5"},
		{"the hold is over", context.DeadlineExceeded, 503, "5"},
		{"the ledger is closed", ledger.ErrClosed, 503, "5"},
		{"something unknown", errors.New("odd"), 503, "5"},
		{"the store refuses the data", fmt.Errorf("row: %w", ledger.ErrPoisoned), 500, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t)
			h.book.postback = func(context.Context, ledger.Postback) (ledger.Result, error) { return ledger.Result{}, test.err }
			url, _ := h.serve(t, nil)
			for _, path := range []string{"/postback?subid=c1&status=sale&return=OK", "/postback.gif",
				"/postback?return=jsonp"} {
				got := exchange(t, http.DefaultClient, "GET", url+"/"+key+path, "", "")
				if got.status != test.status || got.body != "" || got.header.Get("Retry-After") != test.retryAfter ||
					got.header.Get("X-Postback-Outcome") != "" {
					t.Errorf("%s: %+v", path, got)
				}
			}
			if h.seen.unstored != 3 || len(h.seen.outcomes) != 0 || h.seen.inFlight != 0 {
				t.Errorf("observed %+v", h.seen)
			}
		})
	}
}

func TestTheSenderGoingAwayDoesNotUndoItsPostback(t *testing.T) {
	h := newHarness(t)
	h.book.postback = func(ctx context.Context, _ ledger.Postback) (ledger.Result, error) {
		return ledger.Result{Outcome: conversion.Recorded}, ctx.Err()
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(gone, "GET", "/"+key+"/postback?subid=c1&status=sale", nil))
	if w.Code != 200 {
		t.Errorf("status %d", w.Code)
	}
}

func TestTheHoldBoundsTheWait(t *testing.T) {
	h := newHarness(t)
	h.Hold = 1
	h.book.postback = func(ctx context.Context, _ ledger.Postback) (ledger.Result, error) {
		<-ctx.Done()
		return ledger.Result{}, ctx.Err()
	}
	url, _ := h.serve(t, nil)
	if got := exchange(t, http.DefaultClient, "GET", url+"/"+key+"/postback?subid=c1&status=sale", "",
		""); got.status != 503 {
		t.Errorf("status %d", got.status)
	}
}

func TestTheLogGetsTextThatEveryStoreTakes(t *testing.T) {
	h := newHarness(t)
	url, _ := h.serve(t, nil)
	exchange(t, http.DefaultClient, "POST", url+"/"+key+"/postback?a=\xff", formType, "b=\x00\xfe")
	if log := h.book.got[0].Log; log.Query != "a=\uFFFD" || log.Body != "b=\uFFFD\uFFFD" {
		t.Errorf("query %q, body %q", log.Query, log.Body)
	}
}

func TestAPanicIsAnswered500AndLoggedWithoutWhatWasSent(t *testing.T) {
	for name, cause := range map[string]any{"a text": "payout=10 of " + key,
		"an error of the runtime": errors.New("payout=1")} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.book.postback = func(context.Context, ledger.Postback) (ledger.Result, error) { panic(cause) }
			url, _ := h.serve(t, nil)
			got := exchange(t, http.DefaultClient, "GET", url+"/"+key+"/postback?subid=c1&status=sale&payout=10", "", "")
			if got.status != 500 || got.body != "" || h.seen.inFlight != 0 {
				t.Errorf("%+v, observed %+v", got, h.seen)
			}
			if !strings.Contains(h.log.String(), "panicked") {
				t.Errorf("the panic is not logged: %s", h.log)
			}
		})
	}
}
