package acceptance

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// told decodes what a path of the ops port answers.
func told[T any](t *testing.T, r *rig, path string) (v T) {
	t.Helper()
	status, text := r.read(t, path)
	if err := json.Unmarshal([]byte(text), &v); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s (%v)", path, status, text, err)
	}
	return v
}

func TestWordsThatNoTrainingKnewAreCounted(t *testing.T) {
	onBothEngines(t, declare(t, []string{"", `{"policies":{"unknownStatus":"lead"}}`}), func(t *testing.T, r *rig) {
		begin := time.Now().UTC().Truncate(time.Second) // stores find rows of a time by their ids
		ignoring, taking := sceneOf(r, 0), sceneOf(r, 1)
		clock(begin.Sub(epoch)).run(t, ignoring)
		for _, s := range []*scene{ignoring, taking} {
			click(`{"subid":"c1"}`).run(t, s)
		}
		const unknown = "ignored; reason=status_unknown"
		for minute, query := range []string{"status=approve", "status=Approve", "status=1", "status=hold", "status=later"} {
			clock(begin.Add(time.Duration(minute)*time.Minute).Sub(epoch)).run(t, ignoring)
			get("subid=c1&"+query, unknown).run(t, ignoring)
		}
		get("subid=c1&status=sale", "recorded").run(t, ignoring)
		get("subid=c1&status=new&lead_status=new&tid=1", "recorded").run(t, ignoring)
		get("subid=c1", "ignored; reason=status_missing").run(t, ignoring)
		get("subid=c1&status=reject", "recorded").run(t, taking)
		get("subid=c1&status=lead&tid=2", "recorded").run(t, taking)
		r.endpoints = slices.Clone(r.endpoints) // The other engine has the same.
		r.endpoints[0].Training = []config.TrainingRule{{Type: "rejected", Statuses: []string{"later"}}}
		r.writeConfig(t)

		want := []string{
			`default/e000 Approve 2 0m–1m: nothing, policy; sale by Dictionary`,
			`default/e000 1 1 2m–2m: nothing, policy;  by None`,
			`default/e000 hold 1 3m–3m: nothing, policy;  by None`,
			`default/e000 later 1 4m–4m: rejected, training of the endpoint;  by None`,
			`default/e001 reject 1 4m–4m: lead, policy; rejected by Dictionary`,
		}
		tell := func(path string) []string {
			var lines []string
			for _, s := range told[read.Statuses](t, r, path).Items {
				lines = append(lines, fmt.Sprintf("%s %s %d %gm–%gm: %s, %s; %s by %s", s.Endpoint, s.Word, s.Count,
					s.First.Sub(begin).Minutes(), s.Last.Sub(begin).Minutes(), or(s.Type, "nothing"), or(s.By, ""),
					or(s.Proposal.Type, ""), s.Proposal.Origin))
			}
			return lines
		}
		eventually(t, func() string { return cmp.Diff(want, tell("/api/v1/statuses")) })
		if diff := cmp.Diff(want[4:], tell("/api/v1/statuses?endpoint=default/e001")); diff != "" {
			t.Error(diff)
		}
		later := url.QueryEscape(begin.Add(3 * time.Minute).Format(time.RFC3339))
		if diff := cmp.Diff(want[2:], tell("/api/v1/statuses?from="+later)); diff != "" {
			t.Error(diff)
		}
		if got := tell("/api/v1/statuses?preset=affise")[1]; got != "default/e000 1 1 2m–2m: nothing, policy; sale "+
			"by Preset" {
			t.Error(got)
		}
		if status, text := r.read(t, "/api/v1/statuses?preset=nobodys"); status != http.StatusBadRequest ||
			!strings.Contains(text, `"preset: `) {
			t.Errorf("%d %s", status, text)
		}
	})
}

