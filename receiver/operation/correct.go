package operation

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// Correction is what a person says of one conversion.
type Correction struct {
	// Type and Payout replace those that are recorded; empty = they stay. Currency is the payout's; empty = the
	// endpoint's.
	Type, Payout, Currency string
	// Pin and Unpin decide whether postbacks may still change the conversion. Without either a correction pins it.
	Pin, Unpin bool
	// Forwards: S2S postbacks are sent for the change.
	Forwards    bool
	Actor, Note string
	// Key names the request of an adjustment: the same again adjusts nothing more; empty = it has no name.
	Key string
}

func checkNote(note string) error {
	switch {
	case note == "":
		return Invalid("note: say why, in a sentence that others will read")
	case utf8.RuneCountInString(note) > MaxNote:
		return Invalid(fmt.Sprintf("note: has more than %d characters", MaxNote))
	}
	return nil
}

// corrected is what a correction needs to know.
type corrected struct {
	ep      *endpoint.Endpoint
	current *conversion.Conversion
	typ     string
	payout  *money.Amount
	// rules are the endpoint's, without what does not bind a person.
	rules *conversion.Rules
}

// look reads what the correction is about. Its errors are Invalid, ErrNotFound, or the store's.
func (o *Operator) look(ctx context.Context, id uuid.UUID, c *Correction) (found corrected, err error) {
	if err := checkNote(c.Note); err != nil {
		return found, err
	}
	versions, err := o.Store.History(ctx, id)
	if err != nil {
		return found, err
	}
	found.current = versions[len(versions)-1]
	if found.ep = o.Endpoints().ByName(found.current.Endpoint); found.ep == nil {
		return found, errNotServed
	}
	if found.typ = strings.ToLower(c.Type); c.Type != "" && !slices.Contains(found.ep.Types, found.typ) {
		return found, Invalid("type: must be one of " + strings.Join(found.ep.Types, ", "))
	}
	if found.payout, err = o.amount(found.ep, c); err != nil {
		return found, err
	}
	rules := *found.ep.Rules
	if !c.Forwards {
		rules.Forwards = nil
	}
	rules.Transitions, rules.Repeat, rules.RepeatByType = config.TransitionsAny, config.RepeatOverwrite, nil
	rules.MaxPayout, rules.ClickLookback, rules.UnknownClick = nil, 0, config.UnknownClickRecord
	found.rules = &rules
	return found, nil
}

// amount reads the payout, which a person has to write without doubt: nil if there is none.
func (o *Operator) amount(ep *endpoint.Endpoint, c *Correction) (*money.Amount, error) {
	if c.Payout == "" {
		if c.Currency != "" {
			return nil, Invalid("currency: is the payout's, and there is no payout")
		}
		return nil, nil
	}
	value, reading := money.Parse(c.Payout)
	if _, err := decimal.NewFromString(c.Payout); err != nil || reading != money.Exact {
		return nil, Invalid("payout: must be a number such as -12.50")
	}
	currency := strings.ToUpper(c.Currency)
	if currency == "" {
		currency = ep.Currency
	}
	amount := o.Rates().Convert(value, currency, ep.Currency)
	if amount.Pending() {
		return nil, Invalid("currency: there is no rate from " + currency + " to " + ep.Currency)
	}
	return &amount, nil
}

// Correct changes a conversion whose version is the given one. The error is an [Invalid], [ledger.ErrNotFound],
// [ledger.ErrVersion], or the store's.
func (o *Operator) Correct(ctx context.Context, id uuid.UUID, version int, c Correction) (ledger.Result, error) {
	if c.Pin && c.Unpin {
		return ledger.Result{}, Invalid("unpin: goes without pin")
	}
	found, err := o.look(ctx, id, &c)
	if err != nil {
		return ledger.Result{}, err
	}
	pinned := found.current.Pinned || c.Type != "" || c.Payout != ""
	if c.Pin || c.Unpin {
		pinned = c.Pin
	}
	now := o.now()
	row := ledger.Received{
		ID: o.NewID(), Endpoint: found.current.Endpoint, At: now, Stamp: now.UnixMicro(), SubID: found.current.SubID,
		TID: found.current.Slot.TID, Actor: c.Actor, Note: c.Note,
	}
	return o.Ledger.Correct(ctx, ledger.Correction{
		Correction: conversion.Correction{
			Type: found.typ, Payout: found.payout, Pinned: pinned, At: now, RequestID: row.ID, Stamp: row.Stamp,
			Rules: found.rules,
		},
		Slot: ledger.Slot{
			Key: ledger.KeyOf(found.current.Endpoint, found.current.SubID), SlotKey: found.current.Slot,
		},
		Version: version,
		Log:     row,
	})
}

// Adjust records a further conversion of the same click, with a tid of its own and a payout with its sign. The errors
// are those of [Operator.Correct].
func (o *Operator) Adjust(ctx context.Context, id uuid.UUID, c Correction) (ledger.Result, error) {
	if c.Payout == "" {
		return ledger.Result{}, Invalid("payout: is what an adjustment adds, or with a minus takes away")
	}
	found, err := o.look(ctx, id, &c)
	if err != nil {
		return ledger.Result{}, err
	}
	if found.typ == "" {
		found.typ = found.current.Type
	}
	now := o.now()
	row := ledger.Received{
		ID: o.NewID(), Kind: ledger.KindManual, Endpoint: found.current.Endpoint, At: now, Stamp: now.UnixMicro(),
		SubID: found.current.SubID, Type: found.typ, Actor: c.Actor, Note: c.Note,
	}
	name := row.ID
	if c.Key != "" {
		name = named("adjustment", found.current.Endpoint+"\x00"+id.String()+"\x00"+c.Key)
	}
	row.TID = "adj-" + hex.EncodeToString(name[10:])
	slot := conversion.SlotKey{TID: row.TID}
	if found.rules.Slot == config.SlotTidAndType {
		slot.Type = found.typ
	}
	changes, err := o.Ledger.ApplyRows(ctx, []ledger.Postback{{Log: row, Intent: &conversion.Intent{
		Endpoint: row.Endpoint, SubID: row.SubID, Slot: slot, Writer: conversion.WriterPerson, Type: found.typ,
		Payout: found.payout, Received: now, RequestID: row.ID, Stamp: row.Stamp, Rules: found.rules,
	}}})
	if err != nil {
		return ledger.Result{}, err
	}
	return changes[0].Result, nil
}
