package propagation

import (
	"maps"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Contents are the endpoints of one configuration with their own revisions.
type Contents map[types.NamespacedName]string

// History remembers what stood in the configurations that receivers may still serve. So an endpoint stays confirmed while
// its fleet's configuration changes on account of others.
type History struct {
	mu     sync.Mutex
	fleets map[types.NamespacedName]map[string]Contents
}

// Record adds a configuration and forgets those that nobody serves. It returns what is remembered, for reading only.
func (h *History) Record(fleet types.NamespacedName, revision string, contents Contents, served map[string]bool) map[string]Contents {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fleets == nil {
		h.fleets = map[types.NamespacedName]map[string]Contents{}
	}
	kept := maps.Clone(h.fleets[fleet])
	if kept == nil {
		kept = map[string]Contents{}
	}
	maps.DeleteFunc(kept, func(revision string, _ Contents) bool { return !served[revision] })
	kept[revision] = contents
	h.fleets[fleet] = kept
	return kept
}

// Forget drops a fleet that is gone.
func (h *History) Forget(fleet types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.fleets, fleet)
}
