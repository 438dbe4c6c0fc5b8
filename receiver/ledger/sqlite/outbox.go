package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	outboxInserted = "subid, tid, slot_type, id, rule, host, conversion_id, version, type, conversion, click, ip, " +
		"state, created_at, due, parked, tries"
	outboxColumns = "id, subid, tid, slot_type, rule, host, conversion_id, version, type, conversion, click, ip, " +
		"state, reason, created_at, due, ended_at, tries, attempts"
	endpointName = "(select name from endpoints e where e.id = t.endpoint)"

	dueHosts = `with recursive h (host, due) as (
		select * from (select host, due from outbox where state = 'waiting' order by host, due limit 1)
		union all
		select (select host from outbox where state = 'waiting' and host > h.host order by host limit 1),
			(select due from outbox where state = 'waiting' and host > h.host order by host, due limit 1)
		from h where h.host is not null
	) select host, due from h where host is not null and due <= ?`

	// sameQueue selects what leaves in one order.
	sameQueue = "endpoint = ?1 and subid = ?2 and tid = ?3 and slot_type = ?4 and rule = ?5 and state = 'waiting'"
)

func outboxValues(endpoint int64, f *ledger.Forward) []driver.Value {
	var click driver.Value
	if f.Click != nil {
		click = encodeJSON(f.Click)
	}
	c, due := f.Conversion, f.Due.UnixMicro()
	return []driver.Value{
		endpoint, c.SubID, c.Slot.TID, c.Slot.Type, f.ID[:], f.Rule, f.Host, c.ID[:], int64(c.Version), c.Type,
		encodeJSON(c), click, text(f.IP), string(ledger.ForwardWaiting), due, due, int64(0), int64(0),
	}
}

func (r *row) outbox() (ledger.OutboxRow, error) {
	endpoint := r.text()
	o := ledger.OutboxRow{ID: r.uuid()}
	o.Slot.Key = ledger.KeyOf(endpoint, r.text())
	o.Slot.TID, o.Slot.Type = r.text(), r.text()
	o.Rule, o.Host = r.text(), r.text()
	o.ConversionID, o.Version, o.Type = r.uuid(), int(r.integer()), r.text()
	o.Conversion, o.Click = decoded[conversion.Conversion](r), decoded[conversion.Click](r)
	o.IP, o.State, o.Reason = r.text(), ledger.ForwardState(r.text()), r.text()
	o.Created, o.Due, o.Ended, o.Tries = r.time(), r.time(), r.time(), int(r.integer())
	if attempts := decoded[[]ledger.Attempt](r); attempts != nil {
		o.Attempts = *attempts
	}
	return o, r.err
}

// decoded reads a column with JSON; nil for null.
func decoded[T any](r *row) *T {
	s, ok := next[string](r)
	if !ok {
		return nil
	}
	v := new(T)
	r.fail(json.Unmarshal([]byte(s), v))
	return v
}

// DueForwards implements [ledger.Outbox]. It goes from host to host by the index, whatever waits for each.
func (s *Store) DueForwards(ctx context.Context, now time.Time) (map[string]time.Time, error) {
	hosts := map[string]time.Time{}
	for at, err := range rows(ctx, s, dueHosts, []any{now.UnixMicro()}, func(r *row) (due struct {
		host string
		time.Time
	}, err error) {
		due.host, due.Time = r.text(), r.time()
		return due, r.err
	}) {
		if err != nil {
			return nil, err
		}
		hosts[at.host] = at.Time
	}
	return hosts, nil
}

// Forwards implements [ledger.Outbox].
func (s *Store) Forwards(ctx context.Context, f ledger.OutboxFilter) iter.Seq2[ledger.OutboxRow, error] {
	var c condition
	c.endpointAndSubID(f.Endpoint, f.SubID)
	if f.TID != nil {
		c.always("t.tid = ?", *f.TID)
	}
	add(&c, "t.rule = ?", f.Rule, f.Rule)
	add(&c, "t.id = ?", f.ID, f.ID[:])
	if f.State == ledger.ForwardFailed {
		c.terms = append(c.terms, "t.state = 'failed'") // spelt out, for its index
	} else {
		add(&c, "t.state = ?", f.State, string(f.State))
	}
	add(&c, "t.id < ?", f.Before, f.Before[:])
	c.between("t.created_at", f.From, f.To)
	return rows(ctx, s, c.newest("outbox", outboxColumns, f.Limit), c.args, (*row).outbox)
}

// ResendForward implements [ledger.Outbox].
func (s *Store) ResendForward(ctx context.Context, id uuid.UUID, now time.Time) error {
	return s.write(ctx, func(w *writer) (bool, error) {
		n, err := w.resendForward.affect(id[:], now.UnixMicro())
		if err != nil || n == 1 {
			return n == 1, err
		}
		found := fmt.Errorf("%w: S2S postback", ledger.ErrNotFound)
		err = w.selectForward.query(func(*row) error { found = ledger.ErrForwardState; return nil }, id[:])
		if err != nil {
			return false, err
		}
		return false, found
	})
}

// CountForwards implements [ledger.Outbox].
func (s *Store) CountForwards(ctx context.Context, now time.Time) (counts ledger.OutboxCounts, err error) {
	const count = "select (select count(*) from (select 1 from outbox where state = 'waiting' limit ?1)), " +
		"(select count(*) from (select 1 from outbox where state = 'failed' limit ?1))"
	for c, err := range rows(ctx, s, count, []any{ledger.OutboxCountLimit}, func(r *row) (ledger.OutboxCounts, error) {
		return ledger.OutboxCounts{Waiting: int(r.integer()), Failed: int(r.integer())}, r.err
	}) {
		if err != nil {
			return counts, err
		}
		counts = c
	}
	due, err := s.DueForwards(ctx, now)
	for _, at := range due {
		if counts.OldestDue.IsZero() || at.Before(counts.OldestDue) {
			counts.OldestDue = at
		}
	}
	return counts, err
}

// PruneForwards implements [ledger.Outbox].
func (s *Store) PruneForwards(ctx context.Context, endedBefore time.Time, limit int) (int, error) {
	var deleted int64
	err := s.write(ctx, func(w *writer) (_ bool, err error) {
		deleted, err = w.pruneForwards.affect(firstID(endedBefore.Add(time.Millisecond)), ceilMicros(endedBefore), int64(limit))
		return deleted > 0, err
	})
	if err != nil {
		return 0, err
	}
	return int(deleted), nil
}
