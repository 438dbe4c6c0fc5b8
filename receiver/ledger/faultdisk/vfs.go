package faultdisk

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// registry is what the wrapper of SQLite's file layer knows. SQLite's own registry is the process's, too.
var registry = struct {
	sync.Mutex
	install sync.Once
	// base is SQLite's own layer.
	base  uintptr
	disks map[string]*Disk
	// open are the files of disks by SQLite's address of them; methods are the wrapped functions of the functions.
	open    map[uintptr]*handle
	methods map[uintptr]uintptr
}{disks: map[string]*Disk{}, open: map[uintptr]*handle{}, methods: map[uintptr]uintptr{}}

// handle is an open database, journal or write-ahead log.
type handle struct {
	disk *Disk
	name string
	file int
	own  *sqlite3.Tsqlite3_io_methods
	// syncsDir: the next sync is also one of the directory, since the file may be new.
	syncsDir bool
}

func register(d *Disk) {
	registry.install.Do(install)
	registry.Lock()
	defer registry.Unlock()
	registry.disks[d.Dir] = d
}

func unregister(d *Disk) {
	registry.Lock()
	defer registry.Unlock()
	delete(registry.disks, d.Dir)
}

// install makes the wrapper SQLite's default layer, for good.
func install() {
	tls := libc.NewTLS()
	registry.base = sqlite3.Xsqlite3_vfs_find(tls, 0)
	wrapped := copyOf[sqlite3.Tsqlite3_vfs](tls, registry.base)
	name, err := libc.CString("faultdisk")
	if err != nil {
		panic(err)
	}
	vfs := at[sqlite3.Tsqlite3_vfs](wrapped)
	vfs.FzName, vfs.FpNext = name, 0
	vfs.FxOpen, vfs.FxDelete = pointer(openFile), pointer(deleteFile)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, wrapped, 1); rc != sqlite3.SQLITE_OK {
		panic("faultdisk: SQLite refuses the file layer")
	}
}

// at is the object at an address that SQLite gave.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// copyOf returns the address of a copy of the object, in C memory.
func copyOf[T any](tls *libc.TLS, address uintptr) uintptr {
	var object T
	copied := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(object)))
	*at[T](copied) = *at[T](address)
	return copied
}

// pointer returns what SQLite keeps of a function of the package.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// function is the function that SQLite keeps so.
func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

type (
	openFunc     func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	deleteFunc   func(tls *libc.TLS, vfs, name uintptr, syncsDir int32) int32
	closeFunc    func(tls *libc.TLS, file uintptr) int32
	transferFunc func(tls *libc.TLS, file, buffer uintptr, n int32, offset int64) int32
	truncateFunc func(tls *libc.TLS, file uintptr, size int64) int32
	shareFunc    func(tls *libc.TLS, file uintptr, region, size, extend int32, mapped uintptr) int32
)

// diskOf returns the disk that the path is on, or nil.
func diskOf(path uintptr) (d *Disk, name string) {
	if path == 0 {
		return nil, ""
	}
	dir, name := filepath.Split(libc.GoString(path))
	registry.Lock()
	defer registry.Unlock()
	return registry.disks[filepath.Clean(dir)], name
}

