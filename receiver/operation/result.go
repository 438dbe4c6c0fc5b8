package operation

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// OutcomeUnreplayable is the outcome of a row that cannot be judged again: a part of what was sent is not kept.
const OutcomeUnreplayable = "unreplayable"

// Result is what became of a row, beside its outcome and reason.
type Result struct {
	Warnings []conversion.Warning `json:"warnings,omitempty"`
	// Conversion and Version as in the received log. A dry run gives no id to what would be new.
	Conversion uuid.UUID `json:"conversion,omitzero"`
	Version    int       `json:"version,omitempty"`
	// PreviousType and PreviousPayout were before, Type and Payout are after; empty for nothing. Payouts are in Currency,
	// empty while they wait for a rate.
	PreviousType   string `json:"previous_type,omitempty"`
	PreviousPayout string `json:"previous_payout,omitempty"`
	Type           string `json:"type,omitempty"`
	Payout         string `json:"payout,omitempty"`
	Currency       string `json:"currency,omitempty"`
	// PreviousCurrency differs from Currency where the endpoint's has been changed.
	PreviousCurrency string `json:"previous_currency,omitempty"`
	// Forwards are the rules whose S2S postbacks became due.
	Forwards []string `json:"forwards,omitempty"`
	// Erased counts the rows that an erasure has blanked; nil otherwise.
	Erased *ledger.Erasure `json:"erased,omitempty"`
	// Clicks counts those that have a new cost.
	Clicks int `json:"clicks,omitempty"`
}

// ResultOf reads the result of a row; the zero value if it has none.
func ResultOf(row *ledger.OperationRow) (Result, error) {
	var r Result
	if len(row.Result) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(row.Result, &r); err != nil {
		return Result{}, fmt.Errorf("reading the result of row %d: %w", row.Number, err)
	}
	return r, nil
}

// settle writes into the row what became of it.
func settle(row *ledger.OperationRow, c *ledger.Change, trial bool) (Result, error) {
	row.Outcome, row.Reason = string(c.Outcome), string(c.Reason)
	r := Result{Warnings: c.Warnings, Conversion: c.ConversionID, Version: c.Version, Forwards: slices.Clone(c.Forwards)}
	if trial && c.Before == nil {
		r.Conversion = uuid.Nil
	}
	if before := c.Before; before != nil {
		r.PreviousType, r.PreviousPayout, r.PreviousCurrency = before.Type, payout(before), before.EndpointCurrency
	}
	if after := c.After; after != nil {
		r.Type, r.Payout, r.Currency = after.Type, payout(after), after.EndpointCurrency
	}
	text, err := json.Marshal(r)
	row.Result = text
	return r, err
}

func payout(c *conversion.Conversion) string {
	if c.Payout.Pending() {
		return ""
	}
	return c.Payout.Converted.String()
}

// Counts are the sums of the rows that were worked off. They are kept in the store as JSON.
type Counts struct {
	Rows     int            `json:"rows"`
	Outcomes map[string]int `json:"outcomes,omitempty"`
	Reasons  map[string]int `json:"reasons,omitempty"`
	// Money is what moved, by revenue metric and currency.
	Money map[string]map[string]decimal.Decimal `json:"money,omitempty"`
	// Forwards counts the S2S postbacks by rule.
	Forwards map[string]int `json:"forwards,omitempty"`
	// Erased counts the rows that were blanked; nil unless it is an erasure.
	Erased *ledger.Erasure `json:"erased,omitempty"`
	// Clicks counts those that have a new cost.
	Clicks int `json:"clicks,omitempty"`
}

// CountsOf reads the counts of an operation.
func CountsOf(op *ledger.Operation) (Counts, error) {
	var c Counts
	if len(op.Counts) == 0 {
		return c, nil
	}
	if err := json.Unmarshal(op.Counts, &c); err != nil {
		return Counts{}, fmt.Errorf("reading the counts of an operation: %w", err)
	}
	return c, nil
}

// add counts a row.
func (c *Counts) add(row *ledger.OperationRow, r *Result) {
	c.Rows++
	count(&c.Outcomes, row.Outcome)
	if row.Reason != "" {
		count(&c.Reasons, row.Reason)
	}
	for _, rule := range r.Forwards {
		count(&c.Forwards, rule)
	}
	c.Clicks += r.Clicks
	if r.Erased != nil {
		if c.Erased == nil {
			c.Erased = &ledger.Erasure{}
		}
		c.Erased.Add(*r.Erased)
	}
	if r.Version == 0 {
		return
	}
	c.move(r.PreviousType, r.PreviousCurrency, r.PreviousPayout, -1)
	c.move(r.Type, r.Currency, r.Payout, 1)
}

func count(counts *map[string]int, name string) {
	if *counts == nil {
		*counts = map[string]int{}
	}
	(*counts)[name]++
}

// move adds a payout to a metric, or takes it away. What comes back to zero has not moved.
func (c *Counts) move(conversionType, currency, amount string, sign int64) {
	value, err := decimal.NewFromString(amount)
	if err != nil || value.IsZero() {
		return // None, or it waits for a rate.
	}
	metric := conversion.Metric(conversionType)
	if c.Money == nil {
		c.Money = map[string]map[string]decimal.Decimal{}
	}
	if c.Money[metric] == nil {
		c.Money[metric] = map[string]decimal.Decimal{}
	}
	sum := c.Money[metric][currency].Add(value.Mul(decimal.NewFromInt(sign)))
	c.Money[metric][currency] = sum
	if sum.IsZero() {
		delete(c.Money[metric], currency)
	}
	if len(c.Money[metric]) == 0 {
		delete(c.Money, metric)
	}
}
