package server

import (
	"encoding/json"
	"image/gif"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// attemptOf returns a postback to an endpoint as edit changes it; nil leaves it as it is.
func attemptOf(t *testing.T, edit func(*config.Endpoint)) *access.Attempt {
	t.Helper()
	declared := receivertest.Endpoint()
	if edit != nil {
		edit(&declared)
	}
	ep, err := endpoint.Compile(declared)
	if err != nil {
		t.Fatal(err)
	}
	return &access.Attempt{Endpoint: ep, Request: &request.Request{}}
}

func postbackReply(
	a *access.Attempt, gif bool, wish string, outcome conversion.Outcome, reason conversion.Reason,
) (*httptest.ResponseRecorder, http.Header) {
	w := httptest.NewRecorder()
	Answer(w, a, gif, wish, outcome, reason)
	return w, w.Header()
}

func TestReply(t *testing.T) {
	strict := func(e *config.Endpoint) { e.Policies.StrictReplies = true }
	thanks := func(e *config.Endpoint) { e.Policies.SuccessBody = `{"ok":1}` }
	const none, wish, call = "", "OK<1>", "jsonp"
	const text, js = "text/plain; charset=utf-8", "application/javascript"
	for _, c := range []struct {
		name    string
		edit    func(*config.Endpoint)
		wish    string
		outcome conversion.Outcome
		reason  conversion.Reason
		status  int
		kind    string
		body    string
		header  string
	}{
		{"recorded", nil, none, "recorded", "", 200, text, "Success", "recorded"},
		{"duplicate", nil, none, "duplicate", "", 200, text, "Success", "duplicate"},
		{"held is success", nil, none, "held", "", 200, text, "Success", "held"},
		{"spooled is success", nil, none, "spooled", "", 200, text, "Success", "spooled"},
		{"superseded is success", nil, none, "superseded", "", 200, text, "Success", "superseded"},
		{"the sender's reply text", nil, wish, "recorded", "", 200, text, "OK<1>", "recorded"},
		{"the endpoint's reply text", thanks, none, "recorded", "", 200, text, `{"ok":1}`, "recorded"},
		{"the sender's goes before the endpoint's", thanks, wish, "recorded", "", 200, text, "OK<1>", "recorded"},
		{"a script", nil, call, "recorded", "", 200, js, `KTracking.response("Success");`, "recorded"},
		{"a script with the endpoint's text", thanks, call, "duplicate", "", 200, js,
			`KTracking.response("{\u0022ok\u0022:1}");`, "duplicate"},
		{"ignored", nil, none, "ignored", "status_missing", 200, text, "Ignored: status_missing",
			"ignored; reason=status_missing"},
		{"ignored is not the sender's text", nil, wish, "ignored", "click_not_found", 200, text, "Ignored: click_not_found",
			"ignored; reason=click_not_found"},
		{"ignored where replies are strict", strict, none, "ignored", "status_unknown", 422, text, "Ignored: status_unknown",
			"ignored; reason=status_unknown"},
		{"strict replies leave success alone", strict, none, "recorded", "", 200, text, "Success", "recorded"},
		{"ignored in a script", nil, call, "ignored", "status_missing", 200, js,
			`KTracking.response("Ignored: status_missing");`, "ignored; reason=status_missing"},
		{"a script runs only with 200, strict or not", strict, call, "ignored", "status_missing", 200, js,
			`KTracking.response("Ignored: status_missing");`, "ignored; reason=status_missing"},
		{"refused", nil, none, "refused", "ip_not_allowed", 403, text, "Refused: ip_not_allowed",
			"refused; reason=ip_not_allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := attemptOf(t, c.edit)
			got, header := postbackReply(a, false, c.wish, c.outcome, c.reason)
			if got.Code != c.status || header.Get("Content-Type") != c.kind || got.Body.String() != c.body {
				t.Errorf("%d %s %q", got.Code, header.Get("Content-Type"), got.Body)
			}
			pixel, pixelHeader := postbackReply(a, true, c.wish, c.outcome, c.reason)
			if pixel.Code != 200 || pixelHeader.Get("Content-Type") != "image/gif" {
				t.Errorf("pixel: %d, %s", pixel.Code, pixelHeader.Get("Content-Type"))
			}
			for _, name := range []string{header.Get("X-Postback-Outcome"), pixelHeader.Get("X-Postback-Outcome")} {
				if name != c.header {
					t.Errorf("outcome %q", name)
				}
			}
			image, err := gif.Decode(pixel.Body)
			if err != nil || image.Bounds().Dx() != 1 || image.Bounds().Dy() != 1 {
				t.Errorf("pixel: no 1×1 GIF: %v", err)
			}
		})
	}
}

func TestReplyScriptCannotBeBrokenOutOf(t *testing.T) {
	for _, text := range []string{
		`</script><script>alert(1)</script>`, `");alert(1);("`, `\"`, "`${alert(1)}`", "\u2028\u2029", "é漢😀", "\x00\r\n\t",
		`a&b'c`, "<!--",
	} {
		a := attemptOf(t, func(e *config.Endpoint) { e.Policies.SuccessBody = text })
		got, _ := postbackReply(a, false, "jsonp", conversion.Recorded, "")
		body := got.Body.String()
		literal := strings.TrimSuffix(strings.TrimPrefix(body, "KTracking.response("), ");")
		if strings.ContainsFunc(literal, func(r rune) bool { return r < ' ' || r > '~' }) ||
			strings.ContainsAny(literal, "<>&'`") {
			t.Errorf("%q: %s holds what can end a script, an attribute or a string", text, literal)
		}
		var back string
		if err := json.Unmarshal([]byte(literal), &back); err != nil || back != text {
			t.Errorf("%q came back as %q: %v", text, back, err)
		}
	}
}

func TestEveryOutcomeAndReasonHasAReply(t *testing.T) {
	a := attemptOf(t, nil)
	for _, outcome := range conversion.Outcomes() {
		if _, known := replies[situationOf(a, outcome, "")]; !known {
			t.Errorf("no reply to a postback that is %s", outcome)
		}
	}
	for _, reason := range conversion.Reasons() {
		got, header := postbackReply(a, false, "", reason.Outcome(), reason)
		if got.Code == 0 || !strings.HasSuffix(got.Body.String(), ": "+string(reason)) ||
			header.Get("X-Postback-Outcome") == "" {
			t.Errorf("%s: %d %q %v", reason, got.Code, got.Body, header)
		}
	}
}

func TestAReplyTextThatIsTooLongIsNotCut(t *testing.T) {
	a := attemptOf(t, nil)
	for n, want := range map[int]string{maxReturnBytes: strings.Repeat("x", maxReturnBytes),
		maxReturnBytes + 1: "Success"} {
		if got, _ := postbackReply(a, false, strings.Repeat("x", n), conversion.Recorded, ""); got.Body.String() != want {
			t.Errorf("%d bytes: %.20q", n, got.Body)
		}
	}
}
