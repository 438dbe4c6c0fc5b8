package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// maxProblems bounds what [Check] reports of a damaged file.
const maxProblems = 20

// sidecars are the files that SQLite keeps beside a store in WAL mode. They belong to that store alone: a write-ahead
// log beside another file would damage it.
var sidecars = []string{"-wal", "-shm"}

// Backup writes a consistent copy of the store at path to the new file target, while a receiver has the store open. The
// copy holds every commit that was durable when the call began, is checked, and is synced before it gets its name.
// An existing target is never overwritten: the error wraps [fs.ErrExist].
func Backup(ctx context.Context, path, target string) (err error) {
	defer wrap(&err, "backing up %s", path)
	if _, err := os.Lstat(target); err == nil {
		return fmt.Errorf("%s: %w", target, fs.ErrExist)
	}
	if err := mustBeStore(ctx, path); err != nil {
		return err
	}
	partial := target + ".partial"
	if err := remove(partial); err != nil {
		return err
	}
	defer func() { _ = remove(partial) }()
	// SQLite writes into an empty file that exists: it is created here so that nobody else can ever read it.
	if err := createFile(partial); err != nil {
		return err
	}
	if err := copyInto(ctx, path, partial); err != nil {
		return err
	}
	if err := Check(ctx, partial); err != nil {
		return err
	}
	return publish(partial, target)
}

// BackupTo writes the copy that [Backup] makes to w. It needs room for the copy beside the store.
func BackupTo(ctx context.Context, path string, w io.Writer) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".backup-")
	if err != nil {
		return fmt.Errorf("backing up %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	target := filepath.Join(dir, "store")
	if err := Backup(ctx, path, target); err != nil {
		return err
	}
	f, err := os.Open(target) //nolint:gosec // its name was chosen above
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// Check reads the whole store at path, also while a receiver has it open, and reports whether it is intact and of a
// schema that this program knows. Damage is an error that wraps [ledger.ErrCorrupt] and says where it is.
func Check(ctx context.Context, path string) (err error) {
	defer wrap(&err, "checking %s", path)
	if err := mustBeStore(ctx, path); err != nil {
		return err
	}
	db, err := readOnly(path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, fmt.Sprintf("pragma integrity_check(%d)", maxProblems))
	if err != nil {
		return classify(err)
	}
	defer func() { _ = rows.Close() }()
	var problems []error
	for rows.Next() {
		var problem string
		if err := rows.Scan(&problem); err != nil {
			return classify(err)
		}
		if problem != "ok" {
			problems = append(problems, errors.New(problem))
		}
	}
	if err := rows.Err(); err != nil {
		return classify(err)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%w: %w", ledger.ErrCorrupt, errors.Join(problems...))
	}
	return nil
}

// Restore puts the backup in the place of the store at path, which no receiver may have open. The backup is checked
// first. A store that is there already is kept beside it, under the returned name; "" means there was none.
func Restore(ctx context.Context, backup, path string, now time.Time) (replaced string, err error) {
	defer wrap(&err, "restoring %s", path)
	if err := Check(ctx, backup); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	lock, err := lockFile(ctx, path+".lock", 0, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if exists(path) {
		inode, err := lockFile(ctx, path, 0, slog.New(slog.DiscardHandler))
		if err != nil {
			return "", err
		}
		defer func() { _ = inode.Close() }()
	}
	partial := path + ".partial"
	if err := copyFile(backup, partial); err != nil {
		return "", errors.Join(err, remove(partial))
	}
	if replaced, err = setAside(path, now); err != nil {
		return "", errors.Join(err, remove(partial))
	}
	return replaced, publish(partial, path)
}

// mustBeStore refuses a path at which there is no ledger.
func mustBeStore(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: it is no regular file", ledger.ErrSchema)
	case info.Size() == 0 && !exists(path+"-wal"):
		return fmt.Errorf("%w: the file is empty", ledger.ErrSchema)
	}
	return inspect(ctx, path)
}

func readOnly(path string) (*sql.DB, error) {
	return sql.Open("sqlite", dataSource(path, []string{busyTimeout, "query_only(1)"}))
}

func copyInto(ctx context.Context, path, target string) error {
	// Not query_only: SQLite counts VACUUM INTO as a write, although it changes the target alone.
	db, err := sql.Open("sqlite", dataSource(path, []string{busyTimeout}))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "vacuum into ?", target)
	return classify(errors.Join(err, db.Close()))
}

// setAside renames the store, with what belongs to it.
func setAside(path string, now time.Time) (name string, err error) {
	if !exists(path) {
		return "", nil
	}
	name = path + ".replaced-" + now.UTC().Format("20060102T150405.000Z")
	if err := os.Rename(path, name); err != nil {
		return "", err
	}
	for _, suffix := range sidecars {
		if err := os.Rename(path+suffix, name+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return name, nil
}

// publish makes the finished file durable and gives it its name.
func publish(partial, target string) error {
	if err := syncPath(partial); err != nil {
		return err
	}
	if err := os.Rename(partial, target); err != nil {
		return err
	}
	return syncPath(filepath.Dir(target))
}

func copyFile(from, to string) error {
	source, err := os.Open(from) //nolint:gosec // the user names the backup
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // beside the store
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

func syncPath(path string) error {
	f, err := os.Open(path) //nolint:gosec // named by the user
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// remove removes the file if it is there.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// wrap says what failed, once.
func wrap(err *error, format, path string) {
	if *err != nil {
		*err = fmt.Errorf(format+": %w", path, *err)
	}
}
