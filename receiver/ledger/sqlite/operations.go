package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// encodedRow returns the values of a row in the columns.
func encodedRow[R any](columns []table.Column[R], row *R) ([]driver.Value, error) {
	values := make([]driver.Value, len(columns))
	for i := range columns {
		var err error
		if values[i], err = encode(columns[i].Value(row)); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// AddOperation implements [ledger.Store].
func (s *Store) AddOperation(ctx context.Context, op ledger.Operation) (stored ledger.Operation, added bool,
	err error) {
	values, err := encodedRow(table.Operations.Columns, &op)
	if err != nil {
		return ledger.Operation{}, false, err
	}
	err = s.write(ctx, func(w *writer) (bool, error) {
		n, err := w.once(insert(table.Operations)+" on conflict (request) do nothing", values...)
		added = n > 0
		return added, err
	})
	if err != nil || added {
		return op, added, err
	}
	found, err := collect(ctx, s, "select "+table.Names("", table.Operations.Columns)+" from operations where request = ?",
		[]any{op.Request[:]}, reading(table.Operations.Columns))
	if err != nil || len(found) == 0 {
		return ledger.Operation{}, false, errors.Join(err, ledger.ErrNotFound)
	}
	return *found[0], false, nil
}

// SaveOperation implements [ledger.Store].
func (s *Store) SaveOperation(ctx context.Context, op ledger.Operation, rows []ledger.OperationRow) error {
	columns := table.Changed(&op)
	before := op.Revision
	op.Revision++
	values, err := encodedRow(columns, &op)
	if err != nil {
		return err
	}
	id, was := len(columns)+1, len(columns)+2
	update := "update operations set " + assign("?", columns, 1) + " where id = ?" + strconv.Itoa(id) +
		" and revision = ?" +
		strconv.Itoa(was)
	return s.write(ctx, func(w *writer) (bool, error) {
		n, err := w.once(update, append(values, op.ID[:], int64(before))...)
		if err != nil {
			return false, err
		}
		if n == 0 {
			return false, ledger.ErrConflict
		}
		return true, w.putOperationRows(rows)
	})
}

func (w *writer) putOperationRows(rows []ledger.OperationRow) error {
	if len(rows) == 0 {
		return nil
	}
	put, err := prepare(w.conn, strings.Replace(insert(table.OperationRows), "insert", "insert or replace", 1))
	if err != nil {
		return classify(err)
	}
	for i := range rows {
		values, err := encodedRow(table.OperationRows.Columns, &rows[i])
		if err == nil {
			err = put.exec(values...)
		}
		if err != nil {
			return errors.Join(err, put.prepared.Close())
		}
	}
	return put.prepared.Close()
}

// Operation implements [ledger.Store].
func (s *Store) Operation(ctx context.Context, id uuid.UUID) (ledger.Operation, error) {
	found, err := collect(ctx, s, "select "+table.Names("", table.Operations.Columns)+" from operations where id = ?",
		[]any{id[:]}, reading(table.Operations.Columns))
	if err != nil {
		return ledger.Operation{}, err
	}
	if len(found) == 0 {
		return ledger.Operation{}, ledger.ErrNotFound
	}
	return *found[0], nil
}

// Operations implements [ledger.Store].
func (s *Store) Operations(ctx context.Context, f ledger.OperationFilter) iter.Seq2[ledger.Operation, error] {
	var c condition
	add(&c, "t.endpoint = ?", f.Endpoint, f.Endpoint)
	add(&c, "t.kind = ?", f.Kind, f.Kind)
	add(&c, "t.state = ?", f.State, string(f.State))
	columns := table.Operations.Without("input")
	query := c.list("operations", table.Names("t.", columns), ledger.Span{Before: f.Before}, f.Limit)
	return values(rows(ctx, s, query, c.args, reading(columns)))
}

// OperationRows implements [ledger.Store].
func (s *Store) OperationRows(ctx context.Context, f ledger.OperationRowFilter) iter.Seq2[ledger.OperationRow, error] {
	query := "select " + table.Names("", table.OperationRows.Columns) +
		" from operation_rows where operation = ? and number > ?"
	args := []any{f.Operation[:], f.After}
	if f.Outcome != "" {
		query, args = query+" and outcome = ?", append(args, f.Outcome)
	}
	query += " order by number"
	if f.Limit > 0 {
		query, args = query+" limit ?", append(args, f.Limit)
	}
	return values(rows(ctx, s, query, args, reading(table.OperationRows.Columns)))
}

// PruneOperations implements [ledger.Store].
func (s *Store) PruneOperations(ctx context.Context, before time.Time) (int, error) {
	const old = "id < ?1 and state <> 'running'"
	var deleted int64
	err := s.write(ctx, func(w *writer) (bool, error) {
		if _, err := w.once("delete from operation_rows where operation in (select id from operations where "+old+")",
			firstID(before)); err != nil {
			return false, err
		}
		var err error
		deleted, err = w.once("delete from operations where "+old+" and kind <> 'erase'", firstID(before))
		return deleted > 0, err
	})
	return int(deleted), err
}
