package acceptance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const customTypes = `{"conversionTypes":[
	{"name":"install","parameter":"inst","countsAs":"Confirmed"},
	{"name":"call","parameter":"phone","countsAs":"Hold"},
	{"name":"view","parameter":"view","countsAs":"None"}]}`

// read returns the status and the text of a page of the ops port.
func (r *rig) read(t *testing.T, target string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.ops+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	authorize(request, r.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == http.StatusOK {
		r.contract.holds(t, r.ops, target, string(text))
	}
	return response.StatusCode, string(text)
}

// traffic sends postbacks to two endpoints, one a minute from begin on, and returns the rig and both scenes. It begins
// now: stores find rows of a time by their ids, which carry the machine's time.
func traffic(t *testing.T) (r *rig, scenes []*scene, begin time.Time) {
	t.Helper()
	begin = time.Now().UTC().Truncate(time.Second)
	r = start(t, declare(t, []string{customTypes, ""}))
	scenes = []*scene{sceneOf(r, 0), sceneOf(r, 1)}
	clock(begin.Sub(epoch)).run(t, scenes[0])
	for _, s := range scenes {
		click(`{"subid":"c1"}`).run(t, s)
		click(`{"subid":"c2"}`).run(t, s)
	}
	for i, sent := range []struct {
		scene int
		request
	}{
		{0, get("subid=c1&status=lead&payout=1", "recorded")},
		{0, get("subid=c1&status=sale&payout=2.5&tid=a", "recorded")},
		{0, get("subid=c2&status=sale&payout=10&currency=eur&tid=a", "recorded")},
		{1, get("subid=c1&status=sale&payout=100", "recorded")},
		{0, get("subid=c1&status=install&payout=0.3&tid=b", "recorded")},
		{0, get("subid=c1&status=call&payout=0.04&tid=c", "recorded")},
		{0, get("subid=c1&status=view&payout=7&tid=d", "recorded")},
		{0, get("subid=c1&status=deposit&payout=20&tid=e", "recorded")},
		{0, get("subid=c1&status=rejected&payout=5&tid=f", "recorded")},
		{0, get("subid=c1&status=sale&payout=9&currency=rub&tid=g", "recorded")},
		{0, get("subid=c1&status=foo", "ignored; reason=status_unknown")},
		{0, get("subid=c9&status=sale", "ignored; reason=click_not_found")},
		{1, get("subid=c1", "ignored; reason=status_missing")},
	} {
		clock(begin.Add(time.Duration(i)*time.Minute).Sub(epoch)).run(t, scenes[sent.scene])
		sent.run(t, scenes[sent.scene])
	}
	return r, scenes, begin
}

func TestFiltersSelectFromTheRealStore(t *testing.T) {
	r, scenes, begin := traffic(t)
	at := func(minute int) string { return begin.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339) }
	mine, other := url.QueryEscape(scenes[0].endpoint), url.QueryEscape(scenes[1].endpoint)
	for _, tc := range []struct {
		query string
		want  int
	}{
		{"conversions?", 10},
		{"conversions?endpoint=" + mine, 9},
		{"conversions?endpoint=" + other, 1},
		{"conversions?endpoint=default/none", 0},
		{"conversions?subid=c2", 1},
		{"conversions?tid=a", 2},
		{"conversions?tid=", 2},
		{"conversions?tid=&endpoint=" + mine, 1},
		{"conversions?type=sale", 4},
		{"conversions?type=sale&subid=c1&tid=a", 1},
		{"conversions?from=" + at(1) + "&to=" + at(3), 2},
		{"conversions?from=" + at(10), 0},
		{"conversions?to=" + at(0), 0},
		{"conversions?to=" + at(9), 9},
		{"conversions?from=2026-03-01&to=9999-12-31", 10},
		{"conversions?limit=3", 3},
		{"postbacks?", 13},
		{"postbacks?outcome=ignored", 3},
		{"postbacks?outcome=ignored&endpoint=" + other, 1},
		{"postbacks?reason=click_not_found", 1},
		{"postbacks?outcome=recorded&type=sale", 4},
		{"postbacks?subid=c9", 1},
		{"postbacks?tid=a", 2},
		{"postbacks?from=" + at(12), 1},
		{"postbacks?outcome=duplicate", 0},
	} {
		t.Run(tc.query, func(t *testing.T) {
			status, text := r.read(t, "/api/v1/"+tc.query)
			var page struct{ Items []json.RawMessage }
			if err := json.Unmarshal([]byte(text), &page); err != nil || status != http.StatusOK {
				t.Fatalf("%d %s (%v)", status, text, err)
			}
			if len(page.Items) != tc.want {
				t.Errorf("%d items, want %d:\n%s", len(page.Items), tc.want, text)
			}
		})
	}
}

