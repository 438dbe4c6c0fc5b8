package money

import (
	"time"

	"github.com/shopspring/decimal"
)

// Set is what one source said about exchange rates at one time.
type Set struct {
	// Source is the provider's name in the configuration.
	Source string `json:"source"`
	// Base is the currency of which one unit is worth Rates[c] units of c.
	Base string `json:"base"`
	// Date is the day the source gives for its rates.
	Date time.Time `json:"date"`
	// Fetched is when they were read.
	Fetched time.Time                  `json:"fetched"`
	Rates   map[string]decimal.Decimal `json:"rates"`
}
