package report

import (
	"slices"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/filter"
)

// Op compares a field with values. Text is compared by bytes.
type Op = filter.Op

// The operators of reports.
const (
	Equal    = filter.Equal
	NotEqual = filter.NotEqual
	In       = filter.In
	NotIn    = filter.NotIn
	Contains = filter.Contains
	Empty    = filter.Empty
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
	fields := make([]string, len(dimensions))
	for i, d := range dimensions {
		fields[i] = string(d)
	}
	t, err := filter.Parse(text, fields, ops)
	if err != nil {
		return Filter{}, invalid("filter", "%v", err)
	}
	return Filter{Field: Dimension(t.Field), Op: t.Op, Values: t.Values}, nil
}
