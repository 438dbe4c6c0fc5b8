package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// applicationID marks the file as a spool: "PbkS".
	applicationID = 0x50626b53
	version       = 1
)

// always is the context of what is never given up half-way.
var always = context.Background()

// schema: a sequence number is never used again, since the process remembers the last one it removed.
const schema = `create table queue (seq integer primary key autoincrement, at integer not null, body blob not null);
create table dead (
  seq integer primary key, at integer not null, moved integer not null, error text not null, body blob not null
);
pragma application_id = %d; pragma user_version = %d`

// openFile opens the one connection. In exclusive mode it keeps its lock on the file until the process ends, which
// keeps a second process out.
func openFile(ctx context.Context, path string) (*sql.DB, error) {
	pragmas := url.Values{"_pragma": {"busy_timeout(2000)", "locking_mode(exclusive)", "query_only(1)"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+pragmas.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	if err := prepare(ctx, db); err != nil {
		return nil, errors.Join(classify(err), db.Close())
	}
	return db, nil
}

// prepare looks first and writes only to what is empty or a spool.
func prepare(ctx context.Context, db *sql.DB) error {
	var tables, application, found int
	err := db.QueryRowContext(ctx, `select (select count(*) from sqlite_schema), a.application_id, v.user_version
		from pragma_application_id a, pragma_user_version v`).Scan(&tables, &application, &found)
	switch {
	case err != nil:
		return err
	case tables > 0 && application != applicationID:
		return fmt.Errorf("%w: the file is another program's database", ErrFormat)
	case found > version:
		return fmt.Errorf("%w: version %d is newer than this program's %d", ErrFormat, found, version)
	}
	script := "pragma query_only = 0; pragma journal_mode = wal; pragma synchronous = full; "
	if tables == 0 {
		script += "begin immediate; " + fmt.Sprintf(schema, applicationID, version) + "; commit"
	} else {
		script += "begin immediate; commit" // takes the lock
	}
	_, err = db.ExecContext(ctx, script)
	return err
}

// change runs work in a transaction and returns once that is on disk.
func (s *Spool) change(work func(*sql.Tx) error) (err error) {
	tx, err := s.db.BeginTx(always, nil)
	if err != nil {
		return classify(err)
	}
	if err := work(tx); err != nil {
		return classify(errors.Join(err, tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		_, _ = s.db.ExecContext(always, "rollback") // SQLite may or may not have done so itself
		return classify(err)
	}
	return nil
}

// classify names the errors that an administrator can act on.
func classify(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case sqlite3.SQLITE_BUSY:
		return ErrInUse
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w, or its beginning is damaged: %w", ErrFormat, err)
	}
	return err
}
