// Package spool is the receiver's own queue on disk, for postbacks that come while the database is away: one SQLite
// file in a directory that one process owns. What was appended is synced and leaves only when it was removed. It
// imports no store engine and does not decide when it is used: that is package ledger's.
package spool

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	// overhead is what a record takes on disk beside its body, roughly, in bytes.
	overhead = 64
	// pageBytes bounds the bodies that one [Spool.Next] reads.
	pageBytes = 16 << 20
)

var (
	// ErrFull means that the spool, or its disk, has no room for more. Nothing was appended.
	ErrFull = errors.New("spool is full")
	// ErrInUse means that another process has the directory.
	ErrInUse = errors.New("spool is in use by another receiver")
	// ErrDamaged means that the file holds what no spool has written: its disk has changed it.
	ErrDamaged = errors.New("spool is damaged")
	// ErrFormat means that the file is no spool that this program can read. It was not changed.
	ErrFormat = errors.New("not a spool of this program")
)

// Options of a spool.
type Options struct {
	// MaxBytes bounds the records, the dead ones included; default 1 GiB. The files may take twice as much.
	MaxBytes int64
	// Files; default those of the operating system.
	Files Files
	// Clock and Logger; default time.Now and none.
	Clock  func() time.Time
	Logger *slog.Logger
}

// Spool implements [ledger.Spool].
type Spool struct {
	path    string
	options Options

	// mu guards what follows, and lets one change at a time reach the file.
	mu   sync.Mutex
	db   *sql.DB
	mark *mark
	// done is the last record that was removed, whether or not the file could be told.
	done int64
	// replacing: the file is no longer needed and not yet replaced, see replace.go.
	replacing bool
	status    ledger.SpoolStatus
}

var _ ledger.Spool = (*Spool)(nil)

// Open opens the spool in dir and creates it, readable by its owner only, if there is none.
func Open(ctx context.Context, dir string, options Options) (*Spool, error) {
	if options.MaxBytes <= 0 {
		options.MaxBytes = 1 << 30
	}
	if options.Files == nil {
		options.Files = osFiles{}
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := open(ctx, dir, options)
	if err != nil {
		return nil, fmt.Errorf("opening the spool %s: %w", dir, err)
	}
	return s, nil
}

func open(ctx context.Context, dir string, options Options) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "spool.db")
	s := &Spool{path: path, options: options, status: ledger.SpoolStatus{Limit: options.MaxBytes}}
	err := s.createFile(path)
	if err != nil {
		return nil, err
	}
	if s.db, err = openFile(ctx, path); err != nil {
		return nil, err
	}
	if s.mark, err = openMark(options.Files, filepath.Join(dir, "spool.count")); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	// The count must be there after a crash, too, or nobody would notice what is missing.
	if err := errors.Join(options.Files.SyncDir(dir), s.recount(ctx), s.compare(ctx)); err != nil {
		return nil, errors.Join(classify(err), s.Close())
	}
	return s, nil
}

// recount learns from the file what is in it.
func (s *Spool) recount(ctx context.Context) error {
	return s.db.QueryRowContext(ctx, `select
		(select count(*) from queue), (select count(*) from dead),
		(select coalesce(sum(length(body) + ?1), 0) from queue) + (select coalesce(sum(length(body) + ?1), 0) from dead)`,
		overhead).Scan(&s.status.Postbacks, &s.status.Dead, &s.status.Bytes)
}

// Append implements [ledger.Spool]: all of the postbacks or none. A batch is one commit.
func (s *Spool) Append(postbacks []ledger.Postback) error {
	bodies, size := make([][]byte, len(postbacks)), int64(0)
	for i, p := range postbacks {
		body, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("encoding a postback for the spool: %w", err)
		}
		bodies[i] = body
		size += int64(len(body)) + overhead
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var last int64
	err := s.ready()
	if err == nil {
		last, err = s.insert(postbacks, bodies, size)
	}
	if err == nil {
		s.status.Postbacks += len(postbacks)
		s.status.Bytes += size
		err = s.acknowledge(last)
	}
	if err != nil {
		if s.status.FailingSince.IsZero() {
			s.status.FailingSince = s.options.Clock()
			s.options.Logger.Error("Spool takes no more", "error", err, "postbacks", s.status.Postbacks, "bytes", s.status.Bytes)
		}
		return err
	}
	s.recovered()
	return nil
}

func (s *Spool) recovered() {
	if !s.status.FailingSince.IsZero() {
		s.options.Logger.Info("Spool takes postbacks again", "failed_for", s.options.Clock().Sub(s.status.FailingSince))
		s.status.FailingSince = time.Time{}
	}
}

