package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger/facts"
	"github.com/postback-dev/postback-operator/receiver/report"
)

var dialect = facts.Dialect{
	Placeholder: func(n int) string { return fmt.Sprintf("$%d", n) },
	Time:        func(t time.Time) any { return t },
	Quarter: func(column string) string {
		return "(floor(extract(epoch from " + column + ") / 900) * 900)::bigint"
	},
	Param: func(column, name string) string { return column + " ->> '" + name + "'" },
	Sum:   func(column string) string { return "sum(" + column + ")::text" },
	Contains: func(text, placeholder string) string {
		return "position(" + placeholder + " in " + text +
			") > 0"
	},
	StartsWith:         func(text, placeholder string) string { return "starts_with(" + text + ", " + placeholder + ")" },
	Clicks:             "clicks k",
	ClickEndpoint:      "k.endpoint",
	IsClick:            "k.present",
	Conversions:        "conversions c",
	ConversionEndpoint: "c.endpoint",
	JoinClicks: "left join clicks k on k.bucket = c.bucket and k.endpoint = c.endpoint and k.subid = c.subid" +
		" and k.present",
	Cells:        "report_cells c",
	CellEndpoint: "c.endpoint",
	Slot: func(column string) string {
		return "floor(extract(epoch from " + column + ") / 1800)::bigint"
	},
	CellSum:  func(column string) string { return "coalesce(sum(" + column + "), 0)::text" },
	Greatest: "greatest",
}

// Facts implements [ledger.Reader].
func (s *Store) Facts(ctx context.Context, p report.Plan) iter.Seq2[report.Fact, error] {
	return func(yield func(report.Fact, error) bool) {
		stopped := false
		for _, statement := range dialect.Statements(p) {
			err := s.sum(ctx, statement.Text, statement.Args, func(rows pgx.Rows) error {
				for !stopped && rows.Next() {
					var fact report.Fact
					if err := rows.Scan(statement.Targets(&fact)...); err != nil {
						return err
					}
					stopped = !yield(fact, nil)
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

// sumSettings are for statements that read many rows. The server ends them as well: it would go on after a receiver
// that is killed. To compile an expression takes longer than it saves. The memory is for what is sorted and hashed,
// which else is written to files.
const (
	beginSum    = "begin isolation level read committed read only"
	sumSettings = "select set_config('statement_timeout', $1, true), set_config('jit', 'off', true), " +
		"set_config('work_mem', '64MB', true)"
)

// sum runs a statement of a report. There are so few at a time that lists find a connection too.
func (s *Store) sum(ctx context.Context, sql string, args []any, scan func(pgx.Rows) error) error {
	select {
	case s.summing <- struct{}{}:
		defer func() { <-s.summing }()
	case <-ctx.Done():
		return failure(ctx.Err())
	}
	return s.reading(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, beginSum); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, sumSettings, milliseconds(readTimeout)); err != nil {
			return err
		}
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		err = scan(rows)
		rows.Close()
		if err := errors.Join(err, rows.Err()); err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "commit")
		return err
	})
}
