package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// arrayTypes are the elements of the arrays that statements take as parameters.
var arrayTypes = []string{"bool", "int2", "int4", "int8", "text", "bytea", "json", "uuid", "timestamptz", "numeric"}

// values are one column of many rows, as an array parameter. They encode themselves: the driver's own arrays copy each
// value into an interface, which was a third of the work of a batch.
type values interface {
	// len counts the values.
	len() int
	// at returns a pointer to a value.
	at(i int) any
}

// valuesOf are the fields of rows.
type valuesOf[R, V any] struct {
	rows  func(int) *R
	n     int
	field func(*R) *V
}

func (v valuesOf[R, V]) len() int     { return v.n }
func (v valuesOf[R, V]) at(i int) any { return v.field(v.rows(i)) }

// registerArrays teaches a new connection to encode values.
func registerArrays(_ context.Context, conn *pgx.Conn) error {
	types := conn.TypeMap()
	for _, name := range arrayTypes {
		array, ok := types.TypeForName("_" + name)
		if !ok {
			return fmt.Errorf("the driver knows no array of %s", name)
		}
		codec, ok := array.Codec.(*pgtype.ArrayCodec)
		if !ok {
			return fmt.Errorf("the driver's array of %s is none", name)
		}
		types.RegisterType(&pgtype.Type{Name: array.Name, OID: array.OID, Codec: valuesCodec{codec}})
	}
	return nil
}

// valuesCodec is the driver's codec, except for values.
type valuesCodec struct{ *pgtype.ArrayCodec }

// PlanEncode implements [pgtype.Codec].
func (c valuesCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(values); ok && format == pgtype.BinaryFormatCode {
		return valuesPlan{types: m, element: c.ElementType.OID}
	}
	return c.ArrayCodec.PlanEncode(m, oid, format, value)
}

// The driver starts every statement with an empty buffer. These make it grow in few steps.
const (
	usualBytes   = 20
	usualColumns = 16
)

type valuesPlan struct {
	types   *pgtype.Map
	element uint32
}

// Encode implements [pgtype.EncodePlan]: an array of one dimension in the binary format of PostgreSQL's array_recv. Where
// all values are null the array is: unnest fills up with nulls what is shorter than the other columns, and a third of the
// columns hold nothing most of the time.
func (p valuesPlan) Encode(value any, buf []byte) ([]byte, error) {
	array := value.(values)
	n := array.len()
	if usual := n * usualBytes; cap(buf)-len(buf) < usual {
		buf = slices.Grow(buf, usualColumns*usual)
	}
	const mayHoldNull, firstIndex = 1, 1
	for _, word := range []uint32{1, mayHoldNull, p.element, uint32(n), firstIndex} { //nolint:gosec // a batch
		buf = binary.BigEndian.AppendUint32(buf, word)
	}
	var plan pgtype.EncodePlan
	allNull := true
	for i := range n {
		start := len(buf)
		buf = append(buf, 0xff, 0xff, 0xff, 0xff) // the length of a null
		encoded, err := p.encode(&plan, array.at(i), buf)
		if err != nil {
			return nil, err
		}
		if encoded != nil {
			buf, allNull = encoded, false
			binary.BigEndian.PutUint32(buf[start:], uint32(len(buf)-start-4)) //nolint:gosec // bounded by what a request may hold
		}
	}
	if allNull {
		return nil, nil
	}
	return buf, nil
}

// encode appends one value; nil stands for null. plan is the driver's for values of this type, once it was needed.
func (p valuesPlan) encode(plan *pgtype.EncodePlan, value any, buf []byte) ([]byte, error) {
	switch v := value.(type) {
	case *string:
		return append(buf, *v...), nil
	case *[]byte:
		if *v == nil {
			return nil, nil
		}
		return append(buf, *v...), nil
	case *bool:
		if *v {
			return append(buf, 1), nil
		}
		return append(buf, 0), nil
	case *int16:
		return binary.BigEndian.AppendUint16(buf, uint16(*v)), nil //nolint:gosec // the same bits
	case *int32:
		return binary.BigEndian.AppendUint32(buf, uint32(*v)), nil //nolint:gosec // the same bits
	case *int64:
		return binary.BigEndian.AppendUint64(buf, uint64(*v)), nil //nolint:gosec // the same bits
	}
	if *plan == nil {
		if *plan = p.types.PlanEncode(p.element, pgtype.BinaryFormatCode, value); *plan == nil {
			return nil, fmt.Errorf("no encoding of %T as type %d", value, p.element)
		}
	}
	return (*plan).Encode(value, buf)
}
