package ledger

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// ForwardState says what has become of an S2S postback.
type ForwardState string

// The states. Only a failed one can be sent again.
const (
	// ForwardWaiting: it is to be sent, for the first time or again, or is being sent.
	ForwardWaiting ForwardState = "waiting"
	// ForwardDelivered: its receiver has answered as the rule expects.
	ForwardDelivered ForwardState = "delivered"
	// ForwardFailed: it was given up.
	ForwardFailed ForwardState = "failed"
)

// ForwardStates returns all states.
func ForwardStates() []ForwardState {
	return []ForwardState{ForwardWaiting, ForwardDelivered, ForwardFailed}
}

// OutboxRow is an S2S postback as it is in the outbox. One conversion's postbacks by one rule leave in the order of
// their versions: a row waits for the older ones that are waiting.
type OutboxRow struct {
	ID uuid.UUID
	// Slot, ConversionID, Version and Type say which version of which conversion is reported.
	Slot         Slot
	ConversionID uuid.UUID
	Version      int
	Type         string
	// Test: the conversion is one.
	Test       bool
	Rule, Host string
	// Conversion and Click are as in [Forward]; nil once it is delivered.
	Conversion *conversion.Conversion
	Click      *conversion.Click
	IP         string
	State      ForwardState
	// Reason says why it failed; empty otherwise.
	Reason string
	// Due is when it is to be sent, Created when it was written, Ended when it was delivered or given up; else zero.
	Due, Created, Ended time.Time
	// Tries counts the attempts since it was written, or asked for again.
	Tries int
	// Attempts are the last ones, oldest first.
	Attempts []Attempt
	// Operation is the last one that has had it sent again; the zero UUID if none has.
	Operation uuid.UUID
}

// Row returns the row of the outbox that the forward begins as.
func (f *Forward) Row() OutboxRow {
	c := f.Conversion
	return OutboxRow{
		ID:           f.ID,
		Slot:         Slot{Key: KeyOf(c.Endpoint, c.SubID), SlotKey: c.Slot},
		ConversionID: c.ID,
		Version:      c.Version,
		Type:         c.Type,
		Test:         c.Test,
		Rule:         f.Rule,
		Host:         f.Host,
		Conversion:   c,
		Click:        f.Click,
		IP:           f.IP,
		State:        ForwardWaiting,
		Due:          f.Due,
		Created:      f.Due,
	}
}

// Attempt is one attempt at sending an S2S postback. Nothing in it is secret.
type Attempt struct {
	At time.Time `json:"at"`
	// Milliseconds it took.
	Milliseconds int64 `json:"ms"`
	// Status of the answer, 0 without one; Error says why there is none.
	Status int          `json:"status,omitempty"`
	Error  AttemptError `json:"error,omitempty"`
	// URL as it may be shown, Answer the beginning of the body.
	URL    string `json:"url,omitempty"`
	Answer string `json:"answer,omitempty"`
	// Location is where a redirect points, without its query.
	Location string `json:"location,omitempty"`
}

// AttemptError says why an attempt at an S2S postback got no answer.
type AttemptError string

// What goes wrong on the way.
const (
	// AttemptTimeout: no answer in time.
	AttemptTimeout AttemptError = "timeout"
	// AttemptDNS: the host's name could not be resolved.
	AttemptDNS AttemptError = "dns"
	// AttemptRefused: nobody listens at the host's port.
	AttemptRefused AttemptError = "connection_refused"
	// AttemptTLS: the host's certificate or its TLS is not acceptable.
	AttemptTLS AttemptError = "tls"
	// AttemptNetwork: the connection could not be made, or broke.
	AttemptNetwork AttemptError = "network"
	// AttemptNoHTTP: the answer is none of HTTP.
	AttemptNoHTTP AttemptError = "answer_unreadable"
	// AttemptPrivate: the host has an address that is not public, and the fleet does not allow those.
	AttemptPrivate AttemptError = "address_not_public"
	// AttemptPort: a port below 1024 other than 80 and 443, and the fleet allows public addresses only.
	AttemptPort AttemptError = "port_not_allowed"
	// AttemptURL: what the template gives is no URL.
	AttemptURL AttemptError = "url_invalid"
	// AttemptRuleRemoved: the endpoint or its rule is not declared any more. Nothing was sent.
	AttemptRuleRemoved AttemptError = "rule_removed"
)

