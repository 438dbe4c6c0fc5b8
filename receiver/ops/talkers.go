package ops

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postback-dev/postback-operator/receiver/talkers"
)

// rankedTalkers is of how many sources, and of how many endpoints, the metrics tell.
const rankedTalkers = 10

// Descriptions of what talkerCollector exposes. They rank the talkers and do not name them: names would be labels
// without bound, and /metrics needs no token.
var (
	descTalkers = prometheus.NewDesc("postback_talker_requests",
		"Requests within ten minutes from the source, or for the endpoint, that has most of them, the next one, and so "+
			"on; /api/v1/talkers names them.", []string{"of", "rank"}, nil)
	descTalkersRefused = prometheus.NewDesc("postback_talker_refused_requests", "Those of them that were refused.",
		[]string{"of", "rank"}, nil)
)

// talkerCollector turns the top talkers into metrics.
type talkerCollector struct{ o Options }

func (talkerCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- descTalkers
	descs <- descTalkersRefused
}

func (c talkerCollector) Collect(metrics chan<- prometheus.Metric) {
	rank := func(of string, all []talkers.Talker) {
		for i, talker := range all {
			rank := strconv.Itoa(i + 1)
			metrics <- prometheus.MustNewConstMetric(descTalkers, prometheus.GaugeValue, float64(talker.Requests), of, rank)
			metrics <- prometheus.MustNewConstMetric(descTalkersRefused, prometheus.GaugeValue, float64(talker.Refused), of,
				rank)
		}
	}
	sources, endpoints := c.o.Talkers(rankedTalkers)
	rank("source", sources)
	rank("endpoint", endpoints)
}
