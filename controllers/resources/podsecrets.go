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
	// Check says what is wrong with what is in it; nil if anything will do.
	Check func(data map[string][]byte) error
}

// PodSecrets returns the Secrets that a fleet makes its pods read: that of the database, that of the Admin API, and
// those of environment variables and volumes of the pod template.
func PodSecrets(fleet *v1alpha1.ReceiverFleet) []PodSecret {
	var found []PodSecret
	if postgres := fleet.Spec.Store.Postgres; postgres != nil {
		found = append(found, PodSecret{At: "spec.store.postgres.dsnSecretRef", Name: postgres.DSNSecretRef.Name})
	}
	if admin := fleet.Spec.AdminAPI; admin != nil && admin.KeySecretRef != nil {
		found = append(found, PodSecret{
			At:    "spec.adminAPI.keySecretRef",
			Name:  admin.KeySecretRef.Name,
			Check: checkAdminKey(fleet),
		})
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
				found = append(found, PodSecret{At: at.Child("env").Key(variable.Name).String(), Name: from.SecretKeyRef.Name})
			}
		}
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil {
				found = append(found, PodSecret{At: at.Child("envFrom").String(), Name: from.SecretRef.Name})
			}
		}
	}
	for _, volume := range spec.Volumes {
		at := podTemplatePath.Child("spec", "volumes").Key(volume.Name).String()
		if volume.Secret != nil {
			found = append(found, PodSecret{At: at, Name: volume.Secret.SecretName})
		}
		if volume.CSI != nil && volume.CSI.NodePublishSecretRef != nil {
			found = append(found, PodSecret{At: at, Name: volume.CSI.NodePublishSecretRef.Name})
		}
	}
	return found
}
