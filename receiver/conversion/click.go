package conversion

import (
	"slices"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// updateClick returns the click with what the postback says about it; nil if that changes nothing, or there is no
// click.
func updateClick(in *Intent, click *Click) *Click {
	if click == nil {
		return nil
	}
	return click.overlay(in.Params, in.Cost, in.Writer.setter())
}

// With returns the click with the click fields among params, which are sorted by name, as a page sends them; nil if
// they change nothing. Other params are ignored. proven says that the page has proof of being the visitor's own;
// without it only fields are set that are empty or were set from a page before.
func (c *Click) With(params Params, proven bool) *Click {
	by := byAnybody
	if proven {
		by = byVisitor
	}
	return c.overlay(params, nil, by)
}

// overlay returns the click with the non-empty click fields among params, and the cost unless it is nil, as far as by
// may set them; nil if that changes nothing.
func (c *Click) overlay(params Params, cost *money.Amount, by setter) *Click {
	updated := *c
	var fields Params
	for _, param := range params {
		if !IsClickField(param.Name) || param.Value == "" {
			continue
		}
		current := c.Params.Get(param.Name)
		if updated.claim(param.Name, by, current == "", current == param.Value) {
			fields = append(fields, param)
		}
	}
	updated.Params = c.Params.merge(fields)
	newCost := cost != nil && updated.claim(config.ParamCost, by, c.Cost == nil, c.Cost != nil && cost.Same(*c.Cost))
	if newCost {
		updated.Cost = cost
	}
	if fields == nil && !newCost && slices.Equal(updated.VisitorFields, c.VisitorFields) {
		return nil
	}
	return &updated
}

// claim reports whether by changes the field, and keeps track of who set it.
func (c *Click) claim(field string, by setter, empty, same bool) bool {
	at, fromPage := slices.BinarySearch(c.VisitorFields, field)
	switch {
	case by == byAnybody && !empty && !fromPage:
		return false
	case by == byNetwork && fromPage:
		c.VisitorFields = slices.Delete(slices.Clone(c.VisitorFields), at, at+1)
	case by != byNetwork && !fromPage && !same:
		c.VisitorFields = slices.Insert(slices.Clone(c.VisitorFields), at, field)
	}
	return !same
}
