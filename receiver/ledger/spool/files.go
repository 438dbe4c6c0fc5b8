package spool

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// Files are the operations on files that a spool needs beside SQLite's own.
type Files interface {
	// OpenFile opens the file at path for reading and writing, and creates it, readable by its owner only, if there is
	// none.
	OpenFile(path string) (File, error)
	// Remove removes the file at path.
	Remove(path string) error
	// SyncDir makes durable which files are in the directory.
	SyncDir(dir string) error
}

// File is an open file.
type File interface {
	io.Reader
	io.WriterAt
	io.Closer
	// Name is the path that it was opened with.
	Name() string
	// Sync makes durable what was written.
	Sync() error
}

// osFiles are those of the operating system.
type osFiles struct{}

func (osFiles) OpenFile(path string) (File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the user names the directory
}

func (osFiles) Remove(path string) error { return os.Remove(path) }

func (osFiles) SyncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the user names the directory
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// createFile is for the mode, which SQLite's other files take over: queries may hold what is nobody else's business.
func (s *Spool) createFile(path string) error {
	f, err := s.options.Files.OpenFile(path)
	if err != nil {
		return err
	}
	return f.Close()
}

func (s *Spool) removeFile(path string) error {
	if err := s.options.Files.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
