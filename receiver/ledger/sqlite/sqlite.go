// Package sqlite is the ledger's embedded engine: one SQLite file in WAL mode, every commit synced to disk, owned by
// one process at a time. Buckets are not stored: one file is not sharded, and they follow from endpoint and subid.
// It imports no other engine and takes no decisions.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// Options of the engine. Zero fields mean the default.
type Options struct {
	// CacheBytes is the writer's page cache: default 20 MiB.
	CacheBytes int64
	// MapBytes is how much of the file is read through the operating system's page cache by mapping it: default 1 GiB.
	MapBytes int64
	// Readers is how many read-only connections there are at most: default 4.
	Readers int
	// Wait is how long another process that has the store open may take to close it: default 0.
	Wait   time.Duration
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.CacheBytes <= 0 {
		o.CacheBytes = 20 << 20
	}
	if o.MapBytes <= 0 {
		o.MapBytes = 1 << 30
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Store implements [ledger.Store].
type Store struct {
	path string
	log  *slog.Logger
	// lock is of the store's name, inode of the file itself, which may have other names.
	lock, inode *os.File
	reader      *sql.DB
	// turn holds the one token that allows to use writer.
	turn   chan struct{}
	writer *writer
	closed bool
	// damage is the first error that has said that the file is damaged.
	damage atomic.Pointer[error]

	checkpoints *checkpoints
}

var _ ledger.Store = (*Store)(nil)

// Open opens the store at path, an absolute or relative file name, and creates it, readable by its owner only, if there
// is none. Its schema is brought up to date. What is no store, or one of a newer program, is left as it is: the error
// wraps [ledger.ErrSchema]. So is a store that another process has open for longer than the options wait.
func Open(ctx context.Context, path string, options Options) (_ *Store, err error) {
	options = options.withDefaults()
	s := &Store{path: path, log: options.Logger, turn: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = fmt.Errorf("opening the store %s: %w", path, err)
			_ = s.release()
		}
	}()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil { //nolint:gosec // the path of the store, from a flag
		return nil, err
	}
	if s.lock, err = lockFile(ctx, path+".lock", options.Wait, options.Logger); err != nil {
		return nil, err
	}
	if s.inode, err = lockFile(ctx, path, options.Wait, options.Logger); err != nil {
		return nil, err
	}
	if err := inspect(ctx, path); err != nil {
		return nil, err
	}
	if s.writer, err = openWriter(path, options); err != nil {
		return nil, err
	}
	if err := s.openReader(ctx, options); err != nil {
		return nil, err
	}
	if s.checkpoints, err = startCheckpoints(path, options.Logger); err != nil {
		return nil, err
	}
	s.turn <- struct{}{}
	return s, nil
}

func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the user names the store
	if err != nil {
		return err
	}
	return f.Close()
}

func (s *Store) openReader(ctx context.Context, o Options) error {
	connector, err := sqlite.NewConnector(dataSource(s.path,
		append(pragmas(o.CacheBytes/16, o.MapBytes), "query_only(1)")))
	if err != nil {
		return classify(err)
	}
	s.reader = sql.OpenDB(connector)
	s.reader.SetMaxOpenConns(o.Readers)
	s.reader.SetMaxIdleConns(o.Readers)
	return classify(s.reader.PingContext(ctx))
}

// busyTimeout is how many milliseconds a statement waits for a lock that somebody else's program holds.
const busyTimeout = "busy_timeout(5000)"

// pragmas are those of every connection. Checkpoints are made in the background, not inside a commit: see checkpoints.
func pragmas(cacheBytes, mapBytes int64) []string {
	return []string{
		busyTimeout,
		"journal_mode(wal)",
		"synchronous(full)",
		"wal_autocheckpoint(0)",
		"temp_store(memory)",
		"cache_size(-" + strconv.FormatInt(cacheBytes/1024, 10) + ")",
		"mmap_size(" + strconv.FormatInt(mapBytes, 10) + ")",
	}
}

func dataSource(path string, pragmas []string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + url.Values{"_pragma": pragmas}.Encode()
}

// Ping writes durably.
func (s *Store) Ping(ctx context.Context) error {
	return s.write(ctx, func(w *writer) (bool, error) {
		return true, w.beat.exec()
	})
}

// Durability implements [ledger.Store]: a file has no standby.
func (s *Store) Durability(context.Context) (ledger.Durability, string, error) {
	return ledger.DurabilityLocal, "", nil
}

// Close folds the write-ahead log into the file and lets go of it.
func (s *Store) Close() error {
	<-s.turn
	if s.closed {
		s.turn <- struct{}{}
		return nil
	}
	s.closed = true
	s.turn <- struct{}{}
	return s.release()
}

func (s *Store) release() error {
	var errs []error
	if s.checkpoints != nil {
		s.checkpoints.stop()
	}
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	// Not before SQLite has let go of the file: closing it here would drop SQLite's own locks.
	for _, lock := range []*os.File{s.inode, s.lock} {
		if lock != nil {
			errs = append(errs, lock.Close())
		}
	}
	return errors.Join(errs...)
}
