package suite

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

// state waits until kstatus reads an object so.
func state(t *testing.T, object client.Object, want kstatuscheck.State) {
	t.Helper()
	eventually(t, soon, func() error {
		if err := admin.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		if name, seen := readable(object); kstatuscheck.Read(seen) != want {
			return fmt.Errorf("%s is %s: %v", name, kstatuscheck.Read(seen), seen.Conditions)
		}
		return nil
	})
}

func TestAnEndpointWhoseFleetIsGoneIsNotReady(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	summer := campaignOf(t, namespace, "summer",
		"{endpointRef: {name: shop}, offerURL: 'https://offer.example/?s={subid}'}")
	current(t, shop, summer)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Suspend = true })
	current(t, shop, summer)
	noError(t, admin.Delete(t.Context(), get[v1alpha1.ReceiverFleet](t, namespace, "shop")))
	says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonFleetNotFound)
	says(t, summer, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonFleetNotFound)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Suspend = false })
	eventually(t, soon, func() error {
		return admin.Get(t.Context(), client.ObjectKeyFromObject(shop), &v1alpha1.ReceiverFleet{})
	})
}

func TestWhatStallsAFleetIsSaidByItsEndpointsAndCampaigns(t *testing.T) {
	namespace := newNamespace(t, nil)
	// The address of the fleet leads to somebody else's pods.
	foreign := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shared"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}, Selector: map[string]string{"app": "other"}},
	}
	noError(t, admin.Create(t.Context(), foreign))
	fleet := fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	summer := campaignOf(t, namespace, "summer",
		"{endpointRef: {name: shop}, offerURL: 'https://offer.example/?s={subid}'}")
	says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	for _, object := range []client.Object{shop, summer} {
		message := says(t, object, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
		if !strings.HasPrefix(message, "ReceiverFleet shared: Service shared exists and is not the operator's") {
			t.Errorf("message: %s", message)
		}
		state(t, object, kstatuscheck.Failed)
	}
	noError(t, admin.Delete(t.Context(), foreign))
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Host = "pb.example.com" })
	current(t, fleet, shop, summer)
}

// Helm and Flux give up on what is Failed; what is named may be applied a moment later.
func TestWhatIsAppliedBeforeWhatItNamesIsInProgress(t *testing.T) {
	namespace := newNamespace(t, nil)
	summer := campaignOf(t, namespace, "summer",
		"{endpointRef: {name: shop}, offerURL: 'https://offer.example/?s={subid}'}")
	says(t, summer, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonEndpointNotFound)
	state(t, summer, kstatuscheck.InProgress)
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}, key: {secretRef: {name: mine}}}")
	says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonFleetNotFound)
	state(t, shop, kstatuscheck.InProgress)
	fleetOf(t, namespace, "shared", "{}")
	says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	state(t, shop, kstatuscheck.InProgress)
	secretOf(t, namespace, "mine", map[string]string{"key": "canary-key-that-came-last"})
	current(t, shop, summer)
}

func TestAnIngressWithACertificateIsHTTPS(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop",
		"{currency: USD, receiver: {host: pb.example.com, ingress: {}, certificate: {issuerRef: {name: ca}}}}")
	summer := campaignOf(t, namespace, "summer",
		"{endpointRef: {name: shop}, offerURL: 'https://offer.example/?s={subid}'}")
	current(t, shop, summer)
	url := string(get[corev1.Secret](t, namespace, "shop-postback").Data["url"])
	for what, address := range map[string]string{"URL": url, "template": shop.Status.URLTemplate,
		"link": summer.Status.Link} {
		if !strings.HasPrefix(address, "https://pb.example.com/") {
			t.Errorf("the %s does not begin with https", what)
		}
	}
}
