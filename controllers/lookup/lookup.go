// Package lookup reads Secrets that users own. Of all Secrets only the metadata is watched; content is fetched for those
// that a declaration names, again whenever their resourceVersion moves. So foreign Secrets cost next to no memory.
//
// It writes nothing.
package lookup

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Secrets looks Secrets up.
type Secrets struct {
	// Own is the cache of the Secrets that the operator made, Metadata that of all the others' metadata, Live the API server.
	Own, Metadata, Live client.Reader

	mu   sync.Mutex
	held map[types.NamespacedName]content
}

type content struct {
	version string
	data    map[string][]byte
}

// SecretMetadata is the object by which the metadata of Secrets is watched.
func SecretMetadata() *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return object
}

// NamespaceMetadata is the object by which the labels of Namespaces are watched.
func NamespaceMetadata() *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return object
}

// Data returns a Secret's content, for reading only; found is false when there is no such Secret.
func (s *Secrets) Data(ctx context.Context, name types.NamespacedName) (data map[string][]byte, found bool, err error) {
	current := SecretMetadata()
	err = s.Metadata.Get(ctx, name, current)
	if apierrors.IsNotFound(err) {
		s.hold(name, nil)
		return s.own(ctx, name)
	}
	if err != nil {
		return nil, false, fmt.Errorf("looking for a Secret: %w", err)
	}
	s.mu.Lock()
	held, known := s.held[name]
	s.mu.Unlock()
	if known && held.version == current.ResourceVersion {
		return held.data, true, nil
	}
	var secret corev1.Secret
	err = s.Live.Get(ctx, name, &secret)
	if apierrors.IsNotFound(err) {
		s.hold(name, nil)
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading a Secret: %w", err)
	}
	s.hold(name, &content{version: secret.ResourceVersion, data: secret.Data})
	return secret.Data, true, nil
}

// own reads a Secret that the operator made: a declaration may name it, like the key that was generated for another.
func (s *Secrets) own(ctx context.Context, name types.NamespacedName) (map[string][]byte, bool, error) {
	var secret corev1.Secret
	err := s.Own.Get(ctx, name, &secret)
	if apierrors.IsNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading a Secret of the operator's: %w", err)
	}
	return secret.Data, true, nil
}

func (s *Secrets) hold(name types.NamespacedName, c *content) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c == nil {
		delete(s.held, name)
		return
	}
	if s.held == nil {
		s.held = map[types.NamespacedName]content{}
	}
	s.held[name] = *c
}
