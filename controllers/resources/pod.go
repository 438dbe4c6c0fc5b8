package resources

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// user and group of the receiver. The group owns the volumes.
const userID, groupID int64 = 65532, 65532

const (
	configVolume = "config"
	opsVolume    = "ops-token"
	dataVolume   = "data"
)

// PodTemplate is the receivers' pod: what the operator builds with spec.podTemplate merged over it. It depends on
// nothing that receivers take up while they run, so that a new key or another rate restarts nothing.
func PodTemplate(fleet *v1alpha1.ReceiverFleet, facts Facts) (*corev1ac.PodTemplateSpecApplyConfiguration, error) {
	built := builtPodTemplate(fleet, facts)
	if fleet.Spec.PodTemplate == nil || len(fleet.Spec.PodTemplate.Raw) == 0 {
		return built, nil
	}
	return mergePodTemplate(built, fleet.Spec.PodTemplate.Raw, facts.Permitted.UnrestrictedPods)
}

func builtPodTemplate(fleet *v1alpha1.ReceiverFleet, facts Facts) *corev1ac.PodTemplateSpecApplyConfiguration {
	spec := corev1ac.PodSpec().
		WithServiceAccountName(fleet.Name).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(stopSeconds(fleet)).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true).
			WithRunAsUser(userID).
			WithRunAsGroup(groupID).
			WithFSGroup(groupID).
			WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithTopologySpreadConstraints(
			spread(fleet, corev1.LabelHostname),
			spread(fleet, corev1.LabelTopologyZone)).
		WithContainers(container(fleet, cmp.Or(fleet.Spec.Image, facts.Image))).
		WithVolumes(configProjection(fleet), opsSecretVolume(fleet))
	if embedded(fleet) != nil {
		spec.WithVolumes(corev1ac.Volume().WithName(dataVolume).
			WithPersistentVolumeClaim(corev1ac.PersistentVolumeClaimVolumeSource().WithClaimName(dataClaimName(fleet))))
	}
	if fleet.Spec.AdminAPI != nil {
		spec.WithVolumes(adminSecretVolume(fleet))
	}
	return corev1ac.PodTemplateSpec().WithLabels(fleetLabels(fleet)).WithSpec(spec)
}

// spread is soft: a receiver next to another is better than none.
func spread(fleet *v1alpha1.ReceiverFleet, topologyKey string) *corev1ac.TopologySpreadConstraintApplyConfiguration {
	return corev1ac.TopologySpreadConstraint().
		WithMaxSkew(1).
		WithTopologyKey(topologyKey).
		WithWhenUnsatisfiable(corev1.ScheduleAnyway).
		WithLabelSelector(selector(fleet))
}

func container(fleet *v1alpha1.ReceiverFleet, image string) *corev1ac.ContainerApplyConfiguration {
	receiver := corev1ac.Container().
		WithName(ContainerName).
		WithImage(image).
		WithArgs(args(fleet)...).
		WithEnv(env(fleet)...).
		WithPorts(port(HTTPPortName, httpPort), port(OpsPortName, OpsPort)).
		WithResources(containerResources(fleet)).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))).
		// The store is opened, and its schema migrated, before the ops port: that may take minutes.
		WithStartupProbe(probe("/livez", 1, 300)).
		WithLivenessProbe(probe("/livez", 10, 3)).
		WithReadinessProbe(probe("/readyz", 5, 2)).
		WithVolumeMounts(
			corev1ac.VolumeMount().WithName(configVolume).WithMountPath(configDir).WithReadOnly(true),
			corev1ac.VolumeMount().WithName(opsVolume).WithMountPath(opsDir).WithReadOnly(true))
	if embedded(fleet) != nil || spool(fleet) != nil {
		receiver.WithVolumeMounts(corev1ac.VolumeMount().WithName(dataVolume).WithMountPath(dataDir))
	}
	if fleet.Spec.AdminAPI != nil {
		receiver.WithPorts(port(AdminPortName, adminPort)).
			WithVolumeMounts(corev1ac.VolumeMount().WithName(adminVolume).WithMountPath(adminDir).WithReadOnly(true))
	}
	return receiver
}

// opsSecretVolume holds the token of the read API. A pod waits for it, so that no receiver ever serves without one.
func opsSecretVolume(fleet *v1alpha1.ReceiverFleet) *corev1ac.VolumeApplyConfiguration {
	return corev1ac.Volume().WithName(opsVolume).WithSecret(corev1ac.SecretVolumeSource().
		WithSecretName(OpsSecretName(fleet)).
		WithDefaultMode(configMode).
		WithItems(corev1ac.KeyToPath().WithKey(v1alpha1.OpsTokenField).WithPath(v1alpha1.OpsTokenField)))
}

func port(name string, number int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(number).WithProtocol(corev1.ProtocolTCP)
}

// probe asks the ops port. Its time is longer than readiness takes to give up on the store.
func probe(path string, everySeconds, failures int32) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().
		WithHTTPGet(corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(OpsPortName))).
		WithPeriodSeconds(everySeconds).
		WithTimeoutSeconds(4).
		WithFailureThreshold(failures)
}
