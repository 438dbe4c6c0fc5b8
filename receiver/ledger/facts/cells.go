package facts

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/report"
)

// CountColumns and SumColumns are the columns of a cell's counts and amounts, in the order of [report.Cell].
func CountColumns() []string { return cellColumns("n") }

// SumColumns is documented at [CountColumns].
func SumColumns() []string { return cellColumns("amount") }

func cellColumns(prefix string) []string {
	columns := []string{prefix}
	for _, name := range report.CellTypes() {
		columns = append(columns, prefix+"_"+name)
	}
	return columns
}

// CellStatement sums cells. Its columns are those of [CellStatement.Targets].
type CellStatement struct {
	Text string
	Args []any
	plan report.Plan
}

// CellStatements returns what to run for a plan that cells can serve.
func (d *Dialect) CellStatements(p report.Plan) []CellStatement {
	basis := report.CellByClick
	if p.Basis == report.ByConversion {
		basis = report.CellByConversion
	}
	var statements []CellStatement
	for _, part := range p.Parts {
		statements = append(statements, d.cells(p, part, basis))
		if !p.WithoutClicks {
			statements = append(statements, d.cells(p, part, report.CellVisits))
		}
	}
	return statements
}

func (d *Dialect) cells(p report.Plan, part report.Part, basis report.CellBasis) CellStatement {
	b := builder{Dialect: d, field: cellField}
	b.where(fmt.Sprint("c.basis = ", int64(basis.Of(part.Level))))
	b.where("c.slot >= " + b.arg(part.From))
	b.where("c.slot < " + b.arg(part.To))
	if part.Slots != nil {
		b.where("c.slot in (" + listed(part.Slots) + ")")
	}
	b.filter(p.Filters)
	if p.Quarters {
		b.columns = append(b.columns, b.step(p, report.CellSpans[part.Level]))
	}
	for _, field := range p.Fields {
		b.columns = append(b.columns, b.field(&b, field))
	}
	visits := basis == report.CellVisits
	endpoint := d.CellEndpoint
	if !visits {
		endpoint = "case when c.type = '' then '' else " + endpoint + " end" // Only of a custom type does it matter.
	}
	b.columns = append(b.columns, endpoint, "c.currency", "c.type")
	for n := range b.columns {
		b.groups = append(b.groups, fmt.Sprint(n+1))
	}
	// Visits have no type, and nothing else is unique: what is always null need not be added up.
	count := func(column string, counted bool) {
		if counted {
			b.columns = append(b.columns, "cast(coalesce(sum(c."+column+"), 0) as bigint)")
			return
		}
		b.columns = append(b.columns, "cast(0 as bigint)")
	}
	count("pending", true)
	count("unique_visits", visits)
	for i, column := range CountColumns() {
		count(column, i == 0 || !visits)
	}
	for i, column := range SumColumns() {
		if i == 0 || !visits {
			b.columns = append(b.columns, d.CellSum("c."+column))
			continue
		}
		b.columns = append(b.columns, "'0'")
	}
	s := b.statement(d.Cells, p, false)
	return CellStatement{Text: s.Text, Args: s.Args, plan: p}
}

// listed returns slots as a list of a statement: numbers, which are no argument, as there are many.
func listed(slots []int64) string {
	texts := make([]string, len(slots))
	for i, slot := range slots {
		texts[i] = strconv.FormatInt(slot, 10)
	}
	return strings.Join(texts, ", ")
}

func cellField(b *builder, d report.Dimension) string {
	if d == report.Endpoint {
		return b.CellEndpoint
	}
	return "c.campaign"
}

// step is the start of the slot's day or hour in the zone of the report, in seconds since 1970, or the later moment at
// which clocks were changed to what they are in the slot, whose length is that many half hours. All numbers are made
// positive before they are divided.
func (b *builder) step(p report.Plan, span int64) string {
	const yearOne = 62135596800 // seconds before 1970, a multiple of a day
	size, seconds := int64(p.Step/time.Second), span*int64(report.CellSpan/time.Second)
	text := "case"
	for i, offset := range p.Offsets {
		plus := offset.Seconds + yearOne
		start := fmt.Sprintf("%s((c.slot * %d + %d) / %d * %d - %d, %d)", b.Greatest, seconds, plus, size, size, plus,
			offset.From)
		if i+1 < len(p.Offsets) {
			text += fmt.Sprintf(" when c.slot * %d < %d then %s", seconds, p.Offsets[i+1].From, start)
			continue
		}
		if i == 0 {
			return start
		}
		text += " else " + start + " end"
	}
	return text
}

// Row is a row of a [CellStatement].
type Row struct {
	cell   report.Cell
	slot   time.Time
	values []string
}

// Facts returns the row as facts.
func (r *Row) Facts() []report.Fact { return r.cell.Facts(r.slot, r.values) }

