package resources

import (
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What a pod template may set without the operator's flag, by the fields' names in JSON. What is not listed has to stay
// as the operator builds it, and so has what later versions of Kubernetes add.
var (
	podFields = fieldSet("containers", "initContainers", "volumes", "securityContext", // these are looked into
		"nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "priorityClassName", "preemptionPolicy",
		"schedulerName", "terminationGracePeriodSeconds", "imagePullSecrets")
	// Of image, command, args and ports protect tells, of probes restrictProbes.
	receiverFields = fieldSet("name", "env", "envFrom", "resources", "volumeMounts", "imagePullPolicy",
		"image", "command", "args", "ports", "livenessProbe", "readinessProbe", "startupProbe")
	containerFields = fieldSet("name", "image", "command", "args", "workingDir", "ports", "env", "envFrom", "resources",
		"volumeMounts",
		"imagePullPolicy", "restartPolicy", "terminationMessagePath", "terminationMessagePolicy",
		"livenessProbe", "readinessProbe", "startupProbe", "securityContext")
	volumeFields   = fieldSet("name", "configMap", "emptyDir", "csi", "secret") // of Secrets see [PodSecrets]
	securityFields = fieldSet("allowPrivilegeEscalation", "capabilities", "readOnlyRootFilesystem", "runAsNonRoot",
		"runAsUser", "runAsGroup", "seccompProfile")
	podSecurity = fieldSet("runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy", "supplementalGroups")
)

func fieldSet(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

const needsFlag = "it needs the operator's --allow-unrestricted-pod-templates"

// restrict returns what a merged template has that gives its author more than the receivers' pods need. It also gives
// further containers what the restricted Pod Security Standard asks for and they do not say.
func restrict(before, after *corev1.PodTemplateSpec) field.ErrorList {
	at := podTemplatePath.Child("spec")
	found := others(&before.Spec, &after.Spec, podFields, at)
	if after.Spec.SecurityContext == nil {
		after.Spec.SecurityContext = &corev1.PodSecurityContext{}
	}
	found = append(found, others(before.Spec.SecurityContext, after.Spec.SecurityContext, podSecurity,
		at.Child("securityContext"))...)
	s := after.Spec.SecurityContext
	found = append(found, noRoot(at.Child("securityContext"), s.RunAsUser, s.RunAsGroup, s.FSGroup)...)
	for i := range after.Spec.Volumes {
		volume := &after.Spec.Volumes[i]
		built := slices.IndexFunc(before.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == volume.Name })
		if built < 0 {
			found = append(found, others(&corev1.Volume{}, volume, volumeFields, at.Child("volumes").Key(volume.Name))...)
		}
	}
	for i := range after.Spec.InitContainers {
		found = append(found, restrictContainer(&after.Spec.InitContainers[i], at.Child("initContainers"))...)
	}
	for i := range after.Spec.Containers {
		if c := &after.Spec.Containers[i]; c.Name != ContainerName {
			found = append(found, restrictContainer(c, at.Child("containers"))...)
		} else {
			receiver, at := &before.Spec.Containers[0], at.Child("containers").Key(c.Name)
			found = append(found, others(receiver, c, receiverFields, at)...)
			found = append(found, restrictProbes(receiver, c, at)...)
		}
	}
	return found
}

// restrictProbes lets the receiver's probes be timed otherwise, but ask nothing else.
func restrictProbes(before, after *corev1.Container, at *field.Path) field.ErrorList {
	var found field.ErrorList
	for _, probe := range []struct {
		name     string
		was, now *corev1.Probe
	}{
		{"livenessProbe", before.LivenessProbe, after.LivenessProbe},
		{"readinessProbe", before.ReadinessProbe, after.ReadinessProbe},
		{"startupProbe", before.StartupProbe, after.StartupProbe},
	} {
		if probe.now != nil && !equality.Semantic.DeepEqual(probe.was.ProbeHandler, probe.now.ProbeHandler) {
			found = append(found, field.Forbidden(at.Child(probe.name), needsFlag))
		}
	}
	return found
}

// restrictContainer judges a container that the operator does not build.
func restrictContainer(c *corev1.Container, at *field.Path) field.ErrorList {
	at = at.Key(c.Name)
	found := others(&corev1.Container{}, c, containerFields, at)
	for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		if probe != nil && probe.Exec != nil {
			found = append(found, field.Forbidden(at, "a probe that runs a program: "+needsFlag))
		}
	}
	for _, port := range c.Ports {
		if port.HostPort != 0 || port.HostIP != "" {
			found = append(found, field.Forbidden(at.Child("ports"), "ports of the node are not for pods: "+needsFlag))
		}
	}
	for _, mount := range c.VolumeMounts {
		if mount.Name == configVolume || mount.Name == opsVolume || mount.Name == adminVolume {
			found = append(found, field.Forbidden(at.Child("volumeMounts").Key(mount.MountPath),
				"it holds secrets of endpoints, or opens the read API on all of them: "+needsFlag))
		}
	}
	return append(found, restrictSecurity(c, at.Child("securityContext"))...)
}

