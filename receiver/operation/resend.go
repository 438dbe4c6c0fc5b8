package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// The outcomes of a resend: an S2S postback waits to be sent again, or was left as it is, for one of the reasons.
const (
	OutcomeResent  = "resent"
	OutcomeSkipped = "skipped"
	// ReasonNotFailed: it is being sent, or was delivered. ReasonNotKept: its row is not kept any more. ReasonRuleRemoved:
	// the endpoint has no such forward now.
	ReasonNotFailed   = "not_failed"
	ReasonNotKept     = "not_kept"
	ReasonRuleRemoved = string(ledger.AttemptRuleRemoved)
)

const (
	// resendsPerSecond is how many S2S postbacks become due in a second, where nobody says: hosts that have just come back
	// are not overrun.
	resendsPerSecond = 50
	// maxResendsPerSecond bounds what may be asked for.
	maxResendsPerSecond = rowsPerSecond
)

// resend has S2S postbacks sent again that were given up. What sends them is the queue, as the first time.
type resend struct{ *Operator }

func (r resend) check(ep *endpoint.Endpoint, q *Request) error {
	if q.Spec.Rule != "" && ep.Forward(q.Spec.Rule) == nil {
		return Invalid("rule: the endpoint has no forward of that name")
	}
	if q.Spec.PerSecond < 0 || q.Spec.PerSecond > maxResendsPerSecond {
		return Invalid(fmt.Sprintf("per_second: must be 1 to %d", maxResendsPerSecond))
	}
	if q.Spec.PerSecond == 0 {
		q.Spec.PerSecond = resendsPerSecond
	}
	return nil
}

// rows selects what has failed, the oldest first.
func (r resend) rows(ctx context.Context, op *ledger.Operation, s *Spec) ([]ledger.OperationRow, error) {
	var found []ledger.OperationRow
	filter := ledger.OutboxFilter{
		Endpoint: op.Endpoint, Rule: s.Rule, State: ledger.ForwardFailed, From: s.From, To: s.To,
	}
	for row, err := range r.Store.Forwards(ctx, filter) {
		if err != nil {
			return nil, err
		}
		if s.Failure != "" && row.Reason != s.Failure || len(s.IDs) > 0 && !slices.Contains(s.IDs, row.ID) {
			continue
		}
		if len(found) == MaxRows {
			return nil, Invalid(fmt.Sprintf("from: more than %d S2S postbacks are selected; resend those of a shorter time",
				MaxRows))
		}
		found = append(found, ledger.OperationRow{Origin: row.ID, SubID: row.Slot.SubID, TID: row.Slot.TID})
	}
	slices.Reverse(found)
	for i := range found {
		found[i].Number = i + 1
	}
	return found, nil
}

func (r resend) apply(ctx context.Context, j *job, rows []ledger.OperationRow) error {
	ep, err := j.endpoint()
	if err != nil {
		return err
	}
	var hosts []string
	for i := range rows {
		due, err := r.one(ctx, j, ep, &rows[i])
		if err != nil {
			return err
		}
		if due != nil && !slices.Contains(hosts, due.Host) {
			hosts = append(hosts, due.Host)
		}
	}
	if len(hosts) > 0 && j.trial == nil {
		r.Resent(hosts)
	}
	return nil
}

// one requeues the S2S postback that a row is about, and returns it; nil if it is left as it is. One that this
// operation has requeued before, and was killed before saying so, is not requeued a second time.
func (r resend) one(
	ctx context.Context, j *job, ep *endpoint.Endpoint, row *ledger.OperationRow,
) (*ledger.OutboxRow, error) {
	skipped := func(reason string) (*ledger.OutboxRow, error) {
		row.Outcome, row.Reason, row.Result = OutcomeSkipped, reason, nil
		return nil, nil
	}
	due, err := r.forward(ctx, j.op, row)
	switch {
	case err != nil:
		return nil, err
	case due == nil:
		return skipped(ReasonNotKept)
	case ep.Forward(due.Rule) == nil:
		return skipped(ReasonRuleRemoved)
	case due.State != ledger.ForwardFailed && due.Operation != j.op.ID:
		return skipped(ReasonNotFailed)
	}
	if j.trial == nil {
		switch err := r.Store.ResendForward(ctx, due.ID, j.op.ID, r.now()); {
		case errors.Is(err, ledger.ErrForwardState):
			return skipped(ReasonNotFailed)
		case errors.Is(err, ledger.ErrNotFound):
			return skipped(ReasonNotKept)
		case err != nil:
			return nil, err
		}
	}
	row.Outcome, row.Reason = OutcomeResent, ""
	row.Result, err = json.Marshal(Result{Conversion: due.ConversionID, Type: due.Type, Forwards: []string{due.Rule}})
	return due, err
}

// forward returns the S2S postback that a row is about, nil if it is gone.
func (r resend) forward(
	ctx context.Context, op *ledger.Operation, row *ledger.OperationRow,
) (*ledger.OutboxRow, error) {
	filter := ledger.OutboxFilter{Endpoint: op.Endpoint, SubID: row.SubID, ID: row.Origin, Limit: 1}
	for due, err := range r.Store.Forwards(ctx, filter) {
		return &due, err
	}
	return nil, nil
}
