package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// leases are who is sending which rows of the outbox. The holder of the store's turn owns them.
type leases map[uuid.UUID]lease

type lease struct {
	holder string
	until  time.Time
}

func (l leases) held(id uuid.UUID, now time.Time) bool {
	held, ok := l[id]
	return ok && now.Before(held.until)
}

// candidate is a row that is due: its id, and what sameQueue takes, with the version.
type candidate struct {
	id    uuid.UUID
	queue []driver.Value
}

// ClaimForwards implements [ledger.Outbox].
func (s *Store) ClaimForwards(ctx context.Context, claim ledger.OutboxClaim) (claimed []ledger.OutboxRow,
	examined map[string]int, err error) {
	examined = map[string]int{}
	err = s.write(ctx, func(w *writer) (postponed bool, err error) {
		for _, share := range claim.Shares {
			before := len(claimed)
			candidates, err := w.dueForwards(claim.Now, share)
			if err != nil {
				return false, err
			}
			for _, c := range candidates {
				if len(claimed)-before == share.Limit {
					break
				}
				examined[share.Host]++
				blocked, err := w.postponeForward(c, claim.Now)
				if err != nil {
					return false, err
				}
				if postponed = postponed || blocked; blocked {
					continue
				}
				if err := w.selectForward.query(func(r *row) error {
					row, err := outboxRow(r)
					claimed = append(claimed, row)
					return err
				}, c.id[:]); err != nil {
					return false, err
				}
			}
		}
		for i := range claimed {
			w.leases[claimed[i].ID] = lease{claim.Holder, claim.Until}
		}
		return postponed, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return claimed, examined, nil
}

// dueForwards returns rows of a host that are due and nobody is sending, the longest due ones first.
func (w *writer) dueForwards(now time.Time, share ledger.OutboxShare) (due []candidate, err error) {
	limit := share.Limit + ledger.OutboxMargin + len(w.leases)
	err = w.selectDue.query(func(r *row) error {
		c := candidate{id: r.uuid()}
		if w.leases.held(c.id, now) {
			return r.err
		}
		c.queue = []driver.Value{r.integer(), r.text(), r.text(), r.text(), r.text(), r.integer()}
		due = append(due, c)
		return r.err
	}, share.Host, now.UnixMicro(), int64(limit))
	return due, err
}

// postponeForward puts a row aside if older ones of its queue are waiting.
func (w *writer) postponeForward(c candidate, now time.Time) (blocked bool, err error) {
	older, until := 0, now
	err = w.selectOlder.query(func(r *row) error {
		older++
		if due := r.time(); due.After(until) {
			until = due
		}
		return r.err
	}, c.queue...)
	if err != nil || older == 0 {
		return false, err
	}
	return true, w.postponeRow.exec(until.Add(ledger.PostponeFor(older)).UnixMicro(), c.id[:])
}

// FinishForwards implements [ledger.Outbox].
func (s *Store) FinishForwards(ctx context.Context, holder string, now time.Time, rows []ledger.OutboxRow) error {
	err := s.write(ctx, func(w *writer) (changed bool, err error) {
		for i := range rows {
			if w.leases[rows[i].ID].holder != holder {
				continue
			}
			if err := w.finishForward(&rows[i], now); err != nil {
				return false, err
			}
			changed = true
		}
		return changed, nil
	})
	if err != nil {
		return err
	}
	return s.endLeases(ctx, holder, rows)
}

// endLeases comes after the commit: without one the rows are still the holder's.
func (s *Store) endLeases(ctx context.Context, holder string, rows []ledger.OutboxRow) error {
	return s.write(ctx, func(w *writer) (bool, error) {
		for i := range rows {
			if w.leases[rows[i].ID].holder == holder {
				delete(w.leases, rows[i].ID)
			}
		}
		return false, nil
	})
}

// sentColumns are those that sending changes, after the id.
var sentColumns = table.Outbox.Pick("id", "state", "reason", "host", "due", "ended_at", "tries", "attempts")

func (w *writer) finishForward(o *ledger.OutboxRow, now time.Time) error {
	values := make([]driver.Value, len(sentColumns), len(sentColumns)+1)
	for i := range sentColumns {
		var err error
		if values[i], err = encode(sentColumns[i].Value(o)); err != nil {
			return err
		}
	}
	delivered := int64(0)
	if o.State == ledger.ForwardDelivered {
		delivered = 1
	}
	err := w.updateForward.exec(append(values, delivered)...)
	if err != nil || o.State == ledger.ForwardWaiting {
		return err
	}
	endpoint, err := w.endpoint(o.Slot.Endpoint)
	if err != nil {
		return err
	}
	return w.resumeNext.exec(endpoint, o.Slot.SubID, o.Slot.TID, o.Slot.Type, o.Rule, now.UnixMicro())
}
