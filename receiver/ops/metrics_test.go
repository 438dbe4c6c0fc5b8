package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// scrape returns the samples by series, as text.
func scrape(t *testing.T, o Options) map[string]string {
	t.Helper()
	samples := map[string]string{}
	for line := range strings.Lines(get(New(o), "/metrics").Body.String()) {
		if series, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			samples[series] = value
		}
	}
	return samples
}

func TestMetricsTellWhatWasObserved(t *testing.T) {
	o := options(&fakeStore{})
	o.Rates = func() []RateStatus {
		return []RateStatus{{Source: "ecb", Fetched: start}, {Source: "own", LastError: "timeout"}}
	}
	m := o.Metrics
	m.Postback(conversion.Recorded, "", 3*time.Millisecond)
	m.Postback(conversion.Recorded, "", 3*time.Millisecond)
	m.Postback(conversion.Ignored, conversion.StatusUnknown, time.Millisecond)
	m.Postback("invented", "by a bug", time.Millisecond)
	m.WrongKey()
	m.Unstored()
	m.InFlight(2)
	m.InFlight(-1)
	m.Clicks(5, 2, 1)
	m.BatchCommitted(0, 7, 4*time.Millisecond)
	m.BatchFailed(1, ledger.ErrConflict)
	m.QueueDepth(func() []int { return []int{4, 5} })

	got := scrape(t, o)
	for series, want := range map[string]string{
		`postback_requests_total{outcome="recorded",reason=""}`:              "2",
		`postback_requests_total{outcome="ignored",reason="status_unknown"}`: "1",
		`postback_requests_total{outcome="ignored",reason="click_expired"}`:  "0",
		`postback_requests_total{outcome="refused",reason="ip_not_allowed"}`: "0",
		`postback_requests_total{outcome="other",reason="other"}`:            "1",
		`postback_request_duration_seconds_bucket{le="0.0025"}`:              "2",
		`postback_request_duration_seconds_count`:                            "4",
		`postback_requests_in_flight`:                                        "1",
		`postback_wrong_keys_total`:                                          "1",
		`postback_unstored_total`:                                            "1",
		`postback_clicks_total{result="accepted"}`:                           "5",
		`postback_clicks_total{result="duplicate"}`:                          "2",
		`postback_clicks_total{result="rejected"}`:                           "1",
		`postback_ledger_batch_size_sum`:                                     "7",
		`postback_ledger_commit_seconds_bucket{le="0.005"}`:                  "1",
		`postback_ledger_failed_batches_total`:                               "1",
		`postback_ledger_queue_depth`:                                        "9",
		`postback_config_reloads_total`:                                      "2",
		`postback_config_reload_failures_total`:                              "1",
		`postback_config_endpoints`:                                          "3",
		`postback_config_last_success_timestamp_seconds`:                     "1.7723664e+09",
		`postback_config_info{revision="0123456789abcdef"}`:                  "1",
		`postback_rates_age_seconds{source="ecb"}`:                           "3600",
		`postback_rates_failing{source="ecb"}`:                               "0",
		`postback_rates_failing{source="own"}`:                               "1",
	} {
		if got[series] != want {
			t.Errorf("%s = %q, want %q", series, got[series], want)
		}
	}
	if _, ok := got[`postback_rates_age_seconds{source="own"}`]; ok {
		t.Error("a source that has delivered nothing has an age")
	}
	for _, series := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if got[series] == "" {
			t.Errorf("%s is missing", series)
		}
	}
}

func TestMetricNamesFollowThePrometheusConventions(t *testing.T) {
	problems, err := promlint.New(get(New(options(&fakeStore{})), "/metrics").Body).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

func TestARevisionIsToldOnlyOnceThereIsOne(t *testing.T) {
	o := options(&fakeStore{})
	o.Config = func() ConfigStatus { return ConfigStatus{} }
	for series := range scrape(t, o) {
		if strings.HasPrefix(series, "postback_config_info") || strings.HasPrefix(series, "postback_config_last_success") {
			t.Errorf("%s is told before the first load", series)
		}
	}
}

func TestMetricsOfForwards(t *testing.T) {
	o := options(&fakeStore{})
	o.Forwards = func() ForwardStatus {
		return ForwardStatus{
			InFlight: 3, CountedAt: start.Add(90 * time.Second),
			Counts: ledger.OutboxCounts{Waiting: 7, Failed: 2, OldestDue: start},
		}
	}
	o.Metrics.ForwardAttempted(204, "", 3*time.Millisecond)
	o.Metrics.ForwardAttempted(0, ledger.AttemptTimeout, 10*time.Second)
	o.Metrics.ForwardAttempted(0, "invented", time.Second)
	o.Metrics.ForwardAttempted(999, "", time.Second)
	o.Metrics.ForwardEnded(ledger.ForwardDelivered, 20*time.Millisecond)
	o.Metrics.ForwardEnded(ledger.ForwardFailed, time.Hour)
	got := scrape(t, o)
	for series, want := range map[string]string{
		`postback_forward_attempts_total{result="2xx"}`:     "1",
		`postback_forward_attempts_total{result="5xx"}`:     "0",
		`postback_forward_attempts_total{result="timeout"}`: "1",
		`postback_forward_attempts_total{result="dns"}`:     "0",
		`postback_forward_attempts_total{result="other"}`:   "2",
		`postback_forward_attempt_duration_seconds_count`:   "4",
		`postback_forwards_total{outcome="delivered"}`:      "1",
		`postback_forwards_total{outcome="failed"}`:         "1",
		`postback_forward_delay_seconds_count`:              "1",
		`postback_forwards_in_flight`:                       "3",
		`postback_forwards_waiting`:                         "7",
		`postback_forwards_failed`:                          "2",
		`postback_forward_lag_seconds`:                      "90",
	} {
		if got[series] != want {
			t.Errorf("%s = %q, want %q", series, got[series], want)
		}
	}
}