func openFile(tls *libc.TLS, _, path, file uintptr, flags int32, outFlags uintptr) int32 {
	base := at[sqlite3.Tsqlite3_vfs](registry.base)
	open := function[openFunc](base.FxOpen)
	d, name := diskOf(path)
	if d == nil {
		return open(tls, registry.base, path, file, flags, outFlags)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := os.Lstat(d.Path(name))
	if err != nil && flags&sqlite3.SQLITE_OPEN_CREATE != 0 && d.failsLocked(create) {
		at[sqlite3.Tsqlite3_file](file).FpMethods = 0
		return sqlite3.SQLITE_CANTOPEN
	}
	if rc := open(tls, registry.base, path, file, flags, outFlags); rc != sqlite3.SQLITE_OK {
		return rc
	}
	h := &handle{disk: d, name: name, file: d.knowLocked(name)}
	h.syncsDir = flags&(sqlite3.SQLITE_OPEN_WAL|sqlite3.SQLITE_OPEN_MAIN_JOURNAL) != 0
	registry.Lock()
	defer registry.Unlock()
	own := at[sqlite3.Tsqlite3_file](file).FpMethods
	h.own = at[sqlite3.Tsqlite3_io_methods](own)
	if registry.methods[own] == 0 {
		registry.methods[own] = wrap(tls, own)
	}
	at[sqlite3.Tsqlite3_file](file).FpMethods = registry.methods[own]
	registry.open[file] = h
	return sqlite3.SQLITE_OK
}

func wrap(tls *libc.TLS, own uintptr) uintptr {
	wrapped := copyOf[sqlite3.Tsqlite3_io_methods](tls, own)
	m := at[sqlite3.Tsqlite3_io_methods](wrapped)
	m.FxClose, m.FxRead, m.FxWrite = pointer(closeFile), pointer(readFile), pointer(writeFile)
	m.FxTruncate, m.FxSync = pointer(truncateFile), pointer(syncDatabase)
	if m.FxShmMap != 0 {
		m.FxShmMap = pointer(shareFile)
	}
	return wrapped
}

func handleOf(file uintptr) *handle {
	registry.Lock()
	defer registry.Unlock()
	return registry.open[file]
}

func closeFile(tls *libc.TLS, file uintptr) int32 {
	registry.Lock()
	h := registry.open[file]
	delete(registry.open, file)
	registry.Unlock()
	return function[closeFunc](h.own.FxClose)(tls, file)
}

func readFile(tls *libc.TLS, file, buffer uintptr, n int32, offset int64) int32 {
	h := handleOf(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.disk.failsLocked(read) {
		return sqlite3.SQLITE_IOERR_READ
	}
	return function[transferFunc](h.own.FxRead)(tls, file, buffer, n, offset)
}

func writeFile(tls *libc.TLS, file, buffer uintptr, n int32, offset int64) int32 {
	h := handleOf(file)
	d := h.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	result := int32(sqlite3.SQLITE_OK)
	if d.failsLocked(write) {
		switch d.fault {
		case IOError:
			return sqlite3.SQLITE_IOERR_WRITE
		case NoSpace:
			return sqlite3.SQLITE_FULL
		}
		n, result = n/2, sqlite3.SQLITE_FULL
	}
	if rc := function[transferFunc](h.own.FxWrite)(tls, file, buffer, n, offset); rc != sqlite3.SQLITE_OK {
		return rc
	}
	data := bytes.Clone(libc.GoBytes(buffer, int(n))) // SQLite uses its buffer again
	d.changeLocked(step{call: write, name: h.name, file: h.file, at: offset, data: data})
	return result
}

func truncateFile(tls *libc.TLS, file uintptr, size int64) int32 {
	h := handleOf(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.disk.failsLocked(truncate) {
		return sqlite3.SQLITE_IOERR_TRUNCATE
	}
	rc := function[truncateFunc](h.own.FxTruncate)(tls, file, size)
	if rc == sqlite3.SQLITE_OK {
		h.disk.changeLocked(step{call: truncate, name: h.name, file: h.file, at: size})
	}
	return rc
}

func syncDatabase(_ *libc.TLS, file uintptr, _ int32) int32 {
	h := handleOf(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	failed := h.disk.failsLocked(syncFile)
	h.disk.changeLocked(step{call: syncFile, name: h.name, file: h.file, failed: failed})
	if failed {
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	if h.syncsDir {
		h.disk.changeLocked(step{call: syncFile})
		h.syncsDir = false
	}
	return sqlite3.SQLITE_OK
}

// shareFile maps a part of the index of a write-ahead log, which grows on the disk.
func shareFile(tls *libc.TLS, file uintptr, region, size, extend int32, mapped uintptr) int32 {
	h := handleOf(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if extend != 0 && h.disk.failsLocked(share) {
		return sqlite3.SQLITE_IOERR_SHMSIZE
	}
	return function[shareFunc](h.own.FxShmMap)(tls, file, region, size, extend, mapped)
}

func deleteFile(tls *libc.TLS, _, path uintptr, syncsDir int32) int32 {
	own := function[deleteFunc](at[sqlite3.Tsqlite3_vfs](registry.base).FxDelete)
	d, name := diskOf(path)
	if d == nil {
		return own(tls, registry.base, path, syncsDir)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failsLocked(remove) {
		return sqlite3.SQLITE_IOERR_DELETE
	}
	rc := own(tls, registry.base, path, 0)
	if rc == sqlite3.SQLITE_OK {
		d.removedLocked(name)
		if syncsDir != 0 {
			d.changeLocked(step{call: syncFile})
		}
	}
	return rc
}
