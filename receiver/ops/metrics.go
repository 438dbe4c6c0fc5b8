package ops

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// other stands for label values that are not of the documented ones, so that no bug and no sender can make labels grow.
const other = "other"

// Metrics are the receiver's measurements, in a registry of their own. Its methods are the observers that main hands to
// the listener and to the ledger; all may be called concurrently.
//
// Labels are bounded: outcome, reason, result and the configured rate source. There is no endpoint label on purpose: a
// fleet may serve 10,000 endpoints, and each would multiply every series. Per endpoint, ask the read API.
type Metrics struct {
	registry *prometheus.Registry

	postbacks  *prometheus.CounterVec
	latency    prometheus.Histogram
	inFlight   prometheus.Gauge
	wrongKeys  prometheus.Counter
	unstored   prometheus.Counter
	clicks     *prometheus.CounterVec
	batchSize  prometheus.Histogram
	commitTime prometheus.Histogram
	failed     prometheus.Counter
	overloaded *prometheus.CounterVec
	unlogged   prometheus.Counter
	reportLag  prometheus.Gauge

	forwards     *prometheus.CounterVec
	attempts     *prometheus.CounterVec
	attemptTime  prometheus.Histogram
	forwardDelay prometheus.Histogram
}

// NewMetrics returns measurements that all stand at zero, every documented outcome and reason included: an alert on an
// increase sees the first one, too.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		postbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "postback_requests_total",
			Help: "Postback requests past the key, by outcome and reason.",
		}, []string{"outcome", "reason"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "postback_request_duration_seconds",
			Help:    "Time from a postback's headers to its reply, the durable commit included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 5, 10, 20},
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "postback_requests_in_flight",
			Help: "Postbacks that are being answered.",
		}),
		wrongKeys: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "postback_wrong_keys_total",
			Help: "Postbacks with a wrong or retired key, answered 404.",
		}),
		unstored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "postback_unstored_total",
			Help: "Postbacks that could not be stored and were answered 5xx for the sender to repeat.",
		}),
		clicks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "postback_clicks_total",
			Help: "Clicks taken in, by result.",
		}, []string{"result"}),
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "postback_ledger_batch_size",
			Help:    "Postbacks and batches of clicks that shared one commit.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256},
		}),
		commitTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "postback_ledger_commit_seconds",
			Help:    "Time of one batch in the store, from reading to the durable commit.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "postback_ledger_failed_batches_total",
			Help: "Attempts at a batch that failed; it is tried again where that can help.",
		}),
	}
	m.addOverload()
	m.addForwards()
	m.registry.MustRegister(m.postbacks, m.latency, m.inFlight, m.wrongKeys, m.unstored, m.clicks, m.batchSize,
		m.commitTime, m.failed,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.startAtZero()
	return m
}

func (m *Metrics) startAtZero() {
	for _, outcome := range conversion.Outcomes() {
		if outcome != conversion.Ignored && outcome != conversion.Refused {
			m.postbacks.WithLabelValues(string(outcome), "")
		}
	}
	for _, reason := range conversion.Reasons() {
		m.postbacks.WithLabelValues(string(reason.Outcome()), string(reason))
	}
	for _, result := range []string{"accepted", "duplicate", "rejected", "unstored", "limited"} {
		m.clicks.WithLabelValues(result)
	}
	m.startForwardsAtZero()
	m.startOverloadAtZero()
}

// Postback counts a postback past the key that was answered after took.
func (m *Metrics) Postback(outcome conversion.Outcome, reason conversion.Reason, took time.Duration) {
	if !outcome.Valid() {
		outcome = other
	}
	if reason != "" && !reason.Valid() {
		reason = other
	}
	m.postbacks.WithLabelValues(string(outcome), string(reason)).Inc()
	m.latency.Observe(took.Seconds())
}

// InFlight adds delta to the postbacks that are being answered.
func (m *Metrics) InFlight(delta int) { m.inFlight.Add(float64(delta)) }

// WrongKey counts a postback with a wrong or retired key.
func (m *Metrics) WrongKey() { m.wrongKeys.Inc() }

// Unstored counts a postback that was answered with a server error.
func (m *Metrics) Unstored() { m.unstored.Inc() }

