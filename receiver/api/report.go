package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/report"
)

// Reports may not keep a store from postbacks: so many are made at a time, and others wait.
const reportsAtATime = 2

// Facts are what reports are made of: see [ledger.Reader] and [ledger.Cells].
type Facts interface {
	// Facts yields the sums of what the plan selects.
	Facts(ctx context.Context, p report.Plan) iter.Seq2[report.Fact, error]
	CellFacts(ctx context.Context, p report.Plan) iter.Seq2[report.Fact, error]
	FoldReports(ctx context.Context) (int, error)
	ReportsBehind(ctx context.Context) (time.Time, error)
}

// maxFolds bounds what a report adds to the cells before it reads them, so that it has what was recorded until now.
// Past it the cells are behind for as long as the worker needs.
const maxFolds = 10

// facts yields what the query is made of: cells where they can serve it, else rows. source and asOf say what that is.
func (a *api) facts(ctx context.Context, q report.Query) (facts iter.Seq2[report.Fact, error], source string,
	asOf time.Time, err error) {
	plan, now := q.Plan(), a.Clock()
	if !plan.Cells {
		return a.Reports.Facts(ctx, plan), "rows", now, nil
	}
	for range maxFolds {
		if folded, err := a.Reports.FoldReports(ctx); folded == 0 || err != nil {
			break // What is not in the cells now is said.
		}
	}
	behind, err := a.Reports.ReportsBehind(ctx)
	if behind.IsZero() {
		behind = now
	}
	return a.Reports.CellFacts(ctx, plan), "rollup", behind, err
}

// reportValues are the parameters of a report. A token of one endpoint makes reports of that endpoint.
func reportValues(r *http.Request) (url.Values, error) {
	values, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	for _, asked := range append(values["endpoint"], "") {
		endpoint, err := only(grantOf(r), asked)
		if err != nil {
			return nil, err
		}
		if asked == "" && endpoint != "" {
			values.Set("endpoint", endpoint)
		}
	}
	return values, nil
}

// makeReport makes the report that the values ask for, once it is its turn.
func (a *api) makeReport(ctx context.Context, values url.Values) (*report.Report, error) {
	q, err := report.Parse(values, a.Clock(), time.LoadLocation)
	if err != nil {
		return nil, badRequest(err.Error())
	}
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	facts, source, asOf, err := a.facts(ctx, q)
	if err != nil {
		return nil, err
	}
	made, err := report.Make(q, facts, a.Rules)
	if errors.Is(err, report.ErrTooManyRows) {
		return nil, badRequest("group: " + err.Error())
	}
	if made != nil {
		made.Source, made.AsOf, made.Lag = source, asOf, a.Clock().Sub(asOf)
	}
	return made, err
}

// report answers in JSON.
func (a *api) report(w http.ResponseWriter, r *http.Request) error {
	values, err := reportValues(r)
	if err != nil {
		return err
	}
	made, err := a.makeReport(r.Context(), values)
	if err != nil {
		return err
	}
	WriteJSON(w, http.StatusOK, a.viewReport(made))
	return nil
}

// reportLines answers with one JSON object a line, without totals.
func (a *api) reportLines(w http.ResponseWriter, r *http.Request) error {
	values, err := reportValues(r)
	if err != nil {
		return err
	}
	made, err := a.makeReport(r.Context(), values)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, row := range made.Rows {
		if err := encoder.Encode(viewRow(made, row)); err != nil {
			return brokenAfter(1, err)
		}
	}
	return nil
}

