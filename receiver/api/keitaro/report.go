package keitaro

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/report"
)

// metricNames are Keitaro's where the report's differ.
var metricNames = map[string]string{
	"campaign_unique_clicks": "unique_clicks",
	"lead_revenue":           "hold",
	"hold_revenue":           "hold",
	"sale_revenue":           "confirmed",
	"rejected_revenue":       "revenue_rejected",
	"registration_revenue":   "revenue_registration",
	"deposit_revenue":        "revenue_deposit",
	"trash_revenue":          "revenue_trash",
	"crl":                    "cr_lead",
	"crs":                    "cr_sale",
}

// metric returns the report's metric of Keitaro's name.
func metric(name string) (string, bool) {
	own, ok := metricNames[name]
	if !ok {
		own = name
	}
	_, ok = report.MetricNamed(own)
	return own, ok
}

// group is a column to group by.
type group struct {
	// needs are the dimensions by which the report is grouped.
	needs []report.Dimension
	value func(read.ReportRow) any
}

var groups = listGroups()

func listGroups() map[string]group {
	all := map[string]group{}
	for _, d := range report.Dimensions() {
		all[string(d)] = group{[]report.Dimension{d}, func(r read.ReportRow) any { return r.Groups[string(d)] }}
	}
	campaign := []report.Dimension{report.Endpoint, report.Campaign}
	name := func(r read.ReportRow) any { return r.Groups["campaign"] }
	id := func(r read.ReportRow) any { return campaignID(r.Groups["endpoint"], r.Groups["campaign"]) }
	all["campaign"], all["campaign_id"] = group{campaign, name}, group{campaign, id}
	all["offer"], all["offer_id"] = group{campaign, name}, group{campaign, id}
	endpoint := []report.Dimension{report.Endpoint}
	all["campaign_group"] = group{endpoint, func(r read.ReportRow) any { return r.Groups["endpoint"] }}
	all["campaign_group_id"] = group{endpoint, func(r read.ReportRow) any { return groupID(r.Groups["endpoint"]) }}
	// The type of a conversion is Keitaro's status, and its word here Keitaro's original status.
	all["status"] = group{[]report.Dimension{report.Type}, func(r read.ReportRow) any { return r.Groups["type"] }}
	all["original_status"] = group{[]report.Dimension{report.Status}, func(r read.ReportRow) any {
		return r.Groups["status"]
	}}
	all["hour"] = group{[]report.Dimension{report.Hour}, func(r read.ReportRow) any {
		at, err := time.Parse(time.RFC3339, r.Groups["hour"])
		if err != nil {
			return r.Groups["hour"]
		}
		return at.Format("2006-01-02 15:04")
	}}
	delete(all, string(report.Endpoint))
	delete(all, string(report.Type))
	return all
}

// asked is what a report shows: columns by the order in which they were named, groups and metrics.
type asked struct {
	dimensions []report.Dimension
	groups     []string
	metrics    map[string]string // Keitaro's name → the report's
}

func (a *asked) metricsOf() []string {
	var all []string
	for _, own := range a.metrics {
		all = append(all, own)
	}
	return distinct(all)
}

