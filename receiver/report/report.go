// Package report owns what a report of clicks and conversions is: by which dimensions they can be grouped, what is
// summed, the formulas of the metrics, and how quarter hours become days of a time zone. A store sums rows into facts
// ([Plan], [Fact]); this package turns facts into the rows of a report. It is pure: no clock, no store, no network.
//
// Amounts of different currencies have no sum, so that a group has one row for each currency of its endpoints, unless
// the query names a currency. Percentages and averages are computed from the sums of a row, never from other rows.
package report

import (
	"time"

	"github.com/shopspring/decimal"
)

// Basis says by which time a report is made.
type Basis string

// The bases. Clicks always count at their own time. By ByClick a conversion counts at the time of its click, an orphan
// at its own; by ByConversion each conversion counts at its own time, which is that of the slot's first postback.
const (
	ByClick      Basis = "click"
	ByConversion Basis = "conversion"
)

// Quarter is the length of the slots of time that stores sum by: the offset of every time zone is a multiple of it.
const Quarter = 15 * time.Minute

// Plan is what a store has to sum. It has all that is part of the query's meaning for rows, and nothing of how the
// report is shown.
type Plan struct {
	Basis Basis
	// From (inclusive) and To (exclusive) bound the time of Basis.
	From, To time.Time
	// Quarters groups by quarter hours of UTC.
	Quarters bool
	// Fields to group by, none of them of time.
	Fields []Dimension
	// Filters must all hold. None is about time.
	Filters []Filter
	// Cells: the cells of a store can serve the plan, namely those of Parts. With Quarters, Step is then what they are to
	// be grouped by, days or hours of a zone with these Offsets.
	Cells   bool
	Parts   []Part
	Step    time.Duration
	Offsets []Offset
	// WithoutClicks: some field or filter does not exist for clicks, so that they cannot be counted.
	WithoutClicks bool
}

// Fact is the sum of clicks, or of conversions of one type, that agree in everything that the plan groups by.
type Fact struct {
	// Slot is the start of the quarter hour; zero unless the plan has Quarters.
	Slot time.Time
	// Values of the plan's Fields, in their order.
	Values []string
	// Endpoint is namespace/name, where something depends on it: of clicks, whose cost is in its currency, and of
	// conversions of a custom type. Currency is that of the amount; empty for clicks.
	Endpoint, Currency string
	// Type of the conversions; empty for clicks.
	Type string
	// Rows is how many clicks or conversions there are. Pending of them wait for a rate and are not in Amount.
	Rows, Pending int64
	// Unique is how many of the clicks are the first of their visitors.
	Unique int64
	// Amount is the cost of clicks, or the payout of conversions.
	Amount decimal.Decimal
}
