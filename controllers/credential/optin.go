package credential

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Readable reports whether a Secret opts in to being named by declarations. Otherwise, anyone who may write
// declarations in a namespace could use every Secret of it.
func Readable(secret *corev1.Secret) bool {
	return secret.Type == v1alpha1.SecretTypeCredentials ||
		secret.Labels[v1alpha1.LabelReadable] == v1alpha1.LabelReadableValue
}

// SharedWith reports whether the values of a Secret may go to a namespace.
func SharedWith(secret *corev1.Secret, namespace string) bool {
	return secret.Namespace == namespace ||
		slices.ContainsFunc(strings.Split(secret.Annotations[v1alpha1.AnnotationSharedWith], ","), func(name string) bool {
			return strings.TrimSpace(name) == namespace
		})
}

// DeniedError says why a Secret that is there may not be used, and how it opts in.
type DeniedError struct{ says string }

// Error implements error.
func (e *DeniedError) Error() string { return e.says }

// ErrNotReadable says how a Secret opts in.
var ErrNotReadable = &DeniedError{fmt.Sprintf("it needs the label %s: %q, by which a Secret opts in to being named "+
	"by declarations",
	v1alpha1.LabelReadable, v1alpha1.LabelReadableValue)}

// NotShared says how a Secret's values may go to the namespace of a fleet.
func NotShared(namespace string) *DeniedError {
	return &DeniedError{fmt.Sprintf("it needs the annotation %s: %s, because the fleet is in that namespace",
		v1alpha1.AnnotationSharedWith, namespace)}
}
