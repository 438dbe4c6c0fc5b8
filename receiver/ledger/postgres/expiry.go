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
