// Package filter reads the conditions of lists and reports, `FIELD OP VALUE`. It knows no fields: whoever asks says
// which there are, and what a condition means for a row.
package filter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Op compares a field with values.
type Op string

// The operators. Empty takes no value; In and NotIn take several, separated by commas. There are no patterns:
// strangers must not be able to make a store work hard.
const (
	Equal    Op = "eq"
	NotEqual Op = "ne"
	In       Op = "in"
	NotIn    Op = "notin"
	Greater  Op = "gt"
	Less     Op = "lt"
	Contains Op = "contains"
	Empty    Op = "empty"
)

// Term is one condition. Empty has no values, In and NotIn have at least one, the others one.
type Term struct {
	Field  string
	Op     Op
	Values []string
}

// Parse reads a condition on one of fields by one of ops. The error is for whoever wrote it: it says what there is.
func Parse(text string, fields []string, ops []Op) (Term, error) {
	field, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	op, value, hasValue := strings.Cut(strings.TrimSpace(rest), " ")
	t := Term{Field: field, Op: Op(op)}
	switch {
	case !slices.Contains(fields, field):
		return t, fmt.Errorf("%q is no field here; there are %s", field, strings.Join(fields, ", "))
	case !slices.Contains(ops, t.Op):
		return t, fmt.Errorf("%q is no operator; write FIELD OP VALUE, such as campaign eq spring, with one of %s", op,
			joined(ops))
	case t.Op == Empty && hasValue:
		return t, errors.New("empty takes no value")
	case t.Op == Empty:
		return t, nil
	case !hasValue:
		return t, fmt.Errorf("%s needs a value; for what has none write %s empty", op, field)
	case t.Op == In || t.Op == NotIn:
		t.Values = strings.Split(value, ",")
	default:
		t.Values = []string{value}
	}
	return t, nil
}

func joined(ops []Op) string {
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = string(op)
	}
	return strings.Join(names, ", ")
}
