package operation

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// replay judges again what was received.
type replay struct{ *Operator }

// check returns why the endpoint takes no such replay.
func (r replay) check(ep *endpoint.Endpoint, q *Request) error {
	if q.Spec.IncludeRecorded && addsUp(ep.Rules) {
		return Invalid("include_recorded: the endpoint adds payouts up (repeat: Add), so what was recorded once would " +
			"be added a second time")
	}
	if outcome := q.Spec.Outcome; outcome != "" && !q.Spec.takes(outcome) {
		return Invalid("outcome: of " + string(outcome) + " rows nothing is replayed; ignored ones are, refused ones " +
			"with include_refused, and recorded, duplicate and superseded ones with include_recorded")
	}
	return nil
}

// addsUp reports whether payouts add up, of whatever type.
func addsUp(r *conversion.Rules) bool {
	if r.Repeat == config.RepeatAdd {
		return true
	}
	for _, policy := range r.RepeatByType {
		if policy == config.RepeatAdd {
			return true
		}
	}
	return false
}

// takes reports whether rows of the outcome are replayed.
func (s *Spec) takes(outcome conversion.Outcome) bool {
	switch outcome {
	case conversion.Ignored:
		return true
	case conversion.Refused:
		return s.IncludeRefused
	case conversion.Recorded, conversion.Duplicate, conversion.Superseded:
		return s.IncludeRecorded
	}
	return false
}

// selected reports whether the row is one of those to be replayed. Only what was received is.
func (s *Spec) selected(row *ledger.Received) bool {
	return (row.Kind == ledger.KindPostback || row.Kind == ledger.KindClient) && s.takes(row.Outcome) &&
		(s.Status == "" || strings.EqualFold(s.Status, row.Status)) &&
		(len(s.IDs) == 0 || slices.Contains(s.IDs, row.ID))
}

// rows selects what is to be replayed, the oldest first.
func (r replay) rows(ctx context.Context, op *ledger.Operation, s *Spec) ([]ledger.OperationRow, error) {
	to := op.Created.Add(time.Microsecond) // what is received meanwhile is judged by the same configuration
	if !s.To.IsZero() && s.To.Before(to) {
		to = s.To
	}
	var found []ledger.OperationRow
	filter := ledger.ReceivedFilter{Endpoint: op.Endpoint, Outcome: s.Outcome, Reason: s.Reason, From: s.From, To: to}
	for row, err := range r.Store.Received(ctx, filter) {
		if err != nil {
			return nil, err
		}
		if !s.selected(&row) {
			continue
		}
		if len(found) == MaxRows {
			return nil, Invalid(fmt.Sprintf("from: more than %d rows are selected; replay a shorter time", MaxRows))
		}
		found = append(found, ledger.OperationRow{Origin: row.ID, SubID: row.SubID, TID: row.TID})
	}
	slices.Reverse(found)
	for i := range found {
		found[i].Number = i + 1
	}
	return found, nil
}

func (r replay) apply(ctx context.Context, j *job, rows []ledger.OperationRow) error {
	return j.record(ctx, r, rows)
}

// postback judges a row of the received log by the present configuration. Who may send was asked when it came.
func (r replay) postback(
	ctx context.Context, op *ledger.Operation, s *Spec, ep *endpoint.Endpoint, row *ledger.OperationRow,
) (ledger.Postback, string, error) {
	origin, err := r.origin(ctx, op, row)
	if err != nil {
		return ledger.Postback{}, "", err
	}
	if origin == nil || cut(origin) {
		return ledger.Postback{}, OutcomeUnreplayable, nil
	}
	said := &request.Request{
		ID:          conversionID(origin.At, op.ID, row.Number),
		At:          origin.At,
		Method:      origin.Method,
		RawQuery:    origin.Query,
		URLBytes:    len(origin.Query),
		ContentType: origin.ContentType,
		Unread:      strings.NewReader(origin.Body),
	}
	said.Source, _ = netip.ParseAddr(origin.IP)
	if strings.HasPrefix(origin.SubIDFrom, "cookie:") {
		said.Cookies = []request.Cookie{{Name: config.ParamSubid, Value: origin.SubID}}
	}
	attempt := access.To(ep, said, origin.Kind == ledger.KindClient)
	attempt.Trusted = true
	verdict := attempt.Judge(origin.Stamp, r.Rates())
	p := r.line(op, row, verdict, ledger.KindReplay)
	p.Log.KeyID, p.Log.Stamp, p.Log.IP, p.Log.Origin = origin.KeyID, origin.Stamp, origin.IP, origin.ID
	p.Log.Method, p.Log.ContentType, p.Log.Query, p.Log.Body = origin.Method, origin.ContentType, origin.Query,
		origin.Body
	p.Log.Test = origin.Test
	if in := p.Intent; in != nil {
		in.Redelivered, in.Test = true, origin.Test
		// A page's postback stays a page's, which may not change what a network has said.
		if in.Writer != conversion.WriterPage {
			in.Writer = conversion.WriterReplay
		}
		if p.Log.Signature = attempt.Signature(in.Type); p.Log.Signature == uuid.Nil && in.Rules.AddsUp(in.Type) {
			// Another replay of the same row must not add it a second time.
			p.Log.Signature = named("replay", origin.ID.String())
		}
		in.Rules = rulesFor(ep.Rules, s, false)
	}
	return p, "", nil
}

// origin returns the row of the received log, nil if it is gone.
func (r replay) origin(ctx context.Context, op *ledger.Operation, row *ledger.OperationRow) (*ledger.Received, error) {
	filter := ledger.ReceivedFilter{Endpoint: op.Endpoint, SubID: row.SubID, ID: row.Origin, Limit: 1}
	for found, err := range r.Store.Received(ctx, filter) {
		if err != nil {
			return nil, err
		}
		return &found, nil
	}
	return nil, nil
}

// cut reports whether a part of what was sent is not kept: it was too long, it is no text, or it was erased, which has
// left no method.
func cut(row *ledger.Received) bool {
	return row.Method == "" || len(row.Query) >= request.MaxURLBytes || len(row.Body) >= request.MaxBodyBytes ||
		strings.Contains(row.Query, "\uFFFD") || strings.Contains(row.Body, "\uFFFD")
}

// rulesFor are the endpoint's rules as an operation applies them: a row that waits for its click would have no result,
// and so it does not wait.
func rulesFor(of *conversion.Rules, s *Spec, orphans bool) *conversion.Rules {
	rules := *of
	if !s.Forwards {
		rules.Forwards = nil
	}
	switch {
	case orphans:
		rules.UnknownClick = config.UnknownClickRecord
	case rules.UnknownClick == config.UnknownClickHold:
		rules.UnknownClick = config.UnknownClickIgnore
	}
	return &rules
}
