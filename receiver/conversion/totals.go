package conversion

import (
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// The revenue metrics of the built-in types (docs/semantics.md §4). A custom type's metric is named like the type.
const (
	MetricHold         = "hold"
	MetricConfirmed    = "confirmed"
	MetricRejected     = "rejected"
	MetricRegistration = "registration"
	MetricDeposit      = "deposit"
	MetricTrash        = "trash"
)

// Metric returns the revenue metric in which conversions of the type are shown.
func Metric(conversionType string) string {
	switch conversionType {
	case config.TypeLead:
		return MetricHold
	case config.TypeSale:
		return MetricConfirmed
	default:
		return conversionType
	}
}

// Totals sums the payouts of conversions. All must have the same EndpointCurrency: amounts of different currencies
// have no sum. The zero value is an empty sum.
type Totals struct {
	// Hold is the sum of leads and of custom types that count as hold.
	Hold decimal.Decimal `json:"hold"`
	// Confirmed is the sum of sales and of custom types that count as confirmed.
	Confirmed    decimal.Decimal `json:"confirmed"`
	Rejected     decimal.Decimal `json:"rejected"`
	Registration decimal.Decimal `json:"registration"`
	Deposit      decimal.Decimal `json:"deposit"`
	Trash        decimal.Decimal `json:"trash"`
	// Custom are the sums of the custom types by name, whatever else they count in.
	Custom map[string]decimal.Decimal `json:"custom,omitempty"`
	// Conversions is how many were added; Pending of them wait for a rate and are in no sum.
	Conversions int `json:"conversions"`
	Pending     int `json:"pending"`
}

// Add takes c into the sums. countsAs is what the endpoint declares for c's type if that is a custom one; it means
// nothing for the built-in types. A custom type that is declared no more counts as none.
func (t *Totals) Add(c *Conversion, countsAs config.CountsAs) {
	t.Conversions++
	if c.Payout.Pending() {
		t.Pending++
		return
	}
	t.AddPayout(c.Type, countsAs, *c.Payout.Converted)
}

// AddPayout adds the converted payout of one or several conversions of a type, without counting them.
func (t *Totals) AddPayout(conversionType string, countsAs config.CountsAs, payout decimal.Decimal) {
	if sum := t.builtin(conversionType); sum != nil {
		*sum = sum.Add(payout)
		return
	}
	if t.Custom == nil {
		t.Custom = map[string]decimal.Decimal{}
	}
	t.Custom[conversionType] = t.Custom[conversionType].Add(payout)
	switch countsAs {
	case config.CountsAsHold:
		t.Hold = t.Hold.Add(payout)
	case config.CountsAsConfirmed:
		t.Confirmed = t.Confirmed.Add(payout)
	}
}

// Merge adds other's sums and counts.
func (t *Totals) Merge(other *Totals) {
	t.Conversions += other.Conversions
	t.Pending += other.Pending
	for _, name := range config.BuiltinTypes() {
		sum := t.builtin(name)
		*sum = sum.Add(*other.builtin(name))
	}
	for name, payout := range other.Custom {
		if t.Custom == nil {
			t.Custom = map[string]decimal.Decimal{}
		}
		t.Custom[name] = t.Custom[name].Add(payout)
	}
}

func (t *Totals) builtin(conversionType string) *decimal.Decimal {
	switch conversionType {
	case config.TypeLead:
		return &t.Hold
	case config.TypeSale:
		return &t.Confirmed
	case config.TypeRejected:
		return &t.Rejected
	case config.TypeRegistration:
		return &t.Registration
	case config.TypeDeposit:
		return &t.Deposit
	case config.TypeTrash:
		return &t.Trash
	default:
		return nil
	}
}

// Total is the total revenue: confirmed, which has the custom types that count as confirmed in it, and deposits.
func (t *Totals) Total() decimal.Decimal { return t.Confirmed.Add(t.Deposit) }
