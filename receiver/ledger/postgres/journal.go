package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// The journal is read in the order of the numbers of the transactions that wrote its rows, which is not the order of
// their commits: a reader stops before the oldest transaction that is still under way, of any database of the server.
// What is below will not change any more.
//
// Nor is it the order of versions. A batch may get its number with its first row lock and wait for another one, while a
// batch with a higher number, which has that lock, writes the version before and commits. A page never has a version
// without those before it: it goes on to them, or, where they are at or above the horizon because some batch between
// is still under way, it ends before.
const (
	journalHorizon = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint + tx_base from postback_schema"
	// journalBoundary is the transaction of the row where a page is full.
	journalBoundary = "select tx from received where tx > $1 and tx < $2 order by tx offset $3 limit 1"
	// journalStragglers is the last transaction that wrote a version before one of the page's. The offset keeps the
	// planner to the key: it would look for the maximum by the index on tx.
	journalStragglers = `select coalesce(max(earlier.tx), 0) from (
			select bucket, endpoint, subid, conversion, max(version) as version from received
			where tx > $1 and tx <= $2 and version > 1 group by bucket, endpoint, subid, conversion) page
		cross join lateral (
			select r.tx, r.version, r.conversion from received r
			where r.bucket = page.bucket and r.endpoint = page.endpoint and r.subid = page.subid offset 0) earlier
		where earlier.conversion = page.conversion and earlier.version < page.version and earlier.tx > $2`
	// journalAhead is the first transaction of the page that wrote a version after one that is not in the page.
	journalAhead = `select coalesce(min(page.tx), 0) from received page
		cross join lateral (
			select r.tx, r.version, r.conversion from received r
			where r.bucket = page.bucket and r.endpoint = page.endpoint and r.subid = page.subid offset 0) earlier
		where page.tx > $1 and page.tx <= $2 and page.version > 1
			and earlier.conversion = page.conversion and earlier.version < page.version and earlier.tx > $2`
	// rebaseJournal goes on above the numbers that are there, where a dump was restored into another server.
	rebaseJournal = `update postback_schema
		set tx_base = (select max(tx) from received) - pg_current_xact_id()::text::bigint + 1
		where (select max(tx) from received) >= pg_current_xact_id()::text::bigint + tx_base`
)

var txColumn = []table.Column[int64]{table.Of("tx", table.BigInteger, func(tx *int64) *int64 { return tx })}

// readTx reads one number; zero if there is no row.
func (s *Store) readTx(ctx context.Context, sql string, args ...any) (tx int64, err error) {
	err = readRows(ctx, s, txColumn, func(read *int64) error {
		tx = *read
		return nil
	}, sql, args...)
	return tx, err
}

// JournalEnd implements [ledger.Journal].
func (s *Store) JournalEnd(ctx context.Context) (ledger.Cursor, error) {
	horizon, err := s.readTx(ctx, journalHorizon)
	return ledger.Cursor(horizon - 1), err
}

// ReadJournal implements [ledger.Journal].
func (s *Store) ReadJournal(ctx context.Context, after ledger.Cursor, limit int) ([]ledger.Received, ledger.Cursor,
	error) {
	horizon, err := s.readTx(ctx, journalHorizon)
	if err != nil || horizon-1 <= int64(after) {
		return nil, after, err
	}
	last, err := s.journalPage(ctx, int64(after), horizon, limit)
	if err != nil || last == int64(after) {
		return nil, after, err
	}
	var rows []ledger.Received
	sql := fmt.Sprintf("select %s from received where tx > $1 and tx <= $2 order by tx, id",
		table.Names("", table.Received.Columns))
	if err := readRows(ctx, s, table.Received.Columns, func(r *ledger.Received) error {
		rows = append(rows, *r)
		return nil
	}, sql, int64(after), last); err != nil {
		return nil, after, err
	}
	ledger.InVersionOrder(rows)
	return rows, ledger.Cursor(last), nil
}

// journalPage returns the last transaction of a page; after if there is none to read yet.
func (s *Store) journalPage(ctx context.Context, after, horizon int64, limit int) (last int64, err error) {
	last, err = s.readTx(ctx, journalBoundary, after, horizon, max(limit, 1)-1)
	if err != nil {
		return 0, err
	}
	if last == 0 {
		last = horizon - 1
	}
	shrinks := false
	for last > after {
		straggler, err := s.readTx(ctx, journalStragglers, after, last)
		switch {
		case err != nil:
			return 0, err
		case straggler == 0:
			return last, nil
		case straggler < horizon && !shrinks:
			last = straggler
			continue
		}
		shrinks = true
		ahead, err := s.readTx(ctx, journalAhead, after, last)
		if err != nil {
			return 0, err
		}
		last = ahead - 1
	}
	return after, nil
}

// continueJournal sees to it that new rows come after those that are there.
func continueJournal(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, rebaseJournal)
	return err
}
