package suite

import (
	"errors"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// embeds reports whether a fleet's receivers start on the embedded store.
func embeds(t *testing.T, namespace, fleet string) bool {
	t.Helper()
	args := get[appsv1.Deployment](t, namespace, fleet).Spec.Template.Spec.Containers[0].Args
	return slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--store=sqlite:") })
}

func TestAnotherKindOfStoreIsRefusedUntilItIsSaidThatItIsMeant(t *testing.T) {
	namespace := newNamespace(t, nil)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://canary-dsn-of-the-next-store@db/x"})
	fleet := fleetOf(t, namespace, "shared", "{}")
	current(t, fleet)
	postgres := v1alpha1.Store{Postgres: &v1alpha1.PostgresStore{
		DSNSecretRef: v1alpha1.SecretKeyReference{Name: "database"},
	}}
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) {
		f.Spec.Store, f.Spec.Autoscaling = postgres, &v1alpha1.Autoscaling{MaxReplicas: 5}
	})
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonStoreChanged)
	if want := "kubectl annotate rfl/shared postback.dev/store-change=postgres"; !strings.HasSuffix(message, want) {
		t.Errorf("it says %q", message)
	}
	operator.settle()
	err := admin.Get(t.Context(), client.ObjectKeyFromObject(fleet), &autoscalingv2.HorizontalPodAutoscaler{})
	if !embeds(t, namespace, "shared") || !apierrors.IsNotFound(err) {
		t.Errorf("the receivers do not stay as they are: %v", err)
	}
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) {
		f.Annotations[v1alpha1.AnnotationStoreChange] = v1alpha1.StorePostgres
	})
	eventually(t, soon, func() error {
		if read(t, fleet); fleet.Status.Store != v1alpha1.StorePostgres {
			return errors.New("the store is " + fleet.Status.Store)
		}
		return isCurrent(t, fleet)
	})
	if embeds(t, namespace, "shared") {
		t.Error("the receivers stay on the embedded store")
	}
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) {
		f.Spec.Store, f.Spec.Autoscaling = v1alpha1.Store{Embedded: &v1alpha1.Volume{}}, nil
	})
	says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonStoreChanged)
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Store = postgres })
	current(t, fleet)
}

func TestAnEndpointSaysThatItsOwnFleetIsMeantToHaveAnotherStore(t *testing.T) {
	namespace := newNamespace(t, nil)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://canary-dsn-of-an-own-fleet@db/x"})
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) {
		e.Spec.Receiver = &v1alpha1.ReceiverSpec{Store: v1alpha1.Store{Postgres: &v1alpha1.PostgresStore{
			DSNSecretRef: v1alpha1.SecretKeyReference{Name: "database"},
		}}}
	})
	message := says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonStoreChanged)
	if !strings.Contains(message, "kubectl annotate pbe/shop") {
		t.Errorf("it says %q", message)
	}
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) {
		e.Annotations[v1alpha1.AnnotationStoreChange] = v1alpha1.StorePostgres
	})
	current(t, shop)
	if embeds(t, namespace, "shop") {
		t.Error("the receivers stay on the embedded store")
	}
}
