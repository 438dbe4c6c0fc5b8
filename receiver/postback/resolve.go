package postback

import (
	"cmp"
	"slices"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

// fields are the values of a postback by [endpoint.Field]; empty ones were not sent.
type fields []string

// inBodyRank puts all names of the query before those of the body.
const inBodyRank = 1 << 16

// usualFields is room, on the stack, for the fields of an endpoint with a few custom types.
const usualFields = int(endpoint.FieldKeptEnd) + 16

// resolve puts the values into the fields for which their names stand, and returns what stays with the conversion (sorted
// by name), and whether names of one field had different values. The query goes before the body, so that a signed URL cannot
// be overridden; then the canonical name before its aliases (docs/semantics.md §2).
func (f fields) resolve(ep *endpoint.Endpoint, values Values) (kept conversion.Params, conflict bool) {
	var usual [usualFields]int
	ranks := usual[:]
	if len(f) > usualFields {
		ranks = make([]int, len(f))
	}
	kept = make(conversion.Params, 0, len(values))
	for _, v := range values {
		field, rank, known := ep.Lookup(v.Name)
		if !known {
			kept = append(kept, conversion.Param{Name: v.Name, Value: v.Value})
			continue
		}
		if v.InBody {
			rank += inBodyRank
		}
		conflict = conflict || f[field] != "" && f[field] != v.Value
		if f[field] == "" || rank < ranks[field] {
			f[field], ranks[field] = v.Value, rank
		}
	}
	for field := endpoint.FieldKept; field < endpoint.FieldKeptEnd; field++ {
		if f[field] != "" {
			kept = append(kept, conversion.Param{Name: field.Name(), Value: f[field]})
		}
	}
	if len(kept) == 0 {
		return nil, conflict
	}
	slices.SortFunc(kept, func(a, b conversion.Param) int { return cmp.Compare(a.Name, b.Name) })
	return kept, conflict
}
