package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// ExpiredHolds implements [ledger.Store].
func (s *Store) ExpiredHolds(ctx context.Context, now time.Time, limit int) ([]ledger.Key, error) {
	const expired = "select e.name, h.subid from held h join endpoints e on e.id = h.endpoint where h.until <= ? " +
		"group by h.endpoint, h.subid order by min(h.until), h.endpoint, h.subid limit ?"
	return collect(ctx, s, expired, []any{now.UnixMicro(), limit}, func(r *row) (ledger.Key, error) {
		key := ledger.KeyOf(r.text(), r.text())
		return key, r.err
	})
}

// PendingRates implements [ledger.Store].
func (s *Store) PendingRates(ctx context.Context, after *ledger.PendingRate, limit int) ([]ledger.PendingRate, error) {
	const order = "p.endpoint, p.subid, p.of_click, p.tid, p.slot_type, p.currency, p.to_currency"
	query := `select (select name from endpoints e where e.id = p.endpoint), p.subid, p.of_click, p.tid, p.slot_type,
		p.currency, p.to_currency from pending_rates p`
	var args []any
	if after != nil {
		query += " where (" + order + ") > ((select id from endpoints where name = ?), ?, ?, ?, ?, ?, ?)"
		args = []any{
			after.Endpoint, after.SubID, after.Click, after.Slot.TID, after.Slot.Type, after.Currency, after.ToCurrency,
		}
	}
	query += " order by " + order + " limit ?"
	return collect(ctx, s, query, append(args, limit), func(r *row) (p ledger.PendingRate, err error) {
		err = readInto(r, table.PendingRates.Columns, &p)
		p.Key = ledger.KeyOf(p.Endpoint, p.SubID)
		return p, err
	})
}

// LoadRates implements [ledger.Store].
func (s *Store) LoadRates(ctx context.Context) ([]money.Set, error) {
	query := "select " + table.Names("", table.Rates.Columns) + " from rates order by source"
	return collect(ctx, s, query, nil, func(r *row) (set money.Set, err error) {
		err = readInto(r, table.Rates.Columns, &set)
		return set, err
	})
}

// SaveRates implements [ledger.Store].
func (s *Store) SaveRates(ctx context.Context, set money.Set) error {
	var values []driver.Value
	for i := range table.Rates.Columns {
		value, err := encode(table.Rates.Columns[i].Value(&set))
		if err != nil {
			return fmt.Errorf("encoding rates: %w", err)
		}
		values = append(values, value)
	}
	return s.write(ctx, func(w *writer) (bool, error) {
		return true, w.saveRates.exec(values...)
	})
}

// Lease implements [ledger.Store].
func (s *Store) Lease(ctx context.Context, name, holder string, now, until time.Time) (held bool, err error) {
	err = s.write(ctx, func(w *writer) (bool, error) {
		n, err := w.takeLease.affect(name, holder, until.UnixMicro(), now.UnixMicro(),
			until.Add(ledger.LeaseSlack).UnixMicro())
		held = n > 0
		return held, err
	})
	return held && err == nil, err
}

// Prepare implements [ledger.Upkeep]: a file needs nothing.
func (s *Store) Prepare(context.Context, time.Time) error { return nil }

// Prune implements [ledger.Store].
func (s *Store) Prune(ctx context.Context, receivedBefore, historyBefore time.Time, limit int) (int, error) {
	var deleted int64
	err := s.write(ctx, func(w *writer) (bool, error) {
		if !receivedBefore.IsZero() {
			n, err := w.pruneReceived.affect(firstID(receivedBefore.Add(time.Millisecond)), ceilMicros(receivedBefore),
				int64(limit))
			if err != nil {
				return false, err
			}
			deleted = n
		}
		if !historyBefore.IsZero() && deleted < int64(limit) {
			n, err := w.pruneHistory.affect(ceilMicros(historyBefore), int64(limit)-deleted)
			if err != nil {
				return false, err
			}
			deleted += n
		}
		return deleted > 0, nil
	})
	if err != nil {
		return 0, err
	}
	return int(deleted), nil
}

func collect[T any](ctx context.Context, s *Store, query string, args []any, read func(*row) (T, error)) ([]T, error) {
	var found []T
	for v, err := range rows(ctx, s, query, args, read) {
		if err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	return found, nil
}
