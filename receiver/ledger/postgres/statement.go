package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// statement runs for many rows at once: its parameters are arrays, one for each column, the rows' buckets first.
type statement[R any] struct {
	params []table.Column[R]
	// plain takes the buckets as an array like the other columns, routed one bucket as a scalar: a statement that Citus
	// can send to one shard. routed is empty where there is no need to.
	plain, routed string
}

// Lists of columns, for the texts of statements: {t.clicks} stands for all columns of clicks but the bucket, behind
// "t.".
var columnLists = []string{
	"{t.clicks}", table.Names("t.", table.Clicks.Columns),
	"{t.conversions}", table.Names("t.", table.Conversions.Columns),
	"{c.conversions}", table.Names("c.", table.Conversions.Columns),
	"{t.received}", table.Names("t.", table.Received.Columns),
	"{t.held}", table.Names("t.", table.Held.Columns),
	"{t.outbox}", table.Names("t.", table.Outbox.Columns),
}

// forRows makes a statement of a text in which {rows} stands for the parameters, as a table u, and {key} for the
// condition that a row t has the key of a row u. The first keys parameters are the key, with the bucket before them;
// {set} assigns the others.
func forRows[R any](params []table.Column[R], keys int, text string) statement[R] {
	set := make([]string, 0, len(params))
	for _, c := range params[keys:] {
		set = append(set, fmt.Sprintf("%s = u.%[1]s", c.Name))
	}
	build := func(rows, bucket string) string {
		key := []string{"t.bucket = " + bucket}
		for _, c := range params[:keys] {
			key = append(key, fmt.Sprintf("t.%s = u.%[1]s", c.Name))
		}
		list := append(slices.Clone(columnLists),
			"{rows}", "("+rows+") u",
			"{key}", strings.Join(key, " and "),
			"{set}", strings.Join(set, ", "))
		return strings.NewReplacer(list...).Replace(text)
	}
	return statement[R]{
		params: params,
		plain:  build("select "+unnestBucket+", "+unnest(params), "u.bucket"),
		routed: build("select "+unnest(params), "$1::smallint"),
	}
}

// insertRows makes a statement of a text in which {columns} stands for the names of the parameters, the bucket first,
// and {values} for their rows.
func insertRows[R any](params []table.Column[R], text string) statement[R] {
	return statement[R]{params: params, plain: strings.NewReplacer(
		"{columns}", "bucket, "+table.Names("", params),
		"{values}", "select "+unnestBucket+", "+unnest(params)).Replace(text)}
}

const unnestBucket = "unnest($1::smallint[]) as bucket"

// unnest selects the parameters as rows. It does so in the select list, where a row is made of all arrays at once; in a
// from clause each array is first written to a table of its own, which costs more than the insert.
func unnest[R any](params []table.Column[R]) string {
	fields := make([]string, len(params))
	for i, c := range params {
		fields[i] = fmt.Sprintf("unnest($%d::%s[]) as %s", i+2, sqlTypes[c.Type], c.Name)
	}
	return strings.Join(fields, ", ")
}

var sqlTypes = map[table.Type]string{
	table.Text:       "text",
	table.Bytes:      "bytea",
	table.JSON:       "json",
	table.Integer:    "integer",
	table.BigInteger: "bigint",
	table.Boolean:    "boolean",
	table.Time:       "timestamptz",
	table.Decimal:    "numeric",
	table.UUID:       "uuid",
}

// queue adds the statement to a batch if there are rows: once, or once for each bucket. Rows are sorted by key. result
// may be nil.
func (s *statement[R]) queue(b *batch, rows []keyed[R], result func(pgx.Rows) error) {
	if len(rows) == 0 {
		return
	}
	if !b.routed || s.routed == "" {
		s.add(b, s.plain, buckets[R](rows), rows, result)
		return
	}
	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && rows[end].Bucket == rows[start].Bucket {
			end++
		}
		s.add(b, s.routed, int16(rows[start].Bucket), rows[start:end], result)
		start = end
	}
}

// add queues one execution. bucket is an array, or the scalar that stands for it.
func (s *statement[R]) add(b *batch, sql string, bucket any, rows []keyed[R], result func(pgx.Rows) error) {
	query := b.Queue(sql, s.args(bucket, rows)...)
	if result != nil {
		query.Query(result)
	}
}

func (s *statement[R]) args(bucket any, rows []keyed[R]) []any {
	args := make([]any, 0, 1+len(s.params))
	args = append(args, bucket)
	for i := range s.params {
		args = append(args, fields[R]{rows, &s.params[i]})
	}
	return args
}

// batch is a flight: statements that go to the server at once.
type batch struct {
	pgx.Batch
	// routed asks for one statement per bucket.
	routed bool
}

// keyed is a row with its key.
type keyed[R any] struct {
	ledger.Key
	row *R
}

// sorted puts rows into the order of locking.
func sorted[R any](rows []*R, key func(*R) ledger.Key) []keyed[R] {
	of := make([]keyed[R], len(rows))
	for i, row := range rows {
		of[i] = keyed[R]{key(row), row}
	}
	sortRows(of)
	return of
}

func sortRows[R any](rows []keyed[R]) {
	slices.SortStableFunc(rows, func(a, b keyed[R]) int { return a.Compare(b.Key) })
}

// sortedValues is sorted for values.
func sortedValues[R any](values []R, key func(*R) ledger.Key) []keyed[R] {
	of := make([]keyed[R], len(values))
	for i := range values {
		of[i] = keyed[R]{key(&values[i]), &values[i]}
	}
	sortRows(of)
	return of
}

// split parts rows by a condition, and keeps their order.
func split[R any](rows []keyed[R], condition func(keyed[R]) bool) (yes, no []keyed[R]) {
	for _, row := range rows {
		if condition(row) {
			yes = append(yes, row)
		} else {
			no = append(no, row)
		}
	}
	return yes, no
}
