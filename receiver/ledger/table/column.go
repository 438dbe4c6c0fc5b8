// Package table describes the ledger's tables once, for every engine: which columns they have, in which order, and
// which field of a row each one holds. Names are the same in all engines. What differs is in the engines' migrations:
// types, indexes, and columns that only one engine needs (PostgreSQL's bucket and leases, SQLite's row numbers).
//
// A column is one line here and one migration an engine. It imports no engine and builds no SQL.
package table

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// Type is what a column holds.
type Type int

// The types, with the Go types that [Column.Value] points to.
const (
	// Text is a *string, or an [Encoded].
	Text Type = iota
	// Bytes is a *string as it was received, which need not be UTF-8.
	Bytes
	// JSON is an [Encoded].
	JSON
	// Integer is an *int.
	Integer
	// BigInteger is an *int64.
	BigInteger
	// Boolean is a *bool.
	Boolean
	// Time is a *time.Time, kept in microseconds.
	Time
	// Decimal is a *decimal.Decimal.
	Decimal
	// UUID is a *uuid.UUID.
	UUID
)

// Encoded is a value that a column holds as a text. Nil bytes stand for null.
type Encoded interface {
	Encode() ([]byte, error)
	Decode(text string) error
}

// Column is one column of a table, or of a statement's parameters, whose rows are R.
type Column[R any] struct {
	Name string
	Type Type
	// Optional columns may be null.
	Optional bool
	// zeroIsNull: null stands for the zero value.
	zeroIsNull bool
	// field returns where a row keeps the value; nil when the row has none.
	field func(row *R) any
	// target is field for a row that is being read, if that has to make room for the value.
	target func(row *R) any
}

// Value returns a pointer to the row's value, of the kind that the column's type says; nil stands for null.
func (c *Column[R]) Value(row *R) any {
	value := c.field(row)
	if c.zeroIsNull && isZero(value) {
		return nil
	}
	return value
}

// Target returns where to write a value that is not null. Null is written nowhere: it is the zero value of a new row.
func (c *Column[R]) Target(row *R) any {
	if c.target != nil {
		return c.target(row)
	}
	return c.field(row)
}

func isZero(value any) bool {
	switch v := value.(type) {
	case *string:
		return *v == ""
	case *time.Time:
		return v.IsZero()
	case *uuid.UUID:
		return *v == uuid.Nil
	case *int:
		return *v == 0
	case *int64:
		return *v == 0
	case *decimal.Decimal:
		return v.IsZero()
	}
	return false
}

// Of describes a column that holds a row's field. V must be what the type says.
func Of[R, V any](name string, typ Type, field func(*R) *V) Column[R] {
	return Column[R]{Name: name, Type: typ, field: func(row *R) any { return field(row) }}
}

// Null makes a column optional: null stands for the zero value.
func (c Column[R]) Null() Column[R] {
	c.Optional, c.zeroIsNull = true, true
	return c
}

// required undoes the optional of an encoded column.
func (c Column[R]) required() Column[R] {
	c.Optional = false
	return c
}

// encoded describes an optional column that holds a row's field as a text.
func encoded[R any, E Encoded](name string, typ Type, field func(*R) E) Column[R] {
	return Column[R]{Name: name, Type: typ, Optional: true, field: func(row *R) any { return field(row) }}
}

// Within describes the columns of a part of R.
func Within[R, P any](part func(*R) *P, columns []Column[P]) []Column[R] {
	of := make([]Column[R], len(columns))
	for i, c := range columns {
		of[i] = Column[R]{
			Name:       c.Name,
			Type:       c.Type,
			Optional:   c.Optional,
			zeroIsNull: c.zeroIsNull,
			field:      func(row *R) any { return c.field(part(row)) },
			target:     func(row *R) any { return c.Target(part(row)) },
		}
	}
	return of
}

// Table is a table whose rows are R. Tables with a key begin with the columns endpoint and subid.
type Table[R any] struct {
	Name    string
	Columns []Column[R]
}

// Pick returns the named columns, in that order. A name that the table lacks is a mistake in the program.
func (t Table[R]) Pick(names ...string) []Column[R] {
	picked := make([]Column[R], 0, len(names))
	for _, name := range names {
		before := len(picked)
		for _, c := range t.Columns {
			if c.Name == name {
				picked = append(picked, c)
			}
		}
		if len(picked) == before {
			panic("table " + t.Name + " has no column " + name)
		}
	}
	return picked
}

// Without returns the columns but for the named ones.
func (t Table[R]) Without(names ...string) []Column[R] {
	rest := make([]Column[R], 0, len(t.Columns))
	left := " " + strings.Join(names, " ") + " "
	for _, c := range t.Columns {
		if !strings.Contains(left, " "+c.Name+" ") {
			rest = append(rest, c)
		}
	}
	return rest
}

// Names returns the columns' names, each behind a prefix, separated by commas.
func Names[R any](prefix string, columns []Column[R]) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = prefix + c.Name
	}
	return strings.Join(names, ", ")
}