// Targets returns where to scan the statement's columns, to fill r.
func (s CellStatement) Targets(r *Row) []any {
	columns := len(CountColumns())
	r.values = make([]string, len(s.plan.Fields))
	r.cell.Counts, r.cell.Sums = make([]int64, columns), make([]decimal.Decimal, columns)
	var targets []any
	if s.plan.Quarters {
		targets = append(targets, (*slot)(&r.slot))
	}
	for i := range r.values {
		targets = append(targets, &r.values[i])
	}
	targets = append(targets, &r.cell.Endpoint, &r.cell.Currency, &r.cell.Type, &r.cell.Pending, &r.cell.Unique)
	for i := range columns {
		targets = append(targets, &r.cell.Counts[i])
	}
	for i := range columns {
		targets = append(targets, &r.cell.Sums[i])
	}
	return targets
}

// Rebuild returns the statements that make the cells of an endpoint anew from the rows, or those of all if endpoint is
// empty; there must be none. Cells are written in the order in which reports read them. The statements take the
// endpoint as argument if there is one. stored wraps an amount as cells keep it, endpointOf is the condition that a row
// is the endpoint's.
func (d *Dialect) Rebuild(stored func(amount string) string, endpointOf func(alias string) string) []string {
	columns := "endpoint, basis, slot, campaign, currency, type, pending, unique_visits"
	for _, name := range append(CountColumns(), SumColumns()...) {
		columns += ", " + name
	}
	own := func(alias string) string {
		if endpointOf == nil {
			return ""
		}
		return " and " + endpointOf(alias)
	}
	clicks := "select k.endpoint, 0, " + d.Slot("k.click_time") + `, coalesce(k.campaign, ''), '', '',
		sum(case when k.cost is null and k.cost_original is not null then 1 else 0 end),
		sum(case when k.unique_visit then 1 else 0 end), count(*)`
	for range report.CellTypes() {
		clicks += ", null"
	}
	clicks += ", " + stored(d.Sum("k.cost"))
	for range report.CellTypes() {
		clicks += ", null"
	}
	isClick := "k.click_time is not null"
	if d.IsClick != "" {
		isClick = d.IsClick
	}
	clicks += " from clicks k where not k.test and " + isClick + own("k") + " group by 1, 2, 3, 4 order by 1, 2, 3, 4"
	statements := []string{"insert into report_cells (" + columns + ") " + clicks}
	for basis, at := range map[report.CellBasis]string{
		report.CellByClick:      "coalesce(c.click_time, c.conversion_time)",
		report.CellByConversion: "c.conversion_time",
	} {
		statements = append(statements, "insert into report_cells ("+columns+") "+
			d.conversionCells(basis, at, stored)+own("c")+" group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6")
	}
	for level := range report.CellSpans {
		if level > 0 {
			statements = append(statements, "insert into report_cells ("+columns+") "+longerCells(level, d, stored)+
				own("c")+" group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6")
		}
	}
	return statements
}

// longerCells sums the cells of the length before.
func longerCells(level int, d *Dialect, stored func(string) string) string {
	const yearOne = 34519776 // half hours before 1970, a multiple of every length
	shorter, first := report.CellSpans[level-1], report.CellVisits.Of(level-1)
	times, before := report.CellSpans[level]/shorter, yearOne/report.CellSpans[level]
	text := fmt.Sprintf("select c.endpoint, c.basis + %d, (c.slot + %d) / %d - %d, c.campaign, c.currency, c.type, "+
		"cast(sum(c.pending) as bigint), cast(sum(c.unique_visits) as bigint)",
		int64(report.CellVisits.Of(level)-first), before*times, times, before)
	for _, column := range CountColumns() {
		text += ", nullif(cast(sum(c." + column + ") as bigint), 0)"
	}
	for _, column := range SumColumns() {
		text += ", " + stored(d.CellSum("c."+column))
	}
	return text + fmt.Sprintf(" from report_cells c where c.basis >= %d and c.basis < %d", int64(first),
		int64(report.CellVisits.Of(level)))
}

func (d *Dialect) conversionCells(basis report.CellBasis, at string, stored func(string) string) string {
	builtin := builtinTypes()
	text := fmt.Sprintf(`select c.endpoint, %d, %s, coalesce(c.campaign, ''), c.currency,
		case when c.type in (%s) then '' else c.type end, sum(case when c.payout is null then 1 else 0 end), 0`,
		int64(basis), d.Slot(at), builtin)
	var conditions []string
	conditions = append(conditions, "c.type not in ("+builtin+")")
	for _, name := range report.CellTypes() {
		conditions = append(conditions, "c.type = '"+name+"'")
	}
	for _, condition := range conditions {
		text += ",\n  nullif(sum(case when " + condition + " then 1 else 0 end), 0)"
	}
	for _, condition := range conditions {
		text += ",\n  " + stored(d.Sum("case when "+condition+" then c.payout end"))
	}
	return text + "\nfrom conversions c where not c.test"
}
