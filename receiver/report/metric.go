package report

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// Unit says how the value of a metric is shown.
type Unit string

// The units. Money is in the currency of the row.
const (
	Count   Unit = "count"
	Money   Unit = "money"
	Percent Unit = "percent"
)

// Metric is a column of numbers. It is either summed from rows or made from other metrics by its formula.
type Metric struct {
	Name string
	Unit Unit
	// Title says in a few words what it is.
	Title string
	// Formula is the zero value for what is summed.
	Formula Formula

	// sum reads a summed metric. needsClicks, of these, cannot be had where clicks are not counted.
	sum         func(*Sums) decimal.Decimal
	needsClicks bool
}

// Formula is (Plus − Minus) / Over × Times. Its terms are names of metrics, and each list is added up.
type Formula struct {
	Plus, Minus, Over []string
	// Times is 0 for 1.
	Times int64
}

// String writes the formula as people do.
func (f Formula) String() string {
	if f.Plus == nil {
		return ""
	}
	text := strings.Join(f.Plus, " + ")
	if f.Minus != nil {
		text += " − " + strings.Join(f.Minus, " − ")
	}
	if f.Over == nil {
		return text
	}
	if len(f.Plus)+len(f.Minus) > 1 {
		text = "(" + text + ")"
	}
	over := strings.Join(f.Over, " + ")
	if len(f.Over) > 1 {
		over = "(" + over + ")"
	}
	text += " / " + over
	if f.Times != 0 {
		text += " × " + decimal.NewFromInt(f.Times).String()
	}
	return text
}

// Sums are the sums of one row of a report. The zero value is an empty sum.
type Sums struct {
	// Clicks, and UniqueClicks, which are the first of their visitors.
	Clicks, UniqueClicks int64
	// Cost of the clicks, without that of PendingCosts of them, which wait for a rate.
	Cost         decimal.Decimal
	PendingCosts int64
	// Counts are the conversions by their present type.
	Counts map[string]int64
	// Revenue sums payouts; its Conversions and Pending count those of every type.
	Revenue conversion.Totals
}

// metrics in the order in which they are documented. A formula names only metrics above it.
var metrics = []Metric{
	ofClicks("clicks", Count, "clicks of `POST /clicks` and visits of campaigns",
		func(s *Sums) decimal.Decimal { return number(s.Clicks) }),
	ofClicks("unique_clicks", Count, "clicks that are the first of their visitor",
		func(s *Sums) decimal.Decimal { return number(s.UniqueClicks) }),
	ofClicks("cost", Money, "what the clicks cost, as postbacks corrected it",
		func(s *Sums) decimal.Decimal { return s.Cost }),

	summed("conversions", Count, "conversions of every type but trash", func(s *Sums) decimal.Decimal {
		return number(int64(s.Revenue.Conversions) - s.Counts[conversion.MetricTrash])
	}),
	ofType("leads", "lead"),
	ofType("sales", "sale"),
	ofType("rejected", "rejected"),
	ofType("registrations", "registration"),
	ofType("deposits", "deposit"),
	ofType("trash", "trash"),

	summed("hold", Money, "leads, and custom types that count as hold",
		func(s *Sums) decimal.Decimal { return s.Revenue.Hold }),
	summed("confirmed", Money, "sales, and custom types that count as confirmed",
		func(s *Sums) decimal.Decimal { return s.Revenue.Confirmed }),
	summed("revenue_rejected", Money, "payouts of what was rejected",
		func(s *Sums) decimal.Decimal { return s.Revenue.Rejected }),
	summed("revenue_registration", Money, "payouts of registrations",
		func(s *Sums) decimal.Decimal { return s.Revenue.Registration }),
	summed("revenue_deposit", Money, "payouts of deposits", func(s *Sums) decimal.Decimal { return s.Revenue.Deposit }),
	summed("revenue_trash", Money, "payouts of trash", func(s *Sums) decimal.Decimal { return s.Revenue.Trash }),

	made("revenue_confirmed", Money, "what is certain", Formula{Plus: []string{"confirmed", "revenue_deposit"}}),
	made("revenue", Money, "what is certain or expected", Formula{Plus: []string{"revenue_confirmed", "hold"}}),
	made("profit", Money, "", Formula{Plus: []string{"revenue"}, Minus: []string{"cost"}}),
	made("profit_confirmed", Money, "", Formula{Plus: []string{"revenue_confirmed"}, Minus: []string{"cost"}}),
	made("roi", Percent, "return on investment", share("revenue", "cost", "cost")),
	made("roi_confirmed", Percent, "", share("revenue_confirmed", "cost", "cost")),

	made("cr", Percent, "conversion rate", share("conversions", "", "clicks")),
	made("cr_lead", Percent, "", share("leads", "", "clicks")),
	made("cr_sale", Percent, "", share("sales", "", "clicks")),
	made("approve", Percent, "sales among what was decided or waits", share("sales", "", "leads", "sales", "rejected")),
	made("approve_trash", Percent, "the same with trash below the line",
		share("sales", "", "leads", "sales", "rejected", "trash")),

	made("epc", Money, "earnings per click", Formula{Plus: []string{"revenue"}, Over: []string{"clicks"}}),
	made("epc_confirmed", Money, "", Formula{Plus: []string{"revenue_confirmed"}, Over: []string{"clicks"}}),
	made("uepc", Money, "earnings per unique click", Formula{Plus: []string{"revenue"}, Over: []string{"unique_clicks"}}),
	made("ecpm", Money, "earnings per thousand clicks",
		Formula{Plus: []string{"revenue"}, Over: []string{"clicks"}, Times: 1000}),
	made("ecpm_confirmed", Money, "", Formula{Plus: []string{"revenue_confirmed"}, Over: []string{"clicks"}, Times: 1000}),
	made("ec", Money, "average payout", Formula{Plus: []string{"revenue"}, Over: []string{"conversions"}}),
	made("ec_confirmed", Money, "", Formula{Plus: []string{"revenue_confirmed"}, Over: []string{"conversions"}}),
	made("cpc", Money, "cost per click", Formula{Plus: []string{"cost"}, Over: []string{"clicks"}}),
	made("cpa", Money, "cost per conversion", Formula{Plus: []string{"cost"}, Over: []string{"conversions"}}),
	made("cps", Money, "cost per sale", Formula{Plus: []string{"cost"}, Over: []string{"sales"}}),
}

