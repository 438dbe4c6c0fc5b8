package suite

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// servedEndpoint waits until an endpoint is in a fleet's configuration so that holds is true.
func servedEndpoint(t *testing.T, namespace, fleet, endpoint string, holds func(*config.Endpoint) bool) {
	t.Helper()
	eventually(t, soon, func() error {
		content, err := served(t.Context(), types.NamespacedName{Namespace: namespace, Name: fleet})
		if err != nil {
			return err
		}
		for i := range content.Endpoints {
			if content.Endpoints[i].Name == endpoint && holds(&content.Endpoints[i]) {
				return nil
			}
		}
		return fmt.Errorf("it is not served like that: %+v", content.Endpoints)
	})
}

// gone waits until an object is no longer there.
func gone(t *testing.T, object client.Object) {
	t.Helper()
	eventually(t, soon, func() error {
		err := admin.Get(t.Context(), client.ObjectKeyFromObject(object), object)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is still there: %w", err)
	})
}

func TestASuspendedEndpointIsServedAsItWas(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	neighbour := endpointOf(t, namespace, "neighbour", "{currency: USD, fleetRef: {name: shared}}")
	current(t, fleet, shop, neighbour)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Suspend, e.Spec.Currency = true, "EUR" })
	change(t, neighbour, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Currency = "EUR" })
	says(t, shop, v1alpha1.ConditionProgrammed, metav1.ConditionTrue, v1alpha1.ReasonSuspended)
	current(t, shop, neighbour)
	servedEndpoint(t, namespace, "shared", "neighbour", func(e *config.Endpoint) bool { return e.Currency == "EUR" })
	servedEndpoint(t, namespace, "shared", "shop", func(e *config.Endpoint) bool { return e.Currency == "USD" })
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Suspend = false })
	current(t, shop)
	servedEndpoint(t, namespace, "shared", "shop", func(e *config.Endpoint) bool { return e.Currency == "EUR" })
}

func TestAnEndpointThatBecomesInvalidIsServedAsItWas(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD, conversionTypes: [{name: bet, countsAs: None}]}")
	current(t, shop)
	// Only the contract sees that an alias takes the parameter that trains a custom type.
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) {
		e.Spec.Currency, e.Spec.Aliases = "EUR", v1alpha1.Aliases{"tid": {"bet_status"}}
	})
	says(t, shop, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	says(t, shop, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalid)
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool { return e.Currency == "USD" })
}

func TestAFleetTakesWhomItPermits(t *testing.T) {
	home, away := newNamespace(t, nil), newNamespace(t, nil)
	fleetOf(t, home, "shared", "{allowedEndpoints: {namespaces: Selector, selector: {matchLabels: {team: media}}}}")
	shop := endpointOf(t, away, "shop", fmt.Sprintf("{currency: USD, fleetRef: {name: shared, namespace: %s}}", home))
	says(t, shop, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonFleetNotPermitted)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: away}}
	change(t, namespace, func(n *corev1.Namespace) { n.Labels["team"] = "media" })
	current(t, shop)
	change(t, namespace, func(n *corev1.Namespace) { n.Labels["team"] = "other" })
	says(t, shop, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonFleetNotPermitted)
}

func TestAnEndpointWaitsForItsFleet(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: later}}")
	says(t, shop, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonFleetNotFound)
	fleetOf(t, namespace, "later", "{host: pb.example.com}")
	current(t, shop)
	if shop.Status.URLTemplate != "https://pb.example.com/{key}/postback" {
		t.Errorf("template: %s", shop.Status.URLTemplate)
	}
}

func TestAnEndpointThatJoinsAFleetGivesUpItsOwn(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	own := get[v1alpha1.ReceiverFleet](t, namespace, "shop")
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.FleetRef = &v1alpha1.FleetReference{Name: "shared"} })
	gone(t, own)
	current(t, shop)
	accepted(t, namespace, "shared", "shop", generated(t, namespace, "shop"))
}

func TestAFleetOfTheEndpointsNameIsNotTakenOver(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleetOf(t, namespace, "shop", "{host: pb.example.com}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	says(t, shop, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.FleetRef = &v1alpha1.FleetReference{Name: "shop"} })
	current(t, shop)
	if host := get[v1alpha1.ReceiverFleet](t, namespace, "shop").Spec.Host; host != "pb.example.com" {
		t.Errorf("host: %q", host)
	}
}

func TestASpoolMakesAFleetAStatefulSetAndBack(t *testing.T) {
	namespace := newNamespace(t, nil)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://sixth-canary-dsn@db/x"})
	fleet := fleetOf(t, namespace, "shared", "{store: {postgres: {dsnSecretRef: {name: database}}}}")
	current(t, fleet)
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Store.Postgres.Spool = &v1alpha1.Volume{} })
	gone(t, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shared"}})
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shared"}}
	eventually(t, soon, func() error { return admin.Get(t.Context(), client.ObjectKeyFromObject(set), set) })
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Store.Postgres.Spool = nil })
	gone(t, set)
	current(t, fleet)
}

