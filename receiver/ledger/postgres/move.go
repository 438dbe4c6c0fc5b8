package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// Source is a database that is copied. It implements move.Source.
type Source struct {
	store *Store
	conn  *pgxpool.Conn
}

const (
	beginCopy = "begin isolation level repeatable read, read only"
	// liveLease finds a receiver that works on the database.
	liveLease = "select name, until from leases where until > now() order by until desc limit 1"
	// journalPageRows is how many rows of the received log are read at a time.
	journalPageRows = 1000
)

// OpenSource opens a database to be copied, as it is now. Its schema is brought up to date first. A database on which a
// receiver works is refused.
func OpenSource(ctx context.Context, options Options) (_ *Source, err error) {
	store, err := Open(ctx, options)
	if err != nil {
		return nil, err
	}
	s := &Source{store: store}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.conn, err = begun(ctx, store, beginCopy); err != nil {
		return nil, err
	}
	var lease string
	var until time.Time
	switch err := s.conn.QueryRow(ctx, liveLease).Scan(&lease, &until); {
	case errors.Is(err, pgx.ErrNoRows):
		return s, nil
	case err != nil:
		return nil, failure(err)
	}
	return nil, fmt.Errorf("a receiver works on the database, or did until a moment ago: it has the lease %s until %s; "+
		"stop all receivers, and try again after that", lease, until.UTC().Format(time.RFC3339))
}

// begun returns a connection in a transaction whose statements may take long.
func begun(ctx context.Context, store *Store, begin string) (*pgxpool.Conn, error) {
	conn, err := store.pool.Load().Acquire(ctx)
	if err != nil {
		return nil, failure(err)
	}
	_, err = conn.Exec(ctx, begin)
	if err == nil {
		_, err = conn.Exec(ctx, foldSettings, milliseconds(rebuildTimeout), milliseconds(store.options.LockTimeout))
	}
	if err != nil {
		conn.Release()
		return nil, failure(err)
	}
	return conn, nil
}

// Rows implements move.Source.
func (s *Source) Rows(ctx context.Context, t table.Any, each func(*any) error) error {
	if t.Name == table.Received.Name {
		return s.journal(ctx, each)
	}
	query := "select " + table.Names("", t.Columns) + " from " + t.Name
	if t.Name == table.Clicks.Name {
		query += " where present" // the others are there to be locked
	}
	rows, err := s.conn.Query(ctx, query)
	if err != nil {
		return failure(err)
	}
	defer rows.Close()
	var taken error
	err = scan(rows, t.Columns, func(row *any) error {
		taken = each(row)
		return taken
	})
	if taken != nil {
		return taken
	}
	return failure(err)
}

// journal reads the received log in the order in which readers of the journal get it.
func (s *Source) journal(ctx context.Context, each func(*any) error) error {
	for after := ledger.Cursor(0); ; {
		rows, next, err := s.store.ReadJournal(ctx, after, journalPageRows)
		if err != nil || len(rows) == 0 {
			return err
		}
		for i := range rows {
			var row any = &rows[i]
			if err := each(&row); err != nil {
				return err
			}
		}
		after = next
	}
}

// Close implements move.Source.
func (s *Source) Close() error {
	if s.conn != nil {
		finished, cancel := context.WithTimeout(context.Background(), connectTimeout)
		defer cancel()
		_, _ = s.conn.Exec(finished, "rollback") // nothing was written
		s.conn.Release()
	}
	return s.store.Close()
}

// Target is an empty database that is filled, in one transaction. It implements move.Target.
type Target struct {
	store *Store
	conn  *pgxpool.Conn
	// journal numbers the batches of the received log, as if each was a transaction of its own: readers take whole
	// transactions.
	journal int64
	done    bool
}

// CreateTarget takes an empty database. One with rows is refused.
func CreateTarget(ctx context.Context, options Options) (_ *Target, err error) {
	store, err := Open(ctx, options)
	if err != nil {
		return nil, err
	}
	t := &Target{store: store}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	if t.conn, err = begun(ctx, store, begin); err != nil {
		return nil, err
	}
	var names []string
	for _, of := range table.Kept() {
		names = append(names, of.Name)
	}
	// Receivers that start meanwhile wait.
	if _, err := t.conn.Exec(ctx, "lock table "+strings.Join(names, ", ")+" in exclusive mode"); err != nil {
		return nil, failure(err)
	}
	for _, name := range names {
		var some bool
		if err := t.conn.QueryRow(ctx, "select exists (select from "+name+")").Scan(&some); err != nil {
			return nil, failure(err)
		}
		if some {
			return nil, fmt.Errorf("the database is not empty, its table %s has rows: name an empty one", name)
		}
	}
	return t, nil
}

// Add implements move.Target.
func (t *Target) Add(ctx context.Context, into table.Any, rows []*any) error {
	statement := addRows(into, t.journal+1)
	if into.Name == table.Received.Name {
		t.journal++
	}
	of := make([]keyed[any], len(rows))
	for i, row := range rows {
		of[i] = keyed[any]{row: row}
		if into.Has("subid") && into.Columns[0].Name == "endpoint" {
			endpoint, _ := into.Columns[0].Value(row).(*string)
			subid, _ := into.Columns[1].Value(row).(*string)
			of[i].Key = ledger.KeyOf(*endpoint, *subid)
		}
	}
	_, err := t.conn.Exec(ctx, statement.plain, statement.args(buckets[any](of), of)...)
	return failure(err)
}

// addRows makes the statement that adds rows to a table, those of the received log as if a transaction of that number
// had.
func addRows(t table.Any, tx int64) statement[any] {
	switch {
	case t.Name == table.Clicks.Name:
		return insertRows(t.Columns, "insert into clicks ({columns}, present) {values}, true")
	case t.Name == table.Received.Name:
		return insertRows(t.Columns, fmt.Sprintf("insert into received ({columns}, tx) {values}, %d", tx))
	case t.Has("subid") && t.Columns[0].Name == "endpoint":
		return insertRows(t.Columns, "insert into "+t.Name+" ({columns}) {values}")
	}
	// A table without buckets. They are a parameter all the same.
	return statement[any]{params: t.Columns, plain: fmt.Sprintf(
		"insert into %s (%s) select %s where $1::smallint[] is not null", t.Name, table.Names("", t.Columns),
		unnest(t.Columns))}
}

// Count implements move.Target.
func (t *Target) Count(ctx context.Context, of table.Any) (n int64, err error) {
	err = t.conn.QueryRow(ctx, "select count(*) from "+of.Name).Scan(&n)
	return n, failure(err)
}

// Finish implements move.Target.
func (t *Target) Finish(ctx context.Context) error {
	if err := makeReports(ctx, t.conn.Conn(), ""); err != nil {
		return failure(err)
	}
	if err := continueJournal(ctx, t.conn.Conn()); err != nil {
		return failure(err)
	}
	if _, err := t.conn.Exec(ctx, "commit"); err != nil {
		return failure(err)
	}
	t.done = true
	return nil
}

// Close implements move.Target.
func (t *Target) Close() error {
	if t.conn != nil {
		if !t.done {
			finished, cancel := context.WithTimeout(context.Background(), connectTimeout)
			defer cancel()
			_, _ = t.conn.Exec(finished, "rollback") // if this fails the connection is closed, which rolls back as well
		}
		t.conn.Release()
	}
	return t.store.Close()
}
