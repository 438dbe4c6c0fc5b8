package acceptance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestATrafficSourceIsToldOnceOfEachChange goes the whole way: postbacks by HTTP, the outbox, requests at a traffic
// source.
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
		"GET /TOKEN/pb?click=e%201&event=install&value=1&token=TOKEN",
		"GET /TOKEN/pb?click=e%201&event=bill&value=11&token=TOKEN",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	for _, row := range rows {
		if len(row.Attempts) != 1 || strings.Contains(row.Attempts[0].URL, "TOKEN") {
			t.Errorf("%+v", row)
		}
	}
	if log := r.log.String(); strings.Contains(log, "TOKEN") ||
		slices.ContainsFunc(got, func(uri string) bool { return strings.Contains(log, uri) }) {
		t.Errorf("the log shows what was sent:\n%s", log)
	}
}

// TestAConversionsAPIGetsItsJSON goes the whole way with a header from a Secret, a body, required fields, and tests.
func TestAConversionsAPIGetsItsJSON(t *testing.T) {
	var mu sync.Mutex
	var got []string
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s %s %s %s %s", r.Method, r.RequestURI, r.Header.Get("Authorization"),
			r.Header.Get("Content-Type"), body))
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(w, "it has %s already", r.Header.Get("Authorization"))
	}))
	defer source.Close()
	r := start(t, declare(t, []string{fmt.Sprintf(`{"forwards":[{"name":"capi","method":"POST","resend":"OnAnyChange",
		"url":"%s/v1/events","headers":[{"name":"Authorization","secret":{"id":"a","value":"Bearer TOKEN-CANARY"}}],
		"body":{"json":"{\"id\": \"{external_id}\", \"value\": {payout}, \"em\": \"{sha256:sub_id_5}\", \"note\": \"{keyword}\"}"},
		"expect":["200-299","409"],"require":["external_id"]}]}`, source.URL)}))
	s := sceneOf(r, 0)
	click(`{"subid":"c1","external_id":"e\"1","sub_id_5":"Test@Example.com "}`).run(t, s)
	click(`{"subid":"c2","external_id":"${CLICKID}"}`).run(t, s)
	click(`{"subid":"c3","external_id":"e3","test":true}`).run(t, s)
	for _, query := range []string{
		"subid=c3&status=sale&payout=9", "subid=c2&status=sale&payout=1",
		"subid=c1&status=sale&payout=10&keyword=a%0Ab",
	} {
		response, err := http.Get(r.url + "/" + s.key + "/postback?" + query)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	type forward struct {
		Attempts []struct{ URL, Answer string }
	}
	var rows []forward
	eventually(t, func() string {
		rows = list[forward](t, r, "/api/v1/forwards", url.Values{"state": {"delivered"}})
		return cmp.Diff(1, len(rows))
	})
	mu.Lock()
	defer mu.Unlock()
	want := []string{`POST /v1/events Bearer TOKEN-CANARY application/json {"id": "e\"1", "value": 10, ` +
		`"em": "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b", "note": "a\nb"}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if shown := fmt.Sprintf("%+v", rows) + r.log.String(); strings.Contains(shown, "CANARY") ||
		!strings.Contains(shown, "it has … already") {
		t.Errorf("what is shown: %s", shown)
	}
}
