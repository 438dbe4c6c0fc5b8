package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// defaultVolumeSize is the schema's.
const defaultVolumeSize = "10Gi"

// embedded returns the volume of the embedded store, nil when the fleet has another one.
func embedded(fleet *v1alpha1.ReceiverFleet) *v1alpha1.Volume {
	switch store := fleet.Spec.Store; {
	case store.Embedded != nil:
		return store.Embedded
	case store.Postgres == nil:
		return &v1alpha1.Volume{}
	}
	return nil
}

// spool returns the volume on which each receiver keeps postbacks while the database is away, nil when there is none.
func spool(fleet *v1alpha1.ReceiverFleet) *v1alpha1.Volume {
	if postgres := fleet.Spec.Store.Postgres; postgres != nil {
		return postgres.Spool
	}
	return nil
}

func dataClaimName(fleet *v1alpha1.ReceiverFleet) string { return childName(fleet.Name, "-data") }

// DataClaim claims the embedded store's volume. It has no owner: clicks and conversions outlive the fleet, and a fleet
// of the same name finds them again.
func DataClaim(fleet *v1alpha1.ReceiverFleet) *corev1ac.PersistentVolumeClaimApplyConfiguration {
	volume := embedded(fleet)
	if volume == nil {
		return nil
	}
	return corev1ac.PersistentVolumeClaim(dataClaimName(fleet), fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithSpec(claimSpec(volume))
}

func claimSpec(volume *v1alpha1.Volume) *corev1ac.PersistentVolumeClaimSpecApplyConfiguration {
	spec := corev1ac.PersistentVolumeClaimSpec().
		WithAccessModes(corev1.ReadWriteOnce).
		WithResources(corev1ac.VolumeResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceStorage: volumeSize(volume)}))
	if volume.StorageClassName != nil {
		spec.WithStorageClassName(*volume.StorageClassName)
	}
	return spec
}

func volumeSize(volume *v1alpha1.Volume) resource.Quantity {
	if volume.Size == nil {
		return resource.MustParse(defaultVolumeSize)
	}
	return *volume.Size
}
