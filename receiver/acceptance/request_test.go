package acceptance

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	form      = "application/x-www-form-urlencoded"
	multipart = "multipart/form-data; boundary=b0undary"
	asJSON    = "application/json"
)

// pixel is the 1×1 GIF.
var pixel = func() string {
	gif, err := base64.StdEncoding.DecodeString("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
	if err != nil {
		panic(err)
	}
	return string(gif)
}()

// multipartBody is a form of these names and values in turn, with a file, which says nothing.
func multipartBody(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "--b0undary\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", pairs[i], pairs[i+1])
	}
	b.WriteString("--b0undary\r\nContent-Disposition: form-data; name=\"status\"; filename=\"a.txt\"\r\n\r\nlead\r\n--b0undary--\r\n")
	return b.String()
}

// TestRequests goes through docs/semantics.md §2.
func TestRequests(t *testing.T) {
	play(t, []scenario{
		{
			name:  "a form in a POST body is read",
			steps: []step{request{method: http.MethodPost, contentType: form, body: "subid=c1&status=sale&payout=3", outcome: "recorded"}},
			slots: []string{`"": sale 3`},
		},
		{
			name: "a multipart form is read, its files are not",
			steps: []step{request{
				method: http.MethodPost, contentType: multipart, outcome: "recorded",
				body: multipartBody("subid", "c1", "status", "sale", "payout", "4", "keyword", "a b"),
			}},
			slots: []string{`"": sale 4, map[keyword:a b]`},
		},
		{
			name: "a JSON object is read, with numbers as they are written",
			steps: []step{request{
				method: http.MethodPost, contentType: asJSON, outcome: "recorded",
				body: `{"subid":"c1","status":"sale","payout":12.345678,"tid":7,"cost":null}`,
			}},
			slots: []string{`"7": sale 12.345678`},
		},
		{
			name: "broken JSON is refused",
			steps: []step{request{
				method: http.MethodPost, contentType: asJSON, body: `{"subid":"c1",`, outcome: "refused; reason=request_unreadable",
				status: http.StatusBadRequest,
			}},
		},
		{
			name: "the query wins over the body",
			steps: []step{request{
				method: http.MethodPost, query: "subid=c1&payout=1", contentType: form, body: "status=sale&payout=2&subid=c9", outcome: "recorded",
			}},
			slots: []string{`"": sale 1`},
		},
		{
			name: "an alias in the query wins over the canonical name in the body",
			steps: []step{request{
				method: http.MethodPost, query: "subid=c1&status=sale&revenue=1", contentType: form, body: "payout=2", outcome: "recorded",
			}},
			slots: []string{`"": sale 1, warns conflicting_aliases`},
		},
		{
			name:  "of a repeated parameter the last non-empty value counts",
			steps: []step{get("subid=c0&status=lead&subid=c1&status=sale&subid=&status=%20", "recorded")},
			slots: []string{`"": sale 0`},
		},
		{
			name:  "a plus is a space, and values are trimmed",
			steps: []step{get("subid=+c1+&status=%09sale%0A&keyword=red+shoes", "recorded")},
			slots: []string{`"": sale 0, map[keyword:red shoes]`},
		},
		{
			name:  "a semicolon is no separator",
			steps: []step{get("subid=c1&status=sale&note=a;payout=5", "recorded")},
			slots: []string{`"": sale 0, map[note:a;payout=5]`},
		},
		{
			name:  "a broken % sequence is kept as it is",
			steps: []step{get("subid=c1&status=sale&a=100%&b=%zz&c=%41%4", "recorded")},
			slots: []string{`"": sale 0, map[a:100% b:%zz c:A%4]`},
		},
		{
			name:  "names are case-sensitive",
			steps: []step{get("subid=c1&Status=sale", "ignored; reason=status_missing"), get("SubID=c1&status=sale", "ignored; reason=subid_missing")},
		},
		{
			name: "HEAD answers like GET and records nothing",
			steps: []step{
				request{method: http.MethodHead, query: "subid=c1&status=sale", outcome: "recorded"},
				request{method: http.MethodHead, query: "subid=c1", outcome: "ignored; reason=status_missing"},
			},
		},
		{
			name: "another method is refused, but only to who has the key",
			steps: []step{
				request{method: http.MethodPut, query: "subid=c1&status=sale", outcome: "refused; reason=method_not_allowed", status: http.StatusMethodNotAllowed},
				request{method: http.MethodPut, key: "wrong-key", query: "subid=c1&status=sale"},
			},
		},
		{
			name: "too much is refused, and what is just not too much is taken",
			steps: []step{
				request{query: "subid=c1&x=" + strings.Repeat("x", 16<<10), outcome: "refused; reason=request_too_large", status: http.StatusRequestURITooLong},
				request{
					method: http.MethodPost, query: "subid=c1&status=sale", contentType: form, body: strings.Repeat("x", 64<<10+1),
					outcome: "refused; reason=request_too_large", status: http.StatusRequestEntityTooLarge,
				},
				request{query: "subid=c1&status=sale" + strings.Repeat("&x=1", 199), outcome: "refused; reason=request_too_large", status: http.StatusBadRequest},
				request{query: "subid=c1&status=sale&x=" + strings.Repeat("x", 2<<10+1), outcome: "refused; reason=request_too_large", status: http.StatusBadRequest},
				get("subid=c1&status=sale&tid=parameters"+strings.Repeat("&x=1", 197), "recorded"),
				get("subid=c1&status=sale&tid=value&sum="+strings.Repeat("+", 1<<11), "recorded"),
			},
			slots: []string{`"parameters": sale 0, map[x:1]`, `"value": sale 0`},
		},
		{
			name:  "the canonical name wins over an alias of another value, which is warned of",
			steps: []step{get("subid=c1&status=sale&revenue=6&payout=5", "recorded")},
			slots: []string{`"": sale 5, warns conflicting_aliases`},
		},
		{
			name:  "an empty canonical parameter leaves the word to its alias",
			steps: []step{get("subid=c1&status=sale&payout=&revenue=6", "recorded")},
			slots: []string{`"": sale 6`},
		},
		{
			name:  "aliases that agree are nothing to warn of",
			steps: []step{get("subid=c1&status=sale&payout=5&profit=5", "recorded")},
			slots: []string{`"": sale 5`},
		},
		{
			name:   "a built-in alias wins over the endpoint's own",
			config: `{"aliases":{"payout":["sum"]}}`,
			steps:  []step{get("subid=c1&status=sale&sum=1&revenue=2", "recorded")},
			slots:  []string{`"": sale 2, warns conflicting_aliases`},
		},
		{
			name:   "the endpoint's aliases are looked at in their listed order",
			config: `{"aliases":{"subid":["click","cid"]}}`,
			steps:  []step{get("cid=c9&click=c1&status=sale", "recorded"), get("cid=c1&status=lead", "recorded")},
			slots:  []string{`"": lead 0, was sale, warns overwrote_other_type`},
		},
		{
			name:   "every canonical parameter may have aliases",
			config: `{"aliases":{"sub_id_1":["aff"],"tid":["order"],"date":["when"],"keyword":["kw"]}}`,
			steps:  []step{get("subid=c1&status=sale&aff=x&order=7&when=2026-02-28+10:00:00&kw=shoes", "recorded")},
			slots:  []string{`"7": sale 0, at 2026-02-28T10:00:00Z, map[keyword:shoes sub_id_1:x]`},
		},
		{
			name:  "other parameters and the sender's label are kept",
			steps: []step{get("subid=c1&status=sale&sub_id_30=a&sub_id_31=b&goal=G&from=net", "recorded")},
			slots: []string{`"": sale 0, map[from:net goal:G sub_id_30:a sub_id_31:b]`},
		},
		{
			name: "dates are read in every form that is documented",
			steps: []step{
				get("subid=c1&status=sale&tid=s&date=1772355600", "recorded"),
				get("subid=c1&status=sale&tid=ms&date=1772355600500", "recorded"),
				get("subid=c1&status=sale&tid=rfc&date=2026-03-01T12:00:00%2B03:00", "recorded"),
				get("subid=c1&status=sale&tid=plain&date=2026-03-01+09:00:00", "recorded"),
			},
			slots: []string{
				`"s": sale 0, at 2026-03-01T09:00:00Z`, `"ms": sale 0, at 2026-03-01T09:00:00.5Z`,
				`"rfc": sale 0, at 2026-03-01T09:00:00Z`, `"plain": sale 0, at 2026-03-01T09:00:00Z`,
			},
		},
		{
			name: "a date of no use is the time of receipt, with a warning",
			steps: []step{
				get("subid=c1&status=sale&tid=word&date=yesterday", "recorded"),
				get("subid=c1&status=sale&tid=late&date=2026-03-01+12:05:01", "recorded"),
				get("subid=c1&status=sale&tid=close&date=2026-03-01+12:05:00", "recorded"),
			},
			slots: []string{
				`"word": sale 0, warns date_unreadable`, `"late": sale 0, warns date_in_future`,
				`"close": sale 0, at 2026-03-01T12:05:00Z`,
			},
		},
	})
}

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
				request{query: "return=jsonp&sub_id=c1&revenue=1&status=sale", outcome: "recorded", text: `KTracking.response("Success");`, textType: script},
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
				request{query: "subid=c1&status=foo", outcome: "ignored; reason=status_unknown", status: http.StatusUnprocessableEntity},
				get("subid=c1&status=sale", "recorded"),
			},
			slots: []string{`"": sale 0`},
		},
		{
			name:   "the image is an image, whatever became of the postback",
			config: `{"policies":{"strictReplies":true}}`,
			steps: []step{
				request{path: "postback.gif", query: "subid=c1&status=sale", outcome: "recorded", text: pixel, textType: "image/gif"},
				request{path: "postback.gif", query: "subid=c1", outcome: "ignored; reason=status_missing",
					status: http.StatusOK, text: pixel, textType: "image/gif"},
				request{path: "postback.png", query: "subid=c1&status=lead"},
			},
			slots: []string{`"": sale 0`},
		},
		{
			name:   "the WordPress plugin finds the exact body it wants",
			config: `{"policies":{"missingStatus":"sale"}}`,
			steps:  []step{request{method: http.MethodPost, query: "subid=c1&revenue=9.99&currency=USD", outcome: "recorded", text: "Success"}},
			slots:  []string{`"": sale 9.99, from nothing`},
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
				request{method: http.MethodPost, query: "subid=c1&sig=" + sign("first-secret", "subid=c1"), contentType: form, body: "status=sale",
					outcome: "refused; reason=signature_invalid"},
				request{method: http.MethodPost, query: "subid=c1&sig=" + sign("first-secret", "subid=c1\nstatus=sale"), contentType: form, body: "status=sale",
					outcome: "recorded"},
			},
			slots: []string{`"": sale 0`},
		},
	})
}
