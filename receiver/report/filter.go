package report

import (
	"slices"
	"strings"
)

// Op compares a field with values.
type Op string

// The operators. Text is compared by bytes. Empty takes no value; In and NotIn take several, separated by commas.
const (
	Equal    Op = "eq"
	NotEqual Op = "ne"
	In       Op = "in"
	NotIn    Op = "notin"
	Contains Op = "contains"
	Empty    Op = "empty"
	// Prefix is not for people: it selects a namespace.
	Prefix Op = "prefix"
)

// ops that a query can name.
var ops = []Op{Equal, NotEqual, In, NotIn, Contains, Empty}

// Filter selects rows whose field compares so with Values. Equal, NotEqual and Contains have one value, In and NotIn at
// least one, Empty none. There are no patterns: strangers must not be able to make a store work hard.
type Filter struct {
	Field  Dimension
	Op     Op
	Values []string
}

// Holds reports whether a value passes.
func (f Filter) Holds(value string) bool {
	switch f.Op {
	case Empty:
		return value == ""
	case Contains:
		return strings.Contains(value, f.Values[0])
	case Prefix:
		return strings.HasPrefix(value, f.Values[0])
	case NotEqual, NotIn:
		return !slices.Contains(f.Values, value)
	default:
		return slices.Contains(f.Values, value)
	}
}

// parseFilter reads `FIELD OP VALUE`.
func parseFilter(text string) (Filter, error) {
	field, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	op, value, hasValue := strings.Cut(strings.TrimSpace(rest), " ")
	f := Filter{Field: Dimension(field), Op: Op(op)}
	switch {
	case !f.Field.Valid():
		return f, invalid("filter", "%q is no dimension; they are %s", field, listed(dimensions))
	case !slices.Contains(ops, f.Op):
		return f, invalid("filter", "%q is no operator; write FIELD OP VALUE, such as campaign eq spring, with one of %s", op,
			listed(ops))
	case f.Op == Empty && hasValue:
		return f, invalid("filter", "empty takes no value")
	case f.Op == Empty:
		return f, nil
	case !hasValue:
		return f, invalid("filter", "%s needs a value; for fields without one write: %s empty", f.Op, field)
	case f.Op == In || f.Op == NotIn:
		f.Values = strings.Split(value, ",")
	default:
		f.Values = []string{value}
	}
	return f, nil
}
