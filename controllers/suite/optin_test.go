package suite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// closed takes away what a Secret opts in by.
func closed(secret *corev1.Secret) { delete(secret.Labels, v1alpha1.LabelReadable) }

func opened(secret *corev1.Secret) {
	secret.Labels = map[string]string{v1alpha1.LabelReadable: v1alpha1.LabelReadableValue}
}

func TestASecretIsReadOnlyWhenItOptsIn(t *testing.T) {
	namespace := newNamespace(t, nil)
	held := secretOf(t, namespace, "mine", map[string]string{"key": "canary-key-that-opts-in"})
	change(t, held, closed)
	shop := endpointOf(t, namespace, "shop", "{currency: USD, key: {secretRef: {name: mine}}}")
	message := says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotReadable)
	if !strings.Contains(message, `spec.key.secretRef: Secret mine: it needs the label postback.dev/readable: "true"`) {
		t.Errorf("message: %s", message)
	}
	change(t, held, opened)
	current(t, shop)
	accepted(t, namespace, "shop", "shop", "canary-key-that-opts-in")
	change(t, held, closed)
	says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotReadable)
	accepted(t, namespace, "shop", "shop", "canary-key-that-opts-in")
}

// What the operator made for one is nobody else's.
func TestAGeneratedKeyIsNamedByItsOwnEndpointOnly(t *testing.T) {
	namespace := newNamespace(t, nil)
	current(t, endpointOf(t, namespace, "shop", "{currency: USD}"))
	generated(t, namespace, "shop")
	thief := endpointOf(t, namespace, "thief", "{currency: USD, access: {hmac: {secretRef: {name: shop-key, key: key}}}}")
	says(t, thief, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotReadable)
	other := endpointOf(t, namespace, "other",
		"{currency: USD, key: {secretRef: {name: shop-config, key: shard-000.json}}}")
	says(t, other, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotReadable)
}

func TestASigningSecretLeavesItsNamespaceOnlyAsItSays(t *testing.T) {
	away, namespace := newNamespace(t, nil), newNamespace(t, nil)
	current(t, fleetOf(t, away, "shared", "{allowedEndpoints: {namespaces: All}}"))
	held := secretOf(t, namespace, "signing", map[string]string{"hmac": "canary-that-stays-at-home"})
	shop := endpointOf(t, namespace, "shop",
		"{currency: USD, fleetRef: {name: shared, namespace: "+away+"}, access: {hmac: {secretRef: {name: signing}}}}")
	message := says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotReadable)
	if !strings.Contains(message, "postback.dev/shared-with: "+away) {
		t.Errorf("message: %s", message)
	}
	change(t, held, func(s *corev1.Secret) { s.Annotations = map[string]string{v1alpha1.AnnotationSharedWith: away} })
	current(t, shop)
	servedEndpoint(t, away, "shared", "shop", func(e *config.Endpoint) bool { return len(e.Access.HMAC.Secrets) == 1 })
}

