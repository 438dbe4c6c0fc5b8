package api

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/report"
)

// fakeFacts yields the same facts whatever is asked, then err if there is one.
type fakeFacts struct {
	facts []report.Fact
	err   error
	// entered and leave, unless nil, hold up whoever asks.
	entered, leave chan struct{}
	// left is positive while there is always more to fold, since behind; folds counts the attempts.
	left, folds int
	behind      time.Time
}

func (f *fakeFacts) Facts(context.Context, report.Plan) iter.Seq2[report.Fact, error] {
	if f.entered != nil {
		f.entered <- struct{}{}
		<-f.leave
	}
	return rowsThen(f.facts, 0, f.err)
}

func (f *fakeFacts) CellFacts(ctx context.Context, p report.Plan) iter.Seq2[report.Fact, error] {
	return f.Facts(ctx, p)
}

func (f *fakeFacts) FoldReports(context.Context) (int, error) {
	f.folds++
	return min(f.left, 1), nil
}

func (f *fakeFacts) ReportsBehind(context.Context) (time.Time, error) { return f.behind, nil }

func reporting(f *fakeFacts) Options {
	o := options(&fakeStore{})
	o.Reports = f
	o.Rules = report.Rules{
		CountsAs: func(string, string) config.CountsAs { return config.CountsAsNone },
		Currency: func(string) string { return "USD" },
		Convert:  func(a decimal.Decimal, _, _ string) (decimal.Decimal, bool) { return a, false },
	}
	return o
}

func springAndFormula() *fakeFacts {
	at := time.Date(2026, 2, 27, 21, 0, 0, 0, time.UTC)
	return &fakeFacts{facts: []report.Fact{
		{Slot: at, Values: []string{"spring"}, Endpoint: "shop/main", Rows: 8, Amount: decimal.RequireFromString("2")},
		{Slot: at, Values: []string{"spring"}, Endpoint: "shop/main", Currency: "USD", Type: "sale", Rows: 2, Pending: 1,
			Amount: decimal.RequireFromString("13.75")},
		{Slot: at, Values: []string{`=1+1;"x"`}, Endpoint: "shop/main", Rows: 1},
	}}
}

const dayAndCampaign = "?group=day,campaign&metrics=clicks,cr,revenue,roi&tz=Europe/Moscow&from=2026-02-27&to=2026-03-01"

func TestAReportShowsGroupsMetricsAndFootnotes(t *testing.T) {
	got := decode(t, get(New(reporting(springAndFormula())), "/api/v1/report"+dayAndCampaign).Body)
	metrics := func(clicks string, cr, revenue, roi any) map[string]any {
		return map[string]any{"clicks": clicks, "cr": cr, "revenue": revenue, "roi": roi}
	}
	want := map[string]any{
		"groups": []any{"day", "campaign"},
		"metrics": []any{
			map[string]any{"name": "clicks", "unit": "count", "title": "clicks of `POST /clicks` and visits of campaigns",
				"formula": nil},
			map[string]any{"name": "cr", "unit": "percent", "title": "conversion rate", "formula": "conversions / clicks × 100"},
			map[string]any{"name": "revenue", "unit": "money", "title": "what is certain or expected",
				"formula": "revenue_confirmed + hold"},
			map[string]any{"name": "roi", "unit": "percent", "title": "return on investment",
				"formula": "(revenue − cost) / cost × 100"},
		},
		"time": "click", "tz": "Europe/Moscow", "from": "2026-02-26T21:00:00Z", "to": "2026-02-28T21:00:00Z",
		"items": []any{
			map[string]any{
				"groups": map[string]any{"day": "2026-02-28", "campaign": `=1+1;"x"`}, "currency": "USD",
				"metrics": metrics("1", "0", "0", nil),
			},
			map[string]any{
				"groups": map[string]any{"day": "2026-02-28", "campaign": "spring"}, "currency": "USD",
				"metrics": metrics("8", "25", "13.75", "587.5"),
			},
		},
		"totals": []any{
			map[string]any{"groups": map[string]any{}, "currency": "USD",
				"metrics": metrics("9", "22.222222", "13.75", "587.5")},
		},
		"footnotes": []any{"1 conversions wait for an exchange rate and add no money"},
		"source":    "rollup", "as_of": "2026-03-01T13:00:00Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAReportAsCSVIsSafeInSpreadsheets(t *testing.T) {
	w := get(New(reporting(springAndFormula())), "/api/v1/report.csv"+dayAndCampaign+"&separator=%3B&bom=1")
	want := "\ufeffday (Europe/Moscow);campaign;currency;clicks;cr;revenue;roi\n" +
		"2026-02-28;\"'=1+1;\"\"x\"\"\";USD;1;0;0;\n" +
		"2026-02-28;spring;USD;8;25;13.75;587.5\n"
	if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Error(diff, w.Header())
	}
}

