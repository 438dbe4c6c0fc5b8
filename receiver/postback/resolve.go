package postback

import (
	"cmp"
	"slices"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/macro"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

// Fields are the values of a postback by [endpoint.Field]; empty ones were not sent.
type Fields []string

// Resolve returns the values as the judgement uses them, and what stays with the conversion.
func Resolve(ep *endpoint.Endpoint, values request.Values) (Fields, conversion.Params) {
	var v Verdict
	f := make(Fields, ep.Fields())
	return f, v.resolve(ep, f, &request.Parsed{Values: values}, nil)
}

// usualFields is room, on the stack, for the fields of an endpoint with a few custom types.
const usualFields = int(endpoint.FieldKeptEnd) + 16

// usualParams is room, on the stack, for what stays with a conversion.
const usualParams = 16

// resolve puts the values into the fields for which their names stand, and returns what stays with the conversion,
// sorted by name. The query goes before the body, so that a signed URL cannot be overridden; then the canonical name
// before its aliases (docs/semantics.md §2). A value that says nothing gives way to one that does, whatever their
// names.
func (v *Verdict) resolve(
	ep *endpoint.Endpoint, f Fields, said *request.Parsed, t *trace.Trace,
) conversion.Params {
	values := said.Values
	var usual [usualFields]int
	from := usual[:] // the number of each field's value
	if len(f) > usualFields {
		from = make([]int, len(f))
	}
	var usualKept [usualParams]conversion.Param
	kept := usualKept[:0]
	for i := range values {
		value := &values[i]
		field, _, known := ep.Lookup(value.Name)
		switch {
		case !known:
			kept = append(kept, conversion.Param{Name: value.Name, Value: value.Value})
			continue
		case len(value.Value) > request.MaxValueBytes && !judgesLength(field):
			v.warn(conversion.ParameterTooLong)
			continue
		}
		if f[field] == "" {
			f[field], from[field] = value.Value, i
			continue
		}
		before, now := isEmpty(field, f[field]), isEmpty(field, value.Value)
		if before == now && f[field] != value.Value {
			v.warn(conversion.ConflictingAliases)
		}
		if before && !now || before == now && goesFirst(ep, value, &values[from[field]]) {
			f[field], from[field] = value.Value, i
		}
	}
	v.SubIDFrom = sourceOfSubID(said, f, from)
	if t != nil {
		v.tellParameters(t, ep, said, f, from)
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
	return slices.Clone(slices.CompactFunc(kept, func(a, b conversion.Param) bool { return a.Name == b.Name }))
}

func sourceOfSubID(said *request.Parsed, f Fields, from []int) request.Source {
	if f[endpoint.FieldSubid] == "" {
		return request.Source{}
	}
	return said.Source(&said.Values[from[endpoint.FieldSubid]])
}

// goesFirst reports whether a goes before b, another value of the same field: the query before the body, and then the
// names in their order.
func goesFirst(ep *endpoint.Endpoint, a, b *request.Value) bool {
	if a.InBody != b.InBody {
		return b.InBody
	}
	_, rankOfA, _ := ep.Lookup(a.Name)
	_, rankOfB, _ := ep.Lookup(b.Name)
	return rankOfA < rankOfB
}

// judgesLength reports whether a value of the field that is too long has a reason of its own.
func judgesLength(field endpoint.Field) bool {
	return field == endpoint.FieldSubid || field == endpoint.FieldStatus || field == endpoint.FieldTid
}

// isEmpty reports whether a value is as good as empty while another name has a better one: an unresolved macro, or an
// amount that is no number.
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
