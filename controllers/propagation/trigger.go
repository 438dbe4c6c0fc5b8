package propagation

import (
	"context"
	"maps"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Trigger is the source of a controller through which another part of the operator asks for reconciles. It never blocks
// who asks, and keeps what is asked for before the controller starts.
type Trigger struct {
	mu      sync.Mutex
	queue   workqueue.TypedRateLimitingInterface[reconcile.Request]
	waiting map[types.NamespacedName]bool
}

// Start is called by the controller whose source the trigger is.
func (m *Trigger) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = queue
	for name := range maps.Keys(m.waiting) {
		queue.Add(reconcile.Request{NamespacedName: name})
	}
	m.waiting = nil
	return nil
}

// Send asks for reconciles of the named objects.
func (m *Trigger) Send(names ...types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range names {
		if m.queue != nil {
			m.queue.Add(reconcile.Request{NamespacedName: name})
			continue
		}
		if m.waiting == nil {
			m.waiting = map[types.NamespacedName]bool{}
		}
		m.waiting[name] = true
	}
}
