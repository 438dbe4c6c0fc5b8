package acceptance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// TestRefusedRequestsTakeLittleRoom: what an endpoint refuses leaves short rows, and few of them; who sends it sees no
// difference.
func TestRefusedRequestsTakeLittleRoom(t *testing.T) {
	endpoint := receivertest.Endpoint()
	endpoint.Access.AllowedCIDRs = []string{"203.0.113.0/24"}
	r := start(t, []config.Endpoint{endpoint})
	long := url.Values{"subid": {"c1"}, "status": {"sale"}, "note": {strings.Repeat("n", 8<<10)}}
	for range 100 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			r.url+"/"+receivertest.Key+"/postback?"+long.Encode(), strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get("X-Postback-Outcome"); resp.StatusCode != http.StatusForbidden ||
			got != "refused; reason=ip_not_allowed" {
			t.Fatalf("%d %s", resp.StatusCode, got)
		}
	}
	type row struct{ Query, Body, Reason string }
	rows := list[row](t, r, "/api/v1/postbacks", url.Values{"limit": {"1000"}})
	if len(rows) != 60 { // The rig's clock stands still.
		t.Errorf("%d rows of 100 requests, want 60", len(rows))
	}
	for _, row := range rows {
		if len(row.Query)+len(row.Body) != 1<<10 || !strings.HasPrefix(long.Encode(), row.Query) ||
			row.Reason != "ip_not_allowed" {
			t.Fatalf("a row has %d bytes of the query and %d of the body: %s", len(row.Query), len(row.Body), row.Reason)
		}
	}
}
