package resources

import "github.com/postback-dev/postback-operator/api/v1alpha1"

// PodMonitor makes the Prometheus operator scrape the receivers.
func PodMonitor(fleet *v1alpha1.ReceiverFleet) *UntypedApplyConfiguration {
	if !fleet.Spec.PodMonitor.Enabled {
		return nil
	}
	labels := map[string]any{}
	for key, value := range SelectorLabels(fleet.Name) {
		labels[key] = value
	}
	return foreign(KindPodMonitor, fleet, map[string]any{
		"selector":            map[string]any{"matchLabels": labels},
		"podMetricsEndpoints": []any{map[string]any{"port": OpsPortName, "path": "/metrics"}},
	})
}
