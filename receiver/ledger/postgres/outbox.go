package postgres

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// The hosts that something is due for. The plain form goes from host to host by the index, whatever waits for each;
// Citus has no recursive query over several shards, and sums up what is due.
const (
	dueHosts = `with recursive h as (
		(select host, due from outbox where state = 'waiting' order by host, due limit 1)
		union all
		select n.host, n.due from h cross join lateral
			(select host, due from outbox where state = 'waiting' and host > h.host order by host, due limit 1) n
		) select host, due from h where due <= $1`
	dueHostsOfShards = "select host, min(due) from outbox where state = 'waiting' and due <= $1 group by host"
)

// hostRow is a host that something is due for.
type hostRow struct {
	Host string
	Due  time.Time
}

var hostColumns = []table.Column[hostRow]{
	table.Of("host", table.Text, func(r *hostRow) *string { return &r.Host }),
	table.Of("due", table.Time, func(r *hostRow) *time.Time { return &r.Due }),
}

// DueForwards implements [ledger.Outbox].
func (s *Store) DueForwards(ctx context.Context, now time.Time) (map[string]time.Time, error) {
	sql := dueHosts
	if s.options.GroupByBucket {
		sql = dueHostsOfShards
	}
	hosts := map[string]time.Time{}
	err := readRows(ctx, s, hostColumns, func(r *hostRow) error {
		hosts[r.Host] = r.Due
		return nil
	}, sql, now)
	return hosts, err
}

// Forwards implements [ledger.Outbox].
func (s *Store) Forwards(ctx context.Context, by ledger.OutboxFilter) iter.Seq2[ledger.OutboxRow, error] {
	page := func(last uuid.UUID, limit int) (rows []ledger.OutboxRow, err error) {
		var f filter
		if by.SubID != "" {
			f.addKey(by.Endpoint, by.SubID)
		} else {
			f.addText("endpoint", by.Endpoint)
		}
		f.addText("rule", by.Rule)
		if by.TID != nil {
			f.add("tid = $%d", *by.TID)
		}
		if by.State == ledger.ForwardFailed {
			f.conditions = append(f.conditions, "state = 'failed'") // spelt out, for its index
		} else {
			f.addText("state", string(by.State))
		}
		if by.ID != uuid.Nil {
			f.add("id = $%d", uuidOf(by.ID))
		}
		f.addTimes("created_at", by.From, by.To)
		order := f.addSpan(by.Span.From(last))
		sql := fmt.Sprintf("select %s from outbox%s order by %s limit %d",
			table.Names("", table.Outbox.Columns), f.where(), order, limit)
		err = readRows(ctx, s, table.Outbox.Columns, func(o *ledger.OutboxRow) error {
			rows = append(rows, *outboxKeyed(o))
			return nil
		}, sql, f.args...)
		return rows, err
	}
	return pages(uuid.Nil, by.Limit, page, func(r ledger.OutboxRow) uuid.UUID { return r.ID })
}

// ResendForward implements [ledger.Outbox].
func (s *Store) ResendForward(ctx context.Context, id, operation uuid.UUID, now time.Time) error {
	for row, err := range s.Forwards(ctx, ledger.OutboxFilter{ID: id, Limit: 1}) {
		if err != nil {
			return err
		}
		if operation != uuid.Nil && row.Operation == operation {
			return nil
		}
		tag, err := s.exec(ctx, `update outbox set state = 'waiting', reason = null, due = $5, ended_at = null, tries = 0,
			operation = coalesce($6, operation)
			where bucket = $1 and endpoint = $2 and subid = $3 and id = $4 and state = 'failed'`,
			int16(row.Slot.Bucket), row.Slot.Endpoint, row.Slot.SubID, uuidOf(id), now,
			pgtype.UUID{Bytes: operation, Valid: operation != uuid.Nil})
		if err == nil && tag.RowsAffected() == 0 {
			return ledger.ErrForwardState
		}
		return err
	}
	return fmt.Errorf("%w: S2S postback", ledger.ErrNotFound)
}

// ReviveForwards implements [ledger.Outbox].
func (s *Store) ReviveForwards(ctx context.Context, now, late time.Time) (int, error) {
	tag, err := s.exec(ctx, `update outbox set due = least(due, $1), created_at = least(created_at, $1), postponed = false,
		holder = '', leased_until = null where state = 'waiting' and
		(leased_until > $2 or due > $2 and (created_at > $2 or tries = 0 and not postponed))`, now, late)
	return int(tag.RowsAffected()), err
}

// countRow holds the sums.
type countRow struct {
	Waiting, Failed int64
}

var countColumns = []table.Column[countRow]{
	table.Of("waiting", table.BigInteger, func(r *countRow) *int64 { return &r.Waiting }),
	table.Of("failed", table.BigInteger, func(r *countRow) *int64 { return &r.Failed }),
}

// CountForwards implements [ledger.Outbox].
func (s *Store) CountForwards(ctx context.Context, now time.Time) (counts ledger.OutboxCounts, err error) {
	due, err := s.DueForwards(ctx, now)
	if err != nil {
		return counts, err
	}
	for _, at := range due {
		if counts.OldestDue.IsZero() || at.Before(counts.OldestDue) {
			counts.OldestDue = at
		}
	}
	const sql = "select (select count(*) from (select 1 from outbox where state = 'waiting' limit $1) w), " +
		"(select count(*) from (select 1 from outbox where state = 'failed' limit $1) f)"
	err = readRows(ctx, s, countColumns, func(r *countRow) error {
		counts.Waiting, counts.Failed = int(r.Waiting), int(r.Failed)
		return nil
	}, sql, ledger.OutboxCountLimit)
	return counts, err
}

var (
	outboxKey      = table.Outbox.Pick("endpoint", "subid", "id")
	deleteForwards = forRows(outboxKey, idKey, "delete from outbox t using {rows} where {key}")
)

// PruneForwards implements [ledger.Outbox].
func (s *Store) PruneForwards(ctx context.Context, endedBefore time.Time, limit int) (int, error) {
	var old filter
	old.add("ended_at < $%d", endedBefore)
	old.add("id < $%d", uuidOf(ledger.FirstID(endedBefore.Add(time.Millisecond))))
	key := func(o *ledger.OutboxRow) ledger.Key { return outboxKeyed(o).Slot.Key }
	return prune(ctx, s, deleteForwards, key, "outbox", old, "id", limit)
}
