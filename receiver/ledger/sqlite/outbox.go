package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

const (
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

// outboxRow reads a row of the outbox.
func outboxRow(r *row) (o ledger.OutboxRow, err error) {
	err = readInto(r, table.Outbox.Columns, &o)
	o.Slot.Key = ledger.KeyOf(o.Slot.Endpoint, o.Slot.SubID)
	return o, err
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
	c.between("t.created_at", f.From, f.To)
	return func(yield func(ledger.OutboxRow, error) bool) {
		for o, err := range values(list(ctx, s, table.Outbox, &c, f.Span, f.Limit)) {
			o.Slot.Key = ledger.KeyOf(o.Slot.Endpoint, o.Slot.SubID)
			if !yield(o, err) {
				return
			}
		}
	}
}

// ResendForward implements [ledger.Outbox].
func (s *Store) ResendForward(ctx context.Context, id, operation uuid.UUID, now time.Time) error {
	var by driver.Value
	if operation != uuid.Nil {
		by = operation[:]
	}
	return s.write(ctx, func(w *writer) (bool, error) {
		n, err := w.resendForward.affect(id[:], now.UnixMicro(), by)
		if err != nil || n == 1 {
			return n == 1, err
		}
		found := fmt.Errorf("%w: S2S postback", ledger.ErrNotFound)
		err = w.selectForward.query(func(r *row) error {
			stored, err := outboxRow(r)
			if found = ledger.ErrForwardState; by != nil && stored.Operation == operation {
				found = nil
			}
			return err
		}, id[:])
		if err != nil {
			return false, err
		}
		return false, found
	})
}

// ReviveForwards implements [ledger.Outbox]. Leases are the process's own, and what holds one is being sent.
func (s *Store) ReviveForwards(ctx context.Context, now, late time.Time) (int, error) {
	var revived int64
	err := s.write(ctx, func(w *writer) (_ bool, err error) {
		revived, err = w.reviveForwards.affect(now.UnixMicro(), late.UnixMicro())
		return revived > 0, err
	})
	return int(revived), err
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
		deleted, err = w.pruneForwards.affect(firstID(endedBefore.Add(time.Millisecond)), ceilMicros(endedBefore),
			int64(limit))
		return deleted > 0, err
	})
	if err != nil {
		return 0, err
	}
	return int(deleted), nil
}