func TestListsAreWrittenOut(t *testing.T) {
	const rows = 1203 // more than two parts of a stream
	onBothEngines(t, declare(t, []string{"", ""}), func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		var clicks strings.Builder
		for n := range rows {
			fmt.Fprintf(&clicks, `{"subid":"c%d","campaign":"%s","keyword":"k%d"}`+"\n", n, []string{"spring", "summer"}[n%2],
				n%3)
		}
		sendClicks(t, s, clicks.String(), rows)
		click(`{"subid":"other"}`).run(t, sceneOf(r, 1))
		for n := range 5 {
			get(fmt.Sprintf("subid=c%d&status=sale&payout=%d&sub_id_3=x%d", n, n, n), "recorded").run(t, s)
		}
		for path, want := range map[string]int{
			"clicks.ndjson":                       rows + 1,
			"clicks.ndjson?endpoint=default/e001": 1,
			"clicks.ndjson?endpoint=default/e000&filter=campaign+eq+spring":   (rows + 1) / 2,
			"clicks.ndjson?filter=keyword+eq+k0&filter=campaign+ne+spring":    rows / 6,
			"clicks.ndjson?filter=keyword+empty":                              1,
			"clicks.ndjson?endpoint=default/none":                             0,
			"conversions.ndjson?filter=payout+gt+2":                           2,
			"conversions.ndjson?filter=sub_id_3+in+x1,x4,x9":                  2,
			"postbacks.ndjson?filter=key_id+eq+k-e000&filter=ip+eq+127.0.0.1": 5,
			"forwards.ndjson": 0,
		} {
			status, text := r.read(t, "/api/v1/"+path)
			if got := strings.Count(text, "\n"); status != http.StatusOK || got != want {
				t.Errorf("%s: %d, %d lines, want %d", path, status, got, want)
			}
		}
		_, text := r.read(t, "/api/v1/clicks.csv?endpoint=default/e000")
		cells, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(cells) != rows+1 || strings.Join(cells[0][:4], " ") != "endpoint subid time campaign" {
			t.Errorf("clicks.csv: %v, %d lines, %v", err, len(cells), cells[0])
		}
		pagedClicks(t, r, rows, "")
		for _, sort := range []string{"time", "-time"} {
			pagedClicks(t, r, rows, sort)
		}
		for list, sorts := range map[string][]string{
			"conversions": {"created_at", "-created_at"},
			"postbacks":   {"time", "-time"},
			"clicks":      {"time", "-time"},
		} {
			sortedList(t, r, list, sorts)
		}
		one := told[read.ClickDetails](t, r, "/api/v1/clicks/default/e000/c4")
		if one.SubID != "c4" || one.Params["sub_id_3"] != "x4" || len(one.Conversions) != 1 ||
			*one.Conversions[0].Payout != "4" {
			t.Errorf("%+v", one)
		}
	})
}

// pagedClicks pages through the clicks of an endpoint: each comes once.
func pagedClicks(t *testing.T, r *rig, want int, sort string) {
	t.Helper()
	seen := map[string]bool{}
	query := url.Values{"endpoint": {"default/e000"}, "limit": {"400"}}
	if sort != "" {
		query.Set("sort", sort)
	}
	for {
		page := told[read.Page[read.Click]](t, r, "/api/v1/clicks?"+query.Encode())
		for _, c := range page.Items {
			seen[c.SubID] = true
		}
		if page.NextCursor == nil || len(seen) > want {
			break
		}
		query.Set("cursor", *page.NextCursor)
	}
	if len(seen) != want {
		t.Errorf("%d clicks in pages sorted by %q, want %d", len(seen), sort, want)
	}
}

// sortedList holds that a list comes in both orders, in pages as in lines, and says which there are.
func sortedList(t *testing.T, r *rig, list string, sorts []string) {
	t.Helper()
	lines := func(sort string) []string {
		status, text := r.read(t, "/api/v1/"+list+".ndjson?endpoint=default/e000&sort="+sort)
		if status != http.StatusOK {
			t.Fatalf("%s sorted by %s: %d %s", list, sort, status, text)
		}
		return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	}
	up, down := lines(sorts[0]), lines(sorts[1])
	if len(up) < 5 {
		t.Errorf("%s: only %d rows", list, len(up))
	}
	slices.Reverse(down)
	if diff := cmp.Diff(up, down); diff != "" {
		t.Errorf("%s: one order is not the other one's reverse: %s", list, diff)
	}
	if !slices.IsSortedFunc(up, func(a, b string) int { return timeIn(t, a, sorts[0]).Compare(timeIn(t, b, sorts[0])) }) {
		t.Errorf("%s is not sorted by %s", list, sorts[0])
	}
	var paged []string
	query := url.Values{"endpoint": {"default/e000"}, "limit": {"2"}, "sort": {sorts[0]}}
	for range 2 {
		page := told[read.Page[json.RawMessage]](t, r, "/api/v1/"+list+"?"+query.Encode())
		for _, item := range page.Items {
			paged = append(paged, string(item))
		}
		query.Set("cursor", *page.NextCursor)
	}
	if diff := cmp.Diff(up[:4], paged); diff != "" {
		t.Errorf("%s in pages: %s", list, diff)
	}
	status, text := r.read(t, "/api/v1/"+list+"?sort=payout")
	if status != http.StatusBadRequest || !strings.Contains(text, "sort: must be one of -") ||
		!strings.Contains(text, sorts[0]) {
		t.Errorf("%s sorted by payout: %d %s", list, status, text)
	}
}

// timeIn reads a field of a line.
func timeIn(t *testing.T, line, field string) time.Time {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatal(err)
	}
	text, _ := fields[field].(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatalf("%s of %s: %v", field, line, err)
	}
	return at
}

// sendClicks sends many clicks at once.
func sendClicks(t *testing.T, s *scene, lines string, want int) {
	t.Helper()
	sent, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/clicks", strings.NewReader(lines))
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
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Accepted != want {
		t.Fatalf("%s: %d accepted (%v)", response.Status, answer.Accepted, err)
	}
}
