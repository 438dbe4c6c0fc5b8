package postgres

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/facts"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
	"github.com/postback-dev/postback-operator/receiver/report"
)

const (
	// foldRows bounds the rows of changes that one transaction takes; a row has what one batch changed.
	foldRows = 100
	// rebuildTimeout bounds each statement of a rebuild.
	rebuildTimeout = time.Hour

	// takeChanges takes the oldest ones that nobody else is taking.
	takeChanges = `with taken as (
			select bucket, endpoint, id from report_changes order by id limit $1 for update skip locked)
		delete from report_changes c using taken t
		where c.bucket = t.bucket and c.endpoint = t.endpoint and c.id = t.id returning c.endpoint, c.changes`
	foldSettings = `select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true)`
	// beginRebuild waits for those who fold. The lock is the first statement, so that what is read afterwards has what
	// they have written; batches go on.
	beginRebuild = "begin isolation level repeatable read, read write"
	lockCells    = "lock table report_cells in share row exclusive mode"
)

var (
	insertReports = insertRows(table.ReportChanges.Columns, "insert into report_changes ({columns}) {values}")
	addCells      = buildAddCells()
)

// buildAddCells adds sums to cells. A zero is kept as null, which takes no room.
func buildAddCells() string {
	key := []string{"endpoint", "basis", "slot", "campaign", "currency", "type"}
	types := []string{"text", "bigint", "bigint", "text", "text", "text"}
	values := slices.Concat([]string{"pending", "unique_visits"}, facts.CountColumns(), facts.SumColumns())
	columns := slices.Concat(key, values)
	var parameters, set []string
	for i, name := range columns {
		typ := "bigint"
		if i < len(types) {
			typ = types[i]
		}
		parameter := fmt.Sprintf("unnest($%d::%s[])", i+1, typ)
		switch {
		case slices.Contains(facts.SumColumns(), name):
			parameter = fmt.Sprintf("nullif(unnest($%d::text[])::numeric, 0)", i+1)
		case slices.Contains(facts.CountColumns(), name):
			parameter = fmt.Sprintf("nullif(unnest($%d::bigint[]), 0)", i+1)
		}
		parameters = append(parameters, parameter)
	}
	for _, name := range values {
		sum := fmt.Sprintf("coalesce(t.%s, 0) + coalesce(excluded.%[1]s, 0)", name)
		if name != "pending" && name != "unique_visits" {
			sum = "nullif(" + sum + ", 0)"
		}
		set = append(set, name+" = "+sum)
	}
	return fmt.Sprintf("insert into report_cells as t (%s) select %s on conflict (%s) do update set %s",
		strings.Join(columns, ", "), strings.Join(parameters, ", "), strings.Join(key, ", "), strings.Join(set, ", "))
}

// FoldReports implements [ledger.Cells]. Several receivers may do it at a time.
func (s *Store) FoldReports(ctx context.Context) (folded int, err error) {
	err = s.withConn(ctx, func(conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, s.options.FlightTimeout)
		defer cancel()
		if _, err := conn.Exec(ctx, begin); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, foldSettings, milliseconds(s.options.StatementTimeout),
			milliseconds(s.options.LockTimeout)); err != nil {
			return err
		}
		// In a transaction of a rebuild this would wait, and hold what it has taken from other folders.
		if _, err := conn.Exec(ctx, "lock table report_cells in row exclusive mode"); err != nil {
			return err
		}
		cells, n, err := readChanges(ctx, conn, 1, takeChanges, foldRows)
		if err != nil {
			return err
		}
		if folded = n; n > 0 {
			if err := addTo(ctx, conn, cells); err != nil {
				return err
			}
		}
		_, err = conn.Exec(ctx, "commit")
		return err
	})
	return folded, err
}

func readChanges(ctx context.Context, conn *pgx.Conn, sign int64, sql string, args ...any) (*report.Cells, int,
	error) {
	found, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, 0, err
	}
	defer found.Close()
	cells, n := report.NewCells(), 0
	for found.Next() {
		var endpoint string
		var data []byte
		if err := found.Scan(&endpoint, &data); err != nil {
			return nil, 0, err
		}
		var changes report.Changes
		if err := changes.Decode(data); err != nil {
			return nil, 0, fmt.Errorf("%w: %w", ledger.ErrPoisoned, err)
		}
		cells.Add(endpoint, &changes, sign)
		n++
	}
	return cells, n, found.Err()
}

