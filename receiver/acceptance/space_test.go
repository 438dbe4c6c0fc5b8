package acceptance

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// TestAVolumeThatFillsUpGivesUpVisitsFirst: with the default reserve of 256 MiB. Whatever is given up comes back with
// the room.
func TestAVolumeThatFillsUpGivesUpVisitsFirst(t *testing.T) {
	endpoint := receivertest.Endpoint()
	endpoint.Campaigns = []config.Campaign{{Name: "spring", Alias: "spring",
		OfferURL: "https://offer.example/go?click={subid}"}}
	r := start(t, []config.Endpoint{endpoint})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	send := func(method, path, body string) (status string, header http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+receivertest.ClickToken)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.Status, resp.Header
	}
	n := 0
	// given is what somebody gets while so many MiB are free: a visitor, the tracker that hands in a click, and a network.
	type given struct {
		Visit, Clicks, Postback, Query, Ready string
	}
	at := func(free int64) (got given) {
		t.Helper()
		n++
		r.used.Store(volume - free<<20)
		r.now.Add(int64(2 * time.Second))
		status, header := send(http.MethodGet, "/spring", "")
		got.Visit = status + " to " + header.Get("Location")
		if _, subid, _ := strings.Cut(header.Get("Location"), "click="); subid != "" {
			got.Visit = strings.ReplaceAll(got.Visit, subid, "SUBID")
		}
		got.Clicks, _ = send(http.MethodPost, "/clicks", fmt.Sprintf(`{"subid":"c%d"}`, n))
		status, header = send(http.MethodGet, fmt.Sprintf("/%s/postback?subid=none%d&status=sale", receivertest.Key, n), "")
		got.Postback = status + " " + header.Get("X-Postback-Outcome")
		type row struct{ Query string }
		for _, row := range list[row](t, r, "/api/v1/postbacks", url.Values{"subid": {fmt.Sprint("none", n)}}) {
			got.Query = strings.ReplaceAll(row.Query, fmt.Sprint("none", n), "N")
		}
		_, got.Ready = r.read(t, "/readyz")
		return got
	}
	const (
		offer   = "302 Found to https://offer.example/go?click="
		ok      = "200 OK"
		none    = "503 Service Unavailable"
		ignored = "200 OK ignored; reason=click_not_found"
		query   = "subid=N&status=sale"
	)
	space := func(free int, given string) string {
		return fmt.Sprintf("ready\nspace: the volume of the store has %d MiB left: %s\n", free, given)
	}
	for _, step := range []struct {
		free int
		want given
	}{
		{256, given{offer + "SUBID", ok, ignored, query, "ready\n"}},
		{255, given{offer, none, ignored, query, space(255, "clicks are not recorded")}},
		{127, given{offer, none, ignored, "", space(127,
			"clicks are not recorded, and the received log keeps no queries and bodies")}},
		{63, given{offer, none, none + " ", "", space(63, "neither clicks nor postbacks are recorded")}},
		{0, given{offer, none, none + " ", "", space(0, "neither clicks nor postbacks are recorded")}},
		{1000, given{offer + "SUBID", ok, ignored, query, "ready\n"}},
	} {
		t.Run(fmt.Sprint(step.free, " MiB"), func(t *testing.T) {
			if diff := cmp.Diff(step.want, at(int64(step.free))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := strings.Count(r.log.String(), "A volume has no room left but its reserve"); got != 1 {
		t.Errorf("the log says %d times within a minute that there is no room", got)
	}
}