// AttemptErrors returns all of them.
func AttemptErrors() []AttemptError {
	return []AttemptError{
		AttemptTimeout, AttemptDNS, AttemptRefused, AttemptTLS, AttemptNetwork, AttemptNoHTTP, AttemptPrivate, AttemptPort,
		AttemptURL, AttemptRuleRemoved,
	}
}

// OutboxClaim asks for rows that are due, to be sent by Holder until the lease ends.
type OutboxClaim struct {
	// Holder is the receiver.
	Holder string
	// Now is the time; Until the end of the lease, after which any receiver may claim the rows again.
	Now, Until time.Time
	// Shares are for how many rows of which host there is room, each host once.
	Shares []OutboxShare
}

// OutboxShare is how many rows of one host may be claimed.
type OutboxShare struct {
	Host  string
	Limit int
}

// OutboxMargin is how many rows of a host a claim looks at beyond its limit, so that some that have to wait for older
// ones do not keep the others.
const OutboxMargin = 32

// PostponeFor returns for how long a row that must wait for older ones is put aside: it is taken out when the row
// before it has ended, and this is only for those that come at just that moment.
func PostponeFor(older int) time.Duration {
	if older > 1 {
		return 30 * time.Second
	}
	return time.Second
}

// OutboxFilter selects rows of the outbox; zero fields select all.
type OutboxFilter struct {
	Endpoint, SubID, Rule string
	TID                   *string
	State                 ForwardState
	ID                    uuid.UUID
	// From (inclusive) and To (exclusive) bound Created.
	From, To time.Time
	Span
	Limit int
}

// OutboxCounts are sums over the outbox. Waiting and Failed are exact up to [OutboxCountLimit] and stop there.
type OutboxCounts struct {
	Waiting, Failed int
	// OldestDue is when the row that is due the longest was due, zero if none is.
	OldestDue time.Time
}

// OutboxCountLimit bounds what counting costs.
const OutboxCountLimit = 100_000

// ErrForwardState means that an S2S postback is in another state than the call is for.
var ErrForwardState = errors.New("the S2S postback has not failed")

// Outbox is the part of a [Store] that holds the S2S postbacks which its transactions write.
type Outbox interface {
	// DueForwards returns the hosts that have a row which is due at now, each with the time it is due since. Rows that are
	// being sent count too.
	DueForwards(ctx context.Context, now time.Time) (map[string]time.Time, error)
	// ClaimForwards leases rows that are due, the longest due ones of each host first, and never one that an older one of
	// its conversion and rule precedes. Two claims never hold one row at the same time. examined says how many rows of
	// each host were claimed or put aside: as many as the limit or more means that there may be others.
	ClaimForwards(ctx context.Context, claim OutboxClaim) (rows []OutboxRow, examined map[string]int, err error)
	// FinishForwards writes rows as they are now (State, Reason, Host, Due, Ended, Tries, Attempts) and ends their leases.
	// Rows that holder has no lease on are left as they are.
	FinishForwards(ctx context.Context, holder string, now time.Time, rows []OutboxRow) error
	// Forwards yields matching rows, newest first by id.
	Forwards(ctx context.Context, f OutboxFilter) iter.Seq2[OutboxRow, error]
	// ResendForward makes a failed row due at now, on behalf of an operation; the zero UUID stands for none. A row that
	// this operation has had sent again before is left as it is. Errors: ErrNotFound, ErrForwardState.
	ResendForward(ctx context.Context, id, operation uuid.UUID, now time.Time) error
	// ReviveForwards makes due at now what a clock that was ahead has put off: waiting rows that are due after late, and
	// were written after late, or never tried and not put aside. A lease beyond late that another process may hold ends.
	// Returns how many rows there were.
	ReviveForwards(ctx context.Context, now, late time.Time) (int, error)
	// CountForwards adds up the outbox.
	CountForwards(ctx context.Context, now time.Time) (OutboxCounts, error)
	// PruneForwards deletes up to limit rows that were delivered or given up before the given time.
	PruneForwards(ctx context.Context, endedBefore time.Time, limit int) (int, error)
}