// The kubelet asks nobody who declared of which Secret a pod gets values.
func TestPodsReadOnlySecretsThatOptIn(t *testing.T) {
	namespace := newNamespace(t, nil)
	held := secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://canary-dsn-that-opts-in@db/x"})
	change(t, held, closed)
	fleet := fleetOf(t, namespace, "shared", "{store: {postgres: {dsnSecretRef: {name: database}}}}")
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	if !strings.Contains(message,
		`spec.store.postgres.dsnSecretRef: Secret database: it needs the label postback.dev/readable: "true"`) {
		t.Errorf("message: %s", message)
	}
	name := types.NamespacedName{Namespace: namespace, Name: "shared"}
	if err := admin.Get(t.Context(), name, &appsv1.Deployment{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Deployment: %v", err)
	}
	change(t, held, opened)
	eventually(t, soon, func() error { return admin.Get(t.Context(), name, &appsv1.Deployment{}) })
	change(t, held, closed)
	says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	noError(t, admin.Get(t.Context(), name, &appsv1.Deployment{}))
}

func TestAFleetDeclaresOnlyWhatTheOperatorPermits(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{egress: {allowPrivate: true}, podTemplate: {spec: {hostNetwork: true}}}")
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	for _, want := range []string{"spec.egress.allowPrivate", "--allow-private-egress",
		"spec.podTemplate.spec.hostNetwork", "--allow-unrestricted-pod-templates"} {
		if !strings.Contains(message, want) {
			t.Errorf("%s is missing in: %s", want, message)
		}
	}
	if err := admin.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: "shared"},
		&appsv1.Deployment{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Deployment: %v", err)
	}
	if data := string(get[corev1.Secret](t, namespace, "shared-config").Data["manifest.json"]); data == "" ||
		strings.Contains(data, "allowPrivateEgress") {
		t.Errorf("the configuration: %s", data)
	}
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Egress.AllowPrivate, f.Spec.PodTemplate = false, nil })
	current(t, fleet)
}

func TestTheOlderOfTwoFleetsHasTheHost(t *testing.T) {
	namespace := newNamespace(t, nil)
	spec := "{host: " + namespace + ".example.com, ingress: {}}"
	elder := fleetOf(t, namespace, "a-elder", spec)
	current(t, elder)
	younger := fleetOf(t, namespace, "b-younger", spec)
	if message := says(t, younger, v1alpha1.ConditionReady, metav1.ConditionFalse,
		v1alpha1.ReasonHostTaken); !strings.Contains(message, "the older ReceiverFleet a-elder") {
		t.Errorf("message: %s", message)
	}
	away := newNamespace(t, nil)
	time.Sleep(1100 * time.Millisecond) // times of creation are whole seconds, and of one second names decide
	stranger := fleetOf(t, away, "c-stranger", spec)
	message := says(t, stranger, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonHostTaken)
	if !strings.Contains(message, "an older ReceiverFleet of another namespace") ||
		strings.Contains(message, namespace+"/") || strings.Contains(message, "elder") {
		t.Errorf("message: %s", message)
	}
	name := types.NamespacedName{Namespace: namespace, Name: "b-younger"}
	if err := admin.Get(t.Context(), name, &networkingv1.Ingress{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Ingress: %v", err)
	}
	noError(t, admin.Delete(t.Context(), elder))
	current(t, younger)
	noError(t, admin.Get(t.Context(), name, &networkingv1.Ingress{}))
}

// A fleet moves to another host: for a while it is reached under both, and nobody else gets the former one.
func TestAFleetKeepsItsFormerHostForAWhile(t *testing.T) {
	namespace := newNamespace(t, nil)
	former, next := namespace+".old.example.com", namespace+".example.com"
	fleet := fleetOf(t, namespace, "a-mover", "{host: "+former+", ingress: {}, externalURL: 'https://"+former+"'}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: a-mover}}")
	current(t, fleet, shop)
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) {
		f.Spec.Host, f.Spec.AdditionalHosts = next, []v1alpha1.HostName{v1alpha1.HostName(former)}
		f.Spec.ExternalURL = "https://" + next
	})
	eventually(t, soon, func() error {
		current(t, fleet, shop)
		url := string(get[corev1.Secret](t, namespace, "shop-postback").Data["url"])
		rules := get[networkingv1.Ingress](t, namespace, "a-mover").Spec.Rules
		if len(rules) != 2 || rules[0].Host != next || rules[1].Host != former ||
			!strings.HasPrefix(url, "https://"+next+"/") || shop.Status.URLTemplate != "https://"+next+"/{key}/postback" {
			return fmt.Errorf("%d rules, template %s", len(rules), shop.Status.URLTemplate)
		}
		return nil
	})
	other := fleetOf(t, namespace, "b-other", "{host: "+former+", ingress: {}}")
	says(t, other, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonHostTaken)
}
