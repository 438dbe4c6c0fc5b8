package acceptance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestATrafficSourceIsToldOnceOfEachChange goes the whole way: postbacks by HTTP, the outbox, requests at a traffic source.
func TestATrafficSourceIsToldOnceOfEachChange(t *testing.T) {
	var mu sync.Mutex
	var got []string
	source := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.Method+" "+r.RequestURI)
	}))
	defer source.Close()
	r := start(t, declare(t, []string{fmt.Sprintf(`{"forwards":[{"name":"source","method":"GET","resend":"OnAnyChange",
		"url":"%s/TOKEN/pb?click={external_id}&event={status: lead=install sale=bill}&value={payout}&token=TOKEN"}]}`, source.URL)}))
	s := sceneOf(r, 0)
	click(`{"subid":"c1","external_id":"e 1"}`).run(t, s)
	for _, query := range []string{
		"subid=c1&status=lead&payout=1", "subid=c1&status=lead&payout=1", "subid=c1&status=sale&payout=10&currency=EUR",
		"subid=c1&status=sale&payout=10&currency=EUR", "subid=c1&status=nonsense", "subid=c2&status=sale",
	} {
		response, err := http.Get(r.url + "/" + s.key + "/postback?" + query)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	type forward struct {
		State    string
		Attempts []struct{ URL string }
	}
	var rows []forward
	eventually(t, func() string {
		rows = list[forward](t, r, "/api/v1/forwards", url.Values{"state": {"delivered"}})
		return cmp.Diff(2, len(rows))
	})
	mu.Lock()
	defer mu.Unlock()
	want := []string{
		"GET /TOKEN/pb?click=e%201&event=install&value=1&token=TOKEN", "GET /TOKEN/pb?click=e%201&event=bill&value=11&token=TOKEN",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	for _, row := range rows {
		if len(row.Attempts) != 1 || strings.Contains(row.Attempts[0].URL, "TOKEN") {
			t.Errorf("%+v", row)
		}
	}
	if log := r.log.String(); strings.Contains(log, "TOKEN") || slices.ContainsFunc(got, func(uri string) bool { return strings.Contains(log, uri) }) {
		t.Errorf("the log shows what was sent:\n%s", log)
	}
}
