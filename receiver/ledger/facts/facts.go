// Package facts writes the statements by which a store sums its rows into the facts of a report. There are two for
// every plan, one over the clicks and one over the conversions; engines differ in a [Dialect] only. Values of a query
// are arguments, never part of the text: what is in the text comes from the closed lists of package report.
//
// It imports no engine. The columns are those of package table.
package facts

import (
	"fmt"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/report"
)

// Dialect is how an engine says what the statements need.
type Dialect struct {
	// Placeholder of the n-th argument, from 1.
	Placeholder func(n int) string
	// Time is an argument for a bound of a column of time.
	Time func(time.Time) any
	// Quarter is the start of the quarter hour of a column of time, in seconds since 1970.
	Quarter func(column string) string
	// Param is a value of a column of parameters by its name, null if there is none.
	Param func(column, name string) string
	// Sum adds up a column of decimals exactly, as text; of no rows, or of nulls only, it is null.
	Sum func(column string) string
	// Contains reports whether text has the argument in it, StartsWith whether it begins with it.
	Contains, StartsWith func(text, placeholder string) string
	// Clicks reads the clicks k, and ClickEndpoint is the name of their endpoint.
	Clicks, ClickEndpoint string
	// IsClick holds for rows of k that are clicks; empty = all are.
	IsClick string
	// Conversions reads the conversions c, and ConversionEndpoint is the name of their endpoint. JoinClicks joins the
	// clicks k to them.
	Conversions, ConversionEndpoint, JoinClicks string
	// Cells reads the cells c, and CellEndpoint is the name of their endpoint. CellSum adds up a column of their amounts
	// exactly, as text; Greatest returns the greater of two numbers.
	Cells, CellEndpoint string
	// Slot is the slot of a column of time, as [report.SlotOf] counts.
	Slot     func(column string) string
	CellSum  func(column string) string
	Greatest string
}

// Statement sums rows. Its columns are those of [Statement.Targets].
type Statement struct {
	Text   string
	Args   []any
	plan   report.Plan
	clicks bool
}

// Statements returns what to run for a plan.
func (d *Dialect) Statements(p report.Plan) []Statement {
	if p.WithoutClicks {
		return []Statement{d.conversions(p)}
	}
	return []Statement{d.conversions(p), d.clicks(p)}
}

func (d *Dialect) clicks(p report.Plan) Statement {
	b := builder{Dialect: d, field: clickField}
	b.where(d.IsClick)
	b.where("not k.test") // Tests are in no sum.
	b.between("k.click_time", p)
	b.filter(p.Filters)
	b.group(p, "k.click_time", d.ClickEndpoint)
	b.sum("k.cost", "k.cost is null and k.cost_original is not null")
	b.columns = append(b.columns, "sum(case when k.unique_visit then 1 else 0 end)")
	return b.statement(d.Clicks, p, true)
}

// conversions reads the clicks as well if the plan groups or filters by one of their fields.
func (d *Dialect) conversions(p report.Plan) Statement {
	b := builder{Dialect: d, field: conversionField}
	at := "c.conversion_time"
	if p.Basis == report.ByClick {
		at = "coalesce(c.click_time, c.conversion_time)"
	}
	b.where("not c.test")
	b.between(at, p)
	b.filter(p.Filters)
	// The endpoint matters where the type is a custom one. By all of them there would be many more groups.
	endpoint := "case when c.type in (" + builtinTypes() + ") then '' else " + d.ConversionEndpoint + " end"
	b.group(p, at, endpoint, "c.currency", "c.type")
	b.sum("c.payout", "c.payout is null")
	from := d.Conversions
	if b.joined {
		// The click that the conversion has, not one that came later.
		from += " " + d.JoinClicks + " and k.click_time = c.click_time"
		if p.Basis == report.ByClick {
			// That is of the same range, and an engine need not look at all clicks.
			from += " and k.click_time >= " + b.arg(b.Time(p.From)) + " and k.click_time < " + b.arg(b.Time(p.To))
		}
	}
	return b.statement(from, p, false)
}

// builtinTypes returns the types that mean the same at every endpoint, as a list of a statement.
func builtinTypes() string { return "'" + strings.Join(report.CellTypes(), "', '") + "'" }

type builder struct {
	*Dialect
	// field is the expression of a dimension.
	field func(b *builder, d report.Dimension) string
	// joined: some expression needs the clicks of conversions.
	joined bool

	columns, groups, terms []string
	args                   []any
}

