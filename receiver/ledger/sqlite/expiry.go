package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// OldClicks implements [ledger.Upkeep]. Clicks are numbered as they come, which is nearly by their time: it stops at
// the first one that is not old, and so needs no index by time.
func (s *Store) OldClicks(ctx context.Context, before time.Time, after *ledger.OldClick, limit int) ([]ledger.OldClick,
	error) {
	const next = `select (select name from endpoints e where e.id = c.endpoint), c.subid, c.click_time, c.seq,
		exists (select 1 from conversions v where v.endpoint = c.endpoint and v.subid = c.subid)
		from clicks c where c.seq > ? order by c.seq limit ?`
	var from int64
	if after != nil {
		from = after.Seq
	}
	clicks, err := collect(ctx, s, next, []any{from, limit}, func(r *row) (c ledger.OldClick, err error) {
		c.Key = ledger.KeyOf(r.text(), r.text())
		c.Time = time.UnixMicro(r.integer()).UTC()
		c.Seq, c.Converted = r.integer(), r.integer() == 1
		return c, r.err
	})
	if young := slices.IndexFunc(clicks, func(c ledger.OldClick) bool { return !c.Time.Before(before) }); young >= 0 {
		clicks = clicks[:young]
	}
	return clicks, err
}

func (w *writer) expireClicks(c *ledger.Changes) error {
	for _, key := range c.Expired {
		if err := w.expireClick.exec(w.endpoints[key.Endpoint], key.SubID); err != nil {
			return err
		}
	}
	return nil
}

// removals delete what came of a test click, and at last the click. Versions go before the conversions that tell which
// of them are tests: an orphan that was there before its click may have none.
var removals = []string{
	"delete from outbox where endpoint = ?1 and subid = ?2 and test",
	`delete from pending_rates where endpoint = ?1 and subid = ?2 and (of_click or (tid, slot_type) in
		(select tid, slot_type from conversions where endpoint = ?1 and subid = ?2 and test))`,
	"delete from conversion_history where id in (select id from conversions where endpoint = ?1 and subid = ?2 and test)",
	"delete from conversions where endpoint = ?1 and subid = ?2 and test",
	"delete from clicks where endpoint = ?1 and subid = ?2 and test",
}

func (w *writer) removeTests(c *ledger.Changes) error {
	for _, key := range c.Tests {
		for _, remove := range w.removals {
			if err := remove.exec(w.endpoints[key.Endpoint], key.SubID); err != nil {
				return err
			}
		}
	}
	return nil
}

// OldTests implements [ledger.Upkeep].
func (s *Store) OldTests(ctx context.Context, before time.Time, limit int) ([]ledger.Key, error) {
	const old = `select (select name from endpoints e where e.id = c.endpoint), c.subid from clicks c
		where c.test and c.click_time < ? order by c.click_time limit ?`
	return collect(ctx, s, old, []any{ceilMicros(before), limit}, func(r *row) (ledger.Key, error) {
		key := ledger.KeyOf(r.text(), r.text())
		return key, r.err
	})
}
