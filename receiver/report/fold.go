package report

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// maxFolded bounds how many rows a report may have before it is cut to its limit, and with it the memory it takes.
const maxFolded = 200_000

// ErrTooManyRows means that the groups of a query make more rows than can be held.
var ErrTooManyRows = fmt.Errorf("more than %d rows; group by less, or narrow the report with from, to and filter",
	maxFolded)

// Row is one line of a report.
type Row struct {
	// Groups are the values of the query's groups, in their order. A field that is empty is "".
	Groups []string
	// Currency of the amounts.
	Currency string
	Sums     Sums
}

// Report is the result of a query.
type Report struct {
	Query Query
	// ClicksCounted is false where the query has a group or a filter that clicks do not have.
	ClicksCounted bool
	Rows          []Row
	// Totals are the sums of all rows, also of those beyond the limit, by currency.
	Totals []Row
	// Truncated: there are more rows than the limit.
	Truncated bool
	// Pending conversions, and clicks by their cost, wait for a rate and are in no sum of money.
	Pending, PendingCosts int64
	// Unconverted are the currencies that have no rate to the one that the query wants, sorted. Their rows stay in them.
	Unconverted []string
	// Source is `rollup`, or `rows` where it was summed from the rows themselves. AsOf is up to when it has everything,
	// Lag how long that was before it was made. Who makes a report says so.
	Source string
	AsOf   time.Time
	Lag    time.Duration
}

// Rules are what a report needs to know besides the facts.
type Rules struct {
	// CountsAs says in which total a custom conversion type of an endpoint counts besides its own.
	CountsAs func(endpoint, conversionType string) config.CountsAs
	// Currency returns the currency of an endpoint, for clicks that cost nothing; "" if it is not declared any more.
	Currency func(endpoint string) string
	// Convert returns what an amount is worth in another currency today; false without a rate.
	Convert func(amount decimal.Decimal, from, to string) (decimal.Decimal, bool)
}

// Make folds facts into a report. It returns the first error of facts, or [ErrTooManyRows].
func Make(q Query, facts iter.Seq2[Fact, error], rules Rules) (*Report, error) {
	f := folder{query: q, plan: q.Plan(), rules: rules, rows: map[string]*Row{}, unconverted: map[string]bool{}}
	for fact, err := range facts {
		if err != nil {
			return nil, err
		}
		f.add(fact)
		if len(f.rows) > maxFolded {
			return nil, ErrTooManyRows
		}
	}
	return f.report(), nil
}

type folder struct {
	query       Query
	plan        Plan
	rules       Rules
	rows        map[string]*Row
	unconverted map[string]bool
}

func (f *folder) add(fact Fact) {
	if !f.inTime(fact) {
		return
	}
	f.settleCurrency(&fact)
	groups := f.groups(fact)
	key := strings.Join(append(groups, fact.Currency), "\x00")
	row := f.rows[key]
	if row == nil {
		row = &Row{Groups: groups, Currency: fact.Currency}
		f.rows[key] = row
	}
	row.Sums.add(fact, f.rules.CountsAs)
}

// inTime reports whether the fact passes the filters of time.
func (f *folder) inTime(fact Fact) bool {
	for _, filter := range f.query.Filters {
		if label := labels[filter.Field]; label != nil && !filter.Holds(label(fact.Slot.In(f.query.Zone))) {
			return false
		}
	}
	return true
}

// settleCurrency gives the fact the currency of its row.
func (f *folder) settleCurrency(fact *Fact) {
	if fact.Currency == "" {
		fact.Currency = f.rules.Currency(fact.Endpoint)
	}
	wanted := f.query.Currency
	if wanted == "" || fact.Currency == wanted {
		return
	}
	if fact.Amount.IsZero() {
		fact.Currency = wanted
		return
	}
	converted, ok := f.rules.Convert(fact.Amount, fact.Currency, wanted)
	if !ok {
		f.unconverted[fact.Currency] = true
		return
	}
	fact.Amount, fact.Currency = converted, wanted
}

func (f *folder) groups(fact Fact) []string {
	groups := make([]string, 0, len(f.query.Groups)+1)
	values := fact.Values
	for _, group := range f.query.Groups {
		if label := labels[group]; label != nil {
			groups = append(groups, label(fact.Slot.In(f.query.Zone)))
			continue
		}
		groups = append(groups, values[0])
		values = values[1:]
	}
	return groups
}

func (s *Sums) add(fact Fact, countsAs func(endpoint, conversionType string) config.CountsAs) {
	if fact.Type == "" {
		s.Clicks += fact.Rows
		s.UniqueClicks += fact.Unique
		s.PendingCosts += fact.Pending
		s.Cost = s.Cost.Add(fact.Amount)
		return
	}
	if s.Counts == nil {
		s.Counts = map[string]int64{}
	}
	s.Counts[fact.Type] += fact.Rows
	s.Revenue.Conversions += int(fact.Rows)
	s.Revenue.Pending += int(fact.Pending)
	s.Revenue.AddPayout(fact.Type, countsAs(fact.Endpoint, fact.Type), fact.Amount)
}

// merge adds the sums of another row.
func (s *Sums) merge(other *Sums) {
	s.Clicks += other.Clicks
	s.UniqueClicks += other.UniqueClicks
	s.PendingCosts += other.PendingCosts
	s.Cost = s.Cost.Add(other.Cost)
	for name, n := range other.Counts {
		if s.Counts == nil {
			s.Counts = map[string]int64{}
		}
		s.Counts[name] += n
	}
	s.Revenue.Merge(&other.Revenue)
}

func (f *folder) report() *Report {
	r := &Report{
		Query:         f.query,
		ClicksCounted: !f.plan.WithoutClicks,
		Unconverted:   slices.Sorted(maps.Keys(f.unconverted)),
	}
	totals := map[string]*Row{}
	for _, row := range f.rows {
		if slices.ContainsFunc(f.query.Without, func(out []string) bool { return slices.Equal(out, row.Groups) }) {
			continue
		}
		if totals[row.Currency] == nil {
			totals[row.Currency] = &Row{Currency: row.Currency}
		}
		totals[row.Currency].Sums.merge(&row.Sums)
		r.Pending += int64(row.Sums.Revenue.Pending)
		r.PendingCosts += row.Sums.PendingCosts
		r.Rows = append(r.Rows, *row)
	}
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		r.Totals = append(r.Totals, *totals[currency])
	}
	r.sort()
	if r.Truncated = len(r.Rows) > f.query.Limit; r.Truncated {
		r.Rows = r.Rows[:f.query.Limit]
	}
	return r
}

func (r *Report) sort() {
	by := func(Row, Row) int { return 0 }
	if at := slices.Index(r.Query.Groups, Dimension(r.Query.Sort)); at >= 0 {
		by = func(a, b Row) int { return cmp.Compare(a.Groups[at], b.Groups[at]) }
	} else if m, ok := MetricNamed(r.Query.Sort); ok {
		by = func(a, b Row) int { return compareValues(r.Value(m, a), r.Value(m, b)) }
	}
	slices.SortFunc(r.Rows, func(a, b Row) int {
		order := by(a, b)
		if r.Query.Descending {
			order = -order
		}
		return cmp.Or(order, slices.Compare(a.Groups, b.Groups), cmp.Compare(a.Currency, b.Currency))
	})
}

// compareValues puts what cannot be told below everything.
func compareValues(a, b *decimal.Decimal) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Cmp(*b)
}

// Value returns a metric of one of the report's rows; nil where it cannot be told.
func (r *Report) Value(m Metric, row Row) *decimal.Decimal {
	return m.Value(&row.Sums, r.ClicksCounted)
}
