package ops

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postback-dev/postback-operator/receiver/space"
)

// Descriptions of what volumeCollector exposes.
var (
	descStoreBytes = prometheus.NewDesc("postback_store_bytes",
		"Size of the files of the store, or of the spool; of a whole database, measured each minute.", []string{"volume"},
		nil)
	descStoreFree = prometheus.NewDesc("postback_store_free_bytes",
		"Free bytes of the file system with the store's, or the spool's files; absent for a database.", []string{"volume"},
		nil)
	descStoreLevel = prometheus.NewDesc("postback_store_space_level",
		"What is given up because that file system fills up: 0 nothing, 1 clicks, 2 also queries and bodies of the "+
			"received log, 3 also postbacks.", []string{"volume"}, nil)
)

// volumeCollector turns what is known about the volumes of the store and of the spool into metrics.
type volumeCollector struct{ o Options }

func (volumeCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descStoreBytes, descStoreFree, descStoreLevel} {
		descs <- desc
	}
}

func (c volumeCollector) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value int64, volume string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), volume)
	}
	for _, volume := range c.o.Volumes() {
		gauge(descStoreBytes, volume.Bytes, volume.Name)
		if volume.Free >= 0 {
			gauge(descStoreFree, volume.Free, volume.Name)
			gauge(descStoreLevel, int64(volume.Level), volume.Name)
		}
	}
}

// filling says what is given up because a volume fills up; "" if nothing is.
func (h *readiness) filling() string {
	var remarks strings.Builder
	for _, volume := range h.volumes() {
		if volume.Level > space.Everything {
			fmt.Fprintf(&remarks, "space: the volume of the %s has %d MiB left: %v\n", volume.Name, volume.Free>>20,
				volume.Level)
		}
	}
	return remarks.String()
}
