// Package faultdisk is a disk that fails, for tests of what is written through SQLite or file by file.
//
// A [Disk] is a directory of real files. It stands below SQLite: the package wraps SQLite's own file layer (its VFS,
// the structure of functions through which SQLite opens, reads, writes, truncates, syncs and removes files) and makes
// the wrapper the default of the process, so that the code under test opens its databases as it always does. Files that
// are no database are written through [Disk.OpenFile]. Outside the directory of a disk nothing changes.
//
// Two things can be done with a disk:
//
//   - Calls can fail: [Disk.Inject] lets the nth call, or all from the nth on, fail with an I/O error, half-way
//     through a write, or because the disk is full.
//   - The machine can lose its power: the disk keeps a log of every change. [Disk.Crash] returns a disk as it is found
//     after the first n of them. What was synced before is there. Each later change may have reached the disk, whole
//     or torn, or not, independently of the others: that is all that POSIX promises. So a name that was created or
//     removed is certain only after its directory was synced. A sync that failed leaves the changes before it
//     uncertain for good: Linux forgets them, and the next sync succeeds.
//
// Not modeled: the shared-memory index of a write-ahead log, which SQLite rebuilds after a crash; a rename, which
// neither the stores nor the spool do while they serve; reads that return wrong bytes. Syncs are recorded, not
// executed: tests would wait for the real disk without learning anything.
package faultdisk

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Kind of a fault.
type Kind int

// The kinds of faults.
const (
	// IOError: reads, writes, truncations, syncs and removals fail without an effect.
	IOError Kind = iota
	// ShortWrite: the first half of a write reaches the file, then it fails for lack of space.
	ShortWrite
	// NoSpace: nothing can be written or grow. Syncs and reads work.
	NoSpace
	kinds
)

func (k Kind) String() string { return [...]string{"I/O error", "short write", "full disk"}[k] }

// call is what a program asks a disk for.
type call int

const (
	read call = iota
	write
	truncate
	syncFile
	remove
	create
	share
)

// affects reports whether calls of that sort can fail so.
func (k Kind) affects(c call) bool {
	switch k {
	case ShortWrite:
		return c == write
	case NoSpace:
		return c == write || c == create || c == share
	}
	return c != share
}

// Disk is a directory whose files are written through this package. Its methods may be called concurrently.
type Disk struct {
	// Dir is the directory.
	Dir string

	mu sync.Mutex
	// calls counts the calls that each kind affects.
	calls [kinds]int
	// fault is armed from the call with the number from on, to the one before until.
	fault       Kind
	from, until int
	log         []step
	// files are the numbers of the files in the directory by name; contents are those that they had at first.
	files    map[string]int
	last     int
	contents map[int][]byte
}

// New returns an empty disk that is gone after the test.
func New(tb testing.TB) *Disk {
	tb.Helper()
	dir, err := filepath.EvalSymlinks(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	d := &Disk{Dir: dir, files: map[string]int{}, contents: map[int][]byte{}}
	register(d)
	tb.Cleanup(d.Discard)
	return d
}

// Discard removes the files of a disk that is not needed any more.
func (d *Disk) Discard() {
	unregister(d)
	_ = os.RemoveAll(d.Dir)
}

// Path returns the path of the file of that name.
func (d *Disk) Path(name string) string { return filepath.Join(d.Dir, name) }

// Inject lets n calls that the kind affects fail, after the next skip of them, which succeed.
func (d *Disk) Inject(k Kind, skip, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault, d.from = k, d.calls[k]+skip
	d.until = d.from + n
}

// Always is a number of calls that none reaches.
const Always = 1 << 40

// Heal ends the fault.
func (d *Disk) Heal() { d.Inject(IOError, 0, 0) }

// Calls returns how many calls so far the kind affects.
func (d *Disk) Calls(k Kind) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls[k]
}

// failsLocked counts a call and reports whether it fails.
func (d *Disk) failsLocked(c call) bool {
	fails := false
	for k := range kinds {
		if k.affects(c) {
			n := d.calls[k]
			d.calls[k]++
			fails = fails || k == d.fault && d.from <= n && n < d.until
		}
	}
	return fails
}
