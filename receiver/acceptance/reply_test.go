package acceptance

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"
)

// pixel is the 1×1 GIF.
var pixel = func() string {
	gif, err := base64.StdEncoding.DecodeString("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
	if err != nil {
		panic(err)
	}
	return string(gif)
}()

// TestReplies goes through docs/semantics.md §7 and §8.
func TestReplies(t *testing.T) {
	const script = "application/javascript"
	play(t, []scenario{
		{
			name: "the sender chooses the text of a success, within a bound",
			steps: []step{
				request{query: "subid=c1&status=sale&return=OK+done", outcome: "recorded", text: "OK done"},
				request{query: "subid=c1&status=sale&return=again", outcome: "duplicate", text: "again"},
				get("subid=c1&return=OK", "ignored; reason=status_missing"),
				get("subid=c1&status=sale&return="+strings.Repeat("x", 1025), "duplicate"),
			},
			slots: []string{`"": sale 0`},
		},
		{
			name:   "the endpoint chooses the text of a success, and the sender's wish goes before",
			config: `{"policies":{"successBody":"*ok*"}}`,
			steps: []step{
				request{query: "subid=c1&status=sale", outcome: "recorded", text: "*ok*"},
				request{query: "subid=c1&status=sale&return=mine", outcome: "duplicate", text: "mine"},
			},
			slots: []string{`"": sale 0`},
		},
		{
			name: "the tracking script gets a call, whatever became of it",
			steps: []step{
				request{query: "return=jsonp&sub_id=c1&revenue=1&status=sale", outcome: "recorded",
					text: `KTracking.response("Success");`, textType: script},
				request{query: "return=jsonp&sub_id=c1&revenue=1", outcome: "ignored; reason=status_missing",
					text: `KTracking.response("Ignored: status_missing");`, textType: script},
			},
			slots: []string{`"": sale 1`},
		},
		{
			name:   "a text cannot break out of the script",
			config: `{"policies":{"successBody":"</script>\"&\u2028"}}`,
			steps: []step{request{query: "return=jsonp&subid=c1&status=sale", outcome: "recorded",
				text: `KTracking.response("\u003c/script\u003e\u0022\u0026\u2028");`, textType: script}},
			slots: []string{`"": sale 0`},
		},
		{
			name:   "strict replies tell an ignored postback by its status",
			config: `{"policies":{"strictReplies":true}}`,
			steps: []step{
				request{query: "subid=c1&status=foo", outcome: "ignored; reason=status_unknown",
					status: http.StatusUnprocessableEntity},
				get("subid=c1&status=sale", "recorded"),
			},
			slots: []string{`"": sale 0`},
		},
		{
			name:   "the image is an image, whatever became of the postback",
			config: `{"policies":{"strictReplies":true}}`,
			steps: []step{
				request{path: "postback.gif", query: "subid=c1&status=sale", outcome: "recorded", text: pixel,
					textType: "image/gif"},
				request{path: "postback.gif", query: "subid=c1", outcome: "ignored; reason=status_missing",
					status: http.StatusOK, text: pixel, textType: "image/gif"},
				request{path: "postback.png", query: "subid=c1&status=lead"},
			},
			slots: []string{`"": sale 0`},
		},
		{
			name:   "the WordPress plugin finds the exact body it wants",
			config: `{"policies":{"missingStatus":"sale"}}`,
			steps: []step{request{method: http.MethodPost, query: "subid=c1&revenue=9.99&currency=USD", outcome: "recorded",
				text: "Success"}},
			slots: []string{`"": sale 9.99, from nothing`},
		},
	})
}

// TestAccess goes through docs/semantics.md §3 steps 1 and 2.
func TestAccess(t *testing.T) {
	const hmacConfig = `{"access":{"hmac":{"parameter":"sig","secrets":[{"id":"s1","value":"first-secret"},{"id":"s2","value":"second-secret"}]}}}`
	const query = "subid=c1&status=sale"
	play(t, []scenario{
		{
			name: "a wrong key is answered with nothing at all, on every path",
			steps: []step{
				request{key: "wrong-key", query: query},
				request{key: "wrong-key", path: "postback.gif", query: query},
				request{path: "other", query: query},
				request{key: "key-000-r8k2m5v", query: query},
			},
		},
		{
			name: "a retired key dies at its moment, and its successor lives on",
			steps: []step{
				clock(overlap - time.Nanosecond),
				request{former: true, query: query + "&tid=1", outcome: "recorded"},
				clock(overlap),
				request{former: true, query: query + "&tid=2"},
				get(query+"&tid=3", "recorded"),
			},
			slots: []string{`"1": sale 0`, `"3": sale 0`},
		},
		{
			name:   "only allowed sources get in, as the last proxy that is trusted saw them",
			config: `{"access":{"allowedCIDRs":["192.0.2.0/24","2001:db8::/32"]}}`,
			steps: []step{
				request{query: query, outcome: "refused; reason=ip_not_allowed"},
				request{query: query, forwardedFor: "198.51.100.7", outcome: "refused; reason=ip_not_allowed"},
				request{query: query, forwardedFor: "192.0.2.7, 198.51.100.7", outcome: "refused; reason=ip_not_allowed"},
				request{query: query + "&tid=1", forwardedFor: "198.51.100.7, 192.0.2.7", outcome: "recorded"},
				request{query: query + "&tid=2", forwardedFor: "192.0.2.7, 127.0.0.1", outcome: "recorded"},
				request{query: query + "&tid=3", forwardedFor: "2001:db8::1", outcome: "recorded"},
			},
			slots: []string{`"1": sale 0`, `"2": sale 0`, `"3": sale 0`},
		},
		{
			name: "only an offer wall's signature gets in, whatever other names say",
			config: `{"aliases":{"subid":["user_id"],"payout":["amount"]},"access":{"signature":{"algorithm":"SHA1",
				"template":"{user_id}:{amount}:{secret}","parameter":"hash","secrets":[{"id":"s1","value":"wall-secret"}]}}}`,
			steps: []step{
				get("user_id=c1&amount=5.00&status=sale", "refused; reason=signature_invalid"),
				get("user_id=c1&amount=500&status=sale&hash="+wall("c1:5.00:wall-secret"), "refused; reason=signature_invalid"),
				get("user_id=c1&amount=5.00&status=sale&payout=500&hash="+wall("c1:5.00:wall-secret"),
					"refused; reason=signature_invalid"),
				get("user_id=c1&amount=5.00&status=sale&hash="+wall("c1:5.00:wall-secret"), "recorded"),
			},
			slots: []string{`"": sale 5`},
		},
		{
			name:   "only a valid signature gets in",
			config: hmacConfig,
			steps: []step{
				get(query, "refused; reason=signature_invalid"),
				get(query+"&sig=", "refused; reason=signature_invalid"),
				get(query+"&sig=zz", "refused; reason=signature_invalid"),
				get(query+"&tid=0&sig="+sign("first-secret", query), "refused; reason=signature_invalid"),
				get(query+"&sig="+sign("other-secret", query), "refused; reason=signature_invalid"),
				get(query+"&tid=1&sig="+sign("first-secret", query+"&tid=1"), "recorded"),
				get("sig="+strings.ToUpper(sign("second-secret", query+"&tid=2"))+"&"+query+"&tid=2", "recorded"),
			},
			slots: []string{`"1": sale 0`, `"2": sale 0`},
		},
		{
			name:   "a signature covers the body as well",
			config: hmacConfig,
			steps: []step{
				request{method: http.MethodPost, query: "subid=c1&sig=" + sign("first-secret", "subid=c1"), contentType: form,
					body:    "status=sale",
					outcome: "refused; reason=signature_invalid"},
				request{method: http.MethodPost, query: "subid=c1&sig=" + sign("first-secret", "subid=c1\nstatus=sale"),
					contentType: form, body: "status=sale",
					outcome: "recorded"},
			},
			slots: []string{`"": sale 0`},
		},
	})
}

// wall signs as an offer wall does.
func wall(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}
