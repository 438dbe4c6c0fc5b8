package resources

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// protect returns the fields that the user's part of the pod template changed and must not: the operator, the Service
// and the receiver itself rely on them.
func protect(before, after *corev1.PodTemplateSpec) field.ErrorList {
	var found field.ErrorList
	for _, label := range slices.Sorted(maps.Keys(before.Labels)) {
		if after.Labels[label] != before.Labels[label] {
			found = append(found, field.Forbidden(podTemplatePath.Child("metadata", "labels").Key(label),
				"pods are found by it"))
		}
	}
	spec := podTemplatePath.Child("spec")
	if token := after.Spec.AutomountServiceAccountToken; token == nil || *token {
		found = append(found, field.Forbidden(spec.Child("automountServiceAccountToken"),
			"receivers must not be able to ask the API server"))
	}
	least := *before.Spec.TerminationGracePeriodSeconds
	if grace := after.Spec.TerminationGracePeriodSeconds; grace == nil || *grace < least {
		found = append(found, field.Forbidden(spec.Child("terminationGracePeriodSeconds"),
			fmt.Sprintf("a stop that loses nothing needs %d or more", least)))
	}
	for _, volume := range before.Spec.Volumes {
		if !kept(volume, after.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == volume.Name }) {
			found = append(found, field.Forbidden(spec.Child("volumes").Key(volume.Name), "the receiver works on it"))
		}
	}
	return append(found, protectReceiver(&before.Spec.Containers[0], after.Spec.Containers, spec.Child("containers"))...)
}

func protectReceiver(before *corev1.Container, containers []corev1.Container, path *field.Path) field.ErrorList {
	at := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == ContainerName })
	path = path.Key(ContainerName)
	if at < 0 {
		return field.ErrorList{field.Forbidden(path, "it can't be removed")}
	}
	after := &containers[at]
	var found field.ErrorList
	for _, own := range []struct {
		field         string
		before, after any
		reason        string
	}{
		{"image", before.Image, after.Image, "set spec.image"},
		{"command", before.Command, after.Command, "the image has its own"},
		{"args", before.Args, after.Args, "they follow from the spec"},
		{"ports", before.Ports, after.Ports, "the Service and the operator reach the receiver there"},
	} {
		if !equality.Semantic.DeepEqual(own.before, own.after) {
			found = append(found, field.Forbidden(path.Child(own.field), own.reason))
		}
	}
	for _, variable := range before.Env {
		if !kept(variable, after.Env, func(v corev1.EnvVar) bool { return v.Name == variable.Name }) {
			found = append(found, field.Forbidden(path.Child("env").Key(variable.Name), "set spec.store.postgres.dsnSecretRef"))
		}
	}
	for _, mount := range before.VolumeMounts {
		if !kept(mount, after.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == mount.MountPath }) {
			found = append(found, field.Forbidden(path.Child("volumeMounts").Key(mount.MountPath), "the receiver works on it"))
		}
	}
	return found
}

// kept reports whether the item that has the key is there, once, and is the wanted one.
func kept[T any](want T, items []T, hasKey func(T) bool) bool {
	count, equal := 0, false
	for _, item := range items {
		if hasKey(item) {
			count++
			equal = equality.Semantic.DeepEqual(want, item)
		}
	}
	return count == 1 && equal
}
