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

// newest returns the query for the matching rows of table, newest id first.
func (c *condition) newest(table, columns string, limit int) string {
	q := "select (select name from endpoints e where e.id = t.endpoint), " + columns + " from " + table + " t"
	if len(c.terms) > 0 {
		q += " where " + strings.Join(c.terms, " and ")
	}
	q += " order by t.id desc"
	if limit > 0 {
		q += " limit ?"
		c.args = append(c.args, limit)
	}
	return q
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
	add(&c, "t.id < ?", f.Before, f.Before[:])
	c.between("t.created_at", f.From, f.To)
	return rows(ctx, s, c.newest("conversions", conversionColumns, f.Limit), c.args, namedConversion)
}

func namedConversion(r *row) (*conversion.Conversion, error) {
	endpoint := r.text()
	found, err := r.conversion()
	found.Endpoint = endpoint
	return found, err
}

// History implements [ledger.Store].
func (s *Store) History(ctx context.Context, id uuid.UUID) ([]*conversion.Conversion, error) {
	const versions = "select e.name, " + conversionColumns + " from (" +
		"select endpoint, " + conversionColumns + " from history where history.id = ?1 union all " +
		"select endpoint, " + conversionColumns + " from conversions where conversions.id = ?1) t " +
		"join (select id as number, name from endpoints) e on e.number = t.endpoint order by t.version"
	var found []*conversion.Conversion
	for c, err := range rows(ctx, s, versions, []any{id[:]}, namedConversion) {
		if err != nil {
			return nil, err
		}
		found = append(found, c)
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
	add(&c, "t.id < ?", f.Before, f.Before[:])
	c.between("t.at", f.From, f.To)
	return rows(ctx, s, c.newest("received", receivedColumns, f.Limit), c.args, func(r *row) (ledger.Received, error) {
		endpoint := r.text()
		found, err := r.received()
		found.Endpoint = endpoint
		return found, err
	})
}

// rows runs a query on a reader and yields each row as read reads it. It ends with the first error.
func rows[T any](ctx context.Context, s *Store, query string, args []any, read func(*row) (T, error)) iter.Seq2[T, error] {
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
