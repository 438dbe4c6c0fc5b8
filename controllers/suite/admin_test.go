package suite

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// adminArgs are the flags by which a fleet's receivers serve the Admin API.
func adminArgs(t *testing.T, namespace, fleet string) []string {
	t.Helper()
	args := get[appsv1.Deployment](t, namespace, fleet).Spec.Template.Spec.Containers[0].Args
	return slices.DeleteFunc(args, func(arg string) bool { return !strings.HasPrefix(arg, "--admin") })
}

func TestTheAdminAPIIsOffUntilItIsDeclared(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{networkPolicy: {enabled: true}}")
	current(t, fleet)
	if args := adminArgs(t, namespace, "shared"); len(args) > 0 {
		t.Errorf("receivers run with %v", args)
	}
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.AdminAPI = &v1alpha1.AdminAPISpec{} })
	current(t, fleet)
	held := get[corev1.Secret](t, namespace, "shared-admin")
	key := secret(string(held.Data["key"]))
	service := get[corev1.Service](t, namespace, "shared-admin")
	switch args := adminArgs(t, namespace, "shared"); {
	case len(key) < 24:
		t.Errorf("the key has %d characters", len(key))
	case len(args) != 2:
		t.Errorf("receivers run with %v", args)
	case len(service.Spec.Ports) != 1 || service.Spec.Ports[0].TargetPort.StrVal != "admin":
		t.Errorf("the Service leads to %v", service.Spec.Ports)
	case len(get[corev1.Service](t, namespace, "shared").Spec.Ports) != 1:
		t.Error("the Service for networks leads to it, too")
	}
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Host = "pb.example.com" })
	current(t, fleet)
	if read(t, held); string(held.Data["key"]) != key {
		t.Error("the key changes with the fleet")
	}
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.AdminAPI = nil })
	gone(t, held)
	gone(t, service)
	current(t, fleet)
	if args := adminArgs(t, namespace, "shared"); len(args) > 0 {
		t.Errorf("receivers run with %v", args)
	}
}

func TestTheKeyOfTheAdminAPIMayBeTheUsers(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{adminAPI: {keySecretRef: {name: mine, key: token}}}")
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	if message != "spec.adminAPI.keySecretRef: Secret mine: not found" {
		t.Errorf("it says %q", message)
	}
	held := secretOf(t, namespace, "mine", map[string]string{"token": "canary-of-23-characters"})
	message = says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	if want := `spec.adminAPI.keySecretRef: Secret mine: field "token": write 24 characters or more`; message != want {
		t.Errorf("it says %q", message)
	}
	change(t, held, func(s *corev1.Secret) { s.Data["token"] = []byte(secret("canary-of-an-admin-key-that-is-long")) })
	current(t, fleet)
	volumes := get[appsv1.Deployment](t, namespace, "shared").Spec.Template.Spec.Volumes
	if !slices.ContainsFunc(volumes, func(v corev1.Volume) bool {
		return v.Secret != nil && v.Secret.SecretName == "mine" && v.Secret.Items[0].Key == "token"
	}) {
		t.Errorf("the Secret is not mounted: %v", volumes)
	}
}
