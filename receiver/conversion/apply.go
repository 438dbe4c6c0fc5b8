package conversion

import (
	"slices"
	"strings"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Apply decides what a judged postback does to its slot: prev is the slot's current version, click its click; either is
// nil when there is none (docs/semantics.md §3 steps 8-12, §4, §5, §6). It changes none of its arguments. The decision
// shares memory with them, so that versions and clicks are to be treated as immutable once they are handed in or out.
//
// A recorded slot is looked at in this order: the same request again (Duplicate), page_may_not_change,
// corrected_by_hand, overtaken by a newer postback (Superseded), nothing new (Duplicate), payout_over_limit,
// status_regression, already_recorded, payout_not_addable.
func Apply(in *Intent, prev *Conversion, click *Click) Decision {
	if stop, ok := meetClick(in, click); !ok {
		return stop
	}
	switch {
	case prev == nil:
		return first(in, click)
	case in.RequestID == prev.RequestID:
		return Decision{Outcome: Duplicate}
	}
	if reason := in.Writer.mayChange(prev); reason != "" {
		return ignored(reason)
	}
	if overtaken(in, prev) {
		return late(in, prev, click)
	}
	switch compare(in, prev) {
	case nothingNew:
		if in.Writer.takesOver(prev) {
			return confirm(in, prev, click)
		}
		return Decision{Outcome: Duplicate}
	case extrasOnly:
		d := change(in, prev, click)
		d.Forwards = nil
		return d
	default:
		return change(in, prev, click)
	}
}

// meetClick reports whether the postback passes with its click, and if not, what becomes of it.
func meetClick(in *Intent, click *Click) (Decision, bool) {
	if in.Test && (click == nil || !click.Test) {
		// Its click was removed with its conversions, which must not come back as ones that count.
		return ignored(ClickNotFound), false
	}
	if click != nil {
		lookback := time.Duration(in.Rules.ClickLookback)
		if lookback > 0 && in.Received.Sub(click.Time) > lookback {
			return ignored(ClickExpired), false
		}
		return Decision{}, true
	}
	switch in.Rules.UnknownClick {
	case config.UnknownClickRecord:
		return Decision{}, true
	case config.UnknownClickHold:
		return Decision{Outcome: Held, HoldUntil: instant(in.Received.Add(time.Duration(in.Rules.HoldFor)))}, false
	default:
		return ignored(ClickNotFound), false
	}
}

// overtaken reports whether a redelivered postback comes too late: a newer one is in the slot. Where statuses only
// go forward their rank is older than any stamp: a sale that comes late still replaces the lead that overtook it.
func overtaken(in *Intent, prev *Conversion) bool {
	if !in.Redelivered || in.Stamp >= prev.Stamp || in.Writer.takesOver(prev) {
		return false
	}
	return in.Rules.Transitions != config.TransitionsForwardOnly || rank(in.Type) <= rank(prev.Type)
}

// difference is what a postback says beyond what is recorded.
type difference int

const (
	nothingNew difference = iota
	// extrasOnly: nothing but parameters that the endpoint does not know. They are kept, and no S2S postback is sent.
	extrasOnly
	news
)

// compare returns what the postback says that is not recorded already (docs/semantics.md §4). What it lacks is no
// difference.
func compare(in *Intent, prev *Conversion) difference {
	switch {
	case in.Type != prev.Type,
		in.Status != "" && !strings.EqualFold(WholeNumber(in.Status), WholeNumber(prev.Status)),
		in.Cost != nil && (prev.Cost == nil || !in.Cost.Same(*prev.Cost)),
		!in.Date.IsZero() && !instant(in.Date).Equal(prev.ConversionTime),
		in.Rules.repeat(in.Type) == config.RepeatAdd && adds(in),
		in.Rules.repeat(in.Type) != config.RepeatAdd && in.Payout != nil && !in.Payout.Same(prev.Payout):
		return news
	}
	result := nothingNew
	for _, param := range in.Params {
		switch {
		case param.Value == "" || prev.Params.Get(param.Name) == param.Value:
		case IsClickField(param.Name):
			return news
		case !slices.Contains(in.Rules.IgnoredParams, param.Name):
			result = extrasOnly
		}
	}
	return result
}

// WholeNumber returns a number without a fraction of zeros, and any other word as it is: spreadsheets and scripts turn
// the status 1 into 1.0.
func WholeNumber(word string) string {
	point := strings.IndexByte(word, '.')
	if point <= 0 || point == len(word)-1 || strings.Trim(word[:point], "0123456789") != "" ||
		strings.Trim(word[point+1:], "0") != "" {
		return word
	}
	return word[:point]
}

// first records the slot's first postback.
func first(in *Intent, click *Click) Decision {
	payout := firstPayout(in, click)
	if overLimit(payout, in.Rules.MaxPayout) {
		return ignored(PayoutOverLimit)
	}
	received := instant(in.Received)
	next := &Conversion{
		ID:               in.RequestID,
		Endpoint:         in.Endpoint,
		SubID:            in.SubID,
		Slot:             in.Slot,
		Payout:           payout,
		EndpointCurrency: in.Rules.Currency,
		ConversionTime:   received,
		CreatedAt:        received,
		UpdatedAt:        received,
		Version:          1,
		Stamp:            in.Stamp,
	}
	tell(next, in, click)
	return recorded(in, nil, next, click, updateClick(in, click))
}

// change overwrites the slot, or adds to it.
func change(in *Intent, prev *Conversion, click *Click) Decision {
	switch {
	case in.Payout != nil && overLimit(*in.Payout, in.Rules.MaxPayout):
		return ignored(PayoutOverLimit)
	case in.Writer.takesOver(prev):
	case in.Rules.Transitions == config.TransitionsForwardOnly && rank(in.Type) < rank(prev.Type):
		return ignored(StatusRegression)
	case in.Rules.repeat(in.Type) == config.RepeatIgnore:
		return ignored(AlreadyRecorded)
	}
	next := successor(in, prev)
	switch {
	case in.Rules.repeat(in.Type) == config.RepeatAdd && adds(in):
		sum, ok := add(next.Payout, *in.Payout, in.Rules.Currency)
		if !ok {
			return ignored(PayoutNotAddable)
		}
		next.Payout = sum
	case in.Rules.repeat(in.Type) != config.RepeatAdd && in.Payout != nil:
		next.Payout = *in.Payout
	}
	next.PreviousType = prev.Type
	next.Stamp = nextStamp(in, prev)
	tell(next, in, click)
	if in.Type != prev.Type && in.Slot.TID == "" && in.Rules.Slot != config.SlotTidAndType {
		next.Warnings = with(next.Warnings, OverwroteOtherType)
	}
	return recorded(in, prev, next, click, updateClick(in, click))
}

// confirm keeps that a network says the same as pages did: from now on no page may change it. To the sender it is a
// duplicate.
func confirm(in *Intent, prev *Conversion, click *Click) Decision {
	next := successor(in, prev)
	sign(next, in)
	next.Stamp = nextStamp(in, prev)
	next.group(click)
	return Decision{Outcome: Duplicate, Next: next, Click: updateClick(in, click)}
}

func nextStamp(in *Intent, prev *Conversion) int64 {
	if in.Redelivered {
		return in.Stamp
	}
	return max(in.Stamp, prev.Stamp+1)
}

// late takes from an overtaken postback the one thing that does not depend on the order: a payout that adds up.
func late(in *Intent, prev *Conversion, click *Click) Decision {
	if in.Rules.repeat(in.Type) != config.RepeatAdd || !adds(in) {
		return Decision{Outcome: Superseded}
	}
	if overLimit(*in.Payout, in.Rules.MaxPayout) {
		return ignored(PayoutOverLimit)
	}
	next := successor(in, prev)
	sum, ok := add(next.Payout, *in.Payout, in.Rules.Currency)
	if !ok {
		return ignored(PayoutNotAddable)
	}
	next.Payout = sum
	sign(next, in)
	return recorded(in, prev, next, click, nil)
}

// successor is the version after prev, with everything kept, its amounts in the endpoint's currency of today.
func successor(in *Intent, prev *Conversion) *Conversion {
	next := *prev
	next.Version++
	if received := instant(in.Received); received.After(next.UpdatedAt) {
		next.UpdatedAt = received
	}
	if next.EndpointCurrency != in.Rules.Currency {
		next.EndpointCurrency = in.Rules.Currency
		next.Payout = revalue(prev.Payout, in.Rules.Currency)
		if prev.Cost != nil {
			cost := revalue(*prev.Cost, in.Rules.Currency)
			next.Cost = &cost
		}
	}
	return &next
}

// sign says who wrote the version, by which request.
func sign(next *Conversion, in *Intent) {
	next.Writer = in.Writer
	next.Pinned = in.Writer == WriterPerson
	next.RequestID = in.RequestID
}

// tell writes into next what the postback says, besides the payout.
func tell(next *Conversion, in *Intent, click *Click) {
	sign(next, in)
	next.Type = in.Type
	next.Status = in.Status
	next.Warnings = in.Warnings
	next.Params = next.Params.merge(in.Params)
	if in.Cost != nil {
		next.Cost = in.Cost
	}
	if in.From != "" {
		next.From = in.From
	}
	if click != nil {
		next.ClickTime = instant(click.Time)
	}
	at := instant(in.Received)
	if !in.Date.IsZero() {
		at = instant(in.Date)
		next.ConversionTime = at
	}
	if in.Type == config.TypeSale && next.SaleTime.IsZero() {
		next.SaleTime = at
	}
}

func recorded(in *Intent, prev, next *Conversion, click, updated *Click) Decision {
	d := Decision{Outcome: Recorded, Next: next, Click: updated}
	if updated != nil {
		click = updated
	}
	next.group(click)
	d.Forwards = due(in.Rules.Forwards, prev, next, click)
	return d
}

// group copies what reports group conversions by, and whether they count at all.
func (c *Conversion) group(click *Click) {
	c.Source, c.Campaign = c.Field(click, "source"), ""
	if click != nil {
		c.Campaign = click.Campaign
		c.Test = c.Test || click.Test
	}
}

func ignored(why Reason) Decision { return Decision{Outcome: Ignored, Reason: why} }

// rank orders the types for [config.TransitionsForwardOnly] (docs/semantics.md §4).
func rank(conversionType string) int {
	switch conversionType {
	case config.TypeLead, config.TypeRegistration:
		return 0
	case config.TypeRejected, config.TypeTrash:
		return 2
	default:
		return 1
	}
}

// instant is t as stores keep it: UTC, in microseconds. A date that is sent again must equal the one that was read
// back.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