// insert returns the number of the last record.
func (s *Spool) insert(postbacks []ledger.Postback, bodies [][]byte, size int64) (last int64, err error) {
	if s.status.Bytes+size > s.options.MaxBytes {
		return 0, fmt.Errorf("%w: %d of %d bytes are taken", ErrFull, s.status.Bytes, s.options.MaxBytes)
	}
	err = s.change(func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(always, "insert into queue (at, body) values (?, ?)")
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		for i, body := range bodies {
			inserted, err := insert.ExecContext(always, postbacks[i].Log.At.UnixMicro(), body)
			if err != nil {
				return err
			}
			if last, err = inserted.LastInsertId(); err != nil {
				return err
			}
		}
		return nil
	})
	return last, err
}

// Next implements [ledger.Spool].
func (s *Spool) Next(limit int) ([]ledger.SpooledPostback, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("reading the spool: %w", err)
	}
	records, broken, err := s.read(limit)
	if err != nil {
		return nil, fmt.Errorf("reading the spool: %w", classify(err))
	}
	for _, b := range broken {
		if err := s.deadLetter(b.seq, b.err); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// unreadable is a record that is no postback.
type unreadable struct {
	seq int64
	err error
}

func (s *Spool) read(limit int) (records []ledger.SpooledPostback, broken []unreadable, err error) {
	rows, err := s.db.QueryContext(always, "select seq, body from queue where seq > ? order by seq limit ?", s.done, limit)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for size := 0; size < pageBytes && rows.Next(); {
		var record ledger.SpooledPostback
		var body sql.RawBytes
		if err := rows.Scan(&record.Seq, &body); err != nil {
			return nil, nil, err
		}
		size += len(body)
		if err := json.Unmarshal(body, &record.Postback); err != nil {
			broken = append(broken, unreadable{record.Seq, err})
			continue
		}
		records = append(records, record)
	}
	return records, broken, rows.Err()
}

// Remove implements [ledger.Spool].
func (s *Spool) Remove(through int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return fmt.Errorf("removing from the spool: %w", err)
	}
	var gone int
	err := s.db.QueryRowContext(always, "select count(*) from queue where seq > ? and seq <= ?", s.done,
		through).Scan(&gone)
	if err != nil {
		return fmt.Errorf("removing from the spool: %w", classify(err))
	}
	// From here on they are gone for this process, even when the file cannot be told: then the next one delivers them
	// again, to a store that knows them.
	s.done = max(s.done, through)
	s.status.Postbacks -= gone
	err = s.remove()
	if err == nil {
		now := s.mark.counts
		now.done = s.done
		err = s.mark.write(now) // Need not be durable: a count that lags only finds more missing.
	}
	if err != nil && s.status.Postbacks == 0 && s.status.Dead == 0 {
		err = s.startAfresh()
	}
	if err != nil {
		return fmt.Errorf("removing from the spool: %w", err)
	}
	s.recovered()
	return nil
}

// remove deletes what is done.
func (s *Spool) remove() error {
	var bytes int64
	err := s.change(func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(always, "select coalesce(sum(length(body) + ?), 0) from queue where seq <= ?", overhead,
			s.done).Scan(&bytes); err != nil {
			return err
		}
		_, err := tx.ExecContext(always, "delete from queue where seq <= ?", s.done)
		return err
	})
	if err == nil {
		s.status.Bytes -= bytes
	}
	return err
}

// DeadLetter implements [ledger.Spool].
func (s *Spool) DeadLetter(seq int64, reason error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return fmt.Errorf("setting a postback aside: %w", err)
	}
	return s.deadLetter(seq, reason)
}

func (s *Spool) deadLetter(seq int64, reason error) error {
	err := s.change(func(tx *sql.Tx) error {
		moved, err := tx.ExecContext(always, "insert into dead (seq, at, moved, error, body) select seq, at, ?, ?, body "+
			"from queue where seq = ?",
			s.options.Clock().UnixMicro(), reason.Error(), seq)
		if err != nil {
			return err
		}
		if n, err := moved.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fmt.Errorf("record %d is not in the spool", seq))
		}
		_, err = tx.ExecContext(always, "delete from queue where seq = ?", seq)
		return err
	})
	if err != nil {
		return fmt.Errorf("setting a postback aside: %w", err)
	}
	s.status.Postbacks--
	s.status.Dead++
	s.options.Logger.Error("Store refuses a spooled postback, which is now in the spool's table of the dead", "seq", seq,
		"error", reason)
	return nil
}

// Status implements [ledger.Spool].
func (s *Spool) Status() ledger.SpoolStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	if status.Postbacks > 0 {
		var at int64
		if err := s.db.QueryRowContext(always, "select at from queue where seq > ? order by seq limit 1",
			s.done).Scan(&at); err == nil {
			status.Oldest = time.UnixMicro(at).UTC()
		}
	}
	return status
}

// Len implements [ledger.Spool].
func (s *Spool) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status.Postbacks
}

// Close lets go of the directory. What is in the spool stays there.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.db.Close(), s.mark.close())
}
