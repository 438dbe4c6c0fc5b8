package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// The received log has a partition for each day of UTC, by the time that its ids begin with. A day is dropped as a
// whole, which costs the same however many rows it has.
//
// A row needs no partition of its day: without one it goes to received_rest, as rows do that come from a spool after
// their day was dropped, or when nobody may create tables. What is there is deleted row by row. A day of which
// received_rest has rows gets no partition any more.
const (
	// daysAhead have partitions before they begin, and so has yesterday: a spool delivers what came in before midnight.
	daysAhead = 7
	restOfLog = "received_rest"
	dayLayout = "received_20060102"

	listDays = `select relname::text from pg_inherits join pg_class on pg_class.oid = inhrelid
		where inhparent = 'received'::regclass`
	// lockVersion keeps two receivers from creating the same table, as those who migrate.
	lockVersion = "select version from postback_schema for update"
	restHasDay  = "select exists (select from received_rest where id >= $1 and id < $2)"

	// ddlSettings are for statements that lock what postbacks are written to. While they wait for a lock, whoever comes
	// later waits behind them.
	ddlSettings = "select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true)"
	ddlLockWait = 200 * time.Millisecond
)

var errDayMisnamed = errors.New("a partition of the received log has a name that is no day's")

// day is the start of a day of UTC.
type day struct{ time.Time }

func dayOf(t time.Time) day { return day{t.UTC().Truncate(24 * time.Hour)} }

func (d day) name() string    { return d.Format(dayLayout) }
func (d day) end() time.Time  { return d.AddDate(0, 0, 1) }
func (d day) after(n int) day { return day{d.AddDate(0, 0, n)} }

// Prepare implements [ledger.Upkeep].
func (s *Store) Prepare(ctx context.Context, now time.Time) error {
	return s.withConn(ctx, func(conn *pgx.Conn) error { return s.createDays(ctx, conn, now) })
}

// createDays makes the partitions that are missing, of yesterday until daysAhead from now.
func (s *Store) createDays(ctx context.Context, conn *pgx.Conn, now time.Time) error {
	if s.options.CheckOnly { // Its role need not be one that may.
		return nil
	}
	there, err := s.days(ctx, conn)
	if err != nil {
		return err
	}
	var missing []day
	for n := -1; n <= daysAhead; n++ {
		if d := dayOf(now).after(n); !slices.Contains(there, d) {
			missing = append(missing, d)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return s.change(ctx, conn, func(ctx context.Context) error {
		for _, d := range missing {
			if err := createDay(ctx, conn, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// days returns those that have partitions, oldest first.
func (s *Store) days(ctx context.Context, conn *pgx.Conn) ([]day, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.FlightTimeout)
	defer cancel()
	rows, err := conn.Query(ctx, listDays)
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	var days []day
	for _, name := range names {
		if name == restOfLog {
			continue
		}
		at, err := time.Parse(dayLayout, name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w: %s", ledger.ErrSchema, errDayMisnamed, name)
		}
		days = append(days, day{at})
	}
	slices.SortFunc(days, func(a, b day) int { return a.Compare(b.Time) })
	return days, nil
}

// createDay makes a day's partition unless there is one, or the rest has rows of it. The table is made first and
// attached then, which lets batches go on: to create it as a partition would lock the whole log.
func createDay(ctx context.Context, conn *pgx.Conn, d day) error {
	var there, rest bool
	if err := conn.QueryRow(ctx, "select to_regclass($1) is not null", d.name()).Scan(&there); err != nil || there {
		return err
	}
	first, end := ledger.FirstID(d.Time), ledger.FirstID(d.end())
	if err := conn.QueryRow(ctx, restHasDay, uuidOf(first), uuidOf(end)).Scan(&rest); err != nil || rest {
		return err
	}
	return execAll(ctx, conn,
		fmt.Sprintf("create table %s (like received including defaults)", d.name()),
		fmt.Sprintf("alter table received attach partition %s for values from ('%s') to ('%s')", d.name(), first, end))
}

// dropDays drops the days of which all rows are from before that time. A receiver that may not deletes rows instead.
func (s *Store) dropDays(ctx context.Context, before time.Time) error {
	if s.options.CheckOnly {
		return nil
	}
	return s.withConn(ctx, func(conn *pgx.Conn) error {
		days, err := s.days(ctx, conn)
		if err != nil {
			return err
		}
		for _, d := range days {
			if d.end().Add(ledger.IDSlack).After(before) {
				return nil
			}
			err := s.change(ctx, conn, func(ctx context.Context) error {
				return execAll(ctx, conn, "drop table if exists "+d.name())
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// change runs statements that change tables, in one transaction, one receiver at a time.
func (s *Store) change(ctx context.Context, conn *pgx.Conn, run func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.FlightTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, begin); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, ddlSettings, milliseconds(s.options.StatementTimeout),
		milliseconds(ddlLockWait)); err != nil {
		return err
	}
	if err := execAll(ctx, conn, lockVersion); err != nil {
		return err
	}
	if err := run(ctx); err != nil {
		return err
	}
	return execAll(ctx, conn, "commit")
}

// execAll runs statements by the extended protocol, as migrations.
func execAll(ctx context.Context, conn *pgx.Conn, statements ...string) error {
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeExec); err != nil {
			return err
		}
	}
	return nil
}
