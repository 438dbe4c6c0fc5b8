package acceptance

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// scenario is an endpoint of its own, which knows the click c1, what is sent to it, and what it has recorded in the end.
type scenario struct {
	name string
	// config is laid over an endpoint in USD with all policies at their defaults, in the contract's JSON.
	config string
	steps  []step
	// slots are the conversions, in the order of their first postbacks, as told by [conversion.String].
	slots []string
	// s2s are the types of the S2S postbacks due, in their order.
	s2s []string
}

// step is one thing that happens to a scenario's endpoint.
type step interface{ run(*testing.T, *scene) }

// overlap is how long after a scenario's begin its former key is accepted.
const overlap = 72 * time.Hour

// scene is a scenario under way.
type scene struct {
	*rig
	endpoint           string
	key, former, token string
}

// declare makes the endpoints of a test: one for each fragment of configuration.
func declare(t *testing.T, fragments []string) []config.Endpoint {
	t.Helper()
	endpoints := make([]config.Endpoint, len(fragments))
	for i, fragment := range fragments {
		e := receivertest.Endpoint()
		e.Name = fmt.Sprintf("e%03d", i)
		s := sceneOf(nil, i)
		retireAt := epoch.Add(overlap)
		e.Keys = []config.Key{
			{ID: "k-" + e.Name, SHA256: config.Digest(s.key)},
			{ID: "f-" + e.Name, SHA256: config.Digest(s.former), RetireAt: &retireAt},
		}
		e.ClickTokens = []config.Key{{ID: "t-" + e.Name, SHA256: config.Digest(s.token)}}
		decoder := json.NewDecoder(strings.NewReader(fragment))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&e); err != nil && fragment != "" {
			t.Fatalf("%s: %v", fragment, err)
		}
		endpoints[i] = e
	}
	return endpoints
}

func sceneOf(r *rig, i int) *scene {
	return &scene{
		rig: r, endpoint: fmt.Sprintf("default/e%03d", i),
		key: fmt.Sprintf("key-%03d-r8k2m5v9", i), former: fmt.Sprintf("former-%03d-h4d6s2j1", i),
		token: fmt.Sprintf("token-%03d-x3n7c1z6", i),
	}
}

// play goes through scenarios, one after the other: they share a clock.
func play(t *testing.T, scenarios []scenario) {
	t.Helper()
	fragments := make([]string, len(scenarios))
	for i, s := range scenarios {
		fragments[i] = s.config
	}
	r := start(t, declare(t, fragments))
	for i, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			r.now.Store(0)
			scene := sceneOf(r, i)
			click(`{"subid":"c1"}`).run(t, scene)
			for _, step := range s.steps {
				step.run(t, scene)
			}
			if diff := cmp.Diff(s.slots, scene.conversions(t, scene.endpoint), equalEmpty); diff != "" {
				t.Errorf("slots (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(s.s2s, scene.forwards(t, scene.endpoint), equalEmpty); diff != "" {
				t.Errorf("S2S postbacks due (-want +got):\n%s", diff)
			}
		})
	}
}

var equalEmpty = cmp.FilterValues(func(a, b []string) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore())

// request is a postback and its answer.
type request struct {
	// method is GET if empty, path "postback", key the endpoint's: its present one, or its former one.
	method, path, key string
	former            bool
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
	target := s.url + "/" + key + "/" + orElse(r.path, "postback")
	sent, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	sent.URL.RawQuery = r.query
	if r.contentType != "" {
		sent.Header.Set("Content-Type", r.contentType)
	}
	if r.forwardedFor != "" {
		sent.Header.Set("X-Forwarded-For", r.forwardedFor)
	}
	response, err := http.DefaultClient.Do(sent)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
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

// checkLog demands that whatever got past the key, and is no HEAD, stands in the received log as it was answered.
func (s *scene) checkLog(t *testing.T, r request, method, id string) {
	t.Helper()
	var got logged
	if rows := s.received(t, url.Values{}); len(rows) > 0 {
		got = rows[0]
	}
	if r.outcome == "" || method == http.MethodHead {
		if got.ID == id {
			t.Errorf("%s %s: stands in the received log", method, r.query)
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

// click adds a click by the click intake; the value is its JSON.
type click string

func (c click) run(t *testing.T, s *scene) {
	t.Helper()
	sent, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/clicks", bytes.NewReader([]byte(c)))
	if err != nil {
		t.Fatal(err)
	}
	sent.Header.Set("Authorization", "Bearer "+s.token)
	response, err := http.DefaultClient.Do(sent)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct{ Accepted int }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Accepted != 1 {
		t.Fatalf("click %s: %s, %d accepted (%v)", string(c), response.Status, answer.Accepted, err)
	}
}

// clock sets the receiver's clock to that long after the scenario's begin.
type clock time.Duration

func (c clock) run(_ *testing.T, s *scene) { s.now.Store(int64(c)) }

// rates declares rates into USD, by currency, in the running receiver's configuration.
type rates map[string]string

func (declared rates) run(t *testing.T, s *scene) {
	t.Helper()
	fixed := slices.DeleteFunc(slices.Clone(s.fleet.Rates.Fixed), func(r config.FixedRate) bool { return declared[r.From] != "" })
	for from, rate := range declared {
		fixed = append(fixed, config.FixedRate{From: from, To: "USD", Rate: rate})
	}
	s.fleet.Rates.Fixed = fixed
	s.writeConfig(t)
}

// becomes waits until the endpoint's conversions are these.
type becomes []string

func (b becomes) run(t *testing.T, s *scene) {
	t.Helper()
	eventually(t, func() string { return cmp.Diff([]string(b), s.conversions(t, s.endpoint)) })
}

// settles waits until the newest postback of the subid has that outcome in the received log.
type settles struct{ subid, outcome string }

func (w settles) run(t *testing.T, s *scene) {
	t.Helper()
	outcome, reason, _ := strings.Cut(w.outcome, "; reason=")
	eventually(t, func() string {
		got := s.received(t, url.Values{"subid": {w.subid}})[0]
		return cmp.Diff([]string{outcome, reason}, []string{got.Outcome, got.Reason})
	})
}

// eventually polls until diff returns nothing.
func eventually(t *testing.T, diff func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		difference := diff()
		if difference == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("does not come about (-want +got):\n%s", difference)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// history demands these versions of the endpoint's only conversion, oldest first.
type history []string

func (h history) run(t *testing.T, s *scene) {
	t.Helper()
	current := list[conversion](t, s.rig, "/api/v1/conversions", url.Values{"endpoint": {s.endpoint}})
	if len(current) != 1 {
		t.Fatalf("%d conversions, want one", len(current))
	}
	var told []string
	for i, version := range list[conversion](t, s.rig, "/api/v1/conversions/"+current[0].ID+"/history", url.Values{}) {
		if version.ID != current[0].ID || version.Version != i+1 {
			t.Errorf("version %d of %s is told as version %d of %s", i+1, current[0].ID, version.Version, version.ID)
		}
		told = append(told, version.String())
	}
	if diff := cmp.Diff([]string(h), told); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// sign is the signature of docs/semantics.md §3.2 over what is signed.
func sign(secret, signed string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return hex.EncodeToString(mac.Sum(nil))
}
