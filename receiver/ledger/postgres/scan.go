package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// reading returns what reads a result: see [scan].
func reading[R any](columns []table.Column[R], each func(*R) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error { return scan(rows, columns, each) }
}

// scan calls each with every row of a result whose columns are those given.
func scan[R any](rows pgx.Rows, columns []table.Column[R], each func(*R) error) error {
	types := rows.Conn().TypeMap()
	for rows.Next() {
		row := new(R)
		described := rows.FieldDescriptions()
		for i, text := range rows.RawValues() {
			if text == nil {
				continue
			}
			if err := decode(types, &described[i], text, columns[i].Target(row)); err != nil {
				return fmt.Errorf("reading column %s: %w", columns[i].Name, err)
			}
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

var errFormat = errors.New("not in the binary format")

// decode reads one value as prepared and described statements answer: in PostgreSQL's binary format, which for text and
// JSON is their text.
func decode(types *pgtype.Map, field *pgconn.FieldDescription, text []byte, target any) error {
	wanted := -1 // any length
	switch target.(type) {
	case *string, table.Encoded:
		if field.DataTypeOID == pgtype.ByteaOID && field.Format != pgtype.BinaryFormatCode {
			return errFormat
		}
	default:
		if field.Format != pgtype.BinaryFormatCode {
			return errFormat
		}
	}
	switch target.(type) {
	case *bool:
		wanted = 1
	case *int64, *time.Time:
		wanted = 8
	case *uuid.UUID:
		wanted = 16
	}
	if wanted >= 0 && len(text) != wanted {
		return fmt.Errorf("%d bytes for a %T", len(text), target)
	}
	switch v := target.(type) {
	case *string:
		*v = string(text)
	case *bool:
		*v = text[0] != 0
	case *int64:
		*v = int64(binary.BigEndian.Uint64(text)) //nolint:gosec // the same bits
	case *time.Time:
		*v = time.UnixMicro(int64(binary.BigEndian.Uint64(text)) + microsecondsTo2000).UTC() //nolint:gosec // the same bits
	case *uuid.UUID:
		copy(v[:], text)
	case *decimal.Decimal:
		var number pgtype.Numeric
		if err := types.Scan(field.DataTypeOID, field.Format, text, &number); err != nil {
			return err
		}
		*v = decimal.NewFromBigInt(number.Int, number.Exp)
	case table.Encoded:
		return v.Decode(string(text))
	default: // *int: columns of several widths
		return types.Scan(field.DataTypeOID, field.Format, text, target)
	}
	return nil
}
