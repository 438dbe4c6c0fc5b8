package operation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// judging is a kind whose rows are postbacks.
type judging interface {
	// postback returns what the row asks for, or, if it asks for nothing, the outcome that it has all the same.
	postback(ctx context.Context, op *ledger.Operation, s *Spec, ep *endpoint.Endpoint, row *ledger.OperationRow) (
		ledger.Postback, string, error)
}

// record has the ledger apply rows that are postbacks, and writes into them what became of each.
func (j *job) record(ctx context.Context, k judging, rows []ledger.OperationRow) error {
	ep, err := j.endpoint()
	if err != nil {
		return err
	}
	var asked []ledger.Postback
	var of []*ledger.OperationRow
	for i := range rows {
		row := &rows[i]
		p, outcome, err := k.postback(ctx, j.op, &j.spec, ep, row)
		if err != nil {
			return err
		}
		if outcome != "" {
			row.Outcome, row.Reason = outcome, ""
			continue
		}
		asked, of = append(asked, p), append(of, row)
	}
	changes, err := j.changes(ctx, asked)
	if err != nil {
		return err
	}
	for i := range changes {
		if err := j.complete(ctx, &changes[i]); err != nil {
			return err
		}
		if _, err := settle(of[i], &changes[i], j.trial != nil); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) changes(ctx context.Context, asked []ledger.Postback) ([]ledger.Change, error) {
	if j.trial != nil {
		return j.trial.ApplyRows(ctx, asked)
	}
	return j.Ledger.ApplyRows(ctx, asked)
}

// complete finds out what a row has changed that was applied by somebody who was killed before saying so.
func (j *job) complete(ctx context.Context, c *ledger.Change) error {
	if !c.Repeated || c.Version == 0 {
		return nil
	}
	versions, err := j.Store.History(ctx, c.ConversionID)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, version := range versions {
		switch version.Version {
		case c.Version - 1:
			c.Before = version
		case c.Version:
			c.After = version
		}
	}
	c.Forwards, err = j.forwards(ctx, c)
	return err
}

// forwards returns the rules whose S2S postbacks report the version that a row has made, in the order in which they
// became due.
func (j *job) forwards(ctx context.Context, c *ledger.Change) (rules []string, err error) {
	if c.After == nil {
		return nil, nil
	}
	of := ledger.OutboxFilter{Endpoint: c.After.Endpoint, SubID: c.After.SubID, TID: &c.After.Slot.TID}
	for due, err := range j.Store.Forwards(ctx, of) {
		if err != nil {
			return nil, err
		}
		if due.ConversionID == c.ConversionID && due.Version == c.Version {
			rules = append(rules, due.Rule)
		}
	}
	slices.Reverse(rules) // The newest is the first.
	return rules, nil
}

// appliedAt is when the operation's rows take effect. Of a dry run nothing is kept.
func appliedAt(op *ledger.Operation) time.Time {
	if op.Started.IsZero() {
		return op.Created
	}
	return op.Started
}

// line is the row of the received log that an operation's row makes, and what it asks for.
func (o *Operator) line(op *ledger.Operation, row *ledger.OperationRow, v postback.Verdict,
	as ledger.Kind) ledger.Postback {
	at := appliedAt(op)
	p := ledger.Postback{Intent: v.Intent, Log: ledger.Received{
		ID:        RowID(at, op.ID, row.Number),
		Kind:      as,
		Endpoint:  op.Endpoint,
		At:        at,
		SubIDFrom: request.Storable(v.SubIDFrom.String(), request.MaxValueBytes),
		SubID:     v.SubID,
		TID:       v.TID,
		Type:      v.Type,
		Status:    request.Storable(v.Status, ledger.MaxStatus),
		Reason:    v.Reason,
		Warnings:  v.Warnings,
		Actor:     op.Actor,
		Note:      op.Note,
		Operation: op.ID,
	}}
	if v.Intent == nil {
		p.Log.Outcome = v.Reason.Outcome()
	}
	return p
}
