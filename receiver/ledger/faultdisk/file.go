package faultdisk

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// changeLocked adds to the log.
func (d *Disk) changeLocked(s step) { d.log = append(d.log, s) }

// knowLocked returns the number of the file, which has just been opened; one that was not known has been created.
func (d *Disk) knowLocked(name string) int {
	file, ok := d.files[name]
	if !ok {
		d.last++
		file = d.last
		d.files[name] = file
		d.changeLocked(step{call: create, name: name, file: file})
	}
	return file
}

func (d *Disk) removedLocked(name string) {
	if file, ok := d.files[name]; ok {
		delete(d.files, name)
		d.changeLocked(step{call: remove, name: name, file: file})
	}
}

// errorOf is what the operating system answers in such a case.
func (k Kind) errorOf(op, path string) error {
	err := syscall.ENOSPC
	if k == IOError {
		err = syscall.EIO
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// File is a file of a disk that is no database.
type File struct {
	*os.File
	disk *Disk
	name string
	file int
}

// OpenFile opens the file at path for reading and writing, and creates it, readable by its owner only, if there is
// none.
func (d *Disk) OpenFile(path string) (*File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := filepath.Base(path)
	if _, known := d.files[name]; !known && d.failsLocked(create) {
		return nil, d.fault.errorOf("open", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &File{File: f, disk: d, name: name, file: d.knowLocked(name)}, nil
}

// Read implements [io.Reader].
func (f *File) Read(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.failsLocked(read) {
		return 0, f.disk.fault.errorOf("read", f.Name())
	}
	return f.File.Read(p)
}

// WriteAt implements [io.WriterAt].
func (f *File) WriteAt(p []byte, at int64) (int, error) {
	d := f.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	var failure error
	if d.failsLocked(write) {
		if failure = d.fault.errorOf("write", f.Name()); d.fault != ShortWrite {
			return 0, failure
		}
		p = p[:len(p)/2]
	}
	n, err := f.File.WriteAt(p, at)
	d.changeLocked(step{call: write, name: f.name, file: f.file, at: at, data: bytes.Clone(p[:n])})
	if err == nil {
		err = failure
	}
	return n, err
}

// Sync makes what was written durable.
func (f *File) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	failed := f.disk.failsLocked(syncFile)
	f.disk.changeLocked(step{call: syncFile, name: f.name, file: f.file, failed: failed})
	if failed {
		return f.disk.fault.errorOf("sync", f.Name())
	}
	return nil
}

// Remove removes the file at path.
func (d *Disk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failsLocked(remove) {
		return d.fault.errorOf("remove", path)
	}
	err := os.Remove(path)
	if err == nil {
		d.removedLocked(filepath.Base(path))
	}
	return err
}

// SyncDir makes durable which files there are.
func (d *Disk) SyncDir(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	failed := d.failsLocked(syncFile)
	d.changeLocked(step{call: syncFile, failed: failed})
	if failed {
		return d.fault.errorOf("sync", d.Dir)
	}
	return nil
}
