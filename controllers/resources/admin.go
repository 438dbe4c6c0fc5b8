package resources

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

const (
	adminVolume = "admin-key"
	adminDir    = "/etc/postback/admin"
	// minAdminKey is the receiver's own bound.
	minAdminKey = 24
)

// AdminService leads to Keitaro's Admin API, apart from the Service for networks, which may be a load balancer's. nil:
// the API is off.
func AdminService(fleet *v1alpha1.ReceiverFleet) *corev1ac.ServiceApplyConfiguration {
	if fleet.Spec.AdminAPI == nil {
		return nil
	}
	return corev1ac.Service(AdminName(fleet), fleet.Namespace).
		WithLabels(fleetLabels(fleet)).
		WithOwnerReferences(ownedByFleet(fleet)).
		WithSpec(corev1ac.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).
			WithSelector(SelectorLabels(fleet.Name)).
			WithPorts(corev1ac.ServicePort().
				WithName(AdminPortName).
				WithProtocol(corev1.ProtocolTCP).
				WithAppProtocol("http").
				WithPort(servicePort).
				WithTargetPort(intstr.FromString(AdminPortName))))
}

// GeneratesAdminKey reports whether the operator makes the key of a fleet's Admin API.
func GeneratesAdminKey(fleet *v1alpha1.ReceiverFleet) bool {
	return fleet.Spec.AdminAPI != nil && fleet.Spec.AdminAPI.KeySecretRef == nil
}

// AdminSecret keeps the generated key of the Admin API. Without a key it is a Secret that is not wanted.
func AdminSecret(fleet *v1alpha1.ReceiverFleet, key string) Child {
	if key == "" {
		return Child{Kind: KindSecret, Namespace: fleet.Namespace, Name: AdminName(fleet)}
	}
	return SecretChild(fleetSecret(fleet, AdminName(fleet), v1alpha1.RoleAdmin).
		WithData(map[string][]byte{v1alpha1.DefaultKeyField: []byte(key)}))
}

// adminKey is the Secret and the field with the key.
func adminKey(fleet *v1alpha1.ReceiverFleet) (secret, field string) {
	if ref := fleet.Spec.AdminAPI.KeySecretRef; ref != nil {
		return ref.Name, cmp.Or(ref.Key, v1alpha1.DefaultKeyField)
	}
	return AdminName(fleet), v1alpha1.DefaultKeyField
}

// adminSecretVolume holds the key. A pod waits for it.
func adminSecretVolume(fleet *v1alpha1.ReceiverFleet) *corev1ac.VolumeApplyConfiguration {
	secret, field := adminKey(fleet)
	return corev1ac.Volume().WithName(adminVolume).WithSecret(corev1ac.SecretVolumeSource().
		WithSecretName(secret).
		WithDefaultMode(configMode).
		WithItems(corev1ac.KeyToPath().WithKey(field).WithPath(v1alpha1.DefaultKeyField)))
}

// checkAdminKey says why the user's key would not be taken by a receiver.
func checkAdminKey(fleet *v1alpha1.ReceiverFleet) func(data map[string][]byte) error {
	return func(data map[string][]byte) error {
		_, field := adminKey(fleet)
		switch key := strings.TrimSpace(string(data[field])); {
		case data[field] == nil:
			return fmt.Errorf("it has no field %q", field)
		case len(key) < minAdminKey:
			return fmt.Errorf("field %q: write %d characters or more", field, minAdminKey)
		}
		return nil
	}
}
