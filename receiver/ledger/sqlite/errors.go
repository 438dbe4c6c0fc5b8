package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// classify gives an error of the driver the meaning that callers decide by. Whatever is not the data's fault may pass:
// a full disk, an I/O error, a lock that somebody's shell holds.
func classify(err error) error {
	var e *sqlite.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	switch code := e.Code(); code & 0xff {
	case sqlite3.SQLITE_CONSTRAINT:
		// A row that is there already was not there when the book was read: another reading may see it.
		if code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
			return fmt.Errorf("%w: %w", ledger.ErrConflict, err)
		}
		return fmt.Errorf("%w: %w", ledger.ErrPoisoned, err)
	case sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
		return fmt.Errorf("%w: %w", ledger.ErrPoisoned, err)
	case sqlite3.SQLITE_CORRUPT:
		// Like any store that cannot be used, until somebody restores it: see damage.go.
		return fmt.Errorf("%w: %w: %w", ledger.ErrUnavailable, ledger.ErrCorrupt, err)
	case sqlite3.SQLITE_NOTADB:
		// The beginning says what a file is: whether it was one is not to be told any more.
		return fmt.Errorf("%w: the file is no SQLite database, or its beginning is damaged", ledger.ErrSchema)
	default:
		return fmt.Errorf("%w: %w", ledger.ErrUnavailable, err)
	}
}
