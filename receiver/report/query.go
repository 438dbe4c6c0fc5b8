package report

import (
	"fmt"
	"slices"
	"time"
)

// Bounds of a query.
const (
	MaxGroups  = 3
	MaxRows    = 10_000
	MaxWithout = 200
	maxFilters = 20
	maxMetrics = 40
)

// Defaults of a query.
const (
	defaultRows = 1_000
	// defaultDays are the last days, with today.
	defaultDays = 7
)

const day = 24 * time.Hour

// defaultMetrics are shown unless the query names others.
var defaultMetrics = []string{
	"clicks", "conversions", "leads", "sales", "rejected", "cr", "approve",
	"hold", "revenue_confirmed", "revenue", "cost", "profit", "roi",
}

// Query is what somebody wants to see. [Parse] makes valid ones.
type Query struct {
	Groups  []Dimension
	Metrics []Metric
	Basis   Basis
	// Zone is the time zone of days, hours and dates.
	Zone *time.Location
	// From (inclusive) and To (exclusive) bound the time of Basis.
	From, To time.Time
	// Filters must all hold.
	Filters []Filter
	// Without are rows that are left out, and of the totals too, by the values of their groups.
	Without [][]string
	// Currency into which amounts are converted by the rates of today; empty = each in its endpoint's.
	Currency string
	// Sort names a metric, or a group; empty = by the groups. Rows that are equal in it are in the order of their groups.
	Sort       string
	Descending bool
	// Limit of rows. The totals are those of all rows.
	Limit int
}

// Plan returns what a store has to sum for the query.
func (q Query) Plan() Plan {
	p := Plan{Basis: q.Basis, From: q.From, To: q.To}
	ofTime := func(d Dimension) {
		p.Quarters = true
		switch {
		case d == Hour:
			p.Step = time.Hour
		case p.Step == 0:
			p.Step = day
		}
	}
	for _, group := range q.Groups {
		if group.OfTime() {
			ofTime(group)
		} else {
			p.Fields = append(p.Fields, group)
		}
		p.WithoutClicks = p.WithoutClicks || !group.OfClicks()
	}
	for _, f := range q.Filters {
		if f.Field.OfTime() {
			ofTime(f.Field)
		} else {
			p.Filters = append(p.Filters, f)
		}
		p.WithoutClicks = p.WithoutClicks || !f.Field.OfClicks()
	}
	if p.fitCells(q.Zone); !p.Cells {
		p.Step = 0
	}
	return p
}

// Invalid says which parameter of a query is wrong, and how.
type Invalid struct{ Parameter, Message string }

// Error implements error.
func (e *Invalid) Error() string { return e.Parameter + ": " + e.Message }

func invalid(parameter, format string, args ...any) error {
	return &Invalid{Parameter: parameter, Message: fmt.Sprintf(format, args...)}
}

// completeRange fills in what the query does not say: the last seven days, with today.
func (q *Query) completeRange(now time.Time) error {
	if q.To.IsZero() {
		q.To = midnight(now.In(q.Zone)).AddDate(0, 0, 1)
	}
	if q.From.IsZero() {
		q.From = midnight(q.To.Add(-1).In(q.Zone)).AddDate(0, 0, 1-defaultDays)
	}
	if !q.From.Before(q.To) {
		return invalid("to", "must be after from")
	}
	return nil
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// sortable reports whether rows can be sorted by that name: a group's or a metric's of the query.
func (q *Query) sortable(name string) bool {
	return slices.Contains(q.Groups, Dimension(name)) ||
		slices.ContainsFunc(q.Metrics, func(m Metric) bool { return m.Name == name })
}
