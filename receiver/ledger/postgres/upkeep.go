package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// ExpiredHolds implements [ledger.Store].
func (s *Store) ExpiredHolds(ctx context.Context, now time.Time, limit int) ([]ledger.Key, error) {
	var keys []ledger.Key
	sql := "select endpoint, subid from held where until <= $1 group by bucket, endpoint, subid order by min(until) " +
		"limit $2"
	err := readRows(ctx, s, keyColumns, func(k *ledger.Key) error {
		keys = append(keys, ledger.KeyOf(k.Endpoint, k.SubID))
		return nil
	}, sql, now, limit)
	return keys, err
}

// PendingRates implements [ledger.Store]. Their order is that of the primary key.
func (s *Store) PendingRates(ctx context.Context, after *ledger.PendingRate, limit int) ([]ledger.PendingRate, error) {
	columns := table.Names("", pendingColumns)
	sql, args := "select "+columns+" from pending_rates", []any{limit}
	if after != nil {
		sql += " where (bucket, " + columns + ") > ($2, $3, $4, $5, $6, $7, $8, $9)"
		args = append(args, int16(after.Bucket), after.Endpoint, after.SubID, after.Click, after.Slot.TID, after.Slot.Type,
			after.Currency, after.ToCurrency)
	}
	var pending []ledger.PendingRate
	err := readRows(ctx, s, pendingColumns, func(p *ledger.PendingRate) error {
		p.Key = ledger.KeyOf(p.Endpoint, p.SubID)
		pending = append(pending, *p)
		return nil
	}, sql+" order by bucket, "+columns+" limit $1", args...)
	return pending, err
}

// LoadRates implements [ledger.Store].
func (s *Store) LoadRates(ctx context.Context) ([]money.Set, error) {
	var sets []money.Set
	err := readRows(ctx, s, table.Rates.Columns, func(set *money.Set) error {
		sets = append(sets, *set)
		return nil
	}, "select "+table.Names("", table.Rates.Columns)+" from rates order by source")
	return sets, err
}

// SaveRates implements [ledger.Store].
func (s *Store) SaveRates(ctx context.Context, set money.Set) error {
	rates, err := json.Marshal(set.Rates)
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrPoisoned, err)
	}
	_, err = s.exec(ctx, `insert into rates (source, base, date, fetched, rates) values ($1, $2, $3, $4, $5)
		on conflict (source) do update
		set base = excluded.base, date = excluded.date, fetched = excluded.fetched, rates = excluded.rates`,
		set.Source, set.Base, timeOf(set.Date), timeOf(set.Fetched), rates)
	return err
}

// timeOf maps the zero time to null.
func timeOf(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()} }

// Lease implements [ledger.Store].
func (s *Store) Lease(ctx context.Context, name, holder string, now, until time.Time) (bool, error) {
	tag, err := s.exec(ctx, `insert into leases (name, holder, until) values ($1, $2, $3)
		on conflict (name) do update set holder = excluded.holder, until = excluded.until
		where leases.holder = excluded.holder or leases.until <= $4 or leases.until > $5`,
		name, holder, until, now, until.Add(ledger.LeaseSlack))
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
	receivedKey    = table.Received.Pick("endpoint", "subid", "id")
	historyKey     = table.History.Pick("endpoint", "subid", "tid", "slot_type", "version")
	deleteReceived = forRows(receivedKey, len(receivedKey), "delete from received t using {rows} where {key}")
	deleteHistory  = forRows(historyKey, len(historyKey), "delete from conversion_history t using {rows} where {key}")
)

// Prune implements [ledger.Store]. Days that cannot be dropped now keep nothing else from being pruned.
func (s *Store) Prune(ctx context.Context, receivedBefore, historyBefore time.Time, limit int) (deleted int,
	err error) {
	if receivedBefore.IsZero() {
		return s.pruneRows(ctx, receivedBefore, historyBefore, limit)
	}
	kept := s.dropDays(ctx, receivedBefore)
	deleted, err = s.pruneRows(ctx, receivedBefore, historyBefore, limit)
	return deleted, errors.Join(err, kept)
}

// pruneRows deletes rows, of the received log only those that are in no day.
func (s *Store) pruneRows(ctx context.Context, receivedBefore, historyBefore time.Time, limit int) (deleted int,
	err error) {
	if !receivedBefore.IsZero() {
		from := restOfLog
		if s.options.CheckOnly {
			from = "received"
		}
		var old filter
		old.add("at < $%d", receivedBefore)
		old.add("id < $%d", uuidOf(ledger.FirstID(receivedBefore.Add(time.Millisecond))))
		if deleted, err = prune(ctx, s, deleteReceived, keyOfReceived, from, old, "id", limit); err != nil {
			return 0, err
		}
	}
	if !historyBefore.IsZero() && deleted < limit {
		var old filter
		old.add("updated_at < $%d", historyBefore)
		n, err := prune(ctx, s, deleteHistory, keyOfConversion, "conversion_history", old, "updated_at", limit-deleted)
		return deleted + n, err
	}
	return deleted, nil
}

// prune deletes up to limit rows of a table that the filter selects, in the order given.
func prune[R any](
	ctx context.Context, s *Store, remove statement[R], key func(*R) ledger.Key, from string, old filter, order string,
	limit int,
) (int, error) {
	var rows []*R
	sql := fmt.Sprintf("select %s from %s%s order by %s limit %d", table.Names("", remove.params), from, old.where(),
		order, limit)
	err := readRows(ctx, s, remove.params, func(r *R) error {
		rows = append(rows, r)
		return nil
	}, sql, old.args...)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	b := s.newBatch()
	remove.queue(b, sorted(rows, key), nil)
	if err := s.withConn(ctx, func(conn *pgx.Conn) error { return s.send(ctx, conn, b) }); err != nil {
		return 0, err
	}
	return len(rows), nil
}
