package ops

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ConnectionStatus is what the connections of the port for postbacks are doing.
type ConnectionStatus struct {
	// New ones have sent no request yet, Active ones wait for a reply, Idle ones have got it.
	New, Active, Idle int
	Limit             int
	// LimitReached is when a connection last had to be closed, or to wait, because of the limit; zero = never.
	LimitReached time.Time
	// Evicted counts the connections that were closed for those of others, Refused those that were closed at once because
	// their source had its share, Unreadable the requests that were no HTTP, or broken off within their header.
	Evicted, Refused, Unreadable uint64
}

// Descriptions of what connectionCollector exposes.
var (
	descConnections = prometheus.NewDesc("postback_connections",
		"Connections to the port for postbacks, by state: new (no request yet), active (waits for a reply), idle.",
		[]string{"state"}, nil)
	descConnLimit  = prometheus.NewDesc("postback_connections_limit", "Connections that may be open at a time.", nil, nil)
	descConnClosed = prometheus.NewDesc("postback_connections_closed_total",
		"Connections that were closed at a limit: idle ones for others (evicted), new ones whose source has its share "+
			"(refused).", []string{"why"}, nil)
	descUnreadable = prometheus.NewDesc("postback_requests_unreadable_total",
		"Requests that were no HTTP, had too long a header, or were broken off within it: answered 400 or 431, or "+
			"not at all.", nil, nil)
)

// connectionCollector turns the status of the connections into metrics.
type connectionCollector struct{ o Options }

func (connectionCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descConnections, descConnLimit, descConnClosed, descUnreadable} {
		descs <- desc
	}
}

func (c connectionCollector) Collect(metrics chan<- prometheus.Metric) {
	if c.o.Connections == nil {
		return
	}
	emit := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	}
	status := c.o.Connections()
	emit(descConnections, prometheus.GaugeValue, float64(status.New), "new")
	emit(descConnections, prometheus.GaugeValue, float64(status.Active), "active")
	emit(descConnections, prometheus.GaugeValue, float64(status.Idle), "idle")
	emit(descConnLimit, prometheus.GaugeValue, float64(status.Limit))
	emit(descConnClosed, prometheus.CounterValue, float64(status.Evicted), "evicted")
	emit(descConnClosed, prometheus.CounterValue, float64(status.Refused), "refused")
	emit(descUnreadable, prometheus.CounterValue, float64(status.Unreadable))
}

// limitRemembered is for how long a limit that was reached is worth a remark.
const limitRemembered = time.Minute

// crowded says that the limit of connections was reached a moment ago; "" if it was not.
func (h *readiness) crowded() string {
	if h.connections == nil {
		return ""
	}
	status := h.connections()
	if status.LimitReached.IsZero() || time.Since(status.LimitReached) > limitRemembered {
		return ""
	}
	return fmt.Sprintf("connections: the limit of %d is reached, idle ones are closed for new ones\n", status.Limit)
}