func clickField(b *builder, d report.Dimension) string {
	switch d {
	case report.Endpoint:
		return b.ClickEndpoint
	case report.Campaign:
		return "coalesce(k.campaign, '')"
	default:
		return fmt.Sprintf("coalesce(%s, '')", b.Param("k.params", string(d)))
	}
}

func conversionField(b *builder, d report.Dimension) string {
	switch d {
	case report.Endpoint:
		return b.ConversionEndpoint
	case report.Type:
		return "c.type"
	case report.Status:
		return "coalesce(c.status, '')"
	case report.Campaign:
		return "coalesce(c.campaign, '')"
	default:
		// Postbacks overwrite the click's field, so that the click has the newest value. An orphan has only its own.
		b.joined = true
		name := string(d)
		return fmt.Sprintf("coalesce(nullif(%s, ''), %s, '')", b.Param("k.params", name), b.Param("c.params", name))
	}
}

func (b *builder) arg(value any) string {
	b.args = append(b.args, value)
	return b.Placeholder(len(b.args))
}

func (b *builder) where(term string) {
	if term != "" {
		b.terms = append(b.terms, term)
	}
}

func (b *builder) between(at string, p report.Plan) {
	b.where(at + " >= " + b.arg(b.Time(p.From)))
	b.where(at + " < " + b.arg(b.Time(p.To)))
}

func (b *builder) filter(filters []report.Filter) {
	for _, f := range filters {
		value := b.field(b, f.Field)
		switch f.Op {
		case report.Empty:
			b.where(value + " = ''")
		case report.Contains:
			b.where(b.Contains(value, b.arg(f.Values[0])))
		case report.Prefix:
			b.where(b.StartsWith(value, b.arg(f.Values[0])))
		case report.NotEqual, report.NotIn:
			b.where(value + " not in (" + b.list(f.Values) + ")")
		default:
			b.where(value + " in (" + b.list(f.Values) + ")")
		}
	}
}

func (b *builder) list(values []string) string {
	placeholders := make([]string, len(values))
	for i, value := range values {
		placeholders[i] = b.arg(value)
	}
	return strings.Join(placeholders, ", ")
}

// group adds the columns to group by: the quarter hour, the plan's fields, and others.
func (b *builder) group(p report.Plan, at string, others ...string) {
	if p.Quarters {
		b.columns = append(b.columns, b.Quarter(at))
	}
	for _, field := range p.Fields {
		b.columns = append(b.columns, b.field(b, field))
	}
	b.columns = append(b.columns, others...)
	for n := range b.columns {
		b.groups = append(b.groups, fmt.Sprint(n+1))
	}
}

func (b *builder) sum(amount, pending string) {
	b.columns = append(b.columns,
		"count(*)", "sum(case when "+pending+" then 1 else 0 end)", "coalesce("+b.Sum(amount)+", '0')")
}

func (b *builder) statement(from string, p report.Plan, clicks bool) Statement {
	text := "select " + strings.Join(b.columns, ",\n  ") +
		"\nfrom " + from +
		"\nwhere " + strings.Join(b.terms, "\n  and ") +
		"\ngroup by " + strings.Join(b.groups, ", ")
	return Statement{Text: text, Args: b.args, plan: p, clicks: clicks}
}

// Targets returns where to scan the statement's columns, to fill f.
func (s Statement) Targets(f *report.Fact) []any {
	f.Values = make([]string, len(s.plan.Fields))
	var targets []any
	if s.plan.Quarters {
		targets = append(targets, (*slot)(&f.Slot))
	}
	for i := range f.Values {
		targets = append(targets, &f.Values[i])
	}
	targets = append(targets, &f.Endpoint)
	if !s.clicks {
		targets = append(targets, &f.Currency, &f.Type)
	}
	targets = append(targets, &f.Rows, &f.Pending, &f.Amount)
	if s.clicks {
		targets = append(targets, &f.Unique)
	}
	return targets
}

// slot scans seconds since 1970.
type slot time.Time

// Scan implements sql.Scanner.
func (s *slot) Scan(value any) error {
	seconds, ok := value.(int64)
	if !ok {
		return fmt.Errorf("quarter hour is a %T", value)
	}
	*s = slot(time.Unix(seconds, 0).UTC())
	return nil
}
