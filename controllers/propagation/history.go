package propagation

import (
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Contents are the endpoints of one configuration with their own revisions.
type Contents map[types.NamespacedName]string

// History remembers what stood in the configurations that receivers may still serve. So an endpoint stays confirmed
// while its fleet's configuration changes on account of others.
type History struct {
	mu     sync.Mutex
	fleets map[types.NamespacedName]record
}

// record is what is remembered of one fleet.
type record struct {
	wanted string
	// since is when a receiver last served something else than what was wanted for the first time.
	since    time.Time
	contents map[string]Contents
}

// Record adds the configuration that is wanted and forgets those that nobody serves. It returns what is remembered, for
// reading only, and since when receivers have been behind: changes that follow each other faster than they are taken up
// don't move that.
func (h *History) Record(fleet types.NamespacedName, revision string, contents Contents, served map[string]bool,
	now time.Time) (map[string]Contents, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fleets == nil {
		h.fleets = map[types.NamespacedName]record{}
	}
	before := h.fleets[fleet]
	kept := maps.Clone(before.contents)
	if kept == nil {
		kept = map[string]Contents{}
	}
	maps.DeleteFunc(kept, func(revision string, _ Contents) bool { return !served[revision] })
	kept[revision] = contents
	after := record{wanted: revision, since: now, contents: kept}
	if before.wanted == revision || behind(served, before.wanted) {
		after.since = before.since
	}
	h.fleets[fleet] = after
	return kept, after.since
}

// behind reports whether somebody serves something else than what was wanted before; nothing was before the first time.
func behind(served map[string]bool, wanted string) bool {
	for revision := range served {
		if revision != "" && revision != wanted && wanted != "" {
			return true
		}
	}
	return false
}

// Forget drops a fleet that is gone.
func (h *History) Forget(fleet types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.fleets, fleet)
}
