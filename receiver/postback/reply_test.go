package postback_test

import (
	"bytes"
	"encoding/json"
	"image/gif"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/postback"
)

func TestReply(t *testing.T) {
	strict := func(e *config.Endpoint) { e.Policies.StrictReplies = true }
	thanks := func(e *config.Endpoint) { e.Policies.SuccessBody = `{"ok":1}` }
	plain, wish, script := postback.Verdict{}, postback.Verdict{Return: "OK<1>"}, postback.Verdict{Form: postback.JSONP}
	const text, js = "text/plain; charset=utf-8", "application/javascript"
	for _, c := range []struct {
		name    string
		edit    func(*config.Endpoint)
		verdict postback.Verdict
		outcome conversion.Outcome
		reason  conversion.Reason
		status  int
		kind    string
		body    string
		header  string
	}{
		{"recorded", nil, plain, "recorded", "", 200, text, "Success", "recorded"},
		{"duplicate", nil, plain, "duplicate", "", 200, text, "Success", "duplicate"},
		{"held is success", nil, plain, "held", "", 200, text, "Success", "held"},
		{"spooled is success", nil, plain, "spooled", "", 200, text, "Success", "spooled"},
		{"superseded is success", nil, plain, "superseded", "", 200, text, "Success", "superseded"},
		{"the sender's reply text", nil, wish, "recorded", "", 200, text, "OK<1>", "recorded"},
		{"the endpoint's reply text", thanks, plain, "recorded", "", 200, text, `{"ok":1}`, "recorded"},
		{"the sender's goes before the endpoint's", thanks, wish, "recorded", "", 200, text, "OK<1>", "recorded"},
		{"a script", nil, script, "recorded", "", 200, js, `KTracking.response("Success");`, "recorded"},
		{"a script with the endpoint's text", thanks, script, "duplicate", "", 200, js,
			`KTracking.response("{\u0022ok\u0022:1}");`, "duplicate"},
		{"ignored", nil, plain, "ignored", "status_missing", 200, text, "Ignored: status_missing", "ignored; reason=status_missing"},
		{"ignored is not the sender's text", nil, wish, "ignored", "click_not_found", 200, text, "Ignored: click_not_found",
			"ignored; reason=click_not_found"},
		{"ignored where replies are strict", strict, plain, "ignored", "status_unknown", 422, text, "Ignored: status_unknown",
			"ignored; reason=status_unknown"},
		{"strict replies leave success alone", strict, plain, "recorded", "", 200, text, "Success", "recorded"},
		{"ignored in a script", nil, script, "ignored", "status_missing", 200, js,
			`KTracking.response("Ignored: status_missing");`, "ignored; reason=status_missing"},
		{"a script runs only with 200, strict or not", strict, script, "ignored", "status_missing", 200, js,
			`KTracking.response("Ignored: status_missing");`, "ignored; reason=status_missing"},
		{"refused", nil, plain, "refused", "ip_not_allowed", 403, text, "Refused: ip_not_allowed", "refused; reason=ip_not_allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ep := compile(t, c.edit)
			got := postback.Reply(ep, c.verdict, c.outcome, c.reason)
			want := postback.Response{Status: c.status, ContentType: c.kind, Body: []byte(c.body), Outcome: c.header}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
			c.verdict.Form = postback.GIF
			pixel := postback.Reply(ep, c.verdict, c.outcome, c.reason)
			if pixel.Status != 200 || pixel.ContentType != "image/gif" || pixel.Outcome != c.header {
				t.Errorf("pixel: %d, %s, %s", pixel.Status, pixel.ContentType, pixel.Outcome)
			}
			image, err := gif.Decode(bytes.NewReader(pixel.Body))
			if err != nil || image.Bounds().Dx() != 1 || image.Bounds().Dy() != 1 {
				t.Errorf("pixel: no 1×1 GIF: %v", err)
			}
		})
	}
}

func TestReplyScriptCannotBeBrokenOutOf(t *testing.T) {
	for _, text := range []string{
		`</script><script>alert(1)</script>`, `");alert(1);("`, `\"`, "`${alert(1)}`", "\u2028\u2029", "é漢😀", "\x00\r\n\t", `a&b'c`, "<!--",
	} {
		ep := compile(t, func(e *config.Endpoint) { e.Policies.SuccessBody = text })
		body := string(postback.Reply(ep, postback.Verdict{Form: postback.JSONP}, conversion.Recorded, "").Body)
		literal := strings.TrimSuffix(strings.TrimPrefix(body, "KTracking.response("), ");")
		if strings.ContainsFunc(literal, func(r rune) bool { return r < ' ' || r > '~' }) || strings.ContainsAny(literal, "<>&'`") {
			t.Errorf("%q: %s holds what can end a script, an attribute or a string", text, literal)
		}
		var back string
		if err := json.Unmarshal([]byte(literal), &back); err != nil || back != text {
			t.Errorf("%q came back as %q: %v", text, back, err)
		}
	}
}