// restrictSecurity holds a container to the restricted Pod Security Standard, with what the pod says already.
func restrictSecurity(c *corev1.Container, at *field.Path) field.ErrorList {
	if c.SecurityContext == nil {
		c.SecurityContext = &corev1.SecurityContext{}
	}
	s := c.SecurityContext
	found := others(&corev1.SecurityContext{}, s, securityFields, at)
	no := false
	if s.AllowPrivilegeEscalation == nil {
		s.AllowPrivilegeEscalation = &no
	}
	if s.Capabilities == nil {
		s.Capabilities = &corev1.Capabilities{}
	}
	if s.Capabilities.Drop == nil {
		s.Capabilities.Drop = []corev1.Capability{"ALL"}
	}
	for _, wrong := range []struct {
		field string
		is    bool
	}{
		{"allowPrivilegeEscalation", *s.AllowPrivilegeEscalation},
		{"capabilities", !slices.Contains(s.Capabilities.Drop, "ALL") ||
			slices.ContainsFunc(s.Capabilities.Add, func(c corev1.Capability) bool { return c != "NET_BIND_SERVICE" })},
		{"runAsNonRoot", s.RunAsNonRoot != nil && !*s.RunAsNonRoot},
		{"seccompProfile", s.SeccompProfile != nil && s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault},
	} {
		if wrong.is {
			found = append(found, field.Forbidden(at.Child(wrong.field), needsFlag))
		}
	}
	return append(found, noRoot(at, s.RunAsUser, s.RunAsGroup)...)
}

func noRoot(at *field.Path, ids ...*int64) field.ErrorList {
	for _, id := range ids {
		if id != nil && *id == 0 {
			return field.ErrorList{field.Forbidden(at, "nothing runs as root: "+needsFlag)}
		}
	}
	return nil
}

// others returns the fields of a struct, but for the known ones, that are not as they were.
func others[T any](before, after *T, known map[string]bool, at *field.Path) field.ErrorList {
	var found field.ErrorList
	was, is := reflect.ValueOf(before).Elem(), reflect.ValueOf(after).Elem()
	for i := range was.NumField() {
		of := was.Type().Field(i)
		if of.Anonymous { // the source of a volume
			for j := range of.Type.NumField() {
				inner := of.Type.Field(j)
				found = append(found, other(inner, was.Field(i).Field(j), is.Field(i).Field(j), known, at)...)
			}
			continue
		}
		found = append(found, other(of, was.Field(i), is.Field(i), known, at)...)
	}
	return found
}

func other(of reflect.StructField, was, is reflect.Value, known map[string]bool, at *field.Path) field.ErrorList {
	name, _, _ := strings.Cut(of.Tag.Get("json"), ",")
	if known[name] || equality.Semantic.DeepEqual(was.Interface(), is.Interface()) {
		return nil
	}
	return field.ErrorList{field.Forbidden(at.Child(name), needsFlag)}
}