func summed(name string, unit Unit, title string, sum func(*Sums) decimal.Decimal) Metric {
	return Metric{Name: name, Unit: unit, Title: title, sum: sum}
}

func ofClicks(name string, unit Unit, title string, sum func(*Sums) decimal.Decimal) Metric {
	return Metric{Name: name, Unit: unit, Title: title, sum: sum, needsClicks: true}
}

func ofType(name, conversionType string) Metric {
	return summed(name, Count, "conversions that are `"+conversionType+"` now", func(s *Sums) decimal.Decimal {
		return number(s.Counts[conversionType])
	})
}

func made(name string, unit Unit, title string, f Formula) Metric {
	return Metric{Name: name, Unit: unit, Title: title, Formula: f}
}

// share is a percentage; minus is "" for none.
func share(plus, minus string, over ...string) Formula {
	f := Formula{Plus: []string{plus}, Over: over, Times: 100}
	if minus != "" {
		f.Minus = []string{minus}
	}
	return f
}

func number(n int64) decimal.Decimal { return decimal.NewFromInt(n) }

// Prefixes of the metrics of custom conversion types: `count.qualified`, `revenue.qualified`.
const (
	countPrefix   = "count."
	revenuePrefix = "revenue."
)

// Metrics returns the metrics that every report can have, in the order in which they are documented.
func Metrics() []Metric { return slices.Clone(metrics) }

// MetricNamed returns the metric of that name: one of [Metrics], or `count.TYPE` or `revenue.TYPE` of a custom type.
func MetricNamed(name string) (Metric, bool) {
	if at := slices.IndexFunc(metrics, func(m Metric) bool { return m.Name == name }); at >= 0 {
		return metrics[at], true
	}
	if custom, ok := strings.CutPrefix(name, countPrefix); ok && custom != "" {
		return summed(name, Count, "conversions of that custom type",
			func(s *Sums) decimal.Decimal { return number(s.Counts[custom]) }), true
	}
	if custom, ok := strings.CutPrefix(name, revenuePrefix); ok && custom != "" {
		return summed(name, Money, "payouts of that custom type",
			func(s *Sums) decimal.Decimal { return s.Revenue.Custom[custom] }), true
	}
	return Metric{}, false
}

// Value returns the metric for the sums, rounded half-even to [money.Scale] decimals; nil where it cannot be told:
// something is divided by zero, or clicks are needed and were not counted.
func (m Metric) Value(s *Sums, clicksCounted bool) *decimal.Decimal {
	value := m.exact(s, clicksCounted)
	if value == nil {
		return nil
	}
	rounded := value.RoundBank(money.Scale)
	return &rounded
}

// exact is Value before it is rounded, so that a formula adds no roundings of its parts.
func (m Metric) exact(s *Sums, clicksCounted bool) *decimal.Decimal {
	if m.sum != nil {
		if m.needsClicks && !clicksCounted {
			return nil
		}
		value := m.sum(s)
		return &value
	}
	plus, minus, over := total(m.Formula.Plus, s, clicksCounted), total(m.Formula.Minus, s, clicksCounted),
		total(m.Formula.Over, s, clicksCounted)
	if plus == nil || minus == nil || over == nil {
		return nil
	}
	value := plus.Sub(*minus)
	if m.Formula.Times != 0 {
		value = value.Mul(number(m.Formula.Times))
	}
	if m.Formula.Over != nil {
		if over.IsZero() {
			return nil
		}
		value = value.DivRound(*over, 2*money.Scale)
	}
	return &value
}

// total adds metrics up; nil if one of them cannot be told.
func total(names []string, s *Sums, clicksCounted bool) *decimal.Decimal {
	sum := decimal.Zero
	for _, name := range names {
		m, _ := MetricNamed(name)
		value := m.exact(s, clicksCounted)
		if value == nil {
			return nil
		}
		sum = sum.Add(*value)
	}
	return &sum
}
