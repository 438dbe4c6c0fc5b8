package console

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/postback-dev/postback-operator/console/chart"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

const (
	// chartDays is how many days the overview draws, chartHours how many hours of what was received, a column for each
	// chartSpan.
	chartDays  = 14
	chartHours = 24
	chartSpan  = 15 * time.Minute
	// chartRows bounds the rows that the received chart is made of, chartColumns the columns of a report's chart,
	// chartCurrencies the charts of a report.
	chartRows       = 1000
	chartColumns    = 62
	chartCurrencies = 3
)

// figure is a chart with its legend, and its numbers for who cannot see it.
type figure struct {
	Title string
	SVG   template.HTML
	Chart *chart.Chart
	// Numbers: the page has no table with them.
	Numbers bool
	// Note says what has to be known; empty for nothing.
	Note string
}

func newFigure(c *chart.Chart) figure {
	return figure{Title: c.Title, SVG: c.SVG(), Chart: c}
}

// numbers are the values of one column.
type numbers struct {
	Label  string
	Values []string
}

// Rows are the columns that have values.
func (f figure) Rows() []numbers {
	var rows []numbers
	for i, label := range f.Chart.Labels {
		row, some := numbers{Label: label}, false
		for _, s := range f.Chart.Series {
			row.Values = append(row.Values, chart.Short(s.Values[i]))
			some = some || s.Values[i] != 0
		}
		if some {
			rows = append(rows, row)
		}
	}
	return rows
}

// drawn are the metrics that charts of money show, in this order: stacked ones, then lines.
var drawn = []struct {
	metric, class string
	line          bool
}{
	{"revenue_confirmed", "good", false}, {"hold", "wait", false}, {"cost", "cost", true},
}

// outcomeClasses are the outcomes that the received chart shows, and their classes.
var outcomeClasses = []struct{ outcome, class string }{
	{"recorded", "good"}, {"duplicate", "same"}, {"held", "held"}, {"ignored", "wait"}, {"refused", "bad"},
}

// onPage is a figure with the page that it is on.
type onPage struct {
	Page *page
	F    figure
	// N counts the page's figures from 0.
	N int
}

// Figure returns what the template of a figure needs.
func (p *page) Figure(n int, f figure) onPage { return onPage{p, f, n} }

// reportFigures draws a report by its first group, a chart for each currency.
func (p *page) reportFigures(r *read.Report) []figure {
	if len(r.Groups) == 0 || len(r.Items) == 0 {
		return nil
	}
	var currencies, labels []string
	for _, row := range r.Items {
		if !slices.Contains(currencies, row.Currency) {
			currencies = append(currencies, row.Currency)
		}
		if label := row.Groups[r.Groups[0]]; !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	if len(labels) > chartColumns {
		return nil
	}
	if isTime(r.Groups[0]) {
		slices.Sort(labels)
	}
	var figures []figure
	for _, currency := range currencies[:min(chartCurrencies, len(currencies))] {
		c := &chart.Chart{Title: p.T("chart.money", currency), Labels: shown(labels), Unit: currency}
		for _, series := range drawn {
			if !slices.ContainsFunc(r.Metrics, func(m read.Metric) bool { return m.Name == series.metric }) {
				continue
			}
			values := make([]float64, len(labels))
			for _, row := range r.Items {
				if text := row.Metrics[series.metric]; row.Currency == currency && text != nil {
					value, _ := strconv.ParseFloat(*text, 64) // 0 for what is no number
					values[slices.Index(labels, row.Groups[r.Groups[0]])] += value
				}
			}
			c.Series = append(c.Series, chart.Series{
				Name:   series.metric,
				Class:  series.class,
				Values: values,
				Line:   series.line,
			})
		}
		if len(c.Series) > 0 {
			figures = append(figures, newFigure(c))
		}
	}
	return figures
}

// shown are labels as there is room for.
func shown(labels []string) []string {
	short := make([]string, len(labels))
	for i, label := range labels {
		short[i] = label
		if runes := []rune(label); len(runes) > 16 {
			short[i] = string(runes[:15]) + "…"
		}
	}
	return short
}

func isTime(dimension string) bool {
	return slices.Contains([]string{"hour", "day", "week", "month"}, dimension)
}

// dayFigures draws what the last days brought.
func (c *console) dayFigures(p *page) ([]figure, error) {
	first := p.Now.In(p.Zone).AddDate(0, 0, 1-chartDays)
	made, err := c.API.Report(p.ctx, url.Values{
		"from": {first.Format(time.DateOnly)}, "tz": {p.Zone.String()}, "time": {"conversion"}, "group": {"day"},
		"metrics": {"revenue_confirmed,hold,cost"},
	})
	if err != nil || len(made.Items) == 0 {
		return nil, err
	}
	days := make([]read.ReportRow, chartDays) // Also those on which nothing happened.
	for i := range days {
		day := first.AddDate(0, 0, i).Format(time.DateOnly)
		days[i] = read.ReportRow{Groups: map[string]string{"day": day}, Currency: made.Items[0].Currency}
	}
	made.Groups, made.Items = []string{"day"}, append(days, made.Items...)
	figures := p.reportFigures(&made)
	for i := range figures {
		figures[i].Numbers = true
	}
	return figures, nil
}

// receivedFigure draws what was received lately, by outcome.
func (c *console) receivedFigure(p *page) (*figure, error) {
	begin := p.Now.Add(-chartHours * time.Hour).Truncate(chartSpan).Add(chartSpan)
	found, err := c.API.Postbacks(p.ctx, url.Values{
		"from": {begin.UTC().Format(time.RFC3339)}, "limit": {strconv.Itoa(chartRows)},
	})
	if err != nil || len(found.Items) == 0 {
		return nil, err
	}
	drawing := &chart.Chart{Title: p.T("chart.received")}
	columns := int(p.Now.Sub(begin)/chartSpan) + 1
	for i := range columns {
		drawing.Labels = append(drawing.Labels, begin.Add(time.Duration(i)*chartSpan).In(p.Zone).Format("15:04"))
	}
	for _, of := range outcomeClasses {
		values, some := make([]float64, columns), false
		for i := range found.Items {
			row := &found.Items[i]
			if row.Outcome != of.outcome || row.Time == nil {
				continue
			}
			if column := int(row.Time.Sub(begin) / chartSpan); column >= 0 && column < columns {
				values[column]++
				some = true
			}
		}
		if some {
			drawing.Series = append(drawing.Series, chart.Series{Name: of.outcome, Class: of.class, Values: values})
		}
	}
	f := newFigure(drawing)
	f.Numbers = true
	if found.NextCursor != nil {
		f.Note = p.T("chart.newest", strconv.Itoa(chartRows))
	}
	return &f, nil
}