func TestPagesFollowOnEachOtherWithoutGapOrRepetition(t *testing.T) {
	r, _, _ := traffic(t)
	type item struct {
		ID string `json:"id"`
	}
	for _, resource := range []string{"conversions", "postbacks"} {
		whole := list[item](t, r, "/api/v1/"+resource, url.Values{})
		for _, limit := range []int{1, 3, 4} {
			var paged []item
			query := url.Values{"limit": {strconv.Itoa(limit)}}
			for {
				_, text := r.read(t, "/api/v1/"+resource+"?"+query.Encode())
				var page struct {
					Items  []item
					Cursor string `json:"next_cursor"`
				}
				if err := json.Unmarshal([]byte(text), &page); err != nil {
					t.Fatal(err)
				}
				paged = append(paged, page.Items...)
				if page.Cursor == "" || len(paged) > len(whole) {
					break
				}
				query.Set("cursor", page.Cursor)
			}
			if diff := cmp.Diff(whole, paged); diff != "" {
				t.Errorf("%s by %d (-whole +paged):\n%s", resource, limit, diff)
			}
		}
		if !slices.IsSortedFunc(whole, func(a, b item) int { return strings.Compare(b.ID, a.ID) }) {
			t.Errorf("%s are not listed newest first", resource)
		}
	}
}

func TestRevenueAddsUpByTheDeclaredTypes(t *testing.T) {
	r, scenes, _ := traffic(t)
	_, text := r.read(t, "/api/v1/revenue?endpoint="+scenes[0].endpoint)
	var got any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"next_cursor": nil, "items": []any{map[string]any{
		"endpoint": scenes[0].endpoint, "currency": "USD", "conversions": 9.0, "pending": 1.0,
		"hold": "1.04", "confirmed": "13.8", "deposit": "20", "rejected": "5", "registration": "0", "trash": "0",
		"custom": map[string]any{"install": "0.3", "call": "0.04", "view": "7"}, "total": "33.8",
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheOpsPortTellsHowItGoesAndNoKey(t *testing.T) {
	r, scenes, _ := traffic(t)
	request{key: "wrong-key-7g5f", query: "subid=c1&status=sale"}.run(t, scenes[0])
	_, metrics := r.read(t, "/metrics")
	for _, sample := range []string{
		`postback_requests_total{outcome="recorded",reason=""} 10`,
		`postback_requests_total{outcome="ignored",reason="click_not_found"} 1`,
		`postback_wrong_keys_total 1`,
		`postback_clicks_total{result="accepted"} 4`,
		`postback_config_endpoints 2`,
		`postback_ledger_queue_depth 0`,
	} {
		if !strings.Contains(metrics, "\n"+sample+"\n") {
			t.Errorf("%s is not told", sample)
		}
	}
	if status, text := r.read(t, "/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d %s", status, text)
	}
	_, configz := r.read(t, "/configz")
	var served struct {
		Revision  string
		Endpoints int
	}
	if err := json.Unmarshal([]byte(configz), &served); err != nil || len(served.Revision) != 16 || served.Endpoints != 2 {
		t.Errorf("configz: %s (%v)", configz, err)
	}
	_, postbacks := r.read(t, "/api/v1/postbacks")
	_, conversions := r.read(t, "/api/v1/conversions")
	for i, scene := range scenes {
		for _, secret := range []string{scene.key, scene.former, scene.token, "wrong-key-7g5f"} {
			for page, text := range map[string]string{"metrics": metrics, "configz": configz, "postbacks": postbacks,
				"conversions": conversions, "log": r.log.String()} {
				if strings.Contains(text, secret) {
					t.Errorf("%s shows a key of endpoint %d", page, i)
				}
			}
		}
	}
}

func TestAHistoryIsThatOfOneConversion(t *testing.T) {
	r, _, _ := traffic(t)
	status, text := r.read(t, "/api/v1/conversions/01912345-6789-7abc-8def-0123456789ab/history")
	if status != http.StatusNotFound || !strings.Contains(text, "no such conversion") {
		t.Errorf("an unknown id: %d %s", status, text)
	}
	for _, c := range list[conversion](t, r, "/api/v1/conversions", url.Values{}) {
		versions := list[conversion](t, r, fmt.Sprintf("/api/v1/conversions/%s/history", c.ID), url.Values{})
		if diff := cmp.Diff([]conversion{c}, versions); diff != "" {
			t.Errorf("%s:\n%s", c.ID, diff)
		}
	}
}
