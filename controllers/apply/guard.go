package apply

import (
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// The same write may be made often, as receivers come and go; not as often as somebody can undo it.
const (
	guardWindow = time.Minute
	guardWrites = 20
)

// ContestedError says that a write was undone again and again. It was not made another time.
type ContestedError struct{ Kind, Name string }

// Error implements error. It is what the condition says.
func (e *ContestedError) Error() string {
	return fmt.Sprintf("%s %s was written %d times within a minute, and changed back each time: kubectl get -o yaml "+
		"--show-managed-fields says who else writes it. It is written again in a minute",
		e.Kind, e.Name, guardWrites)
}

// Reason is that of the condition Ready.
func (e *ContestedError) Reason() string { return v1alpha1.ReasonContested }

// guard counts equal writes.
type guard struct {
	mu    sync.Mutex
	made  map[uint64]tally // by what identifies object and content; guarded by mu
	swept time.Time        // guarded by mu
}

// tally counts the writes since a moment.
type tally struct {
	since time.Time
	count int
}

// permits counts a write, and reports whether it may be made. The parts say of which object, and what.
func (g *guard) permits(now time.Time, parts ...string) bool {
	h := fnv.New64a()
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%q", part) // a hash takes everything
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweepLocked(now)
	w := g.made[h.Sum64()]
	if now.Sub(w.since) >= guardWindow {
		w = tally{since: now}
	}
	w.count++
	g.made[h.Sum64()] = w
	return w.count <= guardWrites
}

// sweepLocked forgets, once in a window, what is too long ago to count.
func (g *guard) sweepLocked(now time.Time) {
	if g.made == nil {
		g.made = map[uint64]tally{}
	}
	if now.Sub(g.swept) < guardWindow {
		return
	}
	g.swept = now
	for id, w := range g.made {
		if now.Sub(w.since) >= guardWindow {
			delete(g.made, id)
		}
	}
}
