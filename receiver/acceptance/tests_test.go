package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// bothRules are a rule that sends tests and one that does not.
const bothRules = `{"forwards":[
	{"name":"real","url":"http://127.0.0.1:9/pb?cid={subid}","method":"GET","resend":"OnAnyChange"},
	{"name":"all","url":"http://127.0.0.1:9/pb?cid={subid}","method":"GET","resend":"OnAnyChange","sendTests":true}],
	"policies":{"unknownClick":"Record","missingStatus":"Ignore","unknownStatus":"Ignore","repeat":"Overwrite",
	"slot":"Tid","transitions":"Any"}}`

// told lists a field of what the API lists, with whether each is a test.
func (r *rig) told(t *testing.T, path string, query url.Values, field string) []string {
	t.Helper()
	var lines []string
	for _, item := range list[map[string]any](t, r, path, query) {
		lines = append(lines, fmt.Sprint(item[field], " ", item["test"]))
	}
	return lines
}

func (r *rig) wantsTold(t *testing.T, path string, query url.Values, field string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, r.told(t, path, query, field)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestATestIsSeenAndNotSummed: a test click goes the whole way of one that counts, and is in no sum, whatever is done
// to it.
func TestATestIsSeenAndNotSummed(t *testing.T) {
	guarded(t, []string{bothRules}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		for _, step := range []step{
			click(`{"subid":"real","campaign":"spring","cost":"1","unique":true}`),
			click(`{"subid":"test","campaign":"spring","cost":"5","unique":true,"test":true}`),
			get("subid=real&status=sale&payout=10&test=1", "recorded"), // no parameter makes a test
			get("subid=test&status=sale&payout=100", "recorded"),
			get("subid=test&status=sale&payout=100", "duplicate"),
			get("subid=test&status=lead&payout=7&currency=RUB&tid=late", "recorded"),
			get("subid=test&status=approve&tid=word&payout=5", "ignored; reason=status_unknown"),
			rates{"RUB": "0.5"},
		} {
			step.run(t, s)
		}
		endpoint := url.Values{"endpoint": {s.endpoint}}
		tests := url.Values{"endpoint": {s.endpoint}, "filter": {"test eq true"}}
		eventually(t, func() string {
			return cmp.Diff([]string{"3.5 true", "100 true"}, r.told(t, "/api/v1/conversions", tests, "payout"))
		})
		r.wantsTold(t, "/api/v1/clicks", tests, "subid", "test true")
		r.wantsTold(t, "/api/v1/postbacks", tests, "kind", "rate true", "postback true", "postback true", "postback true")
		r.wantsTold(t, "/api/v1/forwards", endpoint, "rule", "all true", "all true", "all true", "real false", "all false")
		r.sumsReal(t)
		correctTest(t, r)
		r.wantsTold(t, "/api/v1/conversions", endpoint, "payout", "3.5 true", "900 true", "10 false")
		r.sumsReal(t)
	})
}

// correctTest changes a test by hand, and replays everything that was received.
func correctTest(t *testing.T, r *rig) {
	t.Helper()
	test := list[read.Conversion](t, r, "/api/v1/conversions", url.Values{"subid": {"test"}, "tid": {""}})[0]
	if status, text := r.send(t, http.MethodPatch, "/api/v1/conversions/"+test.ID,
		read.Correction{Payout: "900", Note: "of a test"}, fmt.Sprintf("If-Match: %d", test.Version)); status != http.StatusOK {
		t.Fatalf("correcting a test: %d %s", status, text)
	}
	op := r.done(t, read.NewOperation{Kind: "replay", Endpoint: "default/e000", IncludeRecorded: true})
	if op.State != "done" {
		t.Errorf("replaying tests: %+v", op)
	}
}

// sumsReal demands that nothing is summed but the one conversion that counts.
func (r *rig) sumsReal(t *testing.T) {
	t.Helper()
	eventually(t, func() string {
		return cmp.Diff([]string{"spring USD 1 1 10 1 1"},
			r.reported(t, "from=2026-03-01&to=2026-03-02&group=campaign&metrics=clicks,conversions,revenue,cost,unique_clicks"))
	})
	rows := r.reported(t, "from=2026-03-01&to=2026-03-02&group=source&metrics=clicks,conversions,revenue,cost")
	if diff := cmp.Diff([]string{" USD 1 1 10 1"}, rows); diff != "" {
		t.Errorf("summed row by row (-want +got):\n%s", diff)
	}
	revenue := list[read.Revenue](t, r, "/api/v1/revenue", url.Values{})
	if len(revenue) != 1 || revenue[0].Total != "10" || revenue[0].Conversions != 1 {
		t.Errorf("revenue %+v", revenue)
	}
	for path, want := range map[string]int{"conversions/log": 1, "clicks/log": 1} {
		status, _, text := r.asScript(t, adminKey, http.MethodPost, "/admin_api/v1/"+path,
			`{"range":{"from":"2026-03-01","to":"2026-03-01","timezone":"UTC"},"limit":10,"offset":0}`)
		if _, total := rowsOf(t, status, text); total != want {
			t.Errorf("%s has %d rows: %s", path, total, text)
		}
	}
}

// TestTestsAmongOthersAreInNoCell sends postbacks at random for clicks of which some are tests: the sums that are kept
// are those of the rows that count.
func TestTestsAmongOthersAreInNoCell(t *testing.T) {
	onBothEngines(t, declare(t, []string{""}), func(t *testing.T, r *rig) {
		s, random := sceneOf(r, 0), rand.New(rand.NewPCG(17, 4))
		clicks, conversions, revenue := 0, map[string]int{}, map[string]int{}
		for n := range 20 {
			test := n%3 == 0
			if !test {
				clicks++
			}
			click(fmt.Sprintf(`{"subid":"s%d","campaign":"spring","test":%t}`, n, test)).run(t, s)
		}
		for range 200 {
			n, tid, payout := random.IntN(20), random.IntN(3), random.IntN(50)
			response, err := http.Get(fmt.Sprintf("%s/%s/postback?subid=s%d&tid=%d&status=sale&payout=%d", r.url, s.key, n, tid,
				payout))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if slot := fmt.Sprint(n, " ", tid); n%3 != 0 {
				conversions[slot], revenue[slot] = 1, payout
			}
		}
		sum := 0
		for _, payout := range revenue {
			sum += payout
		}
		want := []string{fmt.Sprintf("spring USD %d %d %d", clicks, len(conversions), sum)}
		eventually(t, func() string {
			return cmp.Diff(want,
				r.reported(t, "from=2026-03-01&to=2026-03-02&group=campaign&metrics=clicks,conversions,revenue"))
		})
		_, text := r.read(t, "/api/v1/report?from=2026-03-01&to=2026-03-02&group=campaign&metrics=clicks")
		if !strings.Contains(text, `"source":"rollup"`) {
			t.Errorf("the report is not made of cells: %s", text)
		}
		rows := r.reported(t, "from=2026-03-01&to=2026-03-02&group=source&metrics=clicks,conversions,revenue")
		if diff := cmp.Diff([]string{strings.TrimPrefix(want[0], "spring")}, rows); diff != "" {
			t.Errorf("summed row by row (-want +got):\n%s", diff)
		}
		clock(time.Minute).run(t, s)
	})
}
