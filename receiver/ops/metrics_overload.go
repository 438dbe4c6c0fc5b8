package ops

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// requestClasses are the values of the label class.
var requestClasses = []string{"postback", "visit", "clicks"}

func (m *Metrics) addOverload() {
	m.overloaded = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "postback_overload_refused_total",
		Help: "Requests that were answered 503 before they were read, because too many were in flight.",
	}, []string{"class"})
	m.unlogged = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "postback_refused_unlogged_total",
		Help: "Refused requests that the received log does not keep, because an endpoint had too many of them.",
	})
	m.reportLag = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "postback_report_lag_seconds",
		Help: "For how long the oldest change that the sums of reports do not have has waited; 0 while they have all.",
	})
	m.registry.MustRegister(m.overloaded, m.unlogged, m.reportLag)
}

func (m *Metrics) startOverloadAtZero() {
	for _, class := range requestClasses {
		m.overloaded.WithLabelValues(class)
	}
}

// Overloaded counts a request that was answered 503 because too many were in flight.
func (m *Metrics) Overloaded(class string) {
	if !slices.Contains(requestClasses, class) {
		class = other
	}
	m.overloaded.WithLabelValues(class).Inc()
}

// Unlogged counts a refused request that the received log does not keep.
func (m *Metrics) Unlogged() { m.unlogged.Inc() }

// ReportLag implements the observer of package rollup.
func (m *Metrics) ReportLag(lag time.Duration) { m.reportLag.Set(lag.Seconds()) }
