package sqlite

import (
	"context"
	"iter"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// selectClicks is completed by what selects them. The index of clicks serves its order.
var selectClicks = "select " + named(table.Clicks) + " from clicks t where true"

// Click implements [ledger.Store].
func (s *Store) Click(ctx context.Context, endpoint, subid string) (*conversion.Click, error) {
	query := selectClicks + " and t.endpoint = (select id from endpoints where name = ?) and t.subid = ?"
	found, err := collect(ctx, s, query, []any{endpoint, subid}, reading(table.Clicks.Columns))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Clicks implements [ledger.Store].
func (s *Store) Clicks(ctx context.Context, f ledger.ClickFilter) iter.Seq2[*conversion.Click, error] {
	query, args := selectClicks, []any{}
	if f.Endpoint != "" {
		query += " and t.endpoint = (select id from endpoints where name = ?)"
		args = append(args, f.Endpoint)
	}
	if f.After != (ledger.Key{}) {
		query += " and (t.endpoint, t.subid) > ((select id from endpoints where name = ?), ?)"
		args = append(args, f.After.Endpoint, f.After.SubID)
	}
	query += " order by t.endpoint, t.subid"
	if f.Limit > 0 {
		query += " limit ?"
		args = append(args, f.Limit)
	}
	return rows(ctx, s, query, args, reading(table.Clicks.Columns))
}
