package spool

import (
	"errors"
	"path/filepath"
)

// startAfresh replaces a file of which nothing is needed any more: a full disk does not even let it be emptied.
func (s *Spool) startAfresh() error {
	// Numbers begin at 1 again. A count that is ahead of its file would report everything as missing.
	if err := errors.Join(s.mark.write(counts{missing: s.mark.missing}), s.mark.sync()); err != nil {
		return err
	}
	s.replacing = true
	return s.ready()
}

// ready ends a replacement that has begun. While that fails, so does every call, which promises nothing; the next call
// tries again.
func (s *Spool) ready() error {
	if !s.replacing {
		return nil
	}
	syncDir := func() error { return s.options.Files.SyncDir(filepath.Dir(s.path)) }
	for _, step := range []func() error{
		s.db.Close,
		// The log must never be found beside another file, hence it goes first, also after a crash.
		func() error { return s.removeFile(s.path + "-wal") },
		syncDir,
		func() error { return s.removeFile(s.path) },
		func() error { return s.createFile(s.path) },
		syncDir,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	db, err := openFile(always, s.path)
	if err != nil {
		return err
	}
	s.db, s.done, s.status.Bytes, s.replacing = db, 0, 0, false
	return nil
}
