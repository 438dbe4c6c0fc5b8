package acceptance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// TestAPersonSendsATest: it goes the whole way, makes its own click, and neither counts nor takes away what counts.
func TestAPersonSendsATest(t *testing.T) {
	guarded(t, []string{bothRules, `{"policies":{"unknownClick":"Hold","holdFor":"1h","missingStatus":"Ignore",
		"unknownStatus":"Ignore","repeat":"Overwrite","slot":"Tid","transitions":"Any"}}`}, func(t *testing.T, r *rig) {
		s, holds := sceneOf(r, 0), sceneOf(r, 1)
		for _, step := range []step{
			click(`{"subid":"real","campaign":"spring","cost":"1","unique":true}`),
			get("subid=real&status=sale&payout=10", "recorded"),
			get("subid=orphan&status=sale&payout=3", "recorded"),
		} {
			step.run(t, s)
		}
		get("subid=waits&status=sale&payout=3", "held").run(t, holds)
		send := func(endpoint, query string) (int, string) {
			return r.send(t, http.MethodPost, "/api/v1/tests", read.NewTest{Endpoint: endpoint, Query: query, Note: "try"},
				"X-Postback-Actor: ann")
		}
		for _, query := range []string{"subid=try&status=lead&payout=1", "?subid=try&status=sale&payout=100"} {
			if status, text := send(s.endpoint, query); status != http.StatusOK || !strings.Contains(text, `"test":true`) {
				t.Fatalf("%s: status %d: %s", query, status, text)
			}
		}
		for _, tc := range []struct{ name, endpoint, query, want string }{
			{"a click that counts", s.endpoint, "subid=real&status=rejected", "click that counts"},
			{"a conversion without a click", s.endpoint, "subid=orphan&status=rejected", "conversion that counts"},
			{"a postback that waits", holds.endpoint, "subid=waits&status=lead", "waits for a click"},
			{"a word that nobody knows", s.endpoint, "subid=try&status=strange", "status_unknown"},
			{"no subid", s.endpoint, "status=sale", "subid_missing"},
			{"no endpoint", "default/none", "subid=try&status=sale", "no such endpoint"},
		} {
			if status, text := send(tc.endpoint, tc.query); status != http.StatusBadRequest || !strings.Contains(text, tc.want) {
				t.Errorf("%s: status %d: %s", tc.name, status, text)
			}
		}
		endpoint := url.Values{"endpoint": {s.endpoint}}
		r.wantsTold(t, "/api/v1/conversions", endpoint, "payout", "100 true", "3 false", "10 false")
		r.wantsTold(t, "/api/v1/clicks", url.Values{"endpoint": {s.endpoint}, "filter": {"test eq true"}}, "subid", "try true")
		r.wantsTold(t, "/api/v1/postbacks", endpoint, "kind", "manual true", "manual true", "postback false", "postback false")
		r.wantsTold(t, "/api/v1/forwards", endpoint, "rule", "all true", "all true", "real false", "all false", "real false",
			"all false")
		eventually(t, func() string {
			return cmp.Diff([]string{" USD 0 1 3", "spring USD 1 1 10"},
				r.reported(t, "from=2026-03-01&to=2026-03-02&group=campaign&sort=campaign&metrics=clicks,conversions,revenue&"+
					"endpoint="+s.endpoint))
		})
		click(`{"subid":"waits"}`).run(t, holds)
		eventually(t, func() string { return cmp.Diff([]string{`"": sale 3`}, r.conversions(t, holds.endpoint)) })
	})
}
