package acceptance

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// request is a postback and its answer.
type request struct {
	// method is GET if empty, path "postback", key the endpoint's: its present one, or its former one.
	method, path, key string
	former            bool
	// inPage: a page of https://shop.example sends it, with the client key.
	inPage            bool
	query             string
	contentType, body string
	forwardedFor      string
	// outcome is the X-Postback-Outcome of the answer; empty: there is none, and nothing is logged.
	outcome string
	// status, text and textType are the answer; if zero, what docs/semantics.md §7 gives for the outcome.
	status         int
	text, textType string
}

// get is a postback in a URL, answered as usual.
func get(query, outcome string) request { return request{query: query, outcome: outcome} }

func (r request) run(t *testing.T, s *scene) {
	t.Helper()
	method := orElse(r.method, http.MethodGet)
	key := orElse(r.key, s.key)
	if r.former {
		key = s.former
	}
	if r.inPage {
		key = s.page
	}
	target := s.url + "/" + key + "/" + orElse(r.path, "postback")
	sent, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	sent.URL.RawQuery = r.query
	if r.inPage {
		sent.Header.Set("Origin", "https://shop.example")
	}
	if r.contentType != "" {
		sent.Header.Set("Content-Type", r.contentType)
	}
	if r.forwardedFor != "" {
		sent.Header.Set("X-Forwarded-For", r.forwardedFor)
	}
	checkExplained := r.explained(t, s, method, sent.URL)
	response, err := http.DefaultClient.Do(sent)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	checkExplained(response.StatusCode, response.Header, string(body))
	status, text, textType := r.answer()
	if method == http.MethodHead {
		text = ""
	}
	if response.StatusCode != status || string(body) != text {
		t.Errorf("%s: answered %d %q, want %d %q", r.query, response.StatusCode, body, status, text)
	}
	if got := response.Header.Get("X-Postback-Outcome"); got != r.outcome {
		t.Errorf("%s: outcome %q, want %q", r.query, got, r.outcome)
	}
	if got := response.Header.Get("Content-Type"); r.outcome != "" && got != textType {
		t.Errorf("%s: Content-Type %q, want %q", r.query, got, textType)
	}
	if got := response.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("%s: X-Content-Type-Options %q", r.query, got)
	}
	s.checkLog(t, r, method, response.Header.Get("X-Request-Id"))
}

// answer is what docs/semantics.md §7 says, where the case says nothing else.
func (r request) answer() (status int, text, textType string) {
	outcome, reason, _ := strings.Cut(r.outcome, "; reason=")
	switch outcome {
	case "recorded", "duplicate", "held":
		status, text = http.StatusOK, "Success"
	case "ignored":
		status, text = http.StatusOK, "Ignored: "+reason
	case "refused":
		status, text = http.StatusForbidden, "Refused: "+reason
	default:
		status = http.StatusNotFound
	}
	if r.status != 0 {
		status = r.status
	}
	return status, orElse(r.text, text), orElse(r.textType, "text/plain; charset=utf-8")
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// logged is what the tests look at of a row of the received log.
type logged struct {
	ID      string `json:"id"`
	Method  string `json:"method"`
	Query   string `json:"query"`
	Body    string `json:"body"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
}

// checkLog demands that whatever got past the key, and is no HEAD, is in the received log as it was answered.
func (s *scene) checkLog(t *testing.T, r request, method, id string) {
	t.Helper()
	var got logged
	if rows := s.received(t, url.Values{}); len(rows) > 0 {
		got = rows[0]
	}
	if r.outcome == "" || method == http.MethodHead {
		if got.ID == id {
			t.Errorf("%s %s: is in the received log", method, r.query)
		}
		return
	}
	outcome, reason, _ := strings.Cut(r.outcome, "; reason=")
	want := logged{ID: id, Method: method, Query: r.query, Body: r.body, Outcome: outcome, Reason: reason}
	// A request that is too large is logged as far as it was read.
	want.Query = want.Query[:min(len(want.Query), len(got.Query))]
	want.Body = want.Body[:min(len(want.Body), len(got.Body))]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: received log (-want +got):\n%s", r.query, diff)
	}
	if reason != "" && reason != "request_too_large" && (got.Query != r.query || got.Body != r.body) {
		t.Errorf("%s: logged in part only", r.query)
	}
}

// received returns the endpoint's rows of the received log that match the filter, newest first.
func (s *scene) received(t *testing.T, filter url.Values) []logged {
	t.Helper()
	filter.Set("endpoint", s.endpoint)
	return list[logged](t, s.rig, "/api/v1/postbacks", filter)
}

// sign is the signature of docs/semantics.md §3.2 over what is signed.
func sign(secret, signed string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return hex.EncodeToString(mac.Sum(nil))
}
