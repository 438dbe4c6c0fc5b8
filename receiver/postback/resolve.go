package postback

import (
	"cmp"
	"slices"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/macro"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// fields are the values of a postback by [endpoint.Field]; empty ones were not sent.
type fields []string

// inBodyRank puts all names of the query before those of the body.
const inBodyRank = 1 << 16

// usualFields is room, on the stack, for the fields of an endpoint with a few custom types.
const usualFields = int(endpoint.FieldKeptEnd) + 16

// resolve puts the values into the fields for which their names stand, and returns what stays with the conversion, sorted by
// name. The query goes before the body, so that a signed URL cannot be overridden; then the canonical name before its
// aliases (docs/semantics.md §2). A value that says nothing gives way to one that does, whatever their names.
func (v *Verdict) resolve(ep *endpoint.Endpoint, f fields, values request.Values) (kept conversion.Params) {
	var usual [usualFields]int32
	from := usual[:] // For each field that has a value, the number of that value.
	if len(f) > usualFields {
		from = make([]int32, len(f))
	}
	kept = make(conversion.Params, 0, len(values))
	for i := range values {
		value := &values[i]
		field, known := fieldOf(ep, value)
		switch {
		case !known:
			kept = append(kept, conversion.Param{Name: value.Name, Value: value.Value})
			continue
		case len(value.Value) > request.MaxValueBytes && !judgesLength(field):
			v.warn(conversion.ParameterTooLong)
			continue
		}
		if f[field] == "" {
			f[field], from[field] = value.Value, int32(i)
			continue
		}
		before, now := isEmpty(field, f[field]), isEmpty(field, value.Value)
		if before == now && f[field] != value.Value {
			v.warn(conversion.ConflictingAliases)
		}
		if before && !now || before == now && rank(ep, value) < rank(ep, &values[from[field]]) {
			f[field], from[field] = value.Value, int32(i)
		}
	}
	for field := endpoint.FieldKept; field < endpoint.FieldKeptEnd; field++ {
		if f[field] != "" && !macro.IsBare(f[field]) {
			kept = append(kept, conversion.Param{Name: field.Name(), Value: f[field]})
		}
	}
	if len(kept) == 0 {
		return nil
	}
	byName := func(a, b conversion.Param) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortStableFunc(kept, byName)
	return slices.CompactFunc(kept, func(a, b conversion.Param) bool { return a.Name == b.Name })
}

// fieldOf returns the field for which a value's name stands.
func fieldOf(ep *endpoint.Endpoint, value *request.Value) (field endpoint.Field, known bool) {
	if number, known, looked := value.Field(); looked {
		return endpoint.Field(number), known
	}
	field, _, known = ep.Lookup(value.Name)
	return field, known
}

// rank orders the values of one field: the lowest goes first.
func rank(ep *endpoint.Endpoint, value *request.Value) int {
	_, rank, _ := ep.Lookup(value.Name)
	if value.InBody {
		rank += inBodyRank
	}
	return rank
}

// judgesLength reports whether a value of the field that is too long has a reason of its own.
func judgesLength(field endpoint.Field) bool {
	return field == endpoint.FieldSubid || field == endpoint.FieldStatus || field == endpoint.FieldTid
}

// isEmpty reports whether a value is as good as empty while another name has a better one: an unresolved macro, or an amount
// that is no number.
func isEmpty(field endpoint.Field, value string) bool {
	if macro.IsUnresolved(value) {
		return true
	}
	if field != endpoint.FieldPayout && field != endpoint.FieldCost {
		return false
	}
	_, reading := money.Parse(value)
	return reading == money.Unreadable
}
