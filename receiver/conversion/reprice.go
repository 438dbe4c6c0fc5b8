package conversion

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/money"
)

// Converter converts an amount into another currency at the rates of now; the result is pending when there is no rate.
type Converter func(original decimal.Decimal, currency, to string) money.Amount

// Repricing is what turns pending amounts into converted ones, once rates have come.
type Repricing struct {
	Convert Converter
	// Rules of the conversion's endpoint; nil when the endpoint is gone, which leaves no limit and no forwards.
	Rules *Rules
	// At becomes UpdatedAt, RequestID (a UUIDv7 of its own) the RequestID of the new version.
	At        time.Time
	RequestID uuid.UUID
}

// Reprice converts the pending amounts of c into the currency that they were to be converted into when they were
// recorded. The outcome is Recorded with a new version when at least one rate has come, otherwise Duplicate: nothing
// changes. A payout above the limit stays recorded, because its sender was told so, with the warning payout_over_limit.
// The warning currency_unknown goes as soon as nothing waits any more: by then every currency is known.
func Reprice(c *Conversion, click *Click, by Repricing) Decision {
	next := *c
	payout, repriced := by.convert(c.Payout, c.EndpointCurrency)
	if repriced {
		next.Payout = payout
		if by.Rules != nil && overLimit(payout, by.Rules.MaxPayout) {
			next.Warnings = with(next.Warnings, PayoutOverLimitLate)
		}
	}
	if cost, ok := by.convertCost(c.Cost, c.EndpointCurrency); ok {
		next.Cost, repriced = cost, true
	}
	if !repriced {
		return Decision{Outcome: Duplicate}
	}
	if next.State() != StatePendingRate {
		next.Warnings = without(next.Warnings, CurrencyUnknown)
	}
	next.Version++
	next.RequestID = by.RequestID
	if at := instant(by.At); at.After(next.UpdatedAt) {
		next.UpdatedAt = at
	}
	d := Decision{Outcome: Recorded, Next: &next}
	if by.Rules != nil {
		d.Forwards = due(by.Rules.Forwards, c, &next, click)
	}
	return d
}

// RepriceClick converts the click's pending cost into currency to; nil when there is none, or still no rate.
func RepriceClick(click *Click, to string, by Repricing) *Click {
	cost, ok := by.convertCost(click.Cost, to)
	if !ok {
		return nil
	}
	updated := *click
	updated.Cost = cost
	return &updated
}

func (by Repricing) convert(a money.Amount, to string) (money.Amount, bool) {
	if !a.Pending() {
		return a, false
	}
	converted := by.Convert(a.Original, a.Currency, to)
	return converted, !converted.Pending()
}

func (by Repricing) convertCost(cost *money.Amount, to string) (*money.Amount, bool) {
	if cost == nil {
		return nil, false
	}
	converted, ok := by.convert(*cost, to)
	return &converted, ok
}

// with returns a copy of the warnings that has w once.
func with(warnings []Warning, w Warning) []Warning {
	if slices.Contains(warnings, w) {
		return warnings
	}
	return append(slices.Clip(warnings), w)
}

// without returns the warnings but for w; the argument itself stays as it is.
func without(warnings []Warning, w Warning) []Warning {
	var rest []Warning
	for _, warning := range warnings {
		if warning != w {
			rest = append(rest, warning)
		}
	}
	return rest
}
