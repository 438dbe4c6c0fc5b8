package suite

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// TestAFleetSaysThatAcknowledgedPostbacksAreMissing until its receivers have started without that.
func TestAFleetSaysThatAcknowledgedPostbacksAreMissing(t *testing.T) {
	namespace := newNamespace(t, nil)
	receivers.lose(namespace, 3)
	endpointOf(t, namespace, "shop", "{currency: USD}")
	fleet := &v1alpha1.ReceiverFleet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shop"}}
	message := says(t, fleet, v1alpha1.ConditionAcknowledgedMissing, metav1.ConditionTrue, v1alpha1.ReasonSpoolDamaged)
	if !strings.HasPrefix(message, "Acknowledged postbacks that are missing: 3.") {
		t.Errorf("it says %q", message)
	}
	current(t, fleet)

	receivers.lose(namespace, 0)
	noError(t, admin.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(namespace), client.GracePeriodSeconds(0)))
	eventually(t, soon, func() error {
		read(t, fleet)
		if c := meta.FindStatusCondition(fleet.Status.Conditions, v1alpha1.ConditionAcknowledgedMissing); c != nil {
			return fmt.Errorf("it still says %q", c.Message)
		}
		return nil
	})
	current(t, fleet)
	operator.settle()
	eventually(t, soon, func() error {
		var events eventsv1.EventList
		if err := admin.List(t.Context(), &events, client.InNamespace(namespace)); err != nil {
			return err
		}
		told := 0
		for _, event := range events.Items {
			if event.Type == corev1.EventTypeWarning && event.Reason == v1alpha1.ReasonSpoolDamaged {
				told++
			}
		}
		if told != 1 {
			return fmt.Errorf("%d events tell of it, want one", told)
		}
		return nil
	})
}