func TestAFleetThatCantBeBuiltSaysWhichFieldAndServesOn(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{podTemplate: {spec: {automountServiceAccountToken: true}}}")
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	if !strings.Contains(message, "spec.podTemplate.spec.automountServiceAccountToken") {
		t.Errorf("message: %s", message)
	}
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.PodTemplate = nil })
	current(t, fleet)
}

func TestAProviderWithoutItsKeyIsLeftOut(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared",
		`{rates: {providers: [{name: oxr, type: OpenExchangeRates, keySecretRef: {name: oxr}}, {name: ecb, type: ECB}]}}`)
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	if !strings.Contains(message, "spec.rates.providers[oxr].keySecretRef") {
		t.Errorf("message: %s", message)
	}
	providers := func() (names []string) {
		content, err := served(t.Context(), client.ObjectKeyFromObject(fleet))
		noError(t, err)
		for _, p := range content.Fleet.Rates.Providers {
			names = append(names, p.Name)
		}
		return names
	}
	if got := providers(); len(got) != 1 || got[0] != "ecb" {
		t.Errorf("providers: %v", got)
	}
	secretOf(t, namespace, "oxr", map[string]string{"key": "canary-app-id-that-came-later"})
	current(t, fleet)
	if got := providers(); len(got) != 2 {
		t.Errorf("providers: %v", got)
	}
}

func TestAShardThatIsNoLongerNeededIsDeleted(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	current(t, fleet)
	former := get[corev1.Secret](t, namespace, "shared-config")
	former.ObjectMeta = metav1.ObjectMeta{
		Namespace: namespace, Name: "shared-config-1", Labels: former.Labels, OwnerReferences: former.OwnerReferences,
	}
	noError(t, admin.Create(t.Context(), former))
	gone(t, former)
}

func TestASignatureIsDemandedOnlyWithItsSecretAtHand(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) {
		e.Spec.Currency = "EUR"
		e.Spec.Access = &v1alpha1.AccessSpec{HMAC: &v1alpha1.HMACSpec{
			SecretRef: v1alpha1.SecretKeyReference{Name: "signing"},
		}}
	})
	says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	servedEndpoint(t, namespace, "shop", "shop",
		func(e *config.Endpoint) bool { return e.Currency == "USD" && e.Access.HMAC == nil })
	held := secretOf(t, namespace, "signing", map[string]string{"hmac": "canary-signing-secret"})
	current(t, shop)
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool {
		return e.Currency == "EUR" && len(e.Access.HMAC.Secrets) == 1
	})
	change(t, held, func(s *corev1.Secret) {
		s.Data["hmac"] = []byte(secret("canary-signing-next") + "\ncanary-signing-secret")
	})
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool { return len(e.Access.HMAC.Secrets) == 2 })
	current(t, shop)
}

func TestTheHeadersOfForwardsFollowTheirSecrets(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	summer := campaignOf(t, namespace, "summer",
		"{endpointRef: {name: shop}, offerURL: 'https://offer.example/?s={subid}'}")
	current(t, shop, summer)
	options := v1alpha1.ForwardOptions{Headers: []v1alpha1.ForwardHeader{{
		Name:      "Authorization",
		ValueFrom: &v1alpha1.ForwardHeaderSource{SecretKeyRef: v1alpha1.ForwardSecretKey{Name: "capi", Key: "token"}},
	}}}
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) {
		e.Spec.Currency = "EUR"
		e.Spec.Forwards = []v1alpha1.Forward{{Name: "a", URL: "https://a.example/", ForwardOptions: options}}
	})
	change(t, summer, func(c *v1alpha1.Campaign) {
		c.Spec.Forwards = []v1alpha1.CampaignForward{{Name: "b", URL: "https://b.example/", ForwardOptions: options}}
	})
	says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	says(t, summer, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool {
		return e.Currency == "USD" && len(e.Forwards) == 0 && len(e.Campaigns) == 1
	})
	sent := func(value string) func(*config.Endpoint) bool {
		return func(e *config.Endpoint) bool {
			return len(e.Forwards) == 2 && !slices.ContainsFunc(e.Forwards, func(f config.Forward) bool {
				return len(f.Headers) != 1 || f.Headers[0].Secret == nil || f.Headers[0].Secret.Value.Reveal() != value
			})
		}
	}
	held := secretOf(t, namespace, "capi", map[string]string{"token": "Bearer canary-of-a-forward"})
	current(t, shop, summer)
	servedEndpoint(t, namespace, "shop", "shop", sent("Bearer canary-of-a-forward"))
	change(t, held, func(s *corev1.Secret) { s.Data["token"] = []byte(secret("Bearer canary-of-the-next-forward")) })
	servedEndpoint(t, namespace, "shop", "shop", sent("Bearer canary-of-the-next-forward"))
	current(t, shop, summer)
	change(t, held, func(s *corev1.Secret) { s.Data["token"] = []byte("two\nlines") })
	says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid)
	servedEndpoint(t, namespace, "shop", "shop", sent("Bearer canary-of-the-next-forward"))
}
