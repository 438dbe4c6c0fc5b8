package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Files returns the paths of the store's files: those that grow with what is stored.
func (s *Store) Files() []string { return []string{s.path, s.path + "-wal"} }

// Reusable returns how many bytes of the file hold nothing: rows were deleted, and the next ones take their place. It
// lags behind by what was not checkpointed yet, and does not wait for the store.
func (s *Store) Reusable() (int64, error) {
	// By the file that is open already: opening it again, and closing it, would drop SQLite's own locks.
	var header [100]byte
	switch _, err := s.inode.ReadAt(header[:], 0); {
	case errors.Is(err, io.EOF):
		return 0, nil // All of it is in the write-ahead log yet.
	case err != nil:
		return 0, fmt.Errorf("reading the store's header: %w", err)
	}
	return reusable(header[:]), nil
}

// reusable reads a database's header: its page size, of which 1 means 65,536, and the number of its free pages.
func reusable(header []byte) int64 {
	page := int64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 {
		page = 1 << 16
	}
	return page * int64(binary.BigEndian.Uint32(header[36:]))
}
