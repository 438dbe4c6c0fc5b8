package lookup

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// Kinds knows which of the kinds of others' operators the cluster serves, and follows it: nobody restarts the operator
// because cert-manager was installed after it.
type Kinds struct {
	// Wanted are the kinds to look for.
	Wanted []schema.GroupVersionKind
	// Discover asks the API server what it serves of a group and version.
	Discover func(groupVersion string) (*metav1.APIResourceList, error)
	// Every is how often it is asked.
	Every time.Duration
	// Changed is called after a kind came or went, with those that came.
	Changed func(ctx context.Context, came []schema.GroupVersionKind) error

	mu     sync.Mutex
	served map[schema.GroupVersionKind]bool // guarded by mu
}

// Serves reports whether the cluster serves a kind, as far as is known.
func (k *Kinds) Serves(kind schema.GroupVersionKind) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.served[kind]
}

// Start follows the cluster until the context ends. It is a runnable of the manager. What a [Kinds.Refresh] before it
// found counts as having come.
func (k *Kinds) Start(ctx context.Context) error {
	var came []schema.GroupVersionKind
	for _, kind := range k.Wanted {
		if k.Serves(kind) {
			came = append(came, kind)
		}
	}
	err := k.Changed(ctx, came)
	ticker := time.NewTicker(k.Every)
	defer ticker.Stop()
	for {
		if err != nil && ctx.Err() == nil {
			logf.FromContext(ctx).Error(err, "Finding which kinds the cluster serves")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		var went bool
		if came, went, err = k.Refresh(); err == nil && (len(came) > 0 || went) {
			err = k.Changed(ctx, came)
		}
	}
}

// Refresh asks once. It returns the kinds that came, and whether one went.
func (k *Kinds) Refresh() (came []schema.GroupVersionKind, went bool, err error) {
	found := map[schema.GroupVersionKind]bool{}
	asked := map[schema.GroupVersion]*metav1.APIResourceList{}
	for _, kind := range k.Wanted {
		list, known := asked[kind.GroupVersion()]
		if !known {
			list, err = k.Discover(kind.GroupVersion().String())
			if err != nil && !apierrors.IsNotFound(err) {
				return nil, false, fmt.Errorf("asking for %s: %w", kind.GroupVersion(), err)
			}
			asked[kind.GroupVersion()] = list
		}
		found[kind] = lists(list, kind.Kind)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, kind := range k.Wanted {
		if found[kind] && !k.served[kind] {
			came = append(came, kind)
		}
		went = went || k.served[kind] && !found[kind]
	}
	k.served = found
	return came, went, nil
}

func lists(list *metav1.APIResourceList, kind string) bool {
	if list == nil {
		return false
	}
	for i := range list.APIResources {
		if list.APIResources[i].Kind == kind {
			return true
		}
	}
	return false
}
