package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
)

// counts are what a spool remembers apart from its records. A damaged end of a write-ahead log looks like a log that
// ends earlier: SQLite opens it without a word, and what was acknowledged is gone. These numbers tell.
type counts struct {
	// acknowledged is the last record that was promised to be durable, done the last one that was removed: both are
	// sequence numbers of the queue.
	acknowledged, done int64
	// missing counts the acknowledged records that were not there when the spool was opened, all times together.
	missing int64
}

// mark keeps the counts in a small file of two lines, written alternately, so that one is always whole.
type mark struct {
	file File
	// turn numbers the writes; the higher one of the two lines counts.
	turn int64
	counts
}

const (
	markLine = "%020d %020d %020d %020d"
	// markSize is a line with its checksum and line feed.
	markSize = 4*20 + 3 + 1 + 8 + 1
)

// openMark opens the file and creates it if there is none.
func openMark(files Files, path string) (*mark, error) {
	file, err := files.OpenFile(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, 2*markSize))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	m := &mark{file: file}
	for line := range slices.Chunk(text, markSize) {
		if turn, found, ok := readMark(string(line)); ok && turn > m.turn {
			m.turn, m.counts = turn, found
		}
	}
	return m, nil
}

func readMark(line string) (turn int64, found counts, ok bool) {
	numbers, sum, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "*")
	if sum != checksum(numbers) {
		return 0, counts{}, false
	}
	// Not Sscan, which takes a number that begins with 0 for an octal one.
	_, err := fmt.Sscanf(numbers, "%d %d %d %d", &turn, &found.acknowledged, &found.done, &found.missing)
	return turn, found, err == nil
}

func checksum(text string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text))) }

// write stores the counts; they are durable only after sync.
func (m *mark) write(now counts) error {
	m.turn++
	line := fmt.Sprintf(markLine, m.turn, now.acknowledged, now.done, now.missing)
	if _, err := m.file.WriteAt([]byte(line+"*"+checksum(line)+"\n"), m.turn%2*markSize); err != nil {
		return fmt.Errorf("keeping count of the spool: %w", err)
	}
	m.counts = now
	return nil
}

func (m *mark) sync() error {
	if err := m.file.Sync(); err != nil {
		return fmt.Errorf("keeping count of the spool: %w", err)
	}
	return nil
}

// close may be called again.
func (m *mark) close() error {
	if err := m.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// compare finds out whether records are missing that were acknowledged.
func (s *Spool) compare(ctx context.Context) error {
	var last int64
	err := s.db.QueryRowContext(ctx, "select coalesce(max(seq), 0) from sqlite_sequence where name = 'queue'").Scan(&last)
	if err != nil {
		return err
	}
	found := s.mark.counts
	if lost := found.acknowledged - max(last, found.done); lost > 0 {
		found.missing += lost
		s.options.Logger.Error("Acknowledged postbacks are missing from the spool: the end of its file was damaged",
			"missing", lost)
	}
	s.status.Missing = found.missing
	if found.acknowledged > last {
		// The numbers of what is missing must not be given again.
		if err := s.skipTo(found.acknowledged); err != nil {
			return err
		}
	}
	found.acknowledged = max(found.acknowledged, last)
	if found == s.mark.counts {
		return nil
	}
	return errors.Join(s.mark.write(found), s.mark.sync())
}

// skipTo makes seq the last number that was given.
func (s *Spool) skipTo(seq int64) error {
	return s.change(func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(always, "delete from sqlite_sequence where name = 'queue'"); err != nil {
			return err
		}
		_, err := tx.ExecContext(always, "insert into sqlite_sequence (name, seq) values ('queue', ?)", seq)
		return err
	})
}

// acknowledge remembers that everything up to last is promised to be durable.
func (s *Spool) acknowledge(last int64) error {
	now := s.mark.counts
	now.acknowledged = last
	return errors.Join(s.mark.write(now), s.mark.sync())
}
