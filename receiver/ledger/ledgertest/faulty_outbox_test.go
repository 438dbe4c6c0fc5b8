package ledgertest_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func (f faulty) ClaimForwards(ctx context.Context, claim ledger.OutboxClaim) ([]ledger.OutboxRow, map[string]int,
	error) {
	claim.Shares = slices.Clone(claim.Shares)
	switch f.fault {
	case "claims what is not due":
		claim.Now = claim.Now.Add(time.Microsecond)
	case "claims more than there is room for":
		for i := range claim.Shares {
			claim.Shares[i].Limit *= 10
		}
	}
	rows, examined, err := f.Store.ClaimForwards(ctx, claim)
	switch f.fault {
	case "claims without a lease":
		err = errors.Join(err, f.Store.FinishForwards(ctx, claim.Holder, claim.Now, rows))
	case "says that nothing was examined":
		clear(examined)
	}
	return rows, examined, err
}

func (f faulty) FinishForwards(ctx context.Context, holder string, now time.Time, rows []ledger.OutboxRow) error {
	rows = slices.Clone(rows)
	for i := range rows {
		switch f.fault {
		case "marks nothing as sent":
			rows[i].State, rows[i].Ended = ledger.ForwardWaiting, time.Time{}
		case "forgets the attempts":
			rows[i].Attempts = nil
		case "retries at once":
			rows[i].Due = now
		}
	}
	return f.Store.FinishForwards(ctx, holder, now, rows)
}

func (f faulty) Forwards(ctx context.Context, filter ledger.OutboxFilter) iter.Seq2[ledger.OutboxRow, error] {
	switch f.fault {
	case "ignores the rule of S2S postbacks":
		filter.Rule = ""
	case "ignores the state of S2S postbacks":
		filter.State = ""
	case "ignores the cursor of S2S postbacks":
		filter.Before = uuid.Nil
	}
	return f.Store.Forwards(ctx, filter)
}

func (f faulty) ResendForward(ctx context.Context, id, operation uuid.UUID, now time.Time) error {
	if f.fault == "forgets which operation has sent something again" {
		operation = uuid.Nil
	}
	err := f.Store.ResendForward(ctx, id, operation, now)
	if f.fault == "says that it sends what is delivered again" && errors.Is(err, ledger.ErrForwardState) {
		return nil
	}
	return err
}

func (f faulty) ReviveForwards(ctx context.Context, now, late time.Time) (int, error) {
	if f.fault == "does not revive S2S postbacks" {
		return 0, nil
	}
	return f.Store.ReviveForwards(ctx, now, late)
}

func (f faulty) CountForwards(ctx context.Context, now time.Time) (ledger.OutboxCounts, error) {
	counts, err := f.Store.CountForwards(ctx, now)
	if f.fault == "does not count what has failed" {
		counts.Failed = 0
	}
	return counts, err
}

func (f faulty) PruneForwards(ctx context.Context, before time.Time, limit int) (int, error) {
	if f.fault == "prunes too much of the outbox" {
		before = before.Add(time.Hour)
	}
	return f.Store.PruneForwards(ctx, before, limit)
}
