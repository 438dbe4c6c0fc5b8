package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// ExpiredHolds implements [ledger.Store].
func (s *Store) ExpiredHolds(ctx context.Context, now time.Time, limit int) ([]ledger.Key, error) {
	var keys []ledger.Key
	sql := "select bucket, endpoint, subid from held where until <= $1 group by 1, 2, 3 order by min(until) limit $2"
	err := readRows(ctx, s, keyColumns, func(r *keyRow) error {
		keys = append(keys, r.key())
		return nil
	}, sql, now, limit)
	return keys, err
}

// PendingRates implements [ledger.Store]. Their order is that of the primary key.
func (s *Store) PendingRates(ctx context.Context, after *ledger.PendingRate, limit int) ([]ledger.PendingRate, error) {
	columns := names("", pendingColumns)
	sql, args := "select "+columns+" from pending_rates", []any{limit}
	if after != nil {
		row := pendingRowOf(*after)
		for _, c := range pendingColumns {
			args = append(args, c.value(&row))
		}
		sql += " where (" + columns + ") > ($2, $3, $4, $5, $6, $7, $8, $9)"
	}
	var pending []ledger.PendingRate
	err := readRows(ctx, s, pendingColumns, func(r *pendingRow) error {
		pending = append(pending, r.pending())
		return nil
	}, sql+" order by "+columns+" limit $1", args...)
	return pending, err
}

// rateRow is a set of rates.
type rateRow struct {
	Source, Base  string
	Date, Fetched pgtype.Timestamptz
	Rates         []byte
}

var rateColumns = []column[rateRow]{
	col("source", "text", func(r *rateRow) *string { return &r.Source }),
	col("base", "text", func(r *rateRow) *string { return &r.Base }),
	col("date", "timestamptz", func(r *rateRow) *pgtype.Timestamptz { return &r.Date }),
	col("fetched", "timestamptz", func(r *rateRow) *pgtype.Timestamptz { return &r.Fetched }),
	col("rates", "json", func(r *rateRow) *[]byte { return &r.Rates }),
}

// LoadRates implements [ledger.Store].
func (s *Store) LoadRates(ctx context.Context) ([]money.Set, error) {
	var sets []money.Set
	err := readRows(ctx, s, rateColumns, func(r *rateRow) error {
		set := money.Set{Source: r.Source, Base: r.Base, Date: timeFrom(r.Date), Fetched: timeFrom(r.Fetched)}
		if err := json.Unmarshal(r.Rates, &set.Rates); err != nil {
			return fmt.Errorf("reading the rates of %s: %w", r.Source, err)
		}
		sets = append(sets, set)
		return nil
	}, "select "+names("", rateColumns)+" from rates order by source")
	return sets, err
}

// SaveRates implements [ledger.Store].
func (s *Store) SaveRates(ctx context.Context, set money.Set) error {
	rates, err := json.Marshal(set.Rates)
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrPoisoned, err)
	}
	_, err = s.exec(ctx, `insert into rates (source, base, date, fetched, rates) values ($1, $2, $3, $4, $5)
		on conflict (source) do update set base = excluded.base, date = excluded.date, fetched = excluded.fetched, rates = excluded.rates`,
		set.Source, set.Base, timeOf(set.Date), timeOf(set.Fetched), rates)
	return err
}

// Lease implements [ledger.Store].
func (s *Store) Lease(ctx context.Context, name, holder string, now, until time.Time) (bool, error) {
	tag, err := s.exec(ctx, `insert into leases (name, holder, until) values ($1, $2, $3)
		on conflict (name) do update set holder = excluded.holder, until = excluded.until
		where leases.holder = excluded.holder or leases.until <= $4`, name, holder, until, now)
	return tag.RowsAffected() == 1, err
}

// exec runs one statement that writes.
func (s *Store) exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	err = s.withConn(ctx, func(conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, s.options.FlightTimeout)
		defer cancel()
		tag, err = conn.Exec(ctx, sql, args...)
		return err
	})
	return tag, err
}

// What Prune deletes, after it has selected which: a delete with a limit of its own cannot be sent to the shards of
// Citus.
var (
	deleteReceived = remove("received", idColumns("id"))
	historyKey     = append(within(func(r *historyRow) *slotRow { return &r.slotRow }, slotColumns),
		col("version", "integer", func(r *historyRow) *int32 { return &r.Version }))
	deleteHistory = remove("conversion_history", historyKey)
)

// historyRow is the key of a version that is no longer current.
type historyRow struct {
	slotRow
	Version int32
}

// Prune implements [ledger.Store].
func (s *Store) Prune(ctx context.Context, receivedBefore, historyBefore time.Time, limit int) (deleted int, err error) {
	if !receivedBefore.IsZero() {
		var old filter
		old.add("at < $%d", receivedBefore)
		old.add("id < $%d", uuidOf(ledger.FirstID(receivedBefore.Add(time.Millisecond))))
		if deleted, err = prune(ctx, s, "received", "id", idColumns("id"), deleteReceived, old, limit); err != nil {
			return 0, err
		}
	}
	if !historyBefore.IsZero() && deleted < limit {
		var old filter
		old.add("updated_at < $%d", historyBefore)
		n, err := prune(ctx, s, "conversion_history", "updated_at", historyKey, deleteHistory, old, limit-deleted)
		return deleted + n, err
	}
	return deleted, nil
}

func prune[R any, K keyed[R]](
	ctx context.Context, s *Store, table, order string, key []column[R], remove statement[R], old filter, limit int,
) (int, error) {
	var rows []*R
	sql := fmt.Sprintf("select %s from %s%s order by %s limit %d", names("", key), table, old.where(), order, limit)
	err := readRows(ctx, s, key, func(r *R) error {
		rows = append(rows, r)
		return nil
	}, sql, old.args...)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	sortRows[R, K](rows)
	b := s.newBatch()
	remove.queue(b, rows, nil)
	if err := s.withConn(ctx, func(conn *pgx.Conn) error { return s.send(ctx, conn, b) }); err != nil {
		return 0, err
	}
	return len(rows), nil
}
