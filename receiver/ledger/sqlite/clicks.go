package sqlite

import (
	"context"
	"iter"
	"strings"

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
	if f.Order != ledger.ClicksByKey {
		return s.clicksByTime(ctx, f)
	}
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

// clicksByTime goes along the index on times, also for one endpoint: the unary plus keeps the planner from sorting all
// of its clicks.
func (s *Store) clicksByTime(ctx context.Context, f ledger.ClickFilter) iter.Seq2[*conversion.Click, error] {
	var c condition
	order, beyond := "t.click_time, t.endpoint, t.subid", ">"
	if f.Order == ledger.ClicksNewestFirst {
		order, beyond = "t.click_time desc, t.endpoint desc, t.subid desc", "<"
	}
	c.terms = []string{"t.click_time is not null"}
	add(&c, "+t.endpoint = (select id from endpoints where name = ?)", f.Endpoint, f.Endpoint)
	if f.After != (ledger.Key{}) {
		c.terms = append(c.terms,
			"(t.click_time, t.endpoint, t.subid) "+beyond+" (?, (select id from endpoints where name = ?), ?)")
		c.args = append(c.args, f.AfterTime.UnixMicro(), f.After.Endpoint, f.After.SubID)
	}
	query := "select " + named(table.Clicks) + " from clicks t where " + strings.Join(c.terms, " and ") + " order by " +
		order
	if f.Limit > 0 {
		query += " limit ?"
		c.args = append(c.args, f.Limit)
	}
	return rows(ctx, s, query, c.args, reading(table.Clicks.Columns))
}
