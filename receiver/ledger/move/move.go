// Package move copies all rows of a store into an empty one of another engine. It goes by the description of the
// tables, so that a new column or table is moved without a word about it here. It imports no engine.
//
// A copy is there as a whole or not at all: what was not finished is not seen, and the next one starts over.
package move

import (
	"context"
	"errors"
	"fmt"

	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// Source is a store that nobody writes to meanwhile.
type Source interface {
	// Rows calls each with every row of a table. Those of the received log come in the order of the journal.
	Rows(ctx context.Context, t table.Any, each func(row *any) error) error
	// Close lets go of the store.
	Close() error
}

// Target is a store in the making.
type Target interface {
	// Add adds rows to a table, in their order.
	Add(ctx context.Context, t table.Any, rows []*any) error
	// Count returns how many rows a table has.
	Count(ctx context.Context, t table.Any) (int64, error)
	// Finish makes what follows from the rows, and then a store of it.
	Finish(ctx context.Context) error
	// Close drops what is not finished.
	Close() error
}

// batchRows are added at a time.
const batchRows = 500

// Copied is what was copied of one table.
type Copied struct {
	Table string
	Rows  int64
}

// Rows copies everything from one store into another, and counts it there.
func Rows(ctx context.Context, from Source, to Target) (copied []Copied, err error) {
	for _, t := range table.Kept() {
		rows, err := copyTable(ctx, t, from, to)
		if err != nil {
			return nil, fmt.Errorf("copying the table %s: %w", t.Name, err)
		}
		found, err := to.Count(ctx, t)
		if err == nil && found != rows {
			err = fmt.Errorf("%d rows were copied, %d are there", rows, found)
		}
		if err != nil {
			return nil, fmt.Errorf("counting the table %s: %w", t.Name, err)
		}
		copied = append(copied, Copied{Table: t.Name, Rows: rows})
	}
	if err := to.Finish(ctx); err != nil {
		return nil, fmt.Errorf("finishing the copy: %w", err)
	}
	return copied, nil
}

func copyTable(ctx context.Context, t table.Any, from Source, to Target) (copied int64, err error) {
	batch := make([]*any, 0, batchRows)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := to.Add(ctx, t, batch)
		copied, batch = copied+int64(len(batch)), batch[:0]
		return err
	}
	err = from.Rows(ctx, t, func(row *any) error {
		if batch = append(batch, row); len(batch) < batchRows {
			return nil
		}
		return errors.Join(flush(), context.Cause(ctx))
	})
	return copied, errors.Join(err, flush())
}
