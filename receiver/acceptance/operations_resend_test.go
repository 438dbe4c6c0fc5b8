package acceptance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// trafficSource counts what it gets, and refuses it for good until it is mended.
type trafficSource struct {
	*httptest.Server
	mended atomic.Bool
	mu     sync.Mutex
	got    map[string]int
}

func newTrafficSource(t *testing.T) *trafficSource {
	s := &trafficSource{got: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.mended.Load() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got[r.URL.RawQuery]++
	}))
	t.Cleanup(s.Close)
	return s
}

// fragment declares two rules that send there.
func (s *trafficSource) fragment() string {
	rule := `{"name":"%s","url":"%s/%[1]s?cid={subid}","method":"GET","types":["sale"],"resend":"OnAnyChange"}`
	return `{"forwards":[` + fmt.Sprintf(rule, "one", s.URL) + "," + fmt.Sprintf(rule, "two", s.URL) + `]}`
}

func (s *scene) states(t *testing.T) map[string]int {
	t.Helper()
	states := map[string]int{}
	for _, f := range list[read.Forward](t, s.rig, "/api/v1/forwards", url.Values{"endpoint": {s.endpoint}}) {
		states[f.Rule+" "+f.State]++
	}
	return states
}

// failForwards has S2S postbacks of n conversions by two rules fail.
func (s *scene) failForwards(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		click(fmt.Sprintf(`{"subid":"c%d","time":"2026-03-01T11:00:00Z"}`, i)).run(t, s)
		s.postback(t, fmt.Sprintf("subid=c%d&status=sale&payout=1", i))
	}
	at := time.Minute
	eventually(t, func() string {
		at += time.Minute // So that the second attempt is due.
		clock(at).run(t, s)
		if states := s.states(t); states["one failed"] != n || states["two failed"] != n {
			return fmt.Sprint(states)
		}
		return ""
	})
}

func TestFailedForwardsAreSentAgainInBulk(t *testing.T) {
	for _, e := range []engine{sqlite, postgres} {
		t.Run(e.name, func(t *testing.T) {
			const n = 12
			source := newTrafficSource(t)
			r := startWith(t, e, declare(t, []string{source.fragment()}), opsToken)
			s := sceneOf(r, 0)
			s.failForwards(t, n)
			asked := read.NewOperation{
				Kind: "resend", Endpoint: s.endpoint, DryRun: true, Rule: "one", Failure: "status_404", From: "2026-03-01",
			}
			dry := r.done(t, asked)
			wants(t, "dry run", "dry_run_done, map[resent:12], s2s map[one:12]", summed(dry))
			wants(t, "after the dry run", "map[one failed:12 two failed:12]", fmt.Sprint(s.states(t)))

			one := list[read.Forward](t, r, "/api/v1/forwards", url.Values{"rule": {"one"}})[0].ID
			if status, text := r.send(t, http.MethodPost, "/api/v1/forwards/"+one+"/resend", nil); status != 202 {
				t.Fatalf("%d %s", status, text)
			}
			status, text := r.send(t, http.MethodPost, "/api/v1/operations/"+dry.ID+"/run", nil)
			if status != http.StatusConflict || !strings.Contains(text, "not_failed") {
				t.Errorf("one of them is being sent: %d %s", status, text)
			}
			source.mended.Store(true)
			began := time.Now()
			asked.DryRun, asked.PerSecond, asked.Failure = false, 5, ""
			op := r.done(t, asked)
			if took := time.Since(began); took < 2*time.Second {
				t.Errorf("11 at 5 a second took %s", took)
			}
			wants(t, "run", "done, map[resent:11], s2s map[one:11]", summed(op))
			clock(24*time.Hour).run(t, s) // The one that was sent again before the source was mended is due.
			eventually(t, func() string {
				if states := fmt.Sprint(s.states(t)); states != "map[one delivered:12 two failed:12]" {
					return states
				}
				return ""
			})
			source.mu.Lock()
			defer source.mu.Unlock()
			for query, times := range source.got {
				if times != 1 {
					t.Errorf("%s was sent %d times", query, times)
				}
			}
			if len(source.got) != n {
				t.Errorf("%d were sent", len(source.got))
			}
			rows := list[read.Forward](t, r, "/api/v1/forwards", url.Values{"rule": {"one"}})
			if of := or(rows[n-1].Operation, ""); of != op.ID && or(rows[0].Operation, "") != op.ID {
				t.Errorf("sent by the operation %q", of)
			}
			wants(t, "again", "done, map[]", summed(r.done(t, asked)))
		})
	}
}

