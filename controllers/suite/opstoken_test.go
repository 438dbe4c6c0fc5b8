package suite

import (
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// opsToken waits for the token of a fleet's read API.
func opsToken(t *testing.T, namespace, fleet string) string {
	t.Helper()
	var held corev1.Secret
	eventually(t, soon, func() error {
		err := admin.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: fleet + "-ops"}, &held)
		if err == nil && len(held.Data["token"]) < 26 {
			err = fmt.Errorf("the token has %d characters", len(held.Data["token"]))
		}
		return err
	})
	return string(held.Data["token"])
}

func TestEveryFleetHasAnOpsTokenOfItsOwn(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	own := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, fleet, own)
	first := opsToken(t, namespace, "shared")
	if opsToken(t, namespace, "shop") == first {
		t.Error("two fleets share a token")
	}
	template := get[appsv1.Deployment](t, namespace, "shared").Spec.Template.Spec
	if args := template.Containers[0].Args; !slices.Contains(args, "--ops-token-file=/etc/postback/ops/token") {
		t.Errorf("receivers run with %v", args)
	}
	mounted := func(v corev1.Volume) bool {
		return v.Secret != nil && v.Secret.SecretName == "shared-ops" && v.Secret.Optional == nil
	}
	if !slices.ContainsFunc(template.Volumes, mounted) {
		t.Errorf("the Secret is not mounted: %v", template.Volumes)
	}

	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Host = "pb.example.com" })
	current(t, fleet)
	if opsToken(t, namespace, "shared") != first {
		t.Error("the token changes with the fleet")
	}
	noError(t, admin.Delete(t.Context(), get[corev1.Secret](t, namespace, "shared-ops")))
	if opsToken(t, namespace, "shared") == first {
		t.Error("a token whose Secret was deleted comes back")
	}
}

func TestATokenOfTheUsersIsKept(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	current(t, fleet)
	opsToken(t, namespace, "shared")
	const chosen = "eleventh-canary-chosen-ops-token"
	change(t, get[corev1.Secret](t, namespace, "shared-ops"),
		func(s *corev1.Secret) { s.Data["token"] = []byte(secret(chosen)) })
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Host = "pb.example.com" })
	current(t, fleet)
	operator.settle()
	if opsToken(t, namespace, "shared") != chosen {
		t.Error("the operator put another token in its place")
	}
}

func TestNoReceiverStartsWithSomebodyElsesOpsToken(t *testing.T) {
	namespace := newNamespace(t, nil)
	foreign := secretOf(t, namespace, "shared-ops", map[string]string{"token": "twelfth-canary-foreign-ops-token"})
	fleet := fleetOf(t, namespace, "shared", "{}")
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	if want := "Secret shared-ops exists and is not the operator's: rename or delete it"; message != want {
		t.Errorf("message: %s, want %s", message, want)
	}
	operator.settle()
	err := admin.Get(t.Context(), client.ObjectKeyFromObject(fleet), &appsv1.Deployment{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the Deployment: %v", err)
	}
	noError(t, admin.Delete(t.Context(), foreign))
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Host = "pb.example.com" })
	current(t, fleet)
}
