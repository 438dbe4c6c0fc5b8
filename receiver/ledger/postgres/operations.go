package postgres

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// single returns the values of one row in the columns, as the driver takes them.
func single[R any](columns []table.Column[R], row *R) ([]any, error) {
	args := make([]any, len(columns))
	for i := range columns {
		switch v := columns[i].Value(row).(type) {
		case nil:
		case *uuid.UUID:
			args[i] = uuidOf(*v)
		case *time.Time:
			args[i] = timeOf(*v)
		case *decimal.Decimal:
			args[i] = pgtype.Numeric{Int: v.Coefficient(), Exp: v.Exponent(), Valid: true}
		case table.Encoded:
			text, err := v.Encode()
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", columns[i].Name, err)
			}
			if text != nil {
				args[i] = string(text)
			}
		default:
			args[i] = v
		}
	}
	return args, nil
}

// numbered returns "$1, $2, …" for n parameters, from the first on, each with its type.
func numbered[R any](columns []table.Column[R], first int) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = fmt.Sprintf("$%d::%s", first+i, sqlTypes[c.Type])
	}
	return list
}

var (
	insertOperation = "insert into operations (" + table.Names("", table.Operations.Columns) + ") values (" +
		strings.Join(numbered(table.Operations.Columns, 1), ", ") + ") on conflict (request) do nothing"
	operationResult = table.OperationRows.Without("operation", "number")
	putOperationRow = "insert into operation_rows (" + table.Names("", table.OperationRows.Columns) + ") values (" +
		strings.Join(numbered(table.OperationRows.Columns, 1), ", ") +
		") on conflict (operation, number) do update set " + excluded(operationResult)
)

func assigned[R any](columns []table.Column[R], first int) string {
	set := numbered(columns, first)
	for i, c := range columns {
		set[i] = c.Name + " = " + set[i]
	}
	return strings.Join(set, ", ")
}

func excluded[R any](columns []table.Column[R]) string {
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = fmt.Sprintf("%s = excluded.%[1]s", c.Name)
	}
	return strings.Join(set, ", ")
}

// AddOperation implements [ledger.Store].
func (s *Store) AddOperation(ctx context.Context, op ledger.Operation) (ledger.Operation, bool, error) {
	args, err := single(table.Operations.Columns, &op)
	if err != nil {
		return ledger.Operation{}, false, err
	}
	tag, err := s.exec(ctx, insertOperation, args...)
	if err != nil || tag.RowsAffected() == 1 {
		return op, err == nil, err
	}
	stored, err := s.operation(ctx, "request", op.Request)
	return stored, false, err
}

// SaveOperation implements [ledger.Store].
func (s *Store) SaveOperation(ctx context.Context, op ledger.Operation, rows []ledger.OperationRow) error {
	before := op.Revision
	op.Revision++
	columns := table.Changed(&op)
	args, err := single(columns, &op)
	if err != nil {
		return err
	}
	update := "update operations set " + assigned(columns, 3) + " where id = $1 and revision = $2"
	puts := &pgx.Batch{}
	for i := range rows {
		row, err := single(table.OperationRows.Columns, &rows[i])
		if err != nil {
			return err
		}
		puts.Queue(putOperationRow, row...)
	}
	return s.withConn(ctx, func(conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, s.options.FlightTimeout)
		defer cancel()
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, update, append([]any{uuidOf(op.ID), before}, args...)...)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return ledger.ErrConflict
			}
			return tx.SendBatch(ctx, puts).Close()
		})
	})
}

// Operation implements [ledger.Store].
func (s *Store) Operation(ctx context.Context, id uuid.UUID) (ledger.Operation, error) {
	return s.operation(ctx, "id", id)
}

func (s *Store) operation(ctx context.Context, by string, id uuid.UUID) (op ledger.Operation, err error) {
	err = ledger.ErrNotFound
	failed := readRows(ctx, s, table.Operations.Columns, func(found *ledger.Operation) error {
		op, err = *found, nil
		return nil
	}, "select "+table.Names("", table.Operations.Columns)+" from operations where "+by+" = $1", uuidOf(id))
	if failed != nil {
		return ledger.Operation{}, failed
	}
	return op, err
}

// Operations implements [ledger.Store].
func (s *Store) Operations(ctx context.Context, by ledger.OperationFilter) iter.Seq2[ledger.Operation, error] {
	columns := table.Operations.Without("input")
	page := func(before uuid.UUID, limit int) (ops []ledger.Operation, err error) {
		var f filter
		f.addText("endpoint", by.Endpoint)
		f.addText("kind", by.Kind)
		f.addText("state", string(by.State))
		if before != uuid.Nil {
			f.add("id < $%d", uuidOf(before))
		}
		sql := fmt.Sprintf("select %s from operations%s order by id desc limit %d", table.Names("", columns), f.where(),
			limit)
		err = readRows(ctx, s, columns, func(op *ledger.Operation) error {
			ops = append(ops, *op)
			return nil
		}, sql, f.args...)
		return ops, err
	}
	return pages(by.Before, by.Limit, page, func(op ledger.Operation) uuid.UUID { return op.ID })
}

// OperationRows implements [ledger.Store].
func (s *Store) OperationRows(ctx context.Context, by ledger.OperationRowFilter) iter.Seq2[ledger.OperationRow, error] {
	columns := table.OperationRows.Columns
	page := func(after, limit int) (rows []ledger.OperationRow, err error) {
		var f filter
		f.add("operation = $%d", uuidOf(by.Operation))
		f.add("number > $%d", after)
		f.addText("outcome", by.Outcome)
		sql := fmt.Sprintf("select %s from operation_rows%s order by number limit %d", table.Names("", columns), f.where(),
			limit)
		err = readRows(ctx, s, columns, func(row *ledger.OperationRow) error {
			rows = append(rows, *row)
			return nil
		}, sql, f.args...)
		return rows, err
	}
	return pages(by.After, by.Limit, page, func(row ledger.OperationRow) int { return row.Number })
}

// PruneOperations implements [ledger.Store].
func (s *Store) PruneOperations(ctx context.Context, before time.Time) (int, error) {
	const old = "id < $1 and state <> 'running'"
	first := uuidOf(ledger.FirstID(before))
	_, err := s.exec(ctx, "delete from operation_rows where operation in (select id from operations where "+old+")", first)
	if err != nil {
		return 0, err
	}
	tag, err := s.exec(ctx, "delete from operations where "+old+" and kind <> 'erase'", first)
	return int(tag.RowsAffected()), err
}
