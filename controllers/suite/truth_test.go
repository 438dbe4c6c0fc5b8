package suite

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
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

func TestAFleetThatIsAppliedBeforeTheSecretOfItsDatabaseIsInProgress(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{store: {postgres: {dsnSecretRef: {name: database}}}}")
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	if want := "spec.store.postgres.dsnSecretRef: Secret database: not found"; message != want {
		t.Errorf("it says %q", message)
	}
	state(t, fleet, kstatuscheck.InProgress)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://canary-dsn-that-came-last@db/x"})
	current(t, fleet)
}

// What is missing for minutes is a mistake. The clock of the operator of a class of its own is ahead.
func TestWhatStaysMissingIsFailedAtLast(t *testing.T) {
	namespace := newNamespace(t, nil)
	permitIn(t, namespace, withRoles)
	var ahead atomic.Int64
	late := newProcess(withRoles, namespace)
	late.options.ID, late.options.Class = "late", "late"
	late.options.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	late.start()
	t.Cleanup(late.stop)
	shop := declare[v1alpha1.PostbackEndpoint](t, namespace, `
apiVersion: postback.dev/v1alpha1
kind: PostbackEndpoint
metadata: {name: shop, labels: {postback.dev/class: late}}
spec: {currency: USD, fleetRef: {name: nowhere}}
`)
	fleet := declare[v1alpha1.ReceiverFleet](t, namespace, `
apiVersion: postback.dev/v1alpha1
kind: ReceiverFleet
metadata: {name: shared, labels: {postback.dev/class: late}}
spec: {store: {postgres: {dsnSecretRef: {name: database}}}}
`)
	says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonFleetNotFound)
	says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	state(t, shop, kstatuscheck.InProgress)
	state(t, fleet, kstatuscheck.InProgress)
	ahead.Store(int64(6 * time.Minute))
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Currency = "EUR" }) // so that they are looked at again
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.ExternalURL = "https://pb.example.com" })
	state(t, shop, kstatuscheck.Failed)
	state(t, fleet, kstatuscheck.Failed)
}

// TLS may end before the cluster, which nothing in it tells.
func TestAnExternalURLIsWhatUsersAreGiven(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop",
		"{currency: USD, receiver: {host: in.example.com, ingress: {}, externalURL: 'https://pb.example.com'}}")
	summer := campaignOf(t, namespace, "summer",
		"{endpointRef: {name: shop}, offerURL: 'https://offer.example/?s={subid}'}")
	current(t, shop, summer)
	url := string(get[corev1.Secret](t, namespace, "shop-postback").Data["url"])
	for what, address := range map[string]string{"URL": url, "template": shop.Status.URLTemplate,
		"link": summer.Status.Link} {
		if !strings.HasPrefix(address, "https://pb.example.com/") {
			t.Errorf("the %s does not begin with it", what)
		}
	}
}

// A key of somebody else in a selector leaves no pod selected: the address leads nowhere until it is taken out.
func TestASelectorThatSomebodyNarrowsIsCorrected(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{networkPolicy: {enabled: true}}")
	current(t, fleet)
	change(t, get[corev1.Service](t, namespace, "shared"), func(s *corev1.Service) { s.Spec.Selector["app"] = "mine" })
	change(t, get[networkingv1.NetworkPolicy](t, namespace, "shared"), func(p *networkingv1.NetworkPolicy) {
		p.Spec.PodSelector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "app", Operator: "Exists"}}
	})
	eventually(t, soon, func() error {
		service := get[corev1.Service](t, namespace, "shared")
		policy := get[networkingv1.NetworkPolicy](t, namespace, "shared")
		if service.Spec.Selector["app"] != "" || len(policy.Spec.PodSelector.MatchExpressions) > 0 {
			return fmt.Errorf("they select %v, %v", service.Spec.Selector, policy.Spec.PodSelector)
		}
		return nil
	})
	current(t, fleet)
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
