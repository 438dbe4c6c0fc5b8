package spool

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
)

// counts are what a spool remembers apart from its records. A damaged end of a write-ahead log looks like a log that ends
// earlier: SQLite opens it without a word, and what was acknowledged is gone. These numbers tell.
type counts struct {
	// acknowledged is the last record that was promised to be durable, done the last one that was removed: both are
	// sequence numbers of the queue.
	acknowledged, done int64
	// missing counts the acknowledged records that were not there when the spool was opened, all times together.
	missing int64
}

// mark keeps the counts in a small file of two lines, written alternately, so that one is always whole.
type mark struct {
	file *os.File
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
func openMark(path string) (*mark, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the user names the directory
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
	_, err := fmt.Sscan(numbers, &turn, &found.acknowledged, &found.done, &found.missing)
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
