package resources

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation/field"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	kjson "sigs.k8s.io/json"
)

var podTemplatePath = field.NewPath("spec", "podTemplate")

// appliable drops what the typed form adds to an apply configuration.
func appliable(template *corev1.PodTemplateSpec) map[string]any {
	content, _ := json.Marshal(template)
	var out map[string]any
	_ = json.Unmarshal(content, &out)
	if metadata, ok := out["metadata"].(map[string]any); ok {
		delete(metadata, "creationTimestamp")
	}
	return out
}

// mergePodTemplate merges the user's part over what the operator built, as `kubectl patch` does. The error names every
// field that is not known or not the user's, and no value: environment variables may hold secrets.
func mergePodTemplate(built *corev1ac.PodTemplateSpecApplyConfiguration, patch []byte,
	unrestricted bool) (*corev1ac.PodTemplateSpecApplyConfiguration, error) {
	original, err := json.Marshal(built)
	if err != nil {
		return nil, fmt.Errorf("encoding the pod template: %w", err)
	}
	var before, after corev1.PodTemplateSpec
	if err := json.Unmarshal(original, &before); err != nil {
		return nil, fmt.Errorf("decoding the pod template: %w", err)
	}
	merged, err := strategicpatch.StrategicMergePatch(original, patch, corev1.PodTemplateSpec{})
	if err != nil {
		return nil, field.Forbidden(podTemplatePath,
			"it is no part of a pod template: every item of a list needs its key, like the name of a container")
	}
	unknown, err := kjson.UnmarshalStrict(merged, &after)
	if err != nil {
		return nil, field.Forbidden(podTemplatePath, "a value in it has the wrong type")
	}
	var found field.ErrorList
	for _, err := range unknown {
		found = append(found, field.Forbidden(podTemplatePath, err.Error()))
	}
	found = append(found, protect(&before, &after)...)
	if !unrestricted && len(found) == 0 {
		found = append(found, restrict(&before, &after)...)
		if merged, err = json.Marshal(appliable(&after)); err != nil {
			return nil, fmt.Errorf("encoding the merged pod template: %w", err)
		}
	}
	if len(found) > 0 {
		return nil, found.ToAggregate()
	}
	result := corev1ac.PodTemplateSpec()
	if err := json.Unmarshal(merged, result); err != nil {
		return nil, fmt.Errorf("decoding the merged pod template: %w", err)
	}
	return result, nil
}