func TestWhatAResendGetsWrongIsNamed(t *testing.T) {
	r := startWith(t, sqlite, declare(t, []string{sending}), opsToken)
	s := sceneOf(r, 0)
	for _, c := range []struct {
		says string
		body read.NewOperation
	}{
		{"rule: ", read.NewOperation{Rule: "none"}},
		{"per_second: ", read.NewOperation{PerSecond: 501}},
		{"per_second: ", read.NewOperation{PerSecond: -1}},
		{"forwards: ", read.NewOperation{Forwards: "skip"}},
		{"text: ", read.NewOperation{Text: "c1"}},
		{"to: ", read.NewOperation{From: "2026-03-02", To: "2026-03-01"}},
		{"ids: ", read.NewOperation{IDs: []string{"x"}}},
	} {
		c.body.Kind, c.body.Endpoint, c.body.Note = "resend", s.endpoint, "n"
		status, text := r.send(t, http.MethodPost, "/api/v1/operations", c.body)
		if status != http.StatusBadRequest || !strings.Contains(text, `"`+c.says) {
			t.Errorf("%+v: %d %s", c.body, status, text)
		}
	}
	for body, says := range map[string]string{
		`{"kind":"replay","nots":1}`:                                                                                     `"nots: `,
		`{"kind":"replay","dry_run":"yes"}`:                                                                              `"dry_run: must be true or false`,
		`{"kind":"what"}`:                                                                                                `"kind: must be one of replay, import`,
		`{"kind":"replay","endpoint":"` + s.endpoint + `"}`:                                                              `"note: `,
		`{"kind":"replay","endpoint":"default/none","note":"n"}`:                                                         `"endpoint: `,
		`{"kind":"replay","ids":["1"],"endpoint":"` + s.endpoint + `","note":"n"}`:                                       `"ids: `,
		`{"kind":"replay","outcome":"recorded","endpoint":"` + s.endpoint + `","note":"n"}`:                              `"outcome: `,
		`{"kind":"replay","from":"2026","endpoint":"` + s.endpoint + `","note":"n"}`:                                     `"from: `,
		`{"kind":"replay","forwards":"maybe","endpoint":"` + s.endpoint + `","note":"n"}`:                                `"forwards: `,
		`{"kind":"replay","status":"a\u0000","endpoint":"` + s.endpoint + `","note":"n"}`:                                `"status: `,
		`{"kind":"import","text":"` + strings.Repeat(`c,1\n`, 100_001) + `","note":"n","endpoint":"` + s.endpoint + `"}`: `"text: has more than 100000`,
		`[]`: `"body: `, `{} {}`: `"body: `, ``: `"body: `,
	} {
		status, text := r.raw(t, http.MethodPost, "/api/v1/operations", body)
		if status != http.StatusBadRequest || !strings.Contains(text, says) {
			t.Errorf("%.80s: %d %s, want %s", body, status, text, says)
		}
	}
	for _, id := range []string{"x", "1-2-3"} {
		if status, text := r.raw(t, http.MethodPost, "/api/v1/operations/"+id+"/run", ""); status != 400 ||
			!strings.Contains(text, `"id: `) {
			t.Errorf("%s: %d %s", id, status, text)
		}
	}
}
