package postgres

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// pageSize bounds what a read holds in memory. No connection is held while a page is handed on.
const pageSize = 500

// filter collects the conditions of a query and their parameters.
type filter struct {
	conditions []string
	args       []any
}

// add appends a condition in which %d stands for the parameter's number.
func (f *filter) add(condition string, arg any) {
	f.args = append(f.args, arg)
	f.conditions = append(f.conditions, fmt.Sprintf(condition, len(f.args)))
}

func (f *filter) addText(column, value string) {
	if value != "" {
		f.add(column+" = $%d", value)
	}
}

// addTimes bounds a time, and with it the ids to look at: only these are indexed.
func (f *filter) addTimes(column string, from, to time.Time) {
	if !from.IsZero() {
		f.add(column+" >= $%d", from)
		f.add("id >= $%d", uuidOf(ledger.FirstID(from.Add(-ledger.IDSlack))))
	}
	if !to.IsZero() {
		f.add(column+" < $%d", to)
		f.add("id < $%d", uuidOf(ledger.FirstID(to.Add(ledger.IDSlack))))
	}
}

// addKey selects by endpoint and subid, and by the bucket that follows from both, so that the primary key serves.
func (f *filter) addKey(endpoint, subid string) {
	if subid == "" {
		f.addText("lower(endpoint)", endpoint)
		return
	}
	if endpoint != "" {
		f.add("bucket = $%d", int16(ledger.KeyOf(endpoint, subid).Bucket))
	}
	f.addText("endpoint", endpoint)
	f.addText("subid", subid)
}

// addSpan bounds the ids, and returns the order of the rows.
func (f *filter) addSpan(s ledger.Span) (order string) {
	if s.Before != uuid.Nil {
		f.add("id < $%d", uuidOf(s.Before))
	}
	if s.After != uuid.Nil {
		f.add("id > $%d", uuidOf(s.After))
	}
	if s.Oldest {
		return "id"
	}
	return "id desc"
}

func (f *filter) where() string {
	if len(f.conditions) == 0 {
		return ""
	}
	return " where " + strings.Join(f.conditions, " and ")
}

// Conversions implements [ledger.Store].
func (s *Store) Conversions(ctx context.Context, by ledger.ConversionFilter) iter.Seq2[*conversion.Conversion, error] {
	page := func(last uuid.UUID, limit int) (rows []*conversion.Conversion, err error) {
		var f filter
		f.addKey(by.Endpoint, by.SubID)
		f.addText("type", by.Type)
		if by.TID != nil {
			f.add("tid = $%d", *by.TID)
		}
		if by.ID != uuid.Nil {
			f.add("id = $%d", uuidOf(by.ID))
		}
		f.addTimes("created_at", by.From, by.To)
		order := f.addSpan(by.Span.From(last))
		sql := fmt.Sprintf("select %s from conversions%s order by %s limit %d",
			table.Names("", table.Conversions.Columns), f.where(), order, limit)
		err = readRows(ctx, s, table.Conversions.Columns, func(c *conversion.Conversion) error {
			rows = append(rows, c)
			return nil
		}, sql, f.args...)
		return rows, err
	}
	return pages(uuid.Nil, by.Limit, page, func(c *conversion.Conversion) uuid.UUID { return c.ID })
}

// Received implements [ledger.Store].
func (s *Store) Received(ctx context.Context, by ledger.ReceivedFilter) iter.Seq2[ledger.Received, error] {
	page := func(last uuid.UUID, limit int) (rows []ledger.Received, err error) {
		var f filter
		f.addKey(by.Endpoint, by.SubID)
		f.addText("type", by.Type)
		if by.TID != nil {
			f.add("coalesce(tid, '') = $%d", *by.TID)
		}
		f.addText("outcome", string(by.Outcome))
		f.addText("reason", string(by.Reason))
		if by.ID != uuid.Nil {
			f.add("id = $%d", uuidOf(by.ID))
		}
		f.addTimes("at", by.From, by.To)
		order := f.addSpan(by.Span.From(last))
		sql := fmt.Sprintf("select %s from received%s order by %s limit %d",
			table.Names("", table.Received.Columns), f.where(), order, limit)
		err = readRows(ctx, s, table.Received.Columns, func(r *ledger.Received) error {
			rows = append(rows, *r)
			return nil
		}, sql, f.args...)
		return rows, err
	}
	return pages(uuid.Nil, by.Limit, page, func(r ledger.Received) uuid.UUID { return r.ID })
}

// History implements [ledger.Store].
func (s *Store) History(ctx context.Context, id uuid.UUID) ([]*conversion.Conversion, error) {
	if id == uuid.Nil { // which filters nothing
		return nil, ledger.ErrNotFound
	}
	var current *conversion.Conversion
	for c, err := range s.Conversions(ctx, ledger.ConversionFilter{ID: id, Limit: 1}) {
		if err != nil {
			return nil, err
		}
		current = c
	}
	if current == nil {
		return nil, ledger.ErrNotFound
	}
	var f filter
	f.addKey(current.Endpoint, current.SubID)
	f.add("tid = $%d", current.Slot.TID)
	f.add("slot_type = $%d", current.Slot.Type)
	f.add("version < $%d", current.Version)
	var versions []*conversion.Conversion
	sql := fmt.Sprintf("select %s from conversion_history%s order by version",
		table.Names("", table.History.Columns), f.where())
	err := readRows(ctx, s, table.History.Columns, func(c *conversion.Conversion) error {
		versions = append(versions, c)
		return nil
	}, sql, f.args...)
	return append(versions, current), err
}

// pages yields rows page after page, each page from the last row on, as cursor names it.
func pages[R, C any](start C, limit int, page func(C, int) ([]R, error), cursor func(R) C) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		after, left := start, limit
		for limit == 0 || left > 0 {
			size := pageSize
			if limit > 0 {
				size = min(size, left)
			}
			rows, err := page(after, size)
			if err != nil {
				var none R
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				after = cursor(row)
			}
			if len(rows) < size {
				return
			}
			left -= len(rows)
		}
	}
}

// readRows runs a query for reading and hands on its rows.
func readRows[R any](
	ctx context.Context, s *Store, columns []table.Column[R], each func(*R) error, sql string, args ...any,
) error {
	return s.query(ctx, sql, args, func(rows pgx.Rows) error { return scan(rows, columns, each) })
}

// query runs one for reading.
func (s *Store) query(ctx context.Context, sql string, args []any, scan func(pgx.Rows) error) error {
	return s.reading(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return scan(rows)
	})
}

// reading runs read on one of the connections that are not kept for lanes.
func (s *Store) reading(ctx context.Context, read func(context.Context, *pgx.Conn) error) error {
	select {
	case s.readers <- struct{}{}:
		defer func() { <-s.readers }()
	case <-ctx.Done():
		return failure(ctx.Err())
	}
	return s.withConn(ctx, func(conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, readTimeout)
		defer cancel()
		return read(ctx, conn)
	})
}

// readTimeout bounds one page of a read.
const readTimeout = 30 * time.Second
