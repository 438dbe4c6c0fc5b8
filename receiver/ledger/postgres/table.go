package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// column is one column of a table, or of a statement's parameters, whose rows are R.
type column[R any] struct {
	name, typ string
	// array returns the values of n rows as one array parameter.
	array func(n int, row func(int) *R) any
	// value returns the value of one row as a parameter.
	value func(row *R) any
	// target returns where to scan the value of one row.
	target func(row *R) any
}

// col describes a column of SQL type typ whose value is the field of a row.
func col[R, V any](name, typ string, field func(*R) *V) column[R] {
	return column[R]{
		name: name, typ: typ,
		array:  func(n int, row func(int) *R) any { return valuesOf[R, V]{row, n, field} },
		value:  func(row *R) any { return *field(row) },
		target: func(row *R) any { return field(row) },
	}
}

// within describes the columns of a part of R.
func within[R, P any](part func(*R) *P, columns []column[P]) []column[R] {
	of := make([]column[R], len(columns))
	for i, c := range columns {
		of[i] = column[R]{
			name: c.name, typ: c.typ,
			array: func(n int, row func(int) *R) any {
				return c.array(n, func(i int) *P { return part(row(i)) })
			},
			value:  func(row *R) any { return c.value(part(row)) },
			target: func(row *R) any { return c.target(part(row)) },
		}
	}
	return of
}

// names returns the columns' names, each behind a prefix, separated by commas.
func names[R any](prefix string, columns []column[R]) string {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(prefix + c.name)
	}
	return b.String()
}

// scan calls each with every row of a result whose columns are those given.
func scan[R any](rows pgx.Rows, columns []column[R], each func(*R) error) error {
	targets := make([]any, len(columns))
	for rows.Next() {
		row := new(R)
		for i, c := range columns {
			targets[i] = c.target(row)
		}
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// statement runs for many rows at once: its parameters are arrays, one for each column. The first column is the bucket.
type statement[R any] struct {
	params []column[R]
	// plain takes the buckets as an array like the other columns, routed one bucket as a scalar: a statement that Citus
	// can send to one shard. routed is empty where there is no need to.
	plain, routed string
}

// where makes a statement that joins the parameters, "u", with the rows of table, "t", that have the same key.
// format has %[1]s for the parameters and %[2]s for the condition.
func where[R any](format string, key, params []column[R]) statement[R] {
	build := func(first int, bucket string) string {
		conditions := make([]string, len(key))
		for i, c := range key {
			conditions[i] = fmt.Sprintf("t.%s = u.%[1]s", c.name)
		}
		conditions[0] = "t.bucket = " + bucket
		return fmt.Sprintf(format, "("+unnest(params, first)+") u", strings.Join(conditions, " and "))
	}
	return statement[R]{params: params, plain: build(0, "u.bucket"), routed: build(1, "$1::smallint")}
}

// insert makes a statement that adds rows to a table; rest follows the rows.
func insert[R any](table string, columns []column[R], rest string) statement[R] {
	return statement[R]{
		params: columns,
		plain:  fmt.Sprintf("insert into %s (%s) %s %s", table, names("", columns), unnest(columns, 0), rest),
	}
}

// update makes a statement that sets the columns after the key.
func update[R any](table string, keys int, columns []column[R]) statement[R] {
	assignments := make([]string, 0, len(columns))
	for _, c := range columns[keys:] {
		assignments = append(assignments, fmt.Sprintf("%s = u.%[1]s", c.name))
	}
	return where("update "+table+" t set "+strings.Join(assignments, ", ")+" from %[1]s where %[2]s", columns[:keys], columns)
}

// remove makes a statement that deletes rows by their key.
func remove[R any](table string, key []column[R]) statement[R] {
	return where("delete from "+table+" t using %[1]s where %[2]s", key, key)
}

// unnest selects the parameters from column number first on, as rows. It does so in the select list, where a row is made
// of all arrays at once; in a from clause each array is first written to a table of its own, which costs more than the insert.
func unnest[R any](columns []column[R], first int) string {
	fields := make([]string, 0, len(columns))
	for i, c := range columns[first:] {
		fields = append(fields, fmt.Sprintf("unnest($%d::%s[]) as %s", first+i+1, c.typ, c.name))
	}
	return "select " + strings.Join(fields, ", ")
}

// queue adds the statement to a batch if there are rows: once, or once for each bucket. Rows are sorted by bucket.
// result may be nil.
func (s statement[R]) queue(b *batch, rows []*R, result func(pgx.Rows) error) {
	if len(rows) == 0 {
		return
	}
	if !b.routed || s.routed == "" {
		s.add(b, s.plain, rows, nil, result)
		return
	}
	bucket := func(i int) int16 { return s.params[0].value(rows[i]).(int16) }
	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && bucket(end) == bucket(start) {
			end++
		}
		s.add(b, s.routed, rows[start:end], bucket(start), result)
		start = end
	}
}

// add queues one execution. bucket is the scalar that stands for the first array, or nil.
func (s statement[R]) add(b *batch, sql string, rows []*R, bucket any, result func(pgx.Rows) error) {
	row := func(i int) *R { return rows[i] }
	args := make([]any, len(s.params))
	for i, c := range s.params {
		args[i] = c.array(len(rows), row)
	}
	if bucket != nil {
		args[0] = bucket
	}
	query := b.Queue(sql, args...)
	if result != nil {
		query.Query(result)
	}
}

// batch is a flight: statements that go to the server at once.
type batch struct {
	pgx.Batch
	// routed asks for one statement per bucket.
	routed bool
}

// keyed are rows that belong to a click.
type keyed[R any] interface {
	*R
	key() ledger.Key
}

// sortRows puts rows into the order of locking.
func sortRows[R any, K keyed[R]](rows []*R) {
	slices.SortStableFunc(rows, func(a, b *R) int { return K(a).key().Compare(K(b).key()) })
}

// sorted makes rows of items, in the order of locking.
func sorted[T, R any, K keyed[R]](items []T, row func(T) R) []*R {
	rows, values := make([]*R, len(items)), make([]R, len(items))
	for i, item := range items {
		values[i] = row(item)
		rows[i] = &values[i]
	}
	sortRows[R, K](rows)
	return rows
}

// sortedErr is sorted for what may fail to become a row.
func sortedErr[T, R any, K keyed[R]](items []T, row func(T) (R, error)) ([]*R, error) {
	var failed error
	rows := sorted[T, R, K](items, func(item T) R {
		value, err := row(item)
		failed = cmp.Or(failed, err)
		return value
	})
	return rows, failed
}

// split parts rows by a condition, and keeps their order.
func split[R any](rows []*R, condition func(*R) bool) (yes, no []*R) {
	for _, row := range rows {
		if condition(row) {
			yes = append(yes, row)
		} else {
			no = append(no, row)
		}
	}
	return yes, no
}

// reading returns what reads a result: see [scan].
func reading[R any](columns []column[R], each func(*R) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error { return scan(rows, columns, each) }
}
