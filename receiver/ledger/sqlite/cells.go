package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"modernc.org/sqlite"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/facts"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/report"
)

// maxFold bounds the changes that one transaction takes, in bytes: postbacks wait for it.
const maxFold = 32 << 10

// Amounts of cells are whole millionths, which SQLite adds up by itself, or decimals as text where a cell has so much
// that a million of its kind would not fit into an integer.
const maxMillionths = 1 << 43

func init() {
	sqlite.MustRegisterDeterministicScalarFunction("cell_amount", 1,
		func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			text, _ := args[0].(string)
			amount, err := decimal.NewFromString(text)
			if err != nil {
				return nil, nil //nolint:nilerr // There is no amount: the sum of nothing.
			}
			return cellAmount(amount), nil
		})
	sqlite.MustRegisterDeterministicScalarFunction("cell_sum", 2,
		func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			sum, err := amountOf(args[0])
			if err != nil {
				return nil, err
			}
			rest, err := amountOf(args[1])
			return sum.Add(rest).String(), err
		})
}

// cellAmount returns how a cell keeps an amount: nothing for zero.
func cellAmount(amount decimal.Decimal) driver.Value {
	millionths := amount.Shift(money.Scale)
	switch {
	case amount.IsZero():
		return nil
	case millionths.IsInteger() && millionths.Abs().LessThan(decimal.NewFromInt(maxMillionths)):
		return millionths.IntPart()
	}
	return amount.String()
}

// amountOf undoes cellAmount.
func amountOf(value driver.Value) (decimal.Decimal, error) {
	switch v := value.(type) {
	case nil:
		return decimal.Zero, nil
	case int64:
		return decimal.New(v, -money.Scale), nil
	case string:
		return decimal.NewFromString(v)
	}
	return decimal.Zero, fmt.Errorf("an amount is a %T", value)
}

var (
	cellKey    = "endpoint, basis, slot, campaign, currency, type"
	cellValues = strings.Join(append(append([]string{"pending", "unique_visits"}, facts.CountColumns()...),
		facts.SumColumns()...), ", ")
	cellColumns = 6 + strings.Count(cellValues, ",") + 1
	selectCell  = "select " + cellValues + " from report_cells where endpoint = ? and basis = ? and slot = ? and " +
		"campaign = ? and currency = ? and type = ?"
	replaceCell = "insert or replace into report_cells (" + cellKey + ", " + cellValues + ") values (?" +
		strings.Repeat(", ?", cellColumns-1) + ")"
)

// FoldReports implements [ledger.Cells].
func (s *Store) FoldReports(ctx context.Context) (folded int, err error) {
	if behind, err := s.ReportsBehind(ctx); err != nil || behind.IsZero() {
		return 0, err
	}
	err = s.write(ctx, func(w *writer) (bool, error) {
		cells, last, n, err := w.takeChanges(maxFold, "", 1)
		if err != nil || n == 0 {
			return false, err
		}
		folded = n
		if err := w.addCells(cells); err != nil {
			return false, err
		}
		_, err = w.once("delete from report_changes where seq <= ?", last)
		return true, err
	})
	return folded, err
}

// takeChanges reads the oldest changes, of an endpoint or of all, up to so many bytes and at least one row.
func (w *writer) takeChanges(bytes int, endpoint string, sign int64) (cells *report.Cells, last int64, rows int,
	err error) {
	s, err := prepare(w.conn, "select c.seq, e.name, c.changes from report_changes c "+
		"join endpoints e on e.id = c.endpoint "+
		"order by c.seq")
	if err != nil {
		return nil, 0, 0, classify(err)
	}
	full := errors.New("full")
	cells = report.NewCells()
	err = s.query(func(r *row) error {
		seq, name, data := r.integer(), r.text(), r.text()
		if rows > 0 && len(data) > bytes {
			return full
		}
		last, rows, bytes = seq, rows+1, bytes-len(data)
		if endpoint != "" && name != endpoint {
			return r.err
		}
		var changes report.Changes
		if err := changes.Decode([]byte(data)); err != nil {
			return fmt.Errorf("%w: %w", ledger.ErrPoisoned, err)
		}
		cells.Add(name, &changes, sign)
		return r.err
	})
	if errors.Is(err, full) {
		err = nil
	}
	return cells, last, rows, errors.Join(err, s.prepared.Close())
}

