package conversion

import (
	"time"

	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// Correction is what a person says of a conversion (docs/semantics.md §4, "Who may change what").
type Correction struct {
	// Type and Payout replace those that are recorded; an empty type and nil leave them.
	Type   string
	Payout *money.Amount
	// Pinned: from now on nobody but a person may change the conversion.
	Pinned bool
	// At, RequestID and Stamp are those of the new version, as of an [Intent].
	At        time.Time
	RequestID uuid.UUID
	Stamp     int64
	Rules     *Rules
}

// Correct returns the version after prev. Neither transitions nor policies bind a person. It is a duplicate if nothing
// changes.
func Correct(c *Correction, prev *Conversion, click *Click) Decision {
	in := &Intent{
		Writer: WriterPerson, Received: c.At, RequestID: c.RequestID, Stamp: c.Stamp, Rules: c.Rules,
	}
	changesType := c.Type != "" && c.Type != prev.Type
	changesPayout := c.Payout != nil && !c.Payout.Same(prev.Payout)
	if !changesType && !changesPayout && c.Pinned == prev.Pinned {
		return Decision{Outcome: Duplicate}
	}
	next := successor(in, prev)
	sign(next, in)
	next.Pinned, next.PreviousType, next.Warnings = c.Pinned, prev.Type, nil
	next.Stamp = nextStamp(in, prev)
	if changesType {
		next.Type = c.Type
	}
	if changesPayout {
		next.Payout = *c.Payout
	}
	if next.Type == config.TypeSale && next.SaleTime.IsZero() {
		next.SaleTime = instant(c.At)
	}
	d := recorded(in, prev, next, click, nil)
	if !changesType && !changesPayout {
		d.Forwards = nil
	}
	return d
}
