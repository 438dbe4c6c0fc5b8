package forward

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

var noon = time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC)

func status(code int) ledger.Attempt { return ledger.Attempt{Status: code} }

func failure(word ledger.AttemptError) ledger.Attempt { return ledger.Attempt{Error: word} }

func repeat(a ledger.Attempt, n int) (all []ledger.Attempt) {
	for range n {
		all = append(all, a)
	}
	return all
}

func TestJudge(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	for name, c := range map[string]struct {
		attempts []ledger.Attempt
		asked    time.Duration
		waits    []time.Duration // after each attempt but the last, if it ends the row
		state    ledger.ForwardState
		reason   string
	}{
		"delivered at once": {repeat(status(204), 1), 0, nil, ledger.ForwardDelivered, ""},
		"delivered at the third attempt": {append(repeat(status(503), 2), status(299)), 0,
			[]time.Duration{5 * s, m}, ledger.ForwardDelivered, ""},
		"a host that stays down": {repeat(failure(ledger.AttemptTimeout), 8), 0,
			[]time.Duration{5 * s, m, 5 * m, 30 * m, 2 * h, 6 * h, 24 * h}, ledger.ForwardFailed, "timeout"},
		"answers that may pass": {[]ledger.Attempt{status(408), status(425), status(429), status(500),
			status(599)}, 0, []time.Duration{5 * s, m, 5 * m, 30 * m, 2 * h}, ledger.ForwardWaiting, ""},
		"every failure on the way may pass": {[]ledger.Attempt{failure(ledger.AttemptDNS),
			failure(ledger.AttemptRefused), failure(ledger.AttemptTLS), failure(ledger.AttemptNetwork),
			failure(ledger.AttemptNoHTTP)}, 0, []time.Duration{5 * s, m, 5 * m, 30 * m, 2 * h}, ledger.ForwardWaiting, ""},
		"another answer twice": {repeat(status(404), 2), 0, []time.Duration{5 * s}, ledger.ForwardFailed,
			"status_404"},
		"a redirect is another answer": {repeat(status(302), 2), 0, []time.Duration{5 * s}, ledger.ForwardFailed,
			"status_302"},
		"other answers with others between": {[]ledger.Attempt{status(400), status(500), status(403)}, 0,
			[]time.Duration{5 * s, m}, ledger.ForwardFailed, "status_403"},
		"another answer and then a good one": {[]ledger.Attempt{status(400), status(200)}, 0, []time.Duration{5 * s},
			ledger.ForwardDelivered, ""},
		"an address that is not public": {repeat(failure(ledger.AttemptPrivate), 2), 0, []time.Duration{5 * s},
			ledger.ForwardFailed, "address_not_public"},
		"a port that is not allowed": {repeat(failure(ledger.AttemptPort), 2), 0, []time.Duration{5 * s},
			ledger.ForwardFailed, "port_not_allowed"},
		"a rule that is not declared any more": {repeat(failure(ledger.AttemptRuleRemoved), 4), 0,
			[]time.Duration{5 * s, m, 5 * m}, ledger.ForwardFailed, "rule_removed"},
		"a host that asks for patience": {repeat(status(429), 2), 2 * m, []time.Duration{2 * m, 2 * m},
			ledger.ForwardWaiting, ""},
		"a host that asks for less than the delays": {repeat(status(503), 2), 10 * s, []time.Duration{10 * s, m},
			ledger.ForwardWaiting, ""},
		"a host that asks for a year": {repeat(status(503), 1), 365 * 24 * h, []time.Duration{24 * h},
			ledger.ForwardWaiting, ""},
	} {
		t.Run(name, func(t *testing.T) {
			row, now := ledger.OutboxRow{State: ledger.ForwardWaiting}, noon
			for i, a := range c.attempts {
				row = judge(row, a, circumstances{expects: isSuccess, retryAfter: c.asked, now: now, jitter: 0.5})
				if i < len(c.waits) {
					if row.State != ledger.ForwardWaiting || row.Due.Sub(now) != c.waits[i] {
						t.Fatalf("after attempt %d: %s, due in %s, want %s", i+1, row.State, row.Due.Sub(now), c.waits[i])
					}
					now = row.Due
				}
			}
			if row.State != c.state || row.Reason != c.reason || row.Tries != len(c.attempts) {
				t.Errorf("%s %q after %d", row.State, row.Reason, row.Tries)
			}
			if diff := cmp.Diff(c.attempts, row.Attempts); diff != "" {
				t.Error(diff)
			}
			if ended := row.State != ledger.ForwardWaiting; ended != row.Ended.Equal(now) {
				t.Errorf("ended at %s", row.Ended)
			}
		})
	}
}

func TestJitterIsAFifth(t *testing.T) {
	for jitter, want := range map[float64]time.Duration{0: 4 * time.Second, 0.5: 5 * time.Second, 1: 6 * time.Second} {
		if got := judge(ledger.OutboxRow{}, status(500),
			circumstances{expects: isSuccess, now: noon, jitter: jitter}).Due.Sub(noon); got != want {
			t.Errorf("%v gives %s, want %s", jitter, got, want)
		}
	}
}

func TestARowThatIsSentAgainBeginsAnew(t *testing.T) {
	row := ledger.OutboxRow{State: ledger.ForwardWaiting, Attempts: repeat(status(404), 19)}
	row = judge(row, status(404), circumstances{expects: isSuccess, now: noon, jitter: 0.5})
	row = judge(row, status(503), circumstances{expects: isSuccess, now: noon, jitter: 0.5})
	if row.State != ledger.ForwardWaiting || len(row.Attempts) != maxAttempts ||
		row.Attempts[maxAttempts-1].Status != 503 {
		t.Errorf("%s with %d attempts", row.State, len(row.Attempts))
	}
}

func TestJudgeLeavesTheFormerRowAlone(t *testing.T) {
	row := ledger.OutboxRow{Attempts: make([]ledger.Attempt, 1, 10)}
	first, second := judge(row, status(500), circumstances{expects: isSuccess, now: noon, jitter: 0.5}),
		judge(row, status(501), circumstances{expects: isSuccess, now: noon, jitter: 0.5})
	if first.Attempts[1].Status != 500 || second.Attempts[1].Status != 501 || row.Tries != 0 {
		t.Error("two judgements share their attempts")
	}
}

func TestARuleSaysWhatItExpects(t *testing.T) {
	conflict := func(code int) bool { return code == 409 }
	for name, c := range map[string]struct {
		attempts []ledger.Attempt
		state    ledger.ForwardState
		reason   string
	}{
		"what it expects":            {repeat(status(409), 1), ledger.ForwardDelivered, ""},
		"a 200 that it does not":     {repeat(status(200), 2), ledger.ForwardFailed, "status_200"},
		"a failure that may pass":    {repeat(status(503), 2), ledger.ForwardWaiting, ""},
		"what it expects in the end": {[]ledger.Attempt{status(200), status(409)}, ledger.ForwardDelivered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			row := ledger.OutboxRow{State: ledger.ForwardWaiting}
			for _, a := range c.attempts {
				row = judge(row, a, circumstances{expects: conflict, now: noon, jitter: 0.5})
			}
			if row.State != c.state || row.Reason != c.reason {
				t.Errorf("%s %s", row.State, row.Reason)
			}
		})
	}
}
