package sqlite

import (
	"context"
	"database/sql/driver"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// condition gathers the terms of a where clause.
type condition struct {
	terms []string
	args  []any
}

// add adds a term with one parameter unless the value is the zero one.
func add[T comparable](c *condition, term string, value T, arg any) {
	var zero T
	if value != zero {
		c.always(term, arg)
	}
}

func (c *condition) always(term string, arg any) {
	c.terms = append(c.terms, term)
	c.args = append(c.args, arg)
}

// endpointAndSubID uses the index by subid if there is a subid. An endpoint alone selects too much for an index: the
// unary plus keeps the planner to the order of ids.
func (c *condition) endpointAndSubID(endpoint, subid string) {
	plus := "+"
	if subid != "" {
		plus = ""
		c.always("t.subid = ?", subid)
	}
	switch {
	case endpoint != "":
		c.always(plus+"t.endpoint = (select id from endpoints where name = ?)", endpoint)
	case subid != "":
		c.terms = append(c.terms, "t.endpoint in (select id from endpoints)")
	}
}

// between bounds a time, and with it the ids to look at.
func (c *condition) between(column string, from, to time.Time) {
	if !from.IsZero() {
		c.always(column+" >= ?", ceilMicros(from))
		c.always("t.id >= ?", firstID(from.Add(-ledger.IDSlack)))
	}
	if !to.IsZero() {
		c.always(column+" < ?", ceilMicros(to))
		c.always("t.id < ?", firstID(to.Add(ledger.IDSlack)))
	}
}

func firstID(t time.Time) []byte {
	id := ledger.FirstID(t)
	return id[:]
}

// ceilMicros rounds up, so that a bound between two microseconds parts the stored times where it says.
func ceilMicros(t time.Time) int64 {
	return t.Add(time.Microsecond - 1).UnixMicro()
}

// list returns the query for the matching rows of a table, in the order of a span.
func (c *condition) list(table, columns string, span ledger.Span, limit int) string {
	add(c, "t.id < ?", span.Before, span.Before[:])
	add(c, "t.id > ?", span.After, span.After[:])
	q := "select " + columns + " from " + table + " t"
	if len(c.terms) > 0 {
		q += " where " + strings.Join(c.terms, " and ")
	}
	q += " order by t.id"
	if !span.Oldest {
		q += " desc"
	}
	if limit > 0 {
		q += " limit ?"
		c.args = append(c.args, limit)
	}
	return q
}

// list yields the matching rows of a table, in the order of a span.
func list[R any](ctx context.Context, s *Store, t table.Table[R], c *condition, span ledger.Span,
	limit int) iter.Seq2[*R, error] {
	query := c.list(t.Name, named(t), span, limit)
	return rows(ctx, s, query, c.args, reading(t.Columns))
}

// reading returns what reads a row of those columns.
func reading[R any](columns []table.Column[R]) func(*row) (*R, error) {
	return func(r *row) (*R, error) {
		into := new(R)
		return into, readInto(r, columns, into)
	}
}

// values yields what pointers point to.
func values[R any](pointers iter.Seq2[*R, error]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for p, err := range pointers {
			if p == nil {
				p = new(R)
			}
			if !yield(*p, err) {
				return
			}
		}
	}
}

// Conversions implements [ledger.Store].
func (s *Store) Conversions(ctx context.Context, f ledger.ConversionFilter) iter.Seq2[*conversion.Conversion, error] {
	var c condition
	c.endpointAndSubID(f.Endpoint, f.SubID)
	if f.TID != nil {
		c.always("t.tid = ?", *f.TID)
	}
	add(&c, "t.type = ?", f.Type, f.Type)
	add(&c, "t.id = ?", f.ID, f.ID[:])
	c.between("t.created_at", f.From, f.To)
	return list(ctx, s, table.Conversions, &c, f.Span, f.Limit)
}

// History implements [ledger.Store].
func (s *Store) History(ctx context.Context, id uuid.UUID) ([]*conversion.Conversion, error) {
	const versions = `select {columns} from (
		select * from conversion_history where conversion_history.id = ?1 union all
		select * from conversions where conversions.id = ?1) t order by t.version`
	found, err := collect(ctx, s, strings.Replace(versions, "{columns}", named(table.History), 1), []any{id[:]},
		reading(table.History.Columns))
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, ledger.ErrNotFound
	}
	return found, nil
}

// Received implements [ledger.Store].
func (s *Store) Received(ctx context.Context, f ledger.ReceivedFilter) iter.Seq2[ledger.Received, error] {
	var c condition
	c.endpointAndSubID(f.Endpoint, f.SubID)
	if f.TID != nil {
		c.always("coalesce(t.tid, '') = ?", *f.TID)
	}
	add(&c, "t.type = ?", f.Type, f.Type)
	add(&c, "t.outcome = ?", f.Outcome, string(f.Outcome))
	add(&c, "t.reason = ?", f.Reason, string(f.Reason))
	add(&c, "t.id = ?", f.ID, f.ID[:])
	c.between("t.at", f.From, f.To)
	return values(list(ctx, s, table.Received, &c, f.Span, f.Limit))
}

// rows runs a query on a reader and yields each row as read reads it. It ends with the first error.
func rows[T any](ctx context.Context, s *Store, query string, args []any, read func(*row) (T, error)) iter.Seq2[T,
	error] {
	return func(yield func(T, error) bool) {
		var none T
		found, err := s.reader.QueryContext(ctx, query, args...)
		if err != nil {
			yield(none, s.noticed(classify(err)))
			return
		}
		defer func() { _ = found.Close() }()
		columns, err := found.Columns()
		if err != nil {
			yield(none, s.noticed(classify(err)))
			return
		}
		values := make([]driver.Value, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = (*any)(&values[i])
		}
		for found.Next() {
			err := found.Scan(targets...)
			v := none
			if err == nil {
				v, err = read(&row{values: values})
			}
			if !yield(v, s.noticed(classify(err))) || err != nil {
				return
			}
		}
		if err := found.Err(); err != nil {
			yield(none, s.noticed(classify(err)))
		}
	}
}
