// Package apply is the operator's only writer: server-side apply, forced, and skipped where the live object already
// holds what would be applied, so that a reconcile at rest writes nothing. It knows neither fleets nor endpoints beyond
// their status, and the spec of an endpoint's own fleet.
package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// fieldsAnnotation identifies the names of the fields that were applied, so that a field which is no longer wanted is
// seen and removed. It says nothing about their values, which may be secrets.
const fieldsAnnotation = "postback.dev/applied-fields"

// Writer writes.
type Writer struct {
	// Client reads from the cache, in which everything the operator made is.
	Client client.Client
	// Live reads from the API server what the cache leaves out: objects of others.
	Live client.Reader
	// Events gets what a status has to tell.
	Events events.EventRecorder
	// ID tells this operator from others, on everything that it makes.
	ID string
	// Now is the clock.
	Now func() time.Time
	// DefaultFleet gives a ReceiverFleet the defaults of the schema.
	DefaultFleet func(fleet map[string]any)

	guard guard
}

// TakenError says that an object of a wanted name belongs to somebody else. Nothing was written.
type TakenError struct {
	Kind string
	Name string
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s %s exists and is not the operator's: rename or delete it", e.Kind, e.Name)
}

// Child brings one object to what is wanted and reports whether it wrote. An object that is not wanted is deleted only
// if owner controls it. Objects of others are left alone: the error is a [TakenError], or a [ForeignError] if another
// operator made it. What is undone each time is a [ContestedError] at last.
func (w *Writer) Child(ctx context.Context, owner client.Object, child resources.Child) (bool, error) {
	live, err := w.object(child.Kind)
	if err != nil {
		return false, err
	}
	name := types.NamespacedName{Namespace: child.Namespace, Name: child.Name}
	err = w.Client.Get(ctx, name, live)
	if child.Apply == nil {
		if err := client.IgnoreNotFound(err); err != nil {
			return false, fmt.Errorf("reading %s %s: %w", child.Kind.Kind, name.Name, err)
		}
		return w.delete(ctx, owner, child, live)
	}
	want, fields, err2 := wanted(child.Apply)
	if err2 != nil {
		return false, err2
	}
	options := []client.ApplyOption{w.fieldOwner(), client.ForceOwnership}
	switch {
	case apierrors.IsNotFound(err):
		var vacant bool
		if vacant, err = w.vacant(ctx, owner, child, name); vacant {
			options = options[:1] // whoever creates it meanwhile is not overwritten
		}
	case err == nil:
		if err := w.mayWrite(owner, child, live); err != nil {
			return false, err
		}
		var held map[string]any
		if held, err = runtime.DefaultUnstructuredConverter.ToUnstructured(live); err != nil {
			return false, err
		}
		if corrected, err := w.correct(ctx, child, live, held, want); corrected || err != nil {
			return corrected, err
		}
		if live.GetAnnotations()[fieldsAnnotation] == fields &&
			live.GetAnnotations()[v1alpha1.AnnotationOperator] == w.ID && covers(held, want, "") {
			return false, nil
		}
	}
	if err != nil {
		return false, err
	}
	return w.apply(ctx, child, want, fields, options)
}

// apply writes what is wanted, unless the same was written too often.
func (w *Writer) apply(ctx context.Context, child resources.Child, want map[string]any, fields string,
	options []client.ApplyOption) (bool, error) {
	object := &unstructured.Unstructured{Object: want}
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[fieldsAnnotation], annotations[v1alpha1.AnnotationOperator] = fields, w.ID
	object.SetAnnotations(annotations)
	content, err := object.MarshalJSON()
	if err != nil {
		return false, fmt.Errorf("encoding %s %s: %w", child.Kind.Kind, child.Name, err)
	}
	if !w.guard.permits(w.Now(), child.Kind.String(), child.Namespace, child.Name, string(content)) {
		return false, &ContestedError{Kind: child.Kind.Kind, Name: child.Name}
	}
	if err := w.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), options...); err != nil {
		return false, refused(child, want, err)
	}
	return true, nil
}

// Secret is [Writer.Child] for a Secret that is wanted.
func (w *Writer) Secret(ctx context.Context, owner client.Object, secret *corev1ac.SecretApplyConfiguration) error {
	_, err := w.Child(ctx, owner, resources.SecretChild(secret))
	return err
}

// object returns an empty object of a kind, typed where the scheme knows it: that is how the cache holds it.
func (w *Writer) object(kind schema.GroupVersionKind) (client.Object, error) {
	if !w.Client.Scheme().Recognizes(kind) {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(kind)
		return u, nil
	}
	typed, err := w.Client.Scheme().New(kind)
	if err != nil {
		return nil, err
	}
	return typed.(client.Object), nil
}

// delete deletes what is there, is this operator's, and is not about to go.
func (w *Writer) delete(ctx context.Context, owner client.Object, child resources.Child,
	live client.Object) (bool, error) {
	if w.other(live) != "" || !metav1.IsControlledBy(live, owner) || live.GetDeletionTimestamp() != nil {
		return false, nil
	}
	uid := live.GetUID()
	err := w.Client.Delete(ctx, live, client.Preconditions{UID: &uid},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("deleting %s %s: %w", child.Kind.Kind, child.Name, err)
	}
	return true, nil
}

// vacant reports whether there is no object of a name that the cache lacks. The error says that there is one which is
// not this operator's.
func (w *Writer) vacant(ctx context.Context, owner client.Object, child resources.Child,
	name types.NamespacedName) (bool, error) {
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(child.Kind)
	err := w.Live.Get(ctx, name, live)
	switch {
	case apierrors.IsNotFound(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("reading %s %s: %w", child.Kind.Kind, name.Name, err)
	}
	return false, w.mayWrite(owner, child, live)
}

// mayWrite says whose an object is that is not this operator's to write.
func (w *Writer) mayWrite(owner client.Object, child resources.Child, live client.Object) error {
	if err := w.Foreign(child.Kind.Kind, live); err != nil {
		return err
	}
	if !w.ours(live, owner) {
		return &TakenError{Kind: child.Kind.Kind, Name: child.Name}
	}
	return nil
}

// wanted returns an apply configuration as the API server will read it, and what identifies the names of its fields.
func wanted(apply runtime.ApplyConfiguration) (map[string]any, string, error) {
	encoded, err := json.Marshal(apply)
	if err != nil {
		return nil, "", fmt.Errorf("encoding an apply configuration: %w", err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(encoded); err != nil {
		return nil, "", fmt.Errorf("decoding an apply configuration: %w", err)
	}
	return object.Object, fieldNames(object.Object), nil
}

// Annotate puts one annotation on a pod. A pod that is gone needs none.
func (w *Writer) Annotate(ctx context.Context, pod *corev1.Pod, key, value string) error {
	// The uid keeps a pod of the same name from being annotated, and a deleted one from being made again.
	apply := corev1ac.Pod(pod.Name, pod.Namespace).WithUID(pod.UID).WithAnnotations(map[string]string{key: value})
	err := w.Client.Apply(ctx, apply, w.fieldOwner(), client.ForceOwnership)
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || apierrors.IsInvalid(err) {
		return nil
	}
	return fmt.Errorf("annotating a Pod: %w", err)
}
