package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Selection says whose data to erase: one of SubID, IP and Value, of all endpoints or of one.
type Selection struct {
	// Endpoint is "namespace/name"; empty = all.
	Endpoint string `json:"endpoint,omitempty"`
	// SubID selects what belongs to the click.
	SubID string `json:"subid,omitempty"`
	// IP selects the clicks of that address, the postbacks that came from it, and all that belongs to either.
	IP netip.Addr `json:"ip,omitzero"`
	// Parameter and Value select clicks and postbacks with that parameter, and all that belongs to them.
	Parameter string `json:"parameter,omitempty"`
	Value     string `json:"value,omitempty"`
}

// The kinds of selections.
const (
	BySubID     = "subid"
	ByIP        = "ip"
	ByParameter = "parameter"
)

// By names the kind of the selection; an error if there is not exactly one.
func (s Selection) By() (kind string, err error) {
	n := 0
	for _, by := range []struct {
		name  string
		given bool
	}{
		{BySubID, s.SubID != ""}, {ByIP, s.IP.IsValid()}, {ByParameter, s.Parameter != "" && s.Value != ""},
	} {
		if by.given {
			kind, n = by.name, n+1
		}
	}
	if strings.ContainsAny(s.Parameter, `"\`) {
		return "", errors.New("no parameter has such a name")
	}
	if n != 1 || (s.Parameter == "") != (s.Value == "") {
		return "", errors.New("a subid, an IP address or a parameter with its value is needed, and only one of them")
	}
	return kind, nil
}

// text is what rows are looked for by.
func (s Selection) text() string {
	switch {
	case s.SubID != "":
		return s.SubID
	case s.IP.IsValid():
		return s.IP.String()
	}
	return s.Value
}

// Terms returns what the selection's kind compares, and with what: the parameter's name comes second.
func (s Selection) Terms() (value, parameter string) { return s.text(), s.Parameter }

// In reports whether a query or a body of JSON has the selection's parameter with its value, by the name that its
// sender gave it.
func (s Selection) In(raw string) bool {
	if s.Parameter == "" || raw == "" {
		return false
	}
	values, _ := url.ParseQuery(raw) // As far as it can be read.
	var object map[string]any
	if json.Unmarshal([]byte(raw), &object) == nil {
		for name, value := range object {
			values.Add(name, fmt.Sprint(value))
		}
	}
	for name, list := range values {
		if strings.EqualFold(name, s.Parameter) && slices.Contains(list, s.Value) {
			return true
		}
	}
	return false
}

// Erasable is what is erased together: all that belongs to a click, whether it is known or not; or, without a subid, a
// row of the received log; or a row of an operation.
type Erasable struct {
	Key
	// Received is the id of a row that names no click.
	Received uuid.UUID
	// Operation and Number name a row of an operation.
	Operation uuid.UUID
	Number    int
}

// Erasure counts the rows from which something was erased.
type Erasure struct {
	Clicks int64 `json:"clicks"`
	// Conversions counts versions, those that are no longer current included.
	Conversions int64 `json:"conversions"`
	Received    int64 `json:"received"`
	Held        int64 `json:"held"`
	Outbox      int64 `json:"outbox"`
	// Operations counts rows of operations: lines of imports.
	Operations int64 `json:"operations"`
}

// Add adds another's counts.
func (e *Erasure) Add(other Erasure) {
	e.Clicks += other.Clicks
	e.Conversions += other.Conversions
	e.Received += other.Received
	e.Held += other.Held
	e.Outbox += other.Outbox
	e.Operations += other.Operations
}

// Erasures is the part of a [Store] that forgets what is known of a person. What is erased itself is in
// [Changes]: IP addresses, user agents, queries, bodies, parameters, traffic sources and notes. Amounts, types, times,
// ids, transaction ids and the subid stay.
type Erasures interface {
	// Erasable yields what a selection is about, in no order; some of it may come twice. Rows of operations are not among
	// it.
	Erasable(ctx context.Context, what Selection) iter.Seq2[Erasable, error]
	// CountErasable returns from how many rows something is erased with it, whether there still is something or not.
	CountErasable(ctx context.Context, of Erasable) (Erasure, error)
	// Forget returns when what has been erased is in no unused part of the store's files either, as far as these are the
	// store's own.
	Forget(ctx context.Context) error
}

// Erase erases, and returns once that is durable. Erasing again changes nothing.
func (l *Ledger) Erase(ctx context.Context, all []Erasable) error {
	ops := make([]op, len(all))
	for i := range all {
		ops[i] = &eraseOp{all[i]}
	}
	return l.doAll(ctx, ops)
}

// eraseOp waits in the lane of its click, so that no batch that has read the click writes it back.
type eraseOp struct{ Erasable }

func (o *eraseOp) key() Key { return o.Key }

func (o *eraseOp) want(w *Want, _ bool) {
	if o.SubID != "" {
		w.Keys = append(w.Keys, o.Key)
	}
}

func (o *eraseOp) decide(s *batchState, _ bool) { s.out.Erase = append(s.out.Erase, o.Erasable) }