// Clicks counts the clicks of one request.
func (m *Metrics) Clicks(accepted, duplicate, rejected int) {
	m.clicks.WithLabelValues("accepted").Add(float64(accepted))
	m.clicks.WithLabelValues("duplicate").Add(float64(duplicate))
	m.clicks.WithLabelValues("rejected").Add(float64(rejected))
}

// ClicksUnstored counts clicks of which nobody knows whether they are stored.
func (m *Metrics) ClicksUnstored(clicks int) {
	m.clicks.WithLabelValues("unstored").Add(float64(clicks))
}

// ClicksLimited counts visits that were no clicks because they came above an endpoint's limits.
func (m *Metrics) ClicksLimited(clicks int) {
	m.clicks.WithLabelValues("limited").Add(float64(clicks))
}

// BatchCommitted counts one durable batch of the ledger: how many operations it held and how long its transaction took.
func (m *Metrics) BatchCommitted(_, size int, took time.Duration) {
	m.batchSize.Observe(float64(size))
	m.commitTime.Observe(took.Seconds())
}

// BatchFailed counts a failed attempt at a batch; the ledger's log has the error.
func (m *Metrics) BatchFailed(int, error) { m.failed.Inc() }

// QueueDepth exposes how many operations wait for their commit in each lane. Call it once.
func (m *Metrics) QueueDepth(lanes func() []int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "postback_ledger_queue_depth",
		Help: "Postbacks and batches of clicks that wait for their commit.",
	}, func() float64 {
		waiting := 0
		for _, depth := range lanes() {
			waiting += depth
		}
		return float64(waiting)
	}))
}

// observe exposes what the handler's options report, read again for every scrape.
func (m *Metrics) observe(o Options) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "postback_build_info",
			Help:        "Always 1; the labels say which program runs.",
			ConstLabels: prometheus.Labels{"version": o.Version, "go": runtime.Version()},
		}, func() float64 { return 1 }),
		statusCollector{o}, durableCollector{o}, forwardCollector{o}, connectionCollector{o}, volumeCollector{o},
		talkerCollector{o},
	)
}

// Descriptions of what statusCollector exposes.
var (
	descReloads = prometheus.NewDesc("postback_config_reloads_total",
		"Configurations that replaced another since the start.", nil, nil)
	descFailures = prometheus.NewDesc("postback_config_reload_failures_total", "Configurations that were not taken up.",
		nil, nil)
	descLastSuccess = prometheus.NewDesc("postback_config_last_success_timestamp_seconds",
		"When the served configuration was taken up, unix time.", nil, nil)
	descEndpoints = prometheus.NewDesc("postback_config_endpoints", "Endpoints that are served.", nil, nil)
	descRevision  = prometheus.NewDesc("postback_config_info", "Always 1; the label names the revision that is served.",
		[]string{"revision"}, nil)
	descRatesAge = prometheus.NewDesc("postback_rates_age_seconds",
		"Time since a source's exchange rates were fetched; absent while there are none.", []string{"source"}, nil)
	descRatesFailed = prometheus.NewDesc("postback_rates_failing",
		"1 when the last attempt to fetch a source's rates failed.", []string{"source"}, nil)
)

// statusCollector turns the statuses of the configuration and of the rates into metrics.
type statusCollector struct{ o Options }

func (statusCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descReloads, descFailures, descLastSuccess, descEndpoints, descRevision,
		descRatesAge, descRatesFailed} {
		descs <- desc
	}
}

func (c statusCollector) Collect(metrics chan<- prometheus.Metric) {
	emit := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	}
	status := c.o.Config()
	emit(descReloads, prometheus.CounterValue, float64(status.Reloads))
	emit(descFailures, prometheus.CounterValue, float64(status.Failures))
	emit(descEndpoints, prometheus.GaugeValue, float64(status.Endpoints))
	if !status.LoadedAt.IsZero() {
		emit(descLastSuccess, prometheus.GaugeValue, float64(status.LoadedAt.UnixMilli())/1000)
		emit(descRevision, prometheus.GaugeValue, 1, status.Revision)
	}
	for _, rate := range rates(c.o) {
		if !rate.Fetched.IsZero() {
			emit(descRatesAge, prometheus.GaugeValue, c.o.Clock().Sub(rate.Fetched).Seconds(), rate.Source)
		}
		emit(descRatesFailed, prometheus.GaugeValue, boolValue(rate.LastError != ""), rate.Source)
	}
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