// addTo adds sums to the cells, in the order of their keys, as all who do.
func addTo(ctx context.Context, conn *pgx.Conn, cells *report.Cells) error {
	sorted := cells.Sorted()
	if len(sorted) == 0 {
		return nil
	}
	column := func(value func(*report.Cell) int64) []int64 {
		all := make([]int64, len(sorted))
		for i, cell := range sorted {
			all[i] = value(cell)
		}
		return all
	}
	text := func(value func(*report.Cell) string) []string {
		all := make([]string, len(sorted))
		for i, cell := range sorted {
			all[i] = value(cell)
		}
		return all
	}
	args := []any{
		text(func(c *report.Cell) string { return c.Endpoint }),
		column(func(c *report.Cell) int64 { return int64(c.Basis) }),
		column(func(c *report.Cell) int64 { return c.Slot }),
		text(func(c *report.Cell) string { return c.Campaign }),
		text(func(c *report.Cell) string { return c.Currency }),
		text(func(c *report.Cell) string { return c.Type }),
		column(func(c *report.Cell) int64 { return c.Pending }),
		column(func(c *report.Cell) int64 { return c.Unique }),
	}
	for i := range sorted[0].Counts {
		args = append(args, column(func(c *report.Cell) int64 { return c.Counts[i] }))
	}
	for i := range sorted[0].Sums {
		args = append(args, text(func(c *report.Cell) string { return c.Sums[i].String() }))
	}
	_, err := conn.Exec(ctx, addCells, args...)
	return err
}

// ReportsBehind implements [ledger.Cells].
func (s *Store) ReportsBehind(ctx context.Context) (behind time.Time, err error) {
	err = readRows(ctx, s, table.ReportChanges.Pick("at"), func(r *ledger.ReportChanges) error {
		behind = r.At
		return nil
	}, "select at from report_changes order by id limit 1")
	return behind, err
}

// CellFacts implements [ledger.Cells].
func (s *Store) CellFacts(ctx context.Context, p report.Plan) iter.Seq2[report.Fact, error] {
	return func(yield func(report.Fact, error) bool) {
		stopped := false
		for _, statement := range dialect.CellStatements(p) {
			err := s.sum(ctx, statement.Text, statement.Args, func(rows pgx.Rows) error {
				for !stopped && rows.Next() {
					var row facts.Row
					if err := rows.Scan(statement.Targets(&row)...); err != nil {
						return err
					}
					for _, fact := range row.Facts() {
						stopped = stopped || !yield(fact, nil)
					}
				}
				return rows.Err()
			})
			if stopped {
				return
			}
			if err != nil {
				yield(report.Fact{}, err)
				return
			}
		}
	}
}

// RebuildReports implements [ledger.Cells], in one transaction with one view of the rows. Batches go on; who folds
// waits.
func (s *Store) RebuildReports(ctx context.Context, endpoint string) error {
	return s.withConn(ctx, func(conn *pgx.Conn) error { return rebuildReports(ctx, conn, endpoint) })
}

func rebuildReports(ctx context.Context, conn *pgx.Conn, endpoint string) error {
	for _, sql := range []string{beginRebuild, lockCells} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if err := makeReports(ctx, conn, endpoint); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, "commit")
	return err
}

// makeReports is the work of a rebuild, within a transaction.
func makeReports(ctx context.Context, conn *pgx.Conn, endpoint string) error {
	if _, err := conn.Exec(ctx, foldSettings, milliseconds(rebuildTimeout), milliseconds(0)); err != nil {
		return err
	}
	var own func(string) string
	var args []any
	drop, pending := "delete from report_cells", "select endpoint, changes from report_changes"
	if endpoint != "" {
		args = []any{endpoint}
		drop, pending = drop+" where endpoint = $1", pending+" where endpoint = $1"
		own = func(alias string) string { return alias + ".endpoint = $1" }
	}
	stored := func(amount string) string { return "nullif((" + amount + ")::numeric, 0)" }
	for _, sql := range append([]string{drop}, dialect.Rebuild(stored, own)...) {
		if _, err := conn.Exec(ctx, sql, args...); err != nil {
			return err
		}
	}
	// What batches have left behind is in the rows already, and will be added once more.
	cells, _, err := readChanges(ctx, conn, -1, pending, args...)
	if err != nil {
		return err
	}
	return addTo(ctx, conn, cells)
}
