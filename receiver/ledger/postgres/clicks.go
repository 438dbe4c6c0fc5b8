package postgres

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// Click implements [ledger.Store].
func (s *Store) Click(ctx context.Context, endpoint, subid string) (*conversion.Click, error) {
	var f filter
	f.addKey(endpoint, subid)
	found, err := s.clicks(ctx, "clicks"+f.where()+" and present", f.args)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Clicks implements [ledger.Store]. The order of keys is that of the primary key: bucket, endpoint, subid.
func (s *Store) Clicks(ctx context.Context, by ledger.ClickFilter) iter.Seq2[*conversion.Click, error] {
	if by.Order != ledger.ClicksByKey {
		return s.clicksByTime(ctx, by)
	}
	page := func(after ledger.Key, limit int) ([]*conversion.Click, error) {
		if by.Endpoint != "" {
			return s.clicksOf(ctx, by.Endpoint, after, limit)
		}
		const next = "clicks where present and (bucket, endpoint, subid) > ($1, $2, $3) order by bucket, endpoint, subid " +
			"limit %d"
		return s.clicks(ctx, fmt.Sprintf(next, limit), []any{int16(after.Bucket), after.Endpoint, after.SubID})
	}
	key := func(c *conversion.Click) ledger.Key { return ledger.KeyOf(c.Endpoint, c.SubID) }
	return pages(by.After, by.Limit, page, key)
}

// timed is a place in the order of times.
type timed struct {
	ledger.Key
	at time.Time
}

// clicksByTime goes along the index on times.
func (s *Store) clicksByTime(ctx context.Context, by ledger.ClickFilter) iter.Seq2[*conversion.Click, error] {
	order, beyond := "click_time, bucket, endpoint, subid", ">"
	if by.Order == ledger.ClicksNewestFirst {
		order, beyond = "click_time desc, bucket desc, endpoint desc, subid desc", "<"
	}
	page := func(last timed, limit int) ([]*conversion.Click, error) {
		f := filter{conditions: []string{"present", "click_time is not null"}}
		f.addText("endpoint", by.Endpoint)
		if last.Key != (ledger.Key{}) {
			// The index serves the first condition.
			f.add("click_time "+beyond+"= $%d", last.at)
			f.conditions = append(f.conditions, fmt.Sprintf("(click_time, bucket, endpoint, subid) %s ($%d, $%d, $%d, $%d)",
				beyond, len(f.args), len(f.args)+1, len(f.args)+2, len(f.args)+3))
			f.args = append(f.args, int16(last.Bucket), last.Endpoint, last.SubID)
		}
		return s.clicks(ctx, fmt.Sprintf("clicks%s order by %s limit %d", f.where(), order, limit), f.args)
	}
	return pages(timed{by.After, by.AfterTime}, by.Limit, page, func(c *conversion.Click) timed {
		return timed{ledger.KeyOf(c.Endpoint, c.SubID), c.Time}
	})
}

// clicksOf reads an endpoint's, bucket after bucket: each is one range of the key.
func (s *Store) clicksOf(ctx context.Context, endpoint string, after ledger.Key, limit int) (found []*conversion.Click,
	err error) {
	const next = "clicks where present and bucket = $1 and endpoint = $2 and subid > $3 order by subid limit %d"
	subid := after.SubID
	for bucket := int16(after.Bucket); bucket <= 255 && len(found) < limit; bucket++ {
		some, err := s.clicks(ctx, fmt.Sprintf(next, limit-len(found)), []any{bucket, endpoint, subid})
		if err != nil {
			return nil, err
		}
		found, subid = append(found, some...), ""
	}
	return found, nil
}

// clicks reads those of a table expression with what selects and orders its rows.
func (s *Store) clicks(ctx context.Context, from string, args []any) (found []*conversion.Click, err error) {
	sql := fmt.Sprintf("select %s from %s", table.Names("clicks.", table.Clicks.Columns), from)
	err = readRows(ctx, s, table.Clicks.Columns, func(c *conversion.Click) error {
		found = append(found, c)
		return nil
	}, sql, args...)
	return found, err
}
