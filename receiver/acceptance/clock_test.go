package acceptance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// jumps are what happens to the clock while senders send.
var jumps = []time.Duration{time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour, -24 * time.Hour, 24 * time.Hour,
	-time.Hour}

// TestTheClockJumpsUnderLoad: nothing is lost, nothing happens twice, versions and S2S postbacks keep their order, and
// what was received at a time is found by it.
func TestTheClockJumpsUnderLoad(t *testing.T) {
	var mu sync.Mutex
	sent := map[string][]string{}
	source := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		click := r.FormValue("click")
		sent[click] = append(sent[click], r.FormValue("value"))
	}))
	defer source.Close()
	endpoints := declare(t, []string{fmt.Sprintf(`{"policies":{"unknownClick":"Record"},
		"forwards":[{"name":"source","method":"GET","resend":"OnAnyChange","url":"%s/?click={subid}&value={payout}"}]}`, source.URL)})
	onBothEngines(t, endpoints, func(t *testing.T, r *rig) {
		mu.Lock()
		clear(sent)
		mu.Unlock()
		const senders, each = 3, 40
		var load sync.WaitGroup
		steps := make(chan struct{})
		for n := range senders {
			load.Go(func() {
				for i := 1; i <= each; i++ {
					send(t, r, fmt.Sprintf("subid=c%d&status=sale&payout=%d", n, i))
					steps <- struct{}{}
				}
			})
		}
		for range senders * each {
			<-steps
			r.now.Add(int64(time.Second))
			if n := r.steps.Add(1); n%15 == 0 {
				r.now.Add(int64(jumps[(n/15-1)%int64(len(jumps))]))
			}
		}
		load.Wait()

		var want []string
		for i := 1; i <= each; i++ {
			want = append(want, strconv.Itoa(i))
		}
		for n := range senders {
			subid := fmt.Sprint("c", n)
			if diff := cmp.Diff(want, versions(t, r, subid)); diff != "" {
				t.Errorf("versions of %s (-want +got):\n%s", subid, diff)
			}
		}
		found(t, r, senders*each)
		eventually(t, func() string {
			r.now.Add(int64(5 * time.Second)) // it goes on, but never to where it was
			mu.Lock()
			defer mu.Unlock()
			total := 0
			for n := range senders {
				if diff := cmp.Diff(want, once(sent[fmt.Sprint("c", n)])); diff != "" {
					return fmt.Sprintf("S2S postbacks of c%d (-want +got):\n%s", n, diff)
				}
				total += len(sent[fmt.Sprint("c", n)])
			}
			if total > senders*each+len(jumps)*senders { // what is under way at a jump may be sent once more
				return fmt.Sprintf("%d S2S postbacks of %d versions", total, senders*each)
			}
			return ""
		})
	})
}

// once leaves of each value the first.
func once(values []string) (first []string) {
	for _, value := range values {
		if !slices.Contains(first, value) {
			first = append(first, value)
		}
	}
	return first
}

func send(t *testing.T, r *rig, query string) {
	response, err := http.Get(r.url + "/" + sceneOf(r, 0).key + "/postback?" + query)
	if err != nil {
		t.Error(err)
		return
	}
	text, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if outcome := response.Header.Get("X-Postback-Outcome"); outcome != "recorded" {
		t.Errorf("%s: %s %q", query, outcome, text)
	}
}

// versions returns the payouts of a click's conversion, oldest first.
func versions(t *testing.T, r *rig, subid string) (payouts []string) {
	t.Helper()
	for _, c := range list[conversion](t, r, "/api/v1/conversions", url.Values{"subid": {subid}}) {
		for _, v := range list[conversion](t, r, "/api/v1/conversions/"+c.ID+"/history", nil) {
			payouts = append(payouts, or(v.Payout, "?"))
		}
	}
	return payouts
}

// found looks for every row of the received log by its time.
func found(t *testing.T, r *rig, want int) {
	t.Helper()
	type row struct {
		ID   string
		Time time.Time
	}
	all := list[row](t, r, "/api/v1/postbacks", url.Values{"limit": {"1000"}})
	if len(all) != want {
		t.Errorf("%d rows in the received log, want %d", len(all), want)
	}
	for _, one := range all {
		at := list[row](t, r, "/api/v1/postbacks", url.Values{
			"from": {one.Time.Format(time.RFC3339Nano)}, "to": {one.Time.Add(time.Microsecond).Format(time.RFC3339Nano)},
			"limit": {"1000"},
		})
		if !strings.Contains(fmt.Sprint(at), one.ID) {
			t.Errorf("what was received at %v is not found by that time", one.Time)
		}
	}
}
