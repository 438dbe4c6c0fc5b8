package keitaro

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// row is a line of an answer, by column: text, a number, an id, or nil.
type row map[string]any

// answer is that of report/build and of the logs.
type answer struct {
	Rows  []row          `json:"rows"`
	Total int            `json:"total"`
	Meta  map[string]any `json:"meta"`
	// Summary is the sum of all rows, where it was asked for.
	Summary row `json:"summary,omitempty"`
}

// names lists what there is, sorted.
func names[V any](m map[string]V) string { return strings.Join(slices.Sorted(maps.Keys(m)), ", ") }

// unknown says what a request asks for that is not there, all of it at once; nil for nothing.
func unknown(at string, wrong []string, known string) error {
	if len(wrong) == 0 {
		return nil
	}
	for i, name := range wrong {
		wrong[i] = fmt.Sprintf("%.64q", name)
	}
	return invalid(fmt.Sprintf("%s: not known: %s; there are %s", at, strings.Join(wrong, ", "), known))
}

// number is an exact decimal as a JSON number; nil for none.
func number(text *string) any {
	if text == nil {
		return nil
	}
	return json.Number(*text)
}

func text(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

// clock is a time as Keitaro writes it, in the zone of the request.
func clock(at *time.Time, zone *time.Location) any {
	if at == nil {
		return nil
	}
	return at.In(zone).Format(time.DateTime)
}

// sortRows sorts by columns, the first one first. Equal rows stay in their order, and what is not there comes first.
func sortRows(rows []row, by []order) {
	slices.SortStableFunc(rows, func(a, b row) int {
		for _, o := range by {
			difference := compare(a[o.Name], b[o.Name])
			if o.descending() {
				difference = -difference
			}
			if difference != 0 {
				return difference
			}
		}
		return 0
	})
}

func compare(a, b any) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(present(a), present(b))
	}
	switch a := a.(type) {
	case json.Number:
		if b, ok := b.(json.Number); ok {
			left, _ := decimal.NewFromString(a.String())
			right, _ := decimal.NewFromString(b.String())
			return left.Cmp(right)
		}
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b)
		}
	}
	return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

func present(v any) int {
	if v == nil {
		return 0
	}
	return 1
}
