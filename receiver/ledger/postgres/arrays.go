package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// arrayTypes are the elements of the arrays that statements take as parameters.
var arrayTypes = []string{"bool", "int2", "int4", "int8", "text", "bytea", "json", "uuid", "timestamptz", "numeric"}

// values are one column of many rows, as an array parameter. They encode themselves: the driver's own arrays copy each
// value into an interface, which was a third of the work of a batch.
type values interface {
	// len counts the values.
	len() int
	// at returns a pointer to a value; nil for null.
	at(i int) any
}

// fields are the values of rows in a column.
type fields[R any] struct {
	rows   []keyed[R]
	column *table.Column[R]
}

func (f fields[R]) len() int     { return len(f.rows) }
func (f fields[R]) at(i int) any { return f.column.Value(f.rows[i].row) }

// buckets are the buckets of rows.
type buckets[R any] []keyed[R]

func (b buckets[R]) len() int     { return len(b) }
func (b buckets[R]) at(i int) any { return &b[i].Bucket }

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

// Encode implements [pgtype.EncodePlan]: an array of one dimension in the binary format of PostgreSQL's array_recv.
// Where all values are null the array is: unnest fills up with nulls what is shorter than the other columns, and a
// third of the columns hold nothing most of the time.
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
			//nolint:gosec // bounded by what a request may hold
			binary.BigEndian.PutUint32(buf[start:], uint32(len(buf)-start-4))
		}
	}
	if allNull {
		return nil, nil
	}
	return buf, nil
}

// microsecondsTo2000 is from 1970, where Go begins to count, to where PostgreSQL does.
const microsecondsTo2000 = 946_684_800_000_000

// encode appends one value; nil stands for null. plan is the driver's for decimals, once it was needed.
func (p valuesPlan) encode(plan *pgtype.EncodePlan, value any, buf []byte) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case *string:
		return append(buf, *v...), nil
	case *bool:
		if *v {
			return append(buf, 1), nil
		}
		return append(buf, 0), nil
	case *uint8:
		return binary.BigEndian.AppendUint16(buf, uint16(*v)), nil
	case *int:
		return binary.BigEndian.AppendUint32(buf, uint32(*v)), nil //nolint:gosec // counts of changes and attempts
	case *int64:
		return binary.BigEndian.AppendUint64(buf, uint64(*v)), nil //nolint:gosec // the same bits
	case *uuid.UUID:
		return append(buf, v[:]...), nil
	case *time.Time:
		//nolint:gosec // the same bits
		return binary.BigEndian.AppendUint64(buf, uint64(v.UnixMicro()-microsecondsTo2000)), nil
	case *decimal.Decimal:
		number := pgtype.Numeric{Int: v.Coefficient(), Exp: v.Exponent(), Valid: true}
		if *plan == nil {
			*plan = p.types.PlanEncode(p.element, pgtype.BinaryFormatCode, number)
		}
		return (*plan).Encode(number, buf)
	case table.Encoded:
		text, err := v.Encode()
		if text == nil || err != nil {
			return nil, err
		}
		return append(buf, text...), nil
	}
	return nil, fmt.Errorf("no encoding of %T", value)
}
