package acceptance

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// reported returns a report's rows as CSV, without its header.
func (r *rig) reported(t *testing.T, query string) []string {
	t.Helper()
	status, text := r.read(t, "/api/v1/report.csv?"+strings.NewReplacer(" ", "+", "+", "%2B").Replace(query))
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", query, status, text)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, row := range rows[1:] {
		lines = append(lines, strings.Join(row, " "))
	}
	return lines
}

func TestReportsSumWhatWasRecorded(t *testing.T) {
	endpoints := declare(t, []string{customTypes, `{"currency":"EUR"}`})
	onBothEngines(t, endpoints, reportsSum, config.FixedRate{From: "USD", To: "EUR", Rate: "0.5"})
}

func reportsSum(t *testing.T, r *rig) {
	shop, other := sceneOf(r, 0), sceneOf(r, 1)
	for _, step := range []step{
		click(`{"subid":"c1","campaign":"spring","source":"fb","keyword":"shoes","cost":"1.5"}`),
		click(`{"subid":"c2","campaign":"spring","source":"tt","cost":"1","currency":"EUR"}`),
		clock(11*time.Hour + 45*time.Minute), // 23:45 in UTC, the next day in Moscow
		click(`{"subid":"c3","source":"fb","sub_id_7":"x"}`),
		get("subid=c1&status=hold&lead_status=hold&payout=10", "recorded"),
		get("subid=c1&status=sale&payout=0.1&tid=a", "recorded"),
		get("subid=c1&status=sale&payout=0.2&tid=b", "recorded"),
		get("subid=c2&status=install&payout=5&currency=EUR", "recorded"),
		clock(13 * time.Hour),
		get("subid=c3&status=rejected&payout=7&keyword=boots", "recorded"),
		get("subid=c3&status=trash&payout=3&tid=t", "recorded"),
		get("subid=c3&status=sale&payout=9&currency=RUB&tid=r", "recorded"),
		// What is said again, and a lead that becomes a sale, change the sums and do not add to them.
		get("subid=c1&status=sale&payout=0.2&tid=b", "duplicate"),
		get("subid=c1&status=sale&payout=12", "recorded"),
	} {
		step.run(t, shop)
	}
	for _, step := range []step{
		click(`{"subid":"c1","campaign":"spring"}`),
		get("subid=c1&status=sale&payout=100", "recorded"),
	} {
		step.run(t, other)
	}
	mine := "from=2026-03-01&to=2026-03-03&endpoint=" + url.QueryEscape(shop.endpoint) + "&"
	for query, want := range map[string][]string{
		mine + "metrics=clicks,cost,conversions,leads,sales,rejected,trash,hold,confirmed,revenue_rejected,profit,cr,count.install": {
			"USD 3 2.6 6 0 4 1 1 0 17.8 7 15.2 200 1",
		},
		mine + "group=campaign&metrics=clicks,conversions,revenue,cost": {" USD 1 2 0 0", "spring USD 2 4 17.8 2.6"},
		mine + "group=source,keyword&metrics=clicks,conversions": {"fb boots USD 1 2", "fb shoes USD 1 3",
			"tt  USD 1 1"},
		mine + "group=sub_id_7&metrics=clicks&filter=sub_id_7 eq x": {"x USD 1"},
		mine + "group=type&metrics=conversions,revenue": {"install USD 1 5.5", "rejected USD 1 0",
			"sale USD 4 12.3", "trash USD 0 0"},
		mine + "group=status&metrics=conversions&filter=type eq sale": {"sale USD 4"},
		mine + "group=day&metrics=clicks,conversions&time=click":      {"2026-03-01 USD 3 6"},
		mine + "group=day&metrics=clicks,conversions&time=conversion": {"2026-03-01 USD 3 4", "2026-03-02 USD 0 2"},
		mine + "group=day&metrics=clicks&tz=Europe/Moscow":            {"2026-03-01 USD 2", "2026-03-02 USD 1"},
		mine + "group=hour&metrics=clicks&tz=Asia/Kolkata": {"2026-03-01T17:00:00+05:30 USD 2",
			"2026-03-02T05:00:00+05:30 USD 1"},
		"from=2026-03-01&to=2026-03-03&group=endpoint&metrics=revenue":  {"default/e000 USD 17.8", "default/e001 EUR 100"},
		"from=2026-03-01&to=2026-03-03&currency=EUR&metrics=revenue":    {"EUR 108.9"},
		"from=2026-03-02T00:00:00Z&to=2026-03-03&metrics=clicks":        {"EUR 1"},
		"from=2026-04-01&to=2026-04-02&metrics=clicks":                  nil,
		"namespace=default&from=2026-03-01&to=2026-03-03&metrics=sales": {"EUR 1", "USD 4"},
		"namespace=other&from=2026-03-01&to=2026-03-03&metrics=sales":   nil,
	} {
		if diff := cmp.Diff(want, r.reported(t, query)); diff != "" {
			t.Errorf("%s:\n%s", query, diff)
		}
	}
	_, text := r.read(t, "/api/v1/report?"+mine)
	if !strings.Contains(text, `"footnotes":["1 conversions wait for an exchange rate and add no money"]`) {
		t.Errorf("what waits for a rate is not told: %s", text)
	}
}
