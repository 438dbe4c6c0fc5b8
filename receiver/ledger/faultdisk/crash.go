package faultdisk

import (
	"math/rand/v2"
	"os"
	"testing"
)

// step is a change of the disk, or a sync.
type step struct {
	call call
	// name and file are what it was done to. A sync of the directory has no name.
	name string
	file int
	// at and data are a write's; at is also the size after a truncation.
	at   int64
	data []byte
	// failed is a sync that failed.
	failed bool
}

// Change is what a crash may undo.
type Change struct {
	// Number of the change, from 0, and the Name of its file.
	Number int
	Name   string
	// Synced: the program has been told that the change is durable.
	Synced bool
}

// Fate of a change in a crash.
type Fate int

// The fates.
const (
	Lost Fate = iota
	Kept
	// Torn: only the first half of what was written has reached the disk.
	Torn
)

// OnlySynced loses everything that was not synced.
func OnlySynced(c Change) Fate {
	if c.Synced {
		return Kept
	}
	return Lost
}

// Everything keeps everything: the end of a process, not of a machine.
func Everything(Change) Fate { return Kept }

// Some keeps what was synced and lets r decide about everything else.
func Some(r *rand.Rand) func(Change) Fate {
	return func(c Change) Fate {
		if c.Synced {
			return Kept
		}
		return Fate(r.IntN(int(Torn) + 1))
	}
}

// Changes returns how many changes and syncs there have been.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.log)
}

// Crash returns the disk as it is found after a crash that followed the first n changes. The disk itself stays as it
// is.
func (d *Disk) Crash(tb testing.TB, n int, fate func(Change) Fate) *Disk {
	tb.Helper()
	d.mu.Lock()
	log := d.log[:n:n]
	d.mu.Unlock()
	found := image{files: map[string]int{}, contents: map[int][]byte{}}
	for name, file := range d.initial() {
		found.files[name] = file
		found.contents[file] = append([]byte{}, d.contents[file]...)
	}
	synced := durable(log)
	for i, s := range log {
		if s.call != syncFile {
			found.apply(s, fate(Change{Number: i, Name: s.name, Synced: synced[i]}))
		}
	}
	after := New(tb)
	for name, file := range found.files {
		if err := os.WriteFile(after.Path(name), found.contents[file], 0o600); err != nil {
			tb.Fatal(err)
		}
		after.adopt(name, found.contents[file])
	}
	return after
}

// adopt makes the file one that was always there.
func (d *Disk) adopt(name string, contents []byte) {
	d.last++
	d.files[name] = d.last
	d.contents[d.last] = contents
}

// initial returns the files that were there before the first change.
func (d *Disk) initial() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := map[string]int{}
	for name, file := range d.files {
		if _, ok := d.contents[file]; ok {
			names[name] = file
		}
	}
	for _, s := range d.log {
		if _, ok := d.contents[s.file]; ok && s.call == remove {
			names[s.name] = s.file
		}
	}
	return names
}

// durable finds the changes that a later sync has made certain.
func durable(log []step) []bool {
	certain := make([]bool, len(log))
	// dirty are the changes by the file whose sync they wait for; those of names wait for the directory's, which is file
	// 0.
	dirty := map[int][]int{}
	for i, s := range log {
		switch s.call {
		case syncFile:
			for _, change := range dirty[s.file] {
				certain[change] = !s.failed
			}
			delete(dirty, s.file)
		case create, remove:
			dirty[0] = append(dirty[0], i)
		default:
			dirty[s.file] = append(dirty[s.file], i)
		}
	}
	return certain
}

// image is what a crash leaves.
type image struct {
	files    map[string]int
	contents map[int][]byte
}

func (m *image) apply(s step, fate Fate) {
	if fate == Lost {
		return
	}
	switch s.call {
	case create:
		m.files[s.name] = s.file
	case remove:
		delete(m.files, s.name)
	case truncate:
		m.contents[s.file] = resized(m.contents[s.file], s.at)
	case write:
		data := s.data
		if fate == Torn {
			data = data[:len(data)/2]
		}
		end := s.at + int64(len(data))
		contents := resized(m.contents[s.file], max(end, int64(len(m.contents[s.file]))))
		copy(contents[s.at:], data)
		m.contents[s.file] = contents
	}
}

func resized(contents []byte, size int64) []byte {
	if int64(len(contents)) >= size {
		return contents[:size:size]
	}
	return append(contents, make([]byte, size-int64(len(contents)))...)
}
