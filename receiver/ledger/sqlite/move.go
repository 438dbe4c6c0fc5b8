package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// Source is a store that is copied, which no receiver may have open. It implements move.Source.
type Source struct {
	w     *writer
	locks []*os.File
}

// OpenSource opens the store at path to be copied. Its schema is brought up to date first.
func OpenSource(ctx context.Context, path string) (_ *Source, err error) {
	defer wrap(&err, "opening the store %s", path)
	if err := mustBeStore(ctx, path); err != nil {
		return nil, err
	}
	s := &Source{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, name := range []string{path + ".lock", path} {
		lock, err := lockFile(ctx, name, 0, slog.New(slog.DiscardHandler))
		if err != nil {
			return nil, err
		}
		s.locks = append(s.locks, lock)
	}
	s.w, err = openWriter(path, Options{}.withDefaults())
	return s, err
}

// Rows implements move.Source.
func (s *Source) Rows(_ context.Context, t table.Any, each func(*any) error) error {
	columns, order := table.Names("t.", t.Columns), ""
	if ofEndpoint(t) {
		columns = named(t)
	}
	if t.Name == table.Received.Name {
		order = " order by t.seq"
	}
	query, err := prepare(s.w.conn, "select "+columns+" from "+t.Name+" t"+order)
	if err != nil {
		return classify(err)
	}
	err = query.query(func(r *row) error {
		into := new(any)
		if err := readInto(r, t.Columns, into); err != nil {
			return err
		}
		return each(into)
	})
	return errors.Join(err, query.prepared.Close())
}

// Close implements move.Source.
func (s *Source) Close() error {
	var errs []error
	if s.w != nil {
		errs = append(errs, s.w.close())
	}
	for _, lock := range s.locks { // not before SQLite has let go of the file
		errs = append(errs, lock.Close())
	}
	return errors.Join(errs...)
}

// ofEndpoint reports whether a table has the number of an endpoint in the place of its name.
func ofEndpoint(t table.Any) bool { return t.Columns[0].Name == "endpoint" }

// Target is a new store in the making. It implements move.Target.
type Target struct {
	path, partial string
	lock          *os.File
	w             *writer
	// insert are the statements that add rows, by table.
	insert map[string]*statement
}

// CreateTarget begins a store that gets the name path when it is finished. A file that is there is never overwritten:
// the error wraps [fs.ErrExist].
func CreateTarget(ctx context.Context, path string) (_ *Target, err error) {
	defer wrap(&err, "making the store %s", path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	t := &Target{path: path, partial: path + ".partial", insert: map[string]*statement{}}
	if t.lock, err = lockFile(ctx, path+".lock", 0, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	if exists(path) {
		return nil, fmt.Errorf("there is a store already: move its files away: %w", fs.ErrExist)
	}
	if err := t.drop(); err != nil {
		return nil, err
	}
	if err := createFile(t.partial); err != nil {
		return nil, err
	}
	t.w, err = openWriter(t.partial, Options{}.withDefaults())
	return t, err
}

// Add implements move.Target. Each call is a transaction.
func (t *Target) Add(_ context.Context, into table.Any, rows []*any) (err error) {
	adding := t.insert[into.Name]
	if adding == nil {
		if adding, err = prepare(t.w.conn, insert(into)); err != nil {
			return classify(err)
		}
		t.insert[into.Name] = adding
	}
	if err := t.w.begin.exec(); err != nil {
		return err
	}
	for _, row := range rows {
		if err := t.add(adding, into, row); err != nil {
			return errors.Join(err, t.w.rollback.exec())
		}
	}
	return t.w.commit.exec()
}

func (t *Target) add(adding *statement, into table.Any, row *any) error {
	if ofEndpoint(into) {
		return put(t.w, adding, into.Columns, row)
	}
	values, err := encodedRow(into.Columns, row)
	if err != nil {
		return err
	}
	return adding.exec(values...)
}

// Count implements move.Target.
func (t *Target) Count(_ context.Context, of table.Any) (n int64, err error) {
	count, err := prepare(t.w.conn, "select count(*) from "+of.Name)
	if err != nil {
		return 0, classify(err)
	}
	err = count.query(func(r *row) error { n = r.integer(); return r.err })
	return n, errors.Join(err, count.prepared.Close())
}

// Finish implements move.Target.
func (t *Target) Finish(ctx context.Context) error {
	err := t.w.fillCells()
	if err == nil {
		err = run(t.w.conn, "pragma wal_checkpoint(truncate)")
	}
	if err := errors.Join(err, t.closeWriter()); err != nil {
		return err
	}
	if err := Check(ctx, t.partial); err != nil {
		return err
	}
	return publish(t.partial, t.path)
}

// Close implements move.Target.
func (t *Target) Close() error {
	return errors.Join(t.closeWriter(), t.drop(), t.lock.Close())
}

func (t *Target) closeWriter() error {
	if t.w == nil {
		return nil
	}
	var errs []error
	for _, s := range t.insert {
		errs = append(errs, s.prepared.Close())
	}
	errs, t.w, t.insert = append(errs, t.w.close()), nil, nil
	return errors.Join(errs...)
}

// drop removes what is not finished, of an earlier attempt, too.
func (t *Target) drop() error {
	errs := []error{remove(t.partial)}
	for _, suffix := range sidecars {
		errs = append(errs, remove(t.partial+suffix))
	}
	return errors.Join(errs...)
}
