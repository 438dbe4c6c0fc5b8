package suite

import (
	"errors"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

// fail has a kubelet say why the container of a fleet's only pod does not start.
func fail(t *testing.T, namespace, fleet string, state corev1.ContainerState) {
	t.Helper()
	eventually(t, soon, func() error {
		var pods corev1.PodList
		if err := admin.List(t.Context(), &pods, client.InNamespace(namespace),
			client.MatchingLabels(resources.SelectorLabels(fleet))); err != nil {
			return err
		}
		if len(pods.Items) != 1 || len(pods.Items[0].Status.Conditions) == 0 {
			return errors.New("there is no pod yet")
		}
		pods.Items[0].Status.ContainerStatuses = []corev1.ContainerStatus{{Name: resources.ContainerName, State: state}}
		return admin.Status().Update(t.Context(), &pods.Items[0])
	})
}

func TestWhyNoReceiverComesUpIsSaidAndAfterTheDeadlineItIsStalled(t *testing.T) {
	namespace := newNamespace(t, nil)
	wake := receivers.sleep(namespace)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
	fleet := get[v1alpha1.ReceiverFleet](t, namespace, "shop")
	fail(t, namespace, "shop", corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
		Reason: "ImagePullBackOff", Message: `Back-off pulling image "r": ErrImagePull: unauthorized`,
	}})
	const cause = "container receiver: ImagePullBackOff: unauthorized"
	eventually(t, soon, func() error {
		if message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse,
			v1alpha1.ReasonUnavailable); !strings.Contains(message, cause) {
			return errors.New(message)
		}
		return nil
	})
	state(t, fleet, kstatuscheck.InProgress)
	eventually(t, soon, func() error { // as the Deployment's controller says it
		deployment := get[appsv1.Deployment](t, namespace, "shop")
		deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing,
			Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"}}
		return admin.Status().Update(t.Context(), deployment)
	})
	for _, object := range []client.Object{fleet, shop} {
		if message := says(t, object, v1alpha1.ConditionReady, metav1.ConditionFalse,
			v1alpha1.ReasonProgressDeadlineExceeded); !strings.Contains(message, cause) {
			t.Errorf("%T says %q", object, message)
		}
		state(t, object, kstatuscheck.Failed)
	}
	wake()
	current(t, fleet, shop)
}

func TestAFleetOfNoReceiversIsReadyAndItsEndpointIsNot(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	current(t, fleet, shop)
	none, one := int32(0), int32(1)
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Replicas = &none })
	says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonScaledToZero)
	state(t, fleet, kstatuscheck.Current)
	says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonScaledToZero)
	state(t, shop, kstatuscheck.Failed)
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Replicas = &one })
	current(t, fleet, shop)
}
