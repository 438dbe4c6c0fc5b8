package operation

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// OutcomeUpdated is the outcome of clicks that have a new cost.
const OutcomeUpdated = "updated"

const (
	// MaxCosts bounds the amounts of one operation, maxCostClicks the clicks that they are spread over.
	MaxCosts      = 1000
	maxCostClicks = 500_000
	// clicksPerRow share a row, and costRowsPerSecond rows are applied in a second.
	clicksPerRow      = 100
	costRowsPerSecond = 50
	// costPlaces is to how many decimal places an amount is parted.
	costPlaces = 6
)

// Cost is an amount that is spread evenly over the clicks that it names.
type Cost struct {
	// Campaigns are the names of the clicks' campaigns; none = all clicks, those without one included.
	Campaigns []string `json:"campaigns,omitempty"`
	// From (inclusive) and To (exclusive) bound the clicks' times.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Amount in Currency; empty = the endpoint's.
	Amount   decimal.Decimal `json:"amount"`
	Currency string          `json:"currency,omitempty"`
	// Unique: only clicks that are the first of their visitor.
	Unique bool `json:"unique,omitempty"`
	// Params are click fields, each with the values of which a click must have one.
	Params map[string][]string `json:"params,omitempty"`
}

func (c *Cost) matches(click *conversion.Click) bool {
	if click.Time.Before(c.From) || !click.Time.Before(c.To) || c.Unique && !click.Unique ||
		len(c.Campaigns) > 0 && !slices.Contains(c.Campaigns, click.Campaign) {
		return false
	}
	for name, values := range c.Params {
		if !slices.Contains(values, click.Params.Get(name)) {
			return false
		}
	}
	return true
}

// shares parts the amount among n clicks: more of them get the greater share first, so that all shares add up to it.
func (c *Cost) shares(n int64) (greater, lesser decimal.Decimal, greaters int64) {
	places := max(costPlaces, -c.Amount.Exponent())
	units := c.Amount.Shift(places)
	each := units.DivRound(decimal.NewFromInt(n), 0)
	if each.Mul(decimal.NewFromInt(n)).GreaterThan(units) {
		each = each.Sub(decimal.NewFromInt(1))
	}
	rest := units.Sub(each.Mul(decimal.NewFromInt(n)))
	return each.Add(decimal.NewFromInt(1)).Shift(-places), each.Shift(-places), rest.IntPart()
}

// costs replaces the costs of clicks by shares of amounts. Where amounts name the same click, the last one counts.
type costs struct{ *Operator }

func (c costs) check(ep *endpoint.Endpoint, q *Request) error {
	if len(q.Spec.Costs) == 0 || len(q.Spec.Costs) > MaxCosts {
		return Invalid(fmt.Sprintf("costs: must be 1 to %d", MaxCosts))
	}
	for i := range q.Spec.Costs {
		cost := &q.Spec.Costs[i]
		wrong := func(field, why string) error { return Invalid(fmt.Sprintf("costs[%d].%s: %s", i, field, why)) }
		switch {
		case cost.From.IsZero() || !cost.From.Before(cost.To):
			return wrong("to", "must be after from")
		case cost.Amount.IsNegative() || cost.Amount.NumDigits() > 30:
			return wrong("amount", "must be a number from 0 on")
		}
		if cost.Currency = strings.ToUpper(cost.Currency); cost.Currency == "" {
			cost.Currency = ep.Currency
		}
		if c.Rates().Convert(cost.Amount, cost.Currency, ep.Currency).Pending() {
			return wrong("currency", "there is no rate from "+cost.Currency+" to "+ep.Currency)
		}
		for _, name := range slices.Sorted(maps.Keys(cost.Params)) {
			if !conversion.IsClickField(name) {
				return wrong("params", "must be among "+strings.Join(conversion.ClickFields(), ", "))
			}
		}
	}
	q.Spec.PerSecond = costRowsPerSecond
	return nil
}

// costRow is what a row sets: the cost of all of its clicks.
type costRow struct {
	Amount   decimal.Decimal `json:"amount"`
	Currency string          `json:"currency"`
	SubIDs   []string        `json:"subids"`
}

// charged is a click with the last cost that names it, and its place among the clicks of that cost.
type charged struct {
	subid string
	cost  int
	place int64
}

func (c costs) rows(ctx context.Context, op *ledger.Operation, s *Spec) ([]ledger.OperationRow, error) {
	var clicks []charged
	counts := make([]int64, len(s.Costs))
	for click, err := range c.Store.Clicks(ctx, ledger.ClickFilter{Endpoint: op.Endpoint}) {
		if err != nil {
			return nil, err
		}
		last := -1
		for i := range s.Costs {
			if s.Costs[i].matches(click) {
				last = i
				counts[i]++
			}
		}
		if last < 0 {
			continue
		}
		if len(clicks) == maxCostClicks {
			return nil, Invalid(fmt.Sprintf("costs: are for more than %d clicks; send those of a shorter time", maxCostClicks))
		}
		clicks = append(clicks, charged{click.SubID, last, counts[last] - 1})
	}
	slices.SortStableFunc(clicks, func(a, b charged) int { return a.cost - b.cost })
	return rowsOf(s.Costs, counts, clicks)
}

// rowsOf puts clicks of one amount into rows.
func rowsOf(of []Cost, counts []int64, clicks []charged) ([]ledger.OperationRow, error) {
	var rows []ledger.OperationRow
	var current costRow
	flush := func() error {
		if len(current.SubIDs) == 0 {
			return nil
		}
		text, err := json.Marshal(current)
		rows = append(rows, ledger.OperationRow{Number: len(rows) + 1, Input: string(text)})
		current.SubIDs = nil
		return err
	}
	for _, click := range clicks {
		cost := &of[click.cost]
		greater, amount, greaters := cost.shares(counts[click.cost])
		if click.place < greaters {
			amount = greater
		}
		if len(current.SubIDs) == clicksPerRow || !amount.Equal(current.Amount) || cost.Currency != current.Currency {
			if err := flush(); err != nil {
				return nil, err
			}
			current.Amount, current.Currency = amount, cost.Currency
		}
		current.SubIDs = append(current.SubIDs, click.subid)
	}
	return rows, flush()
}

func (c costs) apply(ctx context.Context, j *job, rows []ledger.OperationRow) error {
	ep, err := j.endpoint()
	if err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		var set costRow
		if err := json.Unmarshal([]byte(row.Input), &set); err != nil {
			return fmt.Errorf("reading row %d of costs: %w", row.Number, err)
		}
		all := make([]ledger.ClickCost, len(set.SubIDs))
		for n, subid := range set.SubIDs {
			all[n] = ledger.ClickCost{
				Endpoint: j.op.Endpoint, SubID: subid, Cost: c.Rates().Convert(set.Amount, set.Currency, ep.Currency),
			}
		}
		clicks := len(all)
		if j.trial == nil {
			if clicks, err = c.Ledger.SetCosts(ctx, all); err != nil {
				return err
			}
		}
		row.Outcome = OutcomeUpdated
		if row.Result, err = json.Marshal(Result{Clicks: clicks}); err != nil {
			return err
		}
	}
	return nil
}
