// Package apply is the operator's only writer: server-side apply under one field owner, forced, and skipped where the
// live object already holds what would be applied, so that a reconcile at rest writes nothing. It knows neither fleets
// nor endpoints beyond their status.
package apply

import (
	"context"
	"encoding/json"
	"fmt"

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

// FieldOwner is in the managed fields of everything the operator writes.
const FieldOwner = client.FieldOwner("postback-operator")

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
// if owner controls it. Objects of others are left alone: the error is a [TakenError].
func (w *Writer) Child(ctx context.Context, owner client.Object, child resources.Child) (bool, error) {
	live, err := w.object(child.Kind)
	if err != nil {
		return false, err
	}
	name := types.NamespacedName{Namespace: child.Namespace, Name: child.Name}
	err = w.Client.Get(ctx, name, live)
	if child.Apply == nil {
		if apierrors.IsNotFound(err) || err == nil && !metav1.IsControlledBy(live, owner) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("reading %s %s: %w", child.Kind.Kind, name.Name, err)
		}
		return w.delete(ctx, child, live)
	}
	want, fields, err2 := wanted(child.Apply)
	switch {
	case err2 != nil:
		return false, err2
	case apierrors.IsNotFound(err):
		err = w.vacant(ctx, owner, child, name)
	case err == nil:
		if !ours(live, owner) {
			return false, &TakenError{Kind: child.Kind.Kind, Name: child.Name}
		}
		var held map[string]any
		held, err = runtime.DefaultUnstructuredConverter.ToUnstructured(live)
		if err == nil && live.GetAnnotations()[fieldsAnnotation] == fields && covers(held, want, "") {
			return false, nil
		}
	}
	if err != nil {
		return false, err
	}
	object := &unstructured.Unstructured{Object: want}
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[fieldsAnnotation] = fields
	object.SetAnnotations(annotations)
	err = w.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), FieldOwner, client.ForceOwnership)
	if err != nil {
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

func (w *Writer) delete(ctx context.Context, child resources.Child, live client.Object) (bool, error) {
	if live.GetDeletionTimestamp() != nil {
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

// vacant makes sure that an object which the cache lacks is nobody else's.
func (w *Writer) vacant(ctx context.Context, owner client.Object, child resources.Child,
	name types.NamespacedName) error {
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(child.Kind)
	err := w.Live.Get(ctx, name, live)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("reading %s %s: %w", child.Kind.Kind, name.Name, err)
	case !ours(live, owner):
		return &TakenError{Kind: child.Kind.Kind, Name: child.Name}
	}
	return nil
}

// ours reports whether an object is the operator's and not of another owner. Who removed its label has not made it
// theirs.
func ours(live, owner client.Object) bool {
	if controller := metav1.GetControllerOf(live); controller != nil {
		return controller.UID == owner.GetUID()
	}
	if live.GetLabels()[v1alpha1.LabelManagedBy] == v1alpha1.LabelManagedByValue {
		return true
	}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == string(FieldOwner) && entry.Operation == metav1.ManagedFieldsOperationApply {
			return true
		}
	}
	return false
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

// Annotate puts one annotation on a pod, unless it is there.
func (w *Writer) Annotate(ctx context.Context, pod *corev1.Pod, key, value string) (bool, error) {
	if pod.Annotations[key] == value {
		return false, nil
	}
	// The uid keeps a pod of the same name from being annotated, and a deleted one from being made again.
	apply := corev1ac.Pod(pod.Name, pod.Namespace).WithUID(pod.UID).WithAnnotations(map[string]string{key: value})
	err := w.Client.Apply(ctx, apply, FieldOwner, client.ForceOwnership)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) || apierrors.IsInvalid(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("annotating a Pod: %w", err)
	}
	return true, nil
}
