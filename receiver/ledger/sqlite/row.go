package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// put executes s with the values of a row in the columns, of which the endpoint's name is the first: its number takes
// its place.
func put[R any](w *writer, s *statement, columns []table.Column[R], row *R) error {
	name, ok := columns[0].Value(row).(*string)
	if !ok {
		return errors.New("a row without an endpoint")
	}
	endpoint, err := w.endpoint(*name)
	if err != nil {
		return err
	}
	s.args = append(s.args[:0], driver.NamedValue{Ordinal: 1, Value: endpoint})
	for i := 1; i < len(columns); i++ {
		value, err := encode(columns[i].Value(row))
		if err != nil {
			return fmt.Errorf("column %s: %w", columns[i].Name, err)
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	_, err = s.run()
	return err
}

// encode makes a value as SQLite keeps it; nil is null.
func encode(value any) (driver.Value, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case *string:
		return *v, nil
	case *bool:
		if *v {
			return int64(1), nil
		}
		return int64(0), nil
	case *int:
		return int64(*v), nil
	case *int64:
		return *v, nil
	case *time.Time:
		return v.UnixMicro(), nil
	case *uuid.UUID:
		return v[:], nil
	case *decimal.Decimal:
		return v.String(), nil
	case table.Encoded:
		text, err := v.Encode()
		if text == nil || err != nil {
			return nil, err
		}
		return string(text), nil
	}
	return nil, fmt.Errorf("no encoding of %T", value)
}

// readInto reads a result row of the columns into a row of a table.
func readInto[R any](r *row, columns []table.Column[R], into *R) error {
	if len(r.values) != len(columns) {
		return fmt.Errorf("row has %d columns, expected %d", len(r.values), len(columns))
	}
	for i, value := range r.values {
		if value == nil {
			continue
		}
		if err := decode(value, columns[i].Target(into)); err != nil {
			return fmt.Errorf("reading column %s: %w", columns[i].Name, err)
		}
	}
	return nil
}

// decode reads what encode made.
func decode(value driver.Value, target any) (err error) {
	switch v := value.(type) {
	case string:
		switch t := target.(type) {
		case *string:
			*t = v
			return nil
		case *decimal.Decimal:
			*t, err = decimal.NewFromString(v)
			return err
		case table.Encoded:
			return t.Decode(v)
		}
	case int64:
		switch t := target.(type) {
		case *int64:
			*t = v
			return nil
		case *int:
			*t = int(v)
			return nil
		case *bool:
			*t = v != 0
			return nil
		case *time.Time:
			*t = time.UnixMicro(v).UTC()
			return nil
		}
	case []byte:
		if t, ok := target.(*uuid.UUID); ok {
			*t, err = uuid.FromBytes(v)
			return err
		}
	}
	return fmt.Errorf("a %T for a %T", value, target)
}

// row reads one result row column by column; its first error sticks, and only zero values follow.
type row struct {
	values []driver.Value
	err    error
}

func next[T any](r *row) (v T, ok bool) {
	if r.err != nil {
		return v, false
	}
	if len(r.values) == 0 {
		r.err = errors.New("row has too few columns")
		return v, false
	}
	value := r.values[0]
	r.values = r.values[1:]
	if value == nil {
		return v, false
	}
	if v, ok = value.(T); !ok {
		r.err = fmt.Errorf("column holds a %T, expected a %T", value, v)
	}
	return v, ok
}

func (r *row) text() string {
	s, _ := next[string](r)
	return s
}

func (r *row) integer() int64 {
	n, _ := next[int64](r)
	return n
}

func (r *row) time() time.Time {
	n, ok := next[int64](r)
	if !ok {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func (r *row) uuid() uuid.UUID {
	b, ok := next[[]byte](r)
	if !ok {
		return uuid.Nil
	}
	u, err := uuid.FromBytes(b)
	r.fail(err)
	return u
}

func (r *row) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}
