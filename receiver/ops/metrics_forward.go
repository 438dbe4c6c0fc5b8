package ops

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// ForwardStatus is what the deliverer of S2S postbacks knows.
type ForwardStatus struct {
	// InFlight are the deliveries of this receiver under way.
	InFlight int
	// Counts are those of the whole store, at CountedAt; zero before the first count.
	Counts    ledger.OutboxCounts
	CountedAt time.Time
}

func (m *Metrics) addForwards() {
	m.forwards = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "postback_forwards_total",
		Help: "S2S postbacks that this receiver has delivered or given up, by outcome.",
	}, []string{"outcome"})
	m.attempts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "postback_forward_attempts_total",
		Help: "Attempts at S2S postbacks, by the class of the answer's status, or by why there was none.",
	}, []string{"result"})
	m.attemptTime = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "postback_forward_attempt_duration_seconds",
		Help:    "Time of one attempt at an S2S postback.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	})
	m.forwardDelay = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "postback_forward_delay_seconds",
		Help:    "Time from the conversion to the delivery of its S2S postback.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 5, 10, 60, 600, 3600, 43200},
	})
	m.registry.MustRegister(m.forwards, m.attempts, m.attemptTime, m.forwardDelay)
}

func (m *Metrics) startForwardsAtZero() {
	for _, outcome := range []ledger.ForwardState{ledger.ForwardDelivered, ledger.ForwardFailed} {
		m.forwards.WithLabelValues(string(outcome))
	}
	for class := 1; class <= 5; class++ {
		m.attempts.WithLabelValues(classOf(class * 100))
	}
	for _, word := range ledger.AttemptErrors() {
		if word != ledger.AttemptRuleRemoved { // nothing is attempted then
			m.attempts.WithLabelValues(string(word))
		}
	}
}

func classOf(status int) string {
	if status < 100 || status > 599 {
		return other
	}
	return strconv.Itoa(status/100) + "xx"
}

// ForwardAttempted counts an attempt at an S2S postback.
func (m *Metrics) ForwardAttempted(status int, err ledger.AttemptError, took time.Duration) {
	result := classOf(status)
	if err != "" {
		if result = string(err); !slices.Contains(ledger.AttemptErrors(), err) {
			result = other
		}
	}
	m.attempts.WithLabelValues(result).Inc()
	m.attemptTime.Observe(took.Seconds())
}

// ForwardEnded counts an S2S postback that was delivered or given up.
func (m *Metrics) ForwardEnded(state ledger.ForwardState, age time.Duration) {
	if !slices.Contains(ledger.ForwardStates(), state) {
		state = other
	}
	m.forwards.WithLabelValues(string(state)).Inc()
	if state == ledger.ForwardDelivered {
		m.forwardDelay.Observe(age.Seconds())
	}
}

// Descriptions of what forwardCollector exposes.
var (
	descForwarding = prometheus.NewDesc("postback_forwards_in_flight", "S2S postbacks that this receiver is sending.",
		nil, nil)
	descForwardsWait = prometheus.NewDesc("postback_forwards_waiting",
		"S2S postbacks of the whole store that wait to be sent, for the first time or again; counted up to 100000.", nil, nil)
	descForwardsFailed = prometheus.NewDesc("postback_forwards_failed",
		"S2S postbacks of the whole store that were given up and not pruned yet; counted up to 100000.", nil, nil)
	descForwardLag = prometheus.NewDesc("postback_forward_lag_seconds",
		"For how long the S2S postback of the whole store that is due the longest has been due; 0 while none is.", nil, nil)
)

// forwardCollector turns what is known of the outbox into metrics.
type forwardCollector struct{ o Options }

func (forwardCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descForwarding, descForwardsWait, descForwardsFailed, descForwardLag} {
		descs <- desc
	}
}

func (c forwardCollector) Collect(metrics chan<- prometheus.Metric) {
	if c.o.Forwards == nil {
		return
	}
	gauge := func(desc *prometheus.Desc, value float64) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value)
	}
	status := c.o.Forwards()
	gauge(descForwarding, float64(status.InFlight))
	if status.CountedAt.IsZero() {
		return
	}
	gauge(descForwardsWait, float64(status.Counts.Waiting))
	gauge(descForwardsFailed, float64(status.Counts.Failed))
	lag := 0.0
	if oldest := status.Counts.OldestDue; !oldest.IsZero() {
		lag = status.CountedAt.Sub(oldest).Seconds()
	}
	gauge(descForwardLag, lag)
}
