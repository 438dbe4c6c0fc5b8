package ledger

import (
	"context"

	"github.com/postback-dev/postback-operator/receiver/money"
)

// ClickCost is what a click has cost.
type ClickCost struct {
	Endpoint, SubID string
	Cost            money.Amount
}

// SetCosts replaces the costs of clicks, and returns how many of the clicks there are once that is durable. Setting
// them again changes nothing.
func (l *Ledger) SetCosts(ctx context.Context, costs []ClickCost) (clicks int, err error) {
	set := make([]costOp, len(costs))
	ops := make([]op, len(costs))
	for i := range costs {
		set[i].ClickCost = costs[i]
		ops[i] = &set[i]
	}
	if err := l.doAll(ctx, ops); err != nil {
		return 0, err
	}
	for i := range set {
		if set[i].found {
			clicks++
		}
	}
	return clicks, nil
}

type costOp struct {
	ClickCost
	found bool
}

func (o *costOp) key() Key { return KeyOf(o.Endpoint, o.SubID) }

func (o *costOp) want(w *Want, _ bool) { w.Keys = append(w.Keys, o.key()) }

func (o *costOp) decide(s *batchState, _ bool) {
	key := o.key()
	click := s.click(key).now
	if o.found = click != nil; !o.found {
		return
	}
	if updated := click.WithCost(&o.Cost); updated != nil {
		s.setClick(key, updated)
	}
}
