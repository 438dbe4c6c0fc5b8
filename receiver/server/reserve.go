package server

import (
	"os"
	"sync"
)

// reserve keeps file descriptors for a listener that has to answer also when the process has none left.
type reserve struct {
	size int

	mu     sync.Mutex
	files  []*os.File
	closed bool
}

func newReserve(size int) *reserve {
	r := &reserve{size: size}
	r.refill()
	return r
}

// spend gives a descriptor back to the process, for the connection that is accepted next. It reports false if none is
// left.
func (r *reserve) spend() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.files) == 0 {
		return false
	}
	last := len(r.files) - 1
	_ = r.files[last].Close() // Nothing was written to it.
	r.files = r.files[:last]
	return true
}

// refill takes descriptors until there are as many as there should be, or none is left.
func (r *reserve) refill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.closed && len(r.files) < r.size {
		file, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		r.files = append(r.files, file)
	}
}

func (r *reserve) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	for r.spend() {
	}
}
