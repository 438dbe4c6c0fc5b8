package ops

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// levels of durability: what Options.Durability may return, beside "" for not known.
var levels = []string{"none", "local", levelSync}

// levelSync means that a commit waits for a standby.
const levelSync = "sync"

// Descriptions of what durableCollector exposes.
var (
	descDurability = prometheus.NewDesc("postback_store_durability",
		"1 for what a commit survives: none (a crash may lose it), local (it is on the store's own disk), sync (on a "+
			"standby's as well).", []string{"level"}, nil)
	descSpooled = prometheus.NewDesc("postback_spool_postbacks",
		"Acknowledged postbacks that wait in the spool for the store.", nil, nil)
	descSpoolBytes = prometheus.NewDesc("postback_spool_bytes", "Size of the spool's records.", nil, nil)
	descSpoolLimit = prometheus.NewDesc("postback_spool_limit_bytes", "Size above which the spool takes nothing.", nil,
		nil)
	descSpoolAge = prometheus.NewDesc("postback_spool_oldest_age_seconds",
		"Time since the oldest waiting postback was received; 0 while none waits.", nil, nil)
	descSpoolDead = prometheus.NewDesc("postback_spool_dead",
		"Spooled postbacks that the store refused and that are kept aside.", nil, nil)
	descSpoolMissing = prometheus.NewDesc("postback_spool_missing",
		"Acknowledged postbacks that a damaged spool has lost.", nil, nil)
	descSpoolFailed = prometheus.NewDesc("postback_spool_failing",
		"1 while the spool takes nothing: it is full, or its disk fails.", nil, nil)
)

// durableCollector turns what is known about the store's durability and about the spool into metrics.
type durableCollector struct{ o Options }

func (durableCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descDurability, descSpooled, descSpoolBytes, descSpoolLimit, descSpoolAge,
		descSpoolDead, descSpoolMissing, descSpoolFailed} {
		descs <- desc
	}
}

func (c durableCollector) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	if c.o.Durability != nil {
		now := c.o.Durability()
		for _, level := range levels {
			gauge(descDurability, boolValue(level == now), level)
		}
	}
	if c.o.Spool == nil {
		return
	}
	spool := c.o.Spool()
	gauge(descSpooled, float64(spool.Postbacks))
	gauge(descSpoolBytes, float64(spool.Bytes))
	gauge(descSpoolLimit, float64(spool.Limit))
	age := 0.0
	if !spool.Oldest.IsZero() {
		age = c.o.Clock().Sub(spool.Oldest).Seconds()
	}
	gauge(descSpoolAge, age)
	gauge(descSpoolDead, float64(spool.Dead))
	gauge(descSpoolMissing, float64(spool.Missing))
	gauge(descSpoolFailed, boolValue(!spool.FailingSince.IsZero()))
}

// unableFor returns for how long neither the store, which has failed for so long, nor the spool has taken anything.
func (h *readiness) unableFor(storeFailing time.Duration) time.Duration {
	if h.spool == nil {
		return storeFailing
	}
	since := h.spool().FailingSince
	if since.IsZero() {
		return 0
	}
	return min(storeFailing, h.clock().Sub(since))
}

// remarks says what somebody who looks at a ready receiver should know.
func (h *readiness) remarks() string {
	if h.spool == nil {
		return ""
	}
	status, said := h.spool(), ""
	if status.Postbacks > 0 {
		said += fmt.Sprintf("spooling: %d postbacks wait for the store\n", status.Postbacks)
	}
	if status.Missing > 0 {
		said += fmt.Sprintf("spool: %d acknowledged postbacks are missing: its disk has lost them\n", status.Missing)
	}
	return said
}