// columns reads what the query asks for. What is not there is named, all of it.
func (q *query) columns() (asked, error) {
	a := asked{metrics: map[string]string{}}
	var noGroup, noMetric, noColumn []string
	for _, name := range slices.Concat(q.Grouping, q.Dimensions) {
		g, ok := groups[name]
		if !ok {
			noGroup = append(noGroup, name)
			continue
		}
		a.groups = append(a.groups, name)
		for _, d := range g.needs {
			if !slices.Contains(a.dimensions, d) {
				a.dimensions = append(a.dimensions, d)
			}
		}
	}
	for _, name := range slices.Concat(q.Metrics, q.Measures) {
		own, ok := metric(name)
		if !ok {
			noMetric = append(noMetric, name)
			continue
		}
		a.metrics[name] = own
	}
	for _, name := range q.Columns {
		own, isMetric := metric(name)
		g, isGroup := groups[name]
		switch {
		case isMetric:
			a.metrics[name] = own
		case isGroup && !slices.ContainsFunc(g.needs, func(d report.Dimension) bool {
			return !slices.Contains(a.dimensions, d)
		}):
			if !slices.Contains(a.groups, name) {
				a.groups = append(a.groups, name)
			}
		default:
			noColumn = append(noColumn, name)
		}
	}
	if len(a.metrics) == 0 {
		a.metrics = map[string]string{"clicks": "clicks", "conversions": "conversions", "revenue": "revenue"}
	}
	if len(a.dimensions) > report.MaxGroups {
		return a, invalid("grouping: at most " + strconv.Itoa(report.MaxGroups) + "; a campaign counts as two")
	}
	for _, err := range []error{
		unknown("grouping", noGroup, names(groups)),
		unknown("metrics", noMetric, metricList()),
		unknown("columns", noColumn, "metrics, and what the report is grouped by"),
	} {
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

func metricList() string {
	var all []string
	for _, m := range report.Metrics() {
		all = append(all, m.Name)
	}
	for name := range metricNames {
		if _, ok := metric(name); ok {
			all = append(all, name)
		}
	}
	return strings.Join(distinct(all), ", ")
}

// report answers report/build.
func (h *handler) report(r *http.Request) (any, error) {
	var q query
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	offset, limit, err := q.page()
	if err != nil {
		return nil, err
	}
	a, err := q.columns()
	if err != nil {
		return nil, err
	}
	if err := q.checkSort(func(name string) bool {
		return slices.Contains(a.groups, name) || a.metrics[name] != ""
	}); err != nil {
		return nil, err
	}
	values, err := h.reportValues(r, &q, &a)
	if err != nil {
		return nil, err
	}
	made, err := h.API.Report(r.Context(), values)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(made.Items))
	for i, item := range made.Items {
		rows[i] = a.view(item)
	}
	sortRows(rows, q.Sort)
	built := answer{
		Total: len(rows), Rows: rows[min(offset, len(rows)):min(offset+limit, len(rows))],
		Meta: map[string]any{"footnotes": made.Footnotes},
	}
	if q.Summary && len(made.Totals) == 1 {
		built.Summary = a.view(made.Totals[0])
	}
	return built, nil
}

// reportValues are the parameters of the product API's report.
func (h *handler) reportValues(r *http.Request, q *query, a *asked) (url.Values, error) {
	from, to, zone, err := q.Range.bounds(h.Clock())
	if err != nil {
		return nil, err
	}
	values := url.Values{
		"metrics": {strings.Join(a.metricsOf(), ",")}, "limit": {strconv.Itoa(report.MaxRows)}, "tz": {zone.String()},
		"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)},
	}
	var dimensions []string
	for _, d := range a.dimensions {
		dimensions = append(dimensions, string(d))
	}
	if len(dimensions) > 0 {
		values.Set("group", strings.Join(dimensions, ","))
	}
	for _, f := range q.Filters {
		var texts []string
		switch g, ok := groups[f.Name]; {
		case strings.HasSuffix(f.Name, "_id") && ok && len(g.needs) > 0 && g.needs[0] == report.Endpoint:
			texts, err = h.byID(r.Context(), f, from, to)
		case !ok:
			return nil, unknown("filters", []string{f.Name}, names(groups))
		default:
			var one string
			one, err = f.text(string(g.needs[len(g.needs)-1]))
			texts = []string{one}
		}
		if err != nil {
			return nil, err
		}
		values["filter"] = append(values["filter"], texts...)
	}
	return values, nil
}

func (a *asked) view(item read.ReportRow) row {
	shown := row{"currency": item.Currency}
	for _, name := range a.groups {
		if len(item.Groups) > 0 {
			shown[name] = groups[name].value(item)
		}
	}
	for name, own := range a.metrics {
		shown[name] = number(item.Metrics[own])
	}
	return shown
}

// checkSort names every column that rows cannot be sorted by.
func (q *query) checkSort(has func(name string) bool) error {
	var wrong []string
	for _, o := range q.Sort {
		if !has(o.Name) {
			wrong = append(wrong, o.Name)
		}
	}
	return unknown("sort", wrong, "the columns of this answer")
}