func TestAReportAsLinesHasOneObjectForEachRow(t *testing.T) {
	w := get(New(reporting(springAndFormula())), "/api/v1/report.ndjson?group=campaign&metrics=clicks")
	want := `{"groups":{"campaign":"=1+1;\"x\""},"currency":"USD","metrics":{"clicks":"1"}}` + "\n" +
		`{"groups":{"campaign":"spring"},"currency":"USD","metrics":{"clicks":"8"}}` + "\n"
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Error(diff)
	}
}

func TestABadReportIsAnsweredByTheNameOfTheParameter(t *testing.T) {
	for target, want := range map[string]string{
		"/api/v1/report?group=colour":           "group: ",
		"/api/v1/report?separator=,":            "separator: unknown parameter",
		"/api/v1/report.ndjson?tz=Mars/Phobos":  "tz: ",
		"/api/v1/report.csv?separator=%7C":      "separator: must be",
		"/api/v1/report.csv?bom=yes":            "bom: must be",
		"/api/v1/report.csv?from=yesterday":     "from: ",
		"/api/v1/report?filter=campaign+spring": "filter: ",
		"/api/v1/report?%zz":                    "query: ",
	} {
		w := get(New(reporting(&fakeFacts{})), target)
		if message, _ := decode(t, w.Body)["error"].(string); w.Code != http.StatusBadRequest ||
			!strings.HasPrefix(message, want) {
			t.Errorf("%s: status %d, %q, want %s…", target, w.Code, message, want)
		}
	}
}

func TestAReportOfAStoreThatFailsSaysNothingOfIt(t *testing.T) {
	for _, path := range []string{"/api/v1/report", "/api/v1/report.csv", "/api/v1/report.ndjson"} {
		w := get(New(reporting(&fakeFacts{err: errors.New("dial db.internal")})), path)
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "db.internal") {
			t.Errorf("%s: status %d, %s", path, w.Code, w.Body)
		}
	}
}

func TestNoMoreReportsThanTwoAreMadeAtATime(t *testing.T) {
	f := &fakeFacts{entered: make(chan struct{}, 3), leave: make(chan struct{})}
	h := New(reporting(f))
	var done sync.WaitGroup
	for range 3 {
		done.Go(func() {
			if w := get(h, "/api/v1/report"); w.Code != http.StatusOK {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	<-f.entered
	<-f.entered
	select {
	case <-f.entered:
		t.Error("a third report was begun while two were under way")
	case <-time.After(50 * time.Millisecond):
	}
	close(f.leave)
	done.Wait()
}

func TestCellsServeWhatTheyHave(t *testing.T) {
	for name, c := range map[string]struct{ query, want string }{
		"days of a campaign":          {"?group=day,campaign", "rollup"},
		"hours of a zone at :30":      {"?group=hour&tz=Asia/Kolkata", "rollup"},
		"hours of a zone at :45":      {"?group=hour&tz=Asia/Kathmandu&from=2026-02-26T00:00:00Z", "rows"},
		"no time in a zone at :45":    {"?tz=Asia/Kathmandu&from=2026-02-26T00:00:00Z&to=2026-02-27T00:00:00Z", "rollup"},
		"a field that cells lack":     {"?group=source", "rows"},
		"a filter that cells lack":    {"?group=day&filter=type+eq+sale", "rows"},
		"a range within a half hour":  {"?from=2026-02-26T00:10:00Z", "rows"},
		"a currency and an endpoint":  {"?group=month&currency=EUR&endpoint=shop/main", "rollup"},
		"every metric that there is":  {"?metrics=unique_clicks,count.vip,revenue.vip,roi", "rollup"},
		"a filter of time and others": {"?filter=weekday+eq+1&filter=campaign+empty", "rollup"},
	} {
		t.Run(name, func(t *testing.T) {
			got := decode(t, get(New(reporting(&fakeFacts{})), "/api/v1/report"+c.query).Body)
			if got["source"] != c.want {
				t.Errorf("source %v, want %s", got["source"], c.want)
			}
		})
	}
}

func TestAReportSaysHowFarItIsBehind(t *testing.T) {
	f := &fakeFacts{left: 1}
	o := reporting(f)
	f.behind = o.Clock().Add(-90 * time.Second)
	got := decode(t, get(New(o), "/api/v1/report?group=day").Body)
	want := []any{"what was recorded in the last 1m30s is not all in it"}
	if diff := cmp.Diff(want, got["footnotes"]); diff != "" || f.folds != maxFolds {
		t.Errorf("%d folds, %s", f.folds, diff)
	}
	if got["as_of"] != f.behind.Format(time.RFC3339) {
		t.Errorf("as of %v", got["as_of"])
	}
}
