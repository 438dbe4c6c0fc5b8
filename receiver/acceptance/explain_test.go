package acceptance

import (
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	incoming "github.com/postback-dev/postback-operator/receiver/request"
)

// explain asks what would become of a postback.
func (r *rig) explain(t *testing.T, question url.Values) read.Explanation {
	t.Helper()
	asked, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.ops+"/api/v1/explain",
		strings.NewReader(question.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	asked.Header.Set("Content-Type", form)
	authorize(asked, r.token)
	response, err := http.DefaultClient.Do(asked)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var explained read.Explanation
	if err := json.Unmarshal(text, &explained); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("explain: %s: %s (%v)", response.Status, text, err)
	}
	r.contract.holds(t, r.ops, "/api/v1/explain", string(text))
	return explained
}

// explained asks about the postback before it is sent. What is said then must be what comes true.
func (r request) explained(t *testing.T, s *scene, method string,
	target *url.URL) (check func(status int, header http.Header, body string)) {
	t.Helper()
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	ip := incoming.SourceIP(netip.MustParseAddr("127.0.0.1"), []string{r.forwardedFor}, []netip.Prefix{loopback})
	question := url.Values{
		"method": {method}, "url": {target.String()}, "body": {r.body}, "content_type": {r.contentType}, "ip": {ip.String()},
	}
	if r.inPage {
		question.Set("origin", "https://shop.example")
	}
	got := s.explain(t, question)
	return func(status int, header http.Header, body string) {
		t.Helper()
		if method == http.MethodHead || got.Reply.ContentType == "image/gif" {
			body = got.Reply.Body
		}
		outcome := or(got.Outcome, "")
		if got.Reason != nil {
			outcome += "; reason=" + *got.Reason
		}
		want := read.ExplainReply{Status: status, ContentType: header.Get("Content-Type"), Body: body}
		if diff := cmp.Diff(want, got.Reply); diff != "" {
			t.Errorf("%s: the explained reply (-sent +explained):\n%s", r.query, diff)
		}
		if want := header.Get("X-Postback-Outcome"); outcome != want {
			t.Errorf("%s: explained as %q, became %q", r.query, outcome, want)
		}
		r.explainedRow(t, s, method, header.Get("X-Request-Id"), got)
	}
}

// explainedRow compares what is recorded with what was to be.
func (r request) explainedRow(t *testing.T, s *scene, method, id string, got read.Explanation) {
	t.Helper()
	if got.Outcome == nil || method == http.MethodHead {
		return
	}
	stop := ""
	for _, step := range got.Steps {
		if step.Verdict == "stop" {
			stop += or(step.Reason, "") + ";"
		}
	}
	if want := strings.TrimPrefix(or(got.Reason, "")+";", ";"); stop != want {
		t.Errorf("%s: the steps stop for %q, the reason is %q", r.query, stop, want)
	}
	if *got.Outcome != "recorded" {
		return
	}
	var same []read.Conversion
	for _, c := range list[read.Conversion](t, s.rig, "/api/v1/conversions",
		url.Values{"endpoint": {s.endpoint}, "tid": {got.After.TID}}) {
		if c.SubID == got.After.SubID && c.Type == got.After.Type {
			same = append(same, c)
		}
	}
	after := *got.After
	if got.Before == nil {
		after.ID = id
	}
	if diff := cmp.Diff([]read.Conversion{after}, same); diff != "" {
		t.Errorf("%s: what is recorded (-explained +recorded):\n%s", r.query, diff)
	}
}
