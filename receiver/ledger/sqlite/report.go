package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"time"

	"github.com/shopspring/decimal"
	"modernc.org/sqlite"

	"github.com/postback-dev/postback-operator/receiver/ledger/facts"
	"github.com/postback-dev/postback-operator/receiver/report"
)

var dialect = facts.Dialect{
	Placeholder:        func(n int) string { return fmt.Sprintf("?%d", n) },
	Time:               func(t time.Time) any { return ceilMicros(t) },
	Quarter:            func(column string) string { return column + " / 900000000 * 900" },
	Param:              func(column, name string) string { return "json_extract(" + column + ", '$." + name + "')" },
	Sum:                func(column string) string { return "decimal_sum(" + column + ")" },
	Contains:           func(text, placeholder string) string { return "instr(" + text + ", " + placeholder + ") > 0" },
	StartsWith:         func(text, placeholder string) string { return "instr(" + text + ", " + placeholder + ") = 1" },
	Clicks:             "clicks k join endpoints e on e.id = k.endpoint",
	ClickEndpoint:      "e.name",
	Conversions:        "conversions c join endpoints e on e.id = c.endpoint",
	ConversionEndpoint: "e.name",
	JoinClicks:         "left join clicks k on k.endpoint = c.endpoint and k.subid = c.subid",
	Cells:              "report_cells c join endpoints e on e.id = c.endpoint",
	CellEndpoint:       "e.name",
	Slot: func(column string) string {
		return "(" + column + " + 62135596800000000) / 1800000000 - 34519776" // positive before it is divided
	},
	CellSum: func(column string) string {
		return "cell_sum(sum(" + column + ") filter (where typeof(" + column + ") = 'integer'), decimal_sum(" + column +
			") filter (where typeof(" + column + ") = 'text'))"
	},
	Greatest: "max",
}

// Amounts are texts here, and SQLite's own sum would make binary fractions of them.
func init() {
	sqlite.MustRegisterFunction("decimal_sum", &sqlite.FunctionImpl{
		NArgs:         1,
		Deterministic: true,
		MakeAggregate: func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &decimalSum{}, nil },
	})
}

// decimalSum adds up texts exactly, and passes nulls over.
type decimalSum struct{ sum decimal.Decimal }

func (d *decimalSum) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	text, ok := args[0].(string)
	if !ok {
		return nil
	}
	amount, err := decimal.NewFromString(text)
	if err != nil {
		return fmt.Errorf("an amount is no decimal: %w", err)
	}
	d.sum = d.sum.Add(amount)
	return nil
}

func (d *decimalSum) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return nil }

func (d *decimalSum) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	return d.sum.String(), nil
}

func (d *decimalSum) Final(*sqlite.FunctionContext) {}

// Facts implements [ledger.Reader].
func (s *Store) Facts(ctx context.Context, p report.Plan) iter.Seq2[report.Fact, error] {
	return func(yield func(report.Fact, error) bool) {
		for _, statement := range dialect.Statements(p) {
			if more := s.facts(ctx, statement, yield); !more {
				return
			}
		}
	}
}

// facts yields the rows of a statement; false when no more are wanted.
func (s *Store) facts(ctx context.Context, statement facts.Statement, yield func(report.Fact, error) bool) bool {
	found, err := s.reader.QueryContext(ctx, statement.Text, statement.Args...)
	if err != nil {
		yield(report.Fact{}, classify(err))
		return false
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var fact report.Fact
		err := found.Scan(statement.Targets(&fact)...)
		if !yield(fact, classify(err)) || err != nil {
			return false
		}
	}
	if err := found.Err(); err != nil {
		yield(report.Fact{}, classify(err))
		return false
	}
	return true
}
