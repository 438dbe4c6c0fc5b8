package resources

import (
	"fmt"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// alert is one alerting rule. Its expression has %s in place of the job, which selects the fleet's receivers.
type alert struct {
	name, expr, lasting, severity, summary string
}

var alerts = []alert{
	{"PostbackReceiversDown", `absent(up{%s} == 1)`, "5m", "critical",
		"No receiver of the fleet answers: postbacks are being lost unless their senders repeat them."},
	{"PostbackNotStored", `sum(increase(postback_unstored_total{%s}[5m])) > 0`, "5m", "critical",
		"Postbacks are answered 503 because they can't be stored: look at the store."},
	{"PostbackAcknowledgedMissing", `sum(postback_spool_missing{%s}) > 0`, "0m", "critical",
		"Acknowledged postbacks are missing: the disk of a receiver's spool has lost them. Compare the networks' " +
			"statements " +
			"with the conversions, and replace the disk."},
	{"PostbackSpoolRefused", `sum(postback_spool_dead{%s}) > 0`, "0m", "warning",
		"The store refuses spooled postbacks, which are kept aside: the receivers' README says how to look at them."},
	{"PostbackOverloaded", `sum(increase(postback_overload_refused_total{%s,class="postback"}[5m])) > 0`, "5m", "critical",
		"Receivers refuse postbacks because too many requests are in flight: add receivers or memory, or stop who " +
			"floods them."},
	{"PostbackConnectionsFull",
		`max(sum by (instance) (postback_connections{%s}) / on (instance) postback_connections_limit) > 0.9`, "5m", "warning",
		"A receiver is near its limit of connections: it closes idle ones for new ones. Somebody floods it, or it needs " +
			"more memory."},
	{"PostbackSpaceLow", `max by (volume) (postback_store_space_level{%s}) > 0`, "0m", "critical",
		"The volume of a store or spool has no room left but its reserve: clicks are not recorded, and postbacks will be " +
			"refused. " +
			"Make it larger, or keep less: /readyz says what is given up."},
	{"PostbackSpaceShrinks", `min by (volume) (predict_linear(postback_store_free_bytes{%s}[6h], 86400)) < 0`, "1h",
		"warning",
		"At the rate of the last six hours the volume of a store or spool is full within a day: make it larger, or " +
			"keep less."},
	{"PostbackWrongKeys", `sum(rate(postback_wrong_keys_total{%s}[5m])) > 1`, "15m", "warning",
		"Many requests have a wrong key: a network still has a former one, or somebody tries keys. The log names who " +
			"tries many."},
	{"PostbackConfigRefused", `increase(postback_config_reload_failures_total{%s}[15m]) > 0`, "10m", "warning",
		"A receiver does not take up its configuration and serves by the last good one: /configz says why."},
	// docs/semantics.md §5: past 48 h the age of rates is a warning.
	{"PostbackRatesOld", `min by (source) (postback_rates_age_seconds{%s}) > 48 * 3600`, "15m", "warning",
		"Exchange rates of a source are older than 48 hours: payouts are converted by the last good ones."},
	{"PostbackForwardsFailed", `sum(increase(postback_forwards_total{%s,outcome="failed"}[15m])) > 0`, "0m", "warning",
		"S2S postbacks were given up: /api/v1/forwards?state=failed says which and why, and they can be sent again."},
	{"PostbackForwardsLate", `max(postback_forward_lag_seconds{%s}) > 300`, "10m", "warning",
		"S2S postbacks are due for more than five minutes: a traffic source is slow or down, or the receivers have no room."},
}

// PrometheusRule alerts on what loses or distorts conversions. It comes with the [PodMonitor], whose job it looks at.
func PrometheusRule(fleet *v1alpha1.ReceiverFleet) *UntypedApplyConfiguration {
	if !fleet.Spec.PodMonitor.Enabled {
		return nil
	}
	job := fmt.Sprintf("job=%q", fleet.Namespace+"/"+fleet.Name)
	var rules []any
	for _, a := range alerts {
		rules = append(rules, map[string]any{
			"alert":       a.name,
			"expr":        fmt.Sprintf(a.expr, job),
			"for":         a.lasting,
			"labels":      map[string]any{"severity": a.severity, "namespace": fleet.Namespace, "fleet": fleet.Name},
			"annotations": map[string]any{"summary": a.summary},
		})
	}
	return foreign(KindPrometheusRule, fleet, map[string]any{
		"groups": []any{map[string]any{"name": "postback-receivers", "rules": rules}},
	})
}
