// Package lookup reads Secrets that users own. Of all Secrets only the metadata is watched; content is fetched for
// those that a declaration names, again whenever their resourceVersion moves. So foreign Secrets cost next to no
// memory. What has not opted in to being read is not kept and not handed on.
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

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
)

// Secrets looks Secrets up.
type Secrets struct {
	// Own is the cache of the Secrets that the operator made, Metadata that of all the others' metadata, Live the API
	// server.
	Own, Metadata, Live client.Reader

	mu   sync.Mutex
	held map[types.NamespacedName]content
}

type content struct {
	version string
	secret  *Secret
}

// Secret is what was found of a Secret that a declaration names.
type Secret struct {
	// Data is for reading only; nil unless the Secret is Readable.
	Data map[string][]byte
	// Readable: it opted in, or was made for anyone who asks.
	Readable bool
	// sharedWith reports whether its values may go to a namespace.
	sharedWith func(namespace string) bool
}

// SharedWith reports whether the values may go to a namespace.
func (s *Secret) SharedWith(namespace string) bool { return s.sharedWith(namespace) }

// Owner is an object for which the operator makes Secrets: the label by which they tell, and its name.
type Owner struct{ Label, Name string }

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

// Named returns a Secret that an owner's declaration names. to is the namespace of the receivers that get its values,
// or empty where they get digests only. What keeps the Secret from being used is in it; the error is the API server's.
func (s *Secrets) Named(
	ctx context.Context, name types.NamespacedName, owner Owner, to string,
) (credential.Secret, error) {
	found, err := s.Read(ctx, name, owner)
	named := credential.Secret{Name: name.Name}
	switch {
	case err != nil:
	case found == nil:
		named.Err = credential.ErrNotFound
	case !found.Readable:
		named.Err = credential.ErrNotReadable
	case to != "" && !found.SharedWith(to):
		named.Err = credential.NotShared(to)
	default:
		named.Data = found.Data
	}
	return named, err
}

// Made reads a Secret of the operator's; an empty one is returned where there is none.
func Made(ctx context.Context, reader client.Reader, namespace, name string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return &corev1.Secret{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a Secret of the operator's: %w", err)
	}
	return &secret, nil
}

// Read returns a Secret that an owner's declaration names; nil when there is no such Secret.
func (s *Secrets) Read(ctx context.Context, name types.NamespacedName, owner Owner) (*Secret, error) {
	current := SecretMetadata()
	err := s.Metadata.Get(ctx, name, current)
	if apierrors.IsNotFound(err) {
		s.hold(name, nil)
		return s.own(ctx, name, owner)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for a Secret: %w", err)
	}
	s.mu.Lock()
	held, known := s.held[name]
	s.mu.Unlock()
	if known && held.version == current.ResourceVersion {
		return held.secret, nil
	}
	var secret corev1.Secret
	err = s.Live.Get(ctx, name, &secret)
	if apierrors.IsNotFound(err) {
		s.hold(name, nil)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a Secret: %w", err)
	}
	found := readable(&secret, credential.Readable(&secret))
	s.hold(name, &content{version: secret.ResourceVersion, secret: found})
	return found, nil
}

// own reads a Secret that the operator made. Declarations may name those that were made for them, like the key that was
// generated, and others as those of users.
func (s *Secrets) own(ctx context.Context, name types.NamespacedName, owner Owner) (*Secret, error) {
	secret, err := Made(ctx, s.Own, name.Namespace, name.Name)
	if err != nil || secret.Name == "" {
		return nil, err
	}
	made := owner.Name != "" && secret.Labels[owner.Label] == owner.Name &&
		secret.Labels[v1alpha1.LabelRole] == v1alpha1.RoleKey
	return readable(secret, made || credential.Readable(secret)), nil
}

// readable keeps nothing of a Secret that did not opt in.
func readable(secret *corev1.Secret, yes bool) *Secret {
	found := &Secret{Readable: yes, sharedWith: func(string) bool { return false }}
	if yes {
		found.Data = secret.Data
		only := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: secret.Namespace, Annotations: map[string]string{
			v1alpha1.AnnotationSharedWith: secret.Annotations[v1alpha1.AnnotationSharedWith],
		}}}
		found.sharedWith = func(namespace string) bool { return credential.SharedWith(only, namespace) }
	}
	return found
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
