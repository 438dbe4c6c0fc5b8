package postgres

import (
	"context"
	"fmt"
	"iter"

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

// Clicks implements [ledger.Store]. The order is that of the primary key: bucket, endpoint, subid.
func (s *Store) Clicks(ctx context.Context, by ledger.ClickFilter) iter.Seq2[*conversion.Click, error] {
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
