package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Plan says what to send.
type Plan struct {
	// URL of the endpoint, key and all, without a query.
	URL string `json:"url"`
	// SubIDs is how many clicks there are; their subids are load-0, load-1, ….
	SubIDs    int    `json:"subids"`
	PerSecond int    `json:"per_second"`
	Run       string `json:"run"`
}

// Account is what has become of a run's postbacks.
type Account struct {
	Sent int `json:"sent"`
	// Outcomes counts answers by status and X-Postback-Outcome.
	Outcomes map[string]int `json:"outcomes"`
	// Failed counts what was not answered with a success; Failures describes the first ones, without their URL.
	Failed   int      `json:"failed"`
	Failures []string `json:"failures"`
	// P50, P99 and Max of the answered ones.
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
	Max time.Duration `json:"max"`
	// Acknowledged are the numbers of the postbacks that were answered as recorded or spooled; only when the run has
	// ended.
	Acknowledged []int `json:"acknowledged,omitempty"`
}

type sender struct {
	mu  sync.Mutex
	run *run
}

type run struct {
	plan   Plan
	target atomic.Pointer[string]
	end    chan struct{}
	done   chan struct{}

	mu           sync.Mutex
	sent         int
	outcomes     map[string]int
	failures     []string
	failed       int
	latencies    []time.Duration
	acknowledged []int
}

func (s *sender) start(plan Plan) (nothing, error) {
	if plan.PerSecond <= 0 || plan.SubIDs <= 0 || plan.URL == "" {
		return nothing{}, errors.New("url, subids and per_second are mandatory")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil {
		return nothing{}, errConflict
	}
	s.run = &run{plan: plan, end: make(chan struct{}), done: make(chan struct{}), outcomes: map[string]int{}}
	s.run.target.Store(&plan.URL)
	go s.run.send()
	return nothing{}, nil
}

func (s *sender) current() (*run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return nil, errConflict
	}
	return s.run, nil
}

func (s *sender) retarget(to Plan) (nothing, error) {
	r, err := s.current()
	if err != nil {
		return nothing{}, err
	}
	r.target.Store(&to.URL)
	return nothing{}, nil
}

func (s *sender) account(nothing) (Account, error) {
	r, err := s.current()
	if err != nil {
		return Account{}, err
	}
	return r.account(), nil
}

func (s *sender) stop(nothing) (Account, error) {
	r, err := s.current()
	if err != nil {
		return Account{}, err
	}
	close(r.end)
	<-r.done
	account := r.account()
	account.Acknowledged = r.acknowledged
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run = nil
	return account, nil
}

// timeout is longer than receivers hold a request while their database is away.
const timeout = 40 * time.Second

// send sends at the plan's rate until the end, however long the answers take, and waits for the last of them.
func (r *run) send() {
	defer close(r.done)
	clients := []*http.Client{
		{Timeout: timeout, Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
		{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	ticker := time.NewTicker(time.Second / time.Duration(r.plan.PerSecond))
	defer ticker.Stop()
	var under sync.WaitGroup
	defer under.Wait()
	for i := 0; ; i++ {
		select {
		case <-r.end:
			return
		case <-ticker.C:
		}
		under.Go(func() { r.postback(clients[i%len(clients)], i) })
	}
}

func (r *run) postback(client *http.Client, i int) {
	query := url.Values{
		"subid": {fmt.Sprintf("load-%d", i%r.plan.SubIDs)}, "tid": {fmt.Sprintf("%s-%d", r.plan.Run, i)},
		"status": {"sale"}, "payout": {"1"},
	}
	began := time.Now()
	response, err := client.Get(*r.target.Load() + "?" + query.Encode())
	if err != nil {
		r.note(i, 0, "no answer", cause(err))
		return
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	outcome, _, _ := strings.Cut(response.Header.Get("X-Postback-Outcome"), ";")
	text := strings.TrimSpace(fmt.Sprintf("%d %s", response.StatusCode, outcome))
	switch {
	case err != nil:
		r.note(i, 0, "half an answer", cause(err))
	case response.StatusCode != http.StatusOK || !slices.Contains([]string{"recorded", "duplicate", "spooled"}, outcome):
		r.note(i, 0, text, text)
	default:
		r.note(i, time.Since(began), text, "")
	}
}

// note takes an answer down; failure says what was wrong with it.
func (r *run) note(i int, took time.Duration, outcome, failure string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent++
	r.outcomes[outcome]++
	if failure == "" {
		r.acknowledged = append(r.acknowledged, i)
		r.latencies = append(r.latencies, took)
		return
	}
	r.failed++
	if len(r.failures) < 20 {
		r.failures = append(r.failures, fmt.Sprintf("%s %d: %s", time.Now().UTC().Format("15:04:05.000"), i, failure))
	}
}

func (r *run) account() Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := Account{Sent: r.sent, Outcomes: map[string]int{}, Failed: r.failed, Failures: slices.Clone(r.failures)}
	for outcome, n := range r.outcomes {
		a.Outcomes[outcome] = n
	}
	if sorted := slices.Sorted(slices.Values(r.latencies)); len(sorted) > 0 {
		at := func(q float64) time.Duration { return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)] }
		a.P50, a.P99, a.Max = at(0.5), at(0.99), at(1)
	}
	return a
}

// cause is an error without the URL that it happened to: the URL has the key.
func cause(err error) string {
	if wrapped := new(url.Error); errors.As(err, &wrapped) {
		return wrapped.Err.Error()
	}
	return err.Error()
}
