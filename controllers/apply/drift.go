package apply

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// correct brings the spec of an endpoint's own fleet to what its endpoint declares, in one patch: the spec is the
// endpoint's. Applying can't, since it leaves alone what others added and what the API server gave as a default, like
// the embedded store that is to be none beside PostgreSQL.
func (w *Writer) correct(ctx context.Context, child resources.Child, live client.Object, held,
	want map[string]any) (bool, error) {
	if child.Kind != resources.KindReceiverFleet || w.DefaultFleet == nil {
		return false, nil
	}
	whole, err := w.defaulted(want)
	if err != nil {
		return false, err
	}
	patch := specPatch(specOf(held), specOf(want), specOf(whole))
	if patch == nil {
		return false, nil
	}
	encoded, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": live.GetResourceVersion()},
		"spec":     patch,
	})
	if err != nil {
		return false, fmt.Errorf("encoding a patch of %s %s: %w", child.Kind.Kind, child.Name, err)
	}
	if !w.guard.permits(w.Now(), child.Kind.String(), child.Namespace, child.Name, fmt.Sprint(patch)) {
		return false, &ContestedError{Kind: child.Kind.Kind, Name: child.Name}
	}
	err = w.Client.Patch(ctx, live, client.RawPatch(types.MergePatchType, encoded), w.fieldOwner())
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, refused(child, want, err)
	}
	return true, nil
}

// defaulted returns a fleet with the defaults of the schema, and values written as in what was read, like 12h0m0s.
func (w *Writer) defaulted(fleet map[string]any) (map[string]any, error) {
	whole := runtime.DeepCopyJSON(fleet)
	w.DefaultFleet(whole)
	var typed v1alpha1.ReceiverFleet
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(whole, &typed); err != nil {
		return nil, fmt.Errorf("reading a ReceiverFleet with defaults: %w", err)
	}
	written, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&typed)
	if err != nil {
		return nil, fmt.Errorf("encoding a ReceiverFleet with defaults: %w", err)
	}
	rewrite(whole, written)
	return whole, nil
}

// rewrite takes over how values are written. What is left out because it is empty stays.
func rewrite(object, written map[string]any) {
	for name, value := range object {
		other, found := written[name]
		inner, isObject := value.(map[string]any)
		if otherInner, ok := other.(map[string]any); isObject && ok {
			rewrite(inner, otherInner)
		} else if found {
			object[name] = other
		}
	}
}

// specOf returns a copy of an object's spec.
func specOf(object map[string]any) map[string]any {
	spec, _, _ := unstructured.NestedMap(object, "spec")
	return spec
}

// specPatch is [drift] but for the replicas, which are applied, so that they stay where the endpoint says nothing of
// them and kubectl scale works. They only go where they can't stand beside the rest.
func specPatch(held, want, whole map[string]any) map[string]any {
	replicas, _ := held["replicas"].(int64)
	for _, spec := range []map[string]any{held, want, whole} {
		delete(spec, "replicas")
	}
	patch := drift(held, want, whole)
	_, scales := want["autoscaling"]
	_, embeds, _ := unstructured.NestedMap(whole, "store", "embedded")
	if patch != nil && (scales || embeds && replicas > 1) {
		patch["replicas"] = nil
	}
	return patch
}

// drift returns the JSON merge patch that takes away from live what whole lacks, and changes what differs; nil if there
// is nothing. whole is what is wanted with the defaults of the schema. A default that live lacks is no reason to patch,
// since the API server may have an older schema, but goes along: it may be what replaces a field that is taken away.
// Lists are replaced as a whole.
func drift(live, want, whole map[string]any) map[string]any {
	patch := map[string]any{}
	for name, held := range live {
		switch right, found := whole[name]; {
		case !found:
			patch[name] = nil
		case !same(held, right):
			heldMap, isMap := held.(map[string]any)
			rightMap, wantsMap := right.(map[string]any)
			if !isMap || !wantsMap {
				patch[name] = right
				continue
			}
			wantMap, _ := want[name].(map[string]any)
			if inner := drift(heldMap, wantMap, rightMap); inner != nil {
				patch[name] = inner
			}
		}
	}
	changes := len(patch) > 0
	for name, right := range whole {
		_, wanted := want[name]
		if _, found := live[name]; !found && (wanted || changes) && !omitted(right) {
			patch[name] = right
		}
	}
	if len(patch) == 0 {
		return nil
	}
	return patch
}

// same reports whether two values are equal, but for fields that are left out when they are empty.
func same(live, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		held, ok := live.(map[string]any)
		return ok && drift(held, want, want) == nil
	case []any:
		held, ok := live.([]any)
		if !ok || len(held) != len(want) {
			return false
		}
		for i := range want {
			if !same(held[i], want[i]) {
				return false
			}
		}
		return true
	}
	return sameValue(live, want, "")
}

// omitted reports whether a value means the same as none. An object without fields means more: that something is on.
func omitted(v any) bool {
	object, isObject := v.(map[string]any)
	return empty(v) && (!isObject || len(object) > 0)
}
