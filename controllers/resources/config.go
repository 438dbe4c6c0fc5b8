package resources

import (
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Numbers of shards, each below 1 MiB. Pods name the Secrets of all of them, so that a growing configuration restarts
// nothing; and since every name costs the kubelet a watch, fleets that an endpoint made for itself get fewer.
const (
	sharedShards = 32
	ownShards    = 4
)

// configMode lets the receiver's group read.
const configMode int32 = 0o440

// MaxShards is the number of shards that the fleet's pods have a place for.
func MaxShards(fleet *v1alpha1.ReceiverFleet) int {
	if owner := metav1.GetControllerOf(fleet); owner != nil && owner.Kind == v1alpha1.KindPostbackEndpoint {
		return ownShards
	}
	return sharedShards
}

// maxOneSecretBytes keeps a Secret with a whole configuration below 1 MiB when it is base64-encoded, as a shard's is.
const maxOneSecretBytes = 700 << 10

// ConfigSecrets returns the Secrets with a fleet's sealed configuration, whose revision is given, in the order in which
// they are to be written: shards, manifest, then the shards that are no longer there. While everything fits into one
// Secret it is in the manifest's, so that a change is one write and is seen as a whole. An error means that the fleet
// has more shards than its pods have a place for.
func ConfigSecrets(fleet *v1alpha1.ReceiverFleet, documents config.Documents, revision string) ([]Child, error) {
	shards := slices.DeleteFunc(slices.Sorted(maps.Keys(documents)),
		func(name string) bool { return name == config.ManifestFile })
	places := MaxShards(fleet)
	if len(shards) > places {
		return nil, fmt.Errorf("the configuration takes %d Secrets, %d is the limit: spread the endpoints over more fleets",
			len(shards), places)
	}
	var children []Child
	first := map[string][]byte{config.ManifestFile: documents[config.ManifestFile]}
	if len(shards) == 1 && len(documents[shards[0]])+len(documents[config.ManifestFile]) <= maxOneSecretBytes {
		first, shards = documents, nil
	}
	for i, file := range shards {
		children = append(children, SecretChild(configSecret(fleet, ShardSecretName(fleet.Name, i),
			map[string][]byte{file: documents[file]})))
	}
	manifest := configSecret(fleet, ManifestSecretName(fleet.Name), first)
	children = append(children,
		SecretChild(manifest.WithAnnotations(map[string]string{v1alpha1.AnnotationConfigRevision: revision})))
	for i := len(shards); i < places; i++ {
		children = append(children, Child{Kind: KindSecret, Namespace: fleet.Namespace, Name: ShardSecretName(fleet.Name, i)})
	}
	return children, nil
}

func configSecret(fleet *v1alpha1.ReceiverFleet, name string,
	documents map[string][]byte) *corev1ac.SecretApplyConfiguration {
	return fleetSecret(fleet, name, v1alpha1.RoleConfig).WithData(documents)
}

// configProjection puts all documents into one volume, which the kubelet changes as a whole. A pod waits for the
// manifest. A shard that is in two Secrets, while a configuration moves from one to several or back, is taken from its
// own.
func configProjection(fleet *v1alpha1.ReceiverFleet) *corev1ac.VolumeApplyConfiguration {
	projection := corev1ac.ProjectedVolumeSource().WithDefaultMode(configMode).
		WithSources(corev1ac.VolumeProjection().WithSecret(corev1ac.SecretProjection().
			WithName(ManifestSecretName(fleet.Name))))
	for i := range MaxShards(fleet) {
		projection.WithSources(corev1ac.VolumeProjection().WithSecret(corev1ac.SecretProjection().
			WithName(ShardSecretName(fleet.Name, i)).WithOptional(true)))
	}
	return corev1ac.Volume().WithName(configVolume).WithProjected(projection)
}
