package resources

import (
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// PodSecret is a Secret of which a fleet's pods get values.
type PodSecret struct {
	// At is the field of the fleet that names it.
	At, Name string
}

// PodSecrets returns the Secrets that a fleet makes its pods read: that of the database, and those of environment
// variables and volumes of the pod template.
func PodSecrets(fleet *v1alpha1.ReceiverFleet) []PodSecret {
	var found []PodSecret
	if postgres := fleet.Spec.Store.Postgres; postgres != nil {
		found = append(found, PodSecret{"spec.store.postgres.dsnSecretRef", postgres.DSNSecretRef.Name})
	}
	if fleet.Spec.PodTemplate == nil {
		return found
	}
	var template corev1.PodTemplateSpec
	if json.Unmarshal(fleet.Spec.PodTemplate.Raw, &template) != nil {
		return found // which PodTemplate reports
	}
	spec := &template.Spec
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		at := podTemplatePath.Child("spec", "containers").Key(c.Name)
		for _, variable := range c.Env {
			if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
				found = append(found, PodSecret{at.Child("env").Key(variable.Name).String(), from.SecretKeyRef.Name})
			}
		}
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil {
				found = append(found, PodSecret{at.Child("envFrom").String(), from.SecretRef.Name})
			}
		}
	}
	for _, volume := range spec.Volumes {
		at := podTemplatePath.Child("spec", "volumes").Key(volume.Name).String()
		if volume.Secret != nil {
			found = append(found, PodSecret{at, volume.Secret.SecretName})
		}
		if volume.CSI != nil && volume.CSI.NodePublishSecretRef != nil {
			found = append(found, PodSecret{at, volume.CSI.NodePublishSecretRef.Name})
		}
	}
	return found
}