// addCells adds sums to the cells that are there.
func (w *writer) addCells(cells *report.Cells) error {
	for _, cell := range cells.Sorted() {
		endpoint, err := w.endpoint(cell.Endpoint)
		if err != nil {
			return err
		}
		key := []driver.Value{endpoint, int64(cell.Basis), cell.Slot, cell.Campaign, cell.Currency, cell.Type}
		if err := w.selectCell.query(func(r *row) error { return addStored(cell, r.values) }, key...); err != nil {
			return err
		}
		values := append(key, cell.Pending, cell.Unique)
		for _, n := range cell.Counts {
			if n == 0 {
				values = append(values, nil)
			} else {
				values = append(values, n)
			}
		}
		for _, sum := range cell.Sums {
			values = append(values, cellAmount(sum))
		}
		if err := w.replaceCell.exec(values...); err != nil {
			return err
		}
	}
	return nil
}

// addStored adds the values of a stored cell.
func addStored(cell *report.Cell, values []driver.Value) error {
	number := func(at int) int64 {
		n, _ := values[at].(int64)
		return n
	}
	cell.Pending += number(0)
	cell.Unique += number(1)
	columns := len(cell.Counts)
	for i := range columns {
		cell.Counts[i] += number(2 + i)
		sum, err := amountOf(values[2+columns+i])
		if err != nil {
			return err
		}
		cell.Sums[i] = cell.Sums[i].Add(sum)
	}
	return nil
}

// ReportsBehind implements [ledger.Cells].
func (s *Store) ReportsBehind(ctx context.Context) (behind time.Time, err error) {
	const oldest = "select at from report_changes order by seq limit 1"
	for at, err := range rows(ctx, s, oldest, nil, func(r *row) (time.Time, error) { return r.time(), r.err }) {
		if err != nil {
			return time.Time{}, err
		}
		behind = at
	}
	return behind, nil
}

// CellFacts implements [ledger.Cells].
func (s *Store) CellFacts(ctx context.Context, p report.Plan) iter.Seq2[report.Fact, error] {
	return func(yield func(report.Fact, error) bool) {
		for _, statement := range dialect.CellStatements(p) {
			if more := s.cellFacts(ctx, statement, yield); !more {
				return
			}
		}
	}
}

// cellFacts yields the facts of a statement; false when no more are wanted.
func (s *Store) cellFacts(ctx context.Context, statement facts.CellStatement,
	yield func(report.Fact, error) bool) bool {
	found, err := s.reader.QueryContext(ctx, statement.Text, statement.Args...)
	if err != nil {
		yield(report.Fact{}, classify(err))
		return false
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var row facts.Row
		if err := found.Scan(statement.Targets(&row)...); err != nil {
			yield(report.Fact{}, classify(err))
			return false
		}
		for _, fact := range row.Facts() {
			if !yield(fact, nil) {
				return false
			}
		}
	}
	if err := found.Err(); err != nil {
		yield(report.Fact{}, classify(err))
		return false
	}
	return true
}

// RebuildReports implements [ledger.Cells]. Postbacks wait for it.
func (s *Store) RebuildReports(ctx context.Context, endpoint string) error {
	return s.write(ctx, func(w *writer) (bool, error) { return true, w.rebuild(endpoint) })
}

func (w *writer) rebuild(endpoint string) error {
	var own func(string) string
	var args []driver.Value
	drop := "delete from report_cells"
	if endpoint != "" {
		id, err := w.endpoint(endpoint)
		if err != nil {
			return err
		}
		args, drop = []driver.Value{id}, drop+" where endpoint = ?"
		own = func(alias string) string { return alias + ".endpoint = ?" }
	}
	stored := func(amount string) string { return "cell_amount(" + amount + ")" }
	for _, statement := range append([]string{drop}, dialect.Rebuild(stored, own)...) {
		if _, err := w.once(statement, args...); err != nil {
			return err
		}
	}
	// What batches have left behind is in the rows already, and will be added once more.
	cells, _, _, err := w.takeChanges(1<<62, endpoint, -1)
	if err != nil {
		return err
	}
	return w.addCells(cells)
}
