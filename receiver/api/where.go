package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/filter"
)

// maxTerms bounds the filters of a request.
const maxTerms = 10

// ops compare a field with a value. A field with several values, as warnings are, passes eq, in and contains if one of
// them does, and ne and notin if none is among those given. There are no patterns: a filter must not make a store work
// hard.
var ops = []filter.Op{
	filter.Equal, filter.NotEqual, filter.In, filter.NotIn, filter.Greater, filter.Less, filter.Empty, filter.Contains,
}

// term is one condition on a column.
type term struct {
	column
	filter.Term
	// than and when are what gt and lt compare with; one of them is nil.
	than *decimal.Decimal
	when *time.Time
}

// parseTerms reads the parameters `filter`.
func parseTerms(columns []column, texts []string) ([]term, error) {
	if len(texts) > maxTerms {
		return nil, badRequest(fmt.Sprintf("filter: at most %d", maxTerms))
	}
	terms := make([]term, len(texts))
	for i, text := range texts {
		var err error
		if terms[i], err = parseTerm(columns, text); err != nil {
			return nil, err
		}
	}
	return terms, nil
}

func parseTerm(columns []column, text string) (term, error) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	parsed, err := filter.Parse(text, names, ops)
	if err != nil {
		return term{}, badRequest("filter: " + err.Error())
	}
	t := term{column: columns[slices.Index(names, parsed.Field)], Term: parsed}
	if parsed.Op == filter.Greater || parsed.Op == filter.Less {
		value := parsed.Values[0]
		if number, err := decimal.NewFromString(value); err == nil && t.number && len(value) <= maxNumberBytes {
			t.than = &number
		} else if at, err := parseTime(value); err == nil && !t.number {
			t.when = &at
		} else {
			return term{}, badRequest(fmt.Sprintf("filter: %s compares a number with a number, or a time with RFC 3339",
				parsed.Op))
		}
	}
	return t, nil
}

// maxNumberBytes keeps exponents, whose sums take long, out of comparisons.
const maxNumberBytes = 40

// pass reports whether a view passes all terms. view points to it.
func pass(terms []term, view any) bool {
	for i := range terms {
		if !terms[i].passes(terms[i].values(view)) {
			return false
		}
	}
	return true
}

func (t *term) passes(values []string) bool {
	switch t.Op {
	case filter.Empty:
		return len(values) == 0
	case filter.NotEqual, filter.NotIn:
		return !slices.ContainsFunc(values, t.given)
	case filter.Contains:
		return slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, t.Values[0]) })
	case filter.Greater:
		return slices.ContainsFunc(values, func(v string) bool { return t.compare(v) > 0 })
	case filter.Less:
		return slices.ContainsFunc(values, func(v string) bool { return t.compare(v) < 0 })
	}
	return slices.ContainsFunc(values, t.given)
}

// given reports whether the value is one of the term's. Numbers are the same however they are written.
func (t *term) given(value string) bool {
	if !t.number {
		return slices.Contains(t.Values, value)
	}
	have, err := decimal.NewFromString(value)
	return slices.ContainsFunc(t.Values, func(text string) bool {
		want, wrong := decimal.NewFromString(text)
		return err == nil && wrong == nil && len(text) <= maxNumberBytes && have.Equal(want)
	})
}

// compare returns how the value is to the term's: less than, equal to or greater than 0; 0 if they cannot be compared.
func (t *term) compare(value string) int {
	if t.than != nil {
		if have, err := decimal.NewFromString(value); err == nil {
			return have.Cmp(*t.than)
		}
		return 0
	}
	if have, err := time.Parse(time.RFC3339Nano, value); err == nil {
		return have.Compare(*t.when)
	}
	return 0
}
