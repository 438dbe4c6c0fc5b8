package conversion

import (
	"slices"
	"strings"
)

// paramTest marks a postback that somebody sends to try things out: `test=1` (docs/semantics.md, Choices).
const paramTest = "test"

// IsTest reports whether the postback that this version comes from was a test.
func (c *Conversion) IsTest() bool { return c.Params.isTest() }

func (p Params) isTest() bool {
	value := p.Get(paramTest)
	return value == "1" || strings.EqualFold(value, "true") || strings.EqualFold(value, "yes")
}

// withoutTest returns the parameters without the mark of a test, which is of one postback and not of the slot: what
// comes after a test is none, unless it says so itself.
func (p Params) withoutTest() Params {
	i, ok := p.find(paramTest)
	if !ok {
		return p
	}
	return slices.Delete(slices.Clone(p), i, i+1)
}
