package acceptance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const (
	form      = "application/x-www-form-urlencoded"
	multipart = "multipart/form-data; boundary=b0undary"
	asJSON    = "application/json"
)

// multipartBody is a form of these names and values in turn, with a file, which says nothing.
func multipartBody(pairs ...string) string {
	var b strings.Builder
	for pair := range slices.Chunk(pairs, 2) {
		fmt.Fprintf(&b, "--b0undary\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", pair[0], pair[1])
	}
	b.WriteString("--b0undary\r\nContent-Disposition: form-data; name=\"status\"; " +
		"filename=\"a.txt\"\r\n\r\nlead\r\n--b0undary--\r\n")
	return b.String()
}

// TestRequests goes through docs/semantics.md §2.
func TestRequests(t *testing.T) {
	play(t, []scenario{
		{
			name: "a form in a POST body is read",
			steps: []step{request{method: http.MethodPost, contentType: form, body: "subid=c1&status=sale&payout=3",
				outcome: "recorded"}},
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
				method: http.MethodPost, query: "subid=c1&payout=1", contentType: form, body: "status=sale&payout=2&subid=c9",
				outcome: "recorded",
			}},
			slots: []string{`"": sale 1`},
		},
		{
			name: "an alias in the query wins over the canonical name in the body",
			steps: []step{request{
				method: http.MethodPost, query: "subid=c1&status=sale&revenue=1", contentType: form, body: "payout=2",
				outcome: "recorded",
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
			name:  "a known name in another letter case is repaired, an unknown one is not",
			steps: []step{get("SubID=c1&Status=sale&Goal=G", "recorded")},
			slots: []string{`"": sale 0, map[Goal:G], warns request_repaired`},
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
				request{method: http.MethodPut, query: "subid=c1&status=sale", outcome: "refused; reason=method_not_allowed",
					status: http.StatusMethodNotAllowed},
				request{method: http.MethodPut, key: "wrong-key", query: "subid=c1&status=sale"},
			},
		},
		{
			name: "too much is refused where it may hide what counts, and cut where it does not",
			steps: []step{
				request{query: "subid=c1&x=" + strings.Repeat("x", 16<<10), outcome: "refused; reason=request_too_large",
					status: http.StatusRequestURITooLong},
				request{
					method: http.MethodPost, query: "status=sale", contentType: form, body: strings.Repeat("x", 64<<10+1),
					outcome: "refused; reason=request_too_large", status: http.StatusRequestEntityTooLarge,
				},
				request{
					method: http.MethodPost, query: "subid=c1&status=sale&tid=body", contentType: form,
					body:    strings.Repeat("x", 64<<10+1),
					outcome: "recorded",
				},
				get("subid=c1&status=sale&tid=value&keyword="+strings.Repeat("x", 2<<10+1), "recorded"),
				get("subid=c1&tid=status&status="+strings.Repeat("x", 2<<10+1), "ignored; reason=status_unknown"),
			},
			slots: []string{`"body": sale 0, warns body_ignored`, `"value": sale 0, warns parameter_too_long`},
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
