// Package money owns exact decimals: reading the amounts that networks send, exchange rates, and conversion into an
// endpoint's currency. It is pure: no clock, no network; money/rates fetches the rates.
package money

import (
	"time"

	"github.com/shopspring/decimal"
)

// Scale is how many decimals a converted amount keeps (docs/semantics.md §5).
const Scale = 6

// Rate is what one unit of a currency was worth in another, and who said so.
type Rate struct {
	Value decimal.Decimal `json:"value"`
	// Date is the day the source gave for the rate; zero for fixed rates and for a currency's rate to itself.
	Date time.Time `json:"date,omitzero"`
	// Source is the provider's name, "fixed", or empty for a currency's rate to itself.
	Source string `json:"source,omitempty"`
}

// Amount is what a postback reported, and what that is worth in the endpoint's currency.
type Amount struct {
	// Original is the amount as the network reported it.
	Original decimal.Decimal `json:"original"`
	// Currency of Original: upper case, as sent; not necessarily one that exists.
	Currency string `json:"currency"`
	// Converted is Original in the endpoint's currency, rounded half-even to [Scale] decimals once; nil while no rate is
	// known.
	Converted *decimal.Decimal `json:"converted,omitempty"`
	// Rate that was applied; the zero value while Converted is nil.
	Rate Rate `json:"rate,omitzero"`
}

// Pending reports whether the amount waits for a rate.
func (a Amount) Pending() bool { return a.Converted == nil }

// Same reports whether both amounts say the same: original value and currency. A rate that has moved is no difference.
func (a Amount) Same(b Amount) bool { return a.Currency == b.Currency && a.Original.Equal(b.Original) }
