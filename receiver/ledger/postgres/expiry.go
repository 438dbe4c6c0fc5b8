package postgres

import (
	"context"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

var (
	oldClickColumns = append(table.Within(func(c *ledger.OldClick) *ledger.Key { return &c.Key }, keyColumns),
		table.Of("click_time", table.Time, func(c *ledger.OldClick) *time.Time { return &c.Time }),
		table.Of("converted", table.Boolean, func(c *ledger.OldClick) *bool { return &c.Converted }))
	deleteClicks = forRows(keyColumns, clickKey, `delete from clicks t using {rows} where {key} and not exists
		(select from conversions v where v.bucket = t.bucket and v.endpoint = t.endpoint and v.subid = t.subid)`)
)

// OldClicks implements [ledger.Upkeep]. Their order is that of their times.
func (s *Store) OldClicks(ctx context.Context, before time.Time, after *ledger.OldClick, limit int) ([]ledger.OldClick,
	error) {
	sql := `select endpoint, subid, click_time, exists
		(select from conversions v where v.bucket = c.bucket and v.endpoint = c.endpoint and v.subid = c.subid)
		from clicks c where present and click_time < $1`
	args := []any{before, limit}
	if after != nil {
		sql += " and click_time >= $3 and (click_time, bucket, endpoint, subid) > ($3, $4, $5, $6)"
		args = append(args, after.Time, int16(after.Bucket), after.Endpoint, after.SubID)
	}
	var clicks []ledger.OldClick
	err := readRows(ctx, s, oldClickColumns, func(c *ledger.OldClick) error {
		c.Key = ledger.KeyOf(c.Endpoint, c.SubID)
		clicks = append(clicks, *c)
		return nil
	}, sql+" order by click_time, bucket, endpoint, subid limit $2", args...)
	return clicks, err
}

// removals delete what came of test clicks, and at last the clicks. Versions go before the conversions that tell which
// of them are tests: an orphan that was there before its click may have none.
var removals = []statement[ledger.Key]{
	forRows(keyColumns, clickKey, "delete from outbox t using {rows} where {key} and t.test"),
	forRows(keyColumns, clickKey, `delete from pending_rates t using {rows} where {key} and (t.of_click or exists
		(select from conversions v where v.bucket = t.bucket and v.endpoint = t.endpoint and v.subid = t.subid
		and v.tid = t.tid and v.slot_type = t.slot_type and v.test))`),
	forRows(keyColumns, clickKey, `delete from conversion_history t using {rows} where {key} and exists
		(select from conversions v where v.bucket = t.bucket and v.endpoint = t.endpoint and v.subid = t.subid
		and v.tid = t.tid and v.slot_type = t.slot_type and v.test)`),
	forRows(keyColumns, clickKey, "delete from conversions t using {rows} where {key} and t.test"),
	forRows(keyColumns, clickKey, "delete from clicks t using {rows} where {key} and t.test"),
}

func queueTests(b *batch, keys []keyed[ledger.Key]) {
	for i := range removals {
		removals[i].queue(b, keys, nil)
	}
}

// OldTests implements [ledger.Upkeep].
func (s *Store) OldTests(ctx context.Context, before time.Time, limit int) ([]ledger.Key, error) {
	var keys []ledger.Key
	err := readRows(ctx, s, keyColumns, func(k *ledger.Key) error {
		keys = append(keys, ledger.KeyOf(k.Endpoint, k.SubID))
		return nil
	}, "select endpoint, subid from clicks where test and click_time < $1 order by click_time limit $2", before, limit)
	return keys, err
}
