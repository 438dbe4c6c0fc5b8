package spool

import "fmt"

// Files returns the paths of the spool's files.
func (s *Spool) Files() []string {
	return []string{s.path, s.path + "-wal", s.mark.file.Name()}
}

// Reusable returns how many bytes of the file hold nothing: records have left, and the next ones take their place.
func (s *Spool) Reusable() (bytes int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const free = "select f.freelist_count * p.page_size from pragma_freelist_count f, pragma_page_size p"
	if err := s.db.QueryRowContext(always, free).Scan(&bytes); err != nil {
		return 0, fmt.Errorf("asking the spool for its free pages: %w", classify(err))
	}
	return bytes, nil
}
