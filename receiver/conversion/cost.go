package conversion

import "github.com/postback-dev/postback-operator/receiver/money"

// WithCost returns the click with a cost that its traffic source has told of afterwards; nil if that changes nothing. A
// page cannot change it any more.
func (c *Click) WithCost(cost *money.Amount) *Click { return c.overlay(nil, cost, byNetwork) }
