package suite

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

func TestEventsTellOfTransitionsOnly(t *testing.T) {
	namespace := newNamespace(t, nil)
	held := secretOf(t, namespace, "mine", map[string]string{"key": "canary-key-of-the-events"})
	shop := endpointOf(t, namespace, "shop", "{currency: USD, key: {secretRef: {name: mine}}}")
	current(t, shop)
	change(t, held, func(s *corev1.Secret) { s.Data["key"] = []byte("") })
	says(t, shop, v1alpha1.ConditionReady, "False", v1alpha1.ReasonSecretInvalid)
	operator.settle()
	want := []string{"Normal Ready", "Warning SecretInvalid"}
	eventually(t, soon, func() error {
		var events eventsv1.EventList
		if err := admin.List(t.Context(), &events, client.InNamespace(namespace)); err != nil {
			return err
		}
		var got []string
		for _, event := range events.Items {
			if event.Regarding.Kind == v1alpha1.KindPostbackEndpoint {
				got = append(got, event.Type+" "+event.Reason)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("events (-want +got):\n%s", diff)
		}
		return nil
	})
}
