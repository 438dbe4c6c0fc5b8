package suite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// orphan is kubectl delete --cascade=orphan and what the garbage collector does then.
func orphan(t *testing.T, object client.Object) {
	t.Helper()
	noError(t, admin.Delete(t.Context(), object, client.PropagationPolicy(metav1.DeletePropagationOrphan)))
	for _, list := range []client.ObjectList{
		&v1alpha1.ReceiverFleetList{}, &corev1.SecretList{}, &corev1.ServiceList{}, &corev1.ServiceAccountList{},
		&appsv1.DeploymentList{},
	} {
		noError(t, admin.List(t.Context(), list, client.InNamespace(object.GetNamespace())))
		for _, child := range items(t, list) {
			if metav1.IsControlledBy(child, object) {
				change(t, child, func(c client.Object) { c.SetOwnerReferences(nil) })
			}
		}
	}
	uid := object.GetUID()
	eventually(t, soon, func() error {
		err := admin.Get(t.Context(), client.ObjectKeyFromObject(object), object)
		if err != nil || object.GetUID() != uid { // it may be made again at once
			return client.IgnoreNotFound(err)
		}
		object.SetFinalizers(slices.DeleteFunc(object.GetFinalizers(),
			func(name string) bool { return name == metav1.FinalizerOrphanDependents }))
		return errors.Join(fmt.Errorf("%s is still there", object.GetName()), admin.Update(t.Context(), object))
	})
}

func TestWhatWasOrphanedIsAdoptedAgain(t *testing.T) {
	for name, c := range map[string]func(t *testing.T, shop *v1alpha1.PostbackEndpoint){
		"an endpoint is deleted with --cascade=orphan": func(t *testing.T, shop *v1alpha1.PostbackEndpoint) {
			orphan(t, shop)
			endpointOf(t, shop.Namespace, "shop", "{currency: USD}")
		},
		"an endpoint is deleted, and declared again before the garbage collector comes": func(t *testing.T,
			shop *v1alpha1.PostbackEndpoint) {
			noError(t, admin.Delete(t.Context(), shop))
			endpointOf(t, shop.Namespace, "shop", "{currency: USD}")
		},
		"its fleet is deleted with --cascade=orphan": func(t *testing.T, shop *v1alpha1.PostbackEndpoint) {
			orphan(t, get[v1alpha1.ReceiverFleet](t, shop.Namespace, "shop"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			namespace := newNamespace(t, nil)
			shop := endpointOf(t, namespace, "shop", "{currency: USD}")
			current(t, shop)
			key := generated(t, namespace, "shop")
			c(t, shop.DeepCopy())
			eventually(t, soon, func() error {
				if err := isCurrent(t, shop); err != nil {
					return err
				}
				return owned(t.Context(), namespace)
			})
			accepted(t, namespace, "shop", "shop", key)
			if generated(t, namespace, "shop") != key {
				t.Error("there is another key")
			}
		})
	}
}

// owned says which of the objects of the endpoint shop is not its or its fleet's.
func owned(ctx context.Context, namespace string) error {
	at := client.ObjectKey{Namespace: namespace, Name: "shop"}
	shop, fleet, deployment, keyring := &v1alpha1.PostbackEndpoint{}, &v1alpha1.ReceiverFleet{}, &appsv1.Deployment{},
		&corev1.Secret{}
	err := errors.Join(admin.Get(ctx, at, shop), admin.Get(ctx, at, fleet), admin.Get(ctx, at, deployment),
		admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "shop-keyring"}, keyring))
	switch {
	case err != nil:
		return err
	case !metav1.IsControlledBy(fleet, shop), !metav1.IsControlledBy(keyring, shop):
		return errors.New("the endpoint does not own them")
	case !metav1.IsControlledBy(deployment, fleet):
		return errors.New("the fleet does not own its Deployment")
	}
	return nil
}

func TestAnOwnFleetIsWhatItsEndpointDeclares(t *testing.T) {
	namespace := newNamespace(t, nil)
	for name, receiver := range map[string]string{
		"plain":    "",
		"declared": ", receiver: {rates: {providers: [{name: ecb, type: ECB}]}, podTemplate: {metadata: {labels: {a: b}}}}",
	} {
		t.Run(name, func(t *testing.T) {
			shop := endpointOf(t, namespace, name, "{currency: USD"+receiver+"}")
			current(t, shop)
			fleet := get[v1alpha1.ReceiverFleet](t, namespace, name)
			want := fleet.DeepCopy().Spec
			change(t, fleet, func(f *v1alpha1.ReceiverFleet) {
				f.Spec.Host, f.Spec.TrustedProxies = "behind.example.com", []string{"192.0.2.0/24"}
				f.Spec.Service.Annotations = map[string]string{"a.example/b": "c"}
				f.Spec.Rates.Providers = append(f.Spec.Rates.Providers, v1alpha1.RateProvider{Name: "other", Type: "ECB"})
				f.Spec.NetworkPolicy.Enabled, f.Spec.PodDisruptionBudget.Enabled = true, false
				f.Spec.Replicas = new(int32)
			})
			want.Replicas = new(int32) // kubectl scale is a way to stop the receivers for a while
			eventually(t, soon, func() error {
				read(t, fleet)
				if diff := cmp.Diff(want, fleet.Spec); diff != "" {
					return fmt.Errorf("(-want +got):\n%s", diff)
				}
				return nil
			})
			operator.settle()
			written(namespace)
			change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Currency = "EUR" })
			operator.settle()
			if got := written(namespace); slices.Contains(got, "receiverfleets/"+name) {
				t.Errorf("a fleet that is as it ought to be is written: %v", got)
			}
		})
	}
}