// reportCSV answers with a table for spreadsheets: separator is "," or ";", and bom=1 makes Excel read it as UTF-8.
func (a *api) reportCSV(w http.ResponseWriter, r *http.Request) error {
	values, err := reportValues(r)
	if err != nil {
		return err
	}
	format, err := takeCSVFormat(values)
	if err != nil {
		return err
	}
	made, err := a.makeReport(r.Context(), values)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="report.csv"`)
	return brokenAfter(1, format.write(w, made))
}

type csvFormat struct {
	separator rune
	bom       bool
}

// takeCSVFormat removes the parameters of the format from values.
func takeCSVFormat(values url.Values) (csvFormat, error) {
	f := csvFormat{separator: ','}
	if given, ok := values["separator"]; ok {
		if len(given) != 1 || given[0] != "," && given[0] != ";" {
			return f, badRequest("separator: must be , or ; (as %3B)")
		}
		f.separator = rune(given[0][0])
	}
	if given, ok := values["bom"]; ok {
		if len(given) != 1 || given[0] != "0" && given[0] != "1" {
			return f, badRequest("bom: must be 0 or 1")
		}
		f.bom = given[0] == "1"
	}
	values.Del("separator")
	values.Del("bom")
	return f, nil
}

func (f csvFormat) write(w io.Writer, r *report.Report) error {
	if f.bom {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return err
		}
	}
	table := csv.NewWriter(w)
	table.Comma = f.separator
	var cells []string
	for _, group := range r.Query.Groups {
		name := string(group)
		if group.OfTime() {
			name += " (" + r.Query.Zone.String() + ")"
		}
		cells = append(cells, name)
	}
	cells = append(cells, "currency")
	for _, m := range r.Query.Metrics {
		cells = append(cells, m.Name)
	}
	if err := table.Write(cells); err != nil {
		return err
	}
	for _, row := range r.Rows {
		cells = cells[:0]
		for _, value := range row.Groups {
			cells = append(cells, inert(value))
		}
		cells = append(cells, row.Currency)
		for _, m := range r.Query.Metrics {
			cells = append(cells, plain(r.Value(m, row)))
		}
		if err := table.Write(cells); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

// inert keeps spreadsheets from taking what a stranger sent for a formula.
func inert(value string) string {
	if value != "" && strings.ContainsRune("=+-@\t\r", rune(value[0])) {
		return "'" + value
	}
	return value
}

func plain(value *decimal.Decimal) string {
	if value == nil {
		return ""
	}
	return value.String()
}

func (a *api) viewReport(r *report.Report) read.Report {
	view := read.Report{
		Groups:    []string{},
		Time:      string(r.Query.Basis),
		Zone:      r.Query.Zone.String(),
		From:      read.UTC(r.Query.From),
		To:        read.UTC(r.Query.To),
		Items:     viewRows(r, r.Rows),
		Totals:    viewRows(r, r.Totals),
		Footnotes: footnotes(r),
		Source:    r.Source,
		AsOf:      read.UTC(r.AsOf),
	}
	for _, group := range r.Query.Groups {
		view.Groups = append(view.Groups, string(group))
	}
	for _, m := range r.Query.Metrics {
		view.Metrics = append(view.Metrics, read.Metric{
			Name: m.Name, Unit: string(m.Unit), Title: m.Title, Formula: read.Text(m.Formula.String()),
		})
	}
	return view
}

func viewRows(r *report.Report, rows []report.Row) []read.ReportRow {
	views := make([]read.ReportRow, len(rows))
	for i, row := range rows {
		views[i] = viewRow(r, row)
	}
	return views
}

func viewRow(r *report.Report, row report.Row) read.ReportRow {
	view := read.ReportRow{Groups: map[string]string{}, Currency: row.Currency, Metrics: map[string]*string{}}
	for i, value := range row.Groups {
		view.Groups[string(r.Query.Groups[i])] = value
	}
	for _, m := range r.Query.Metrics {
		view.Metrics[m.Name] = amount(r.Value(m, row))
	}
	return view
}

func footnotes(r *report.Report) []string {
	notes := []string{}
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if r.Pending > 0 {
		add("%d conversions wait for an exchange rate and add no money", r.Pending)
	}
	if r.PendingCosts > 0 {
		add("%d clicks wait for an exchange rate and add no cost", r.PendingCosts)
	}
	if !r.ClicksCounted {
		add("clicks have neither a type nor a status, so that metrics of clicks are empty")
	}
	if r.Query.Currency != "" {
		add("amounts are converted to %s by the rates of today", r.Query.Currency)
	}
	if len(r.Unconverted) > 0 {
		add("no rate to %s is known for %s", r.Query.Currency, strings.Join(r.Unconverted, ", "))
	}
	if r.Lag >= time.Second {
		add("what was recorded in the last %s is not all in it", r.Lag.Round(time.Second))
	}
	if r.Truncated {
		add("only the first %d rows are shown; the totals are those of all", r.Query.Limit)
	}
	return notes
}
