package suite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// accepted waits until exactly these keys are accepted by an endpoint in a fleet's configuration.
func accepted(t *testing.T, namespace, fleet, endpoint string, keys ...string) []config.Key {
	t.Helper()
	want := map[string]bool{}
	for _, key := range keys {
		want[config.Digest(key)] = true
	}
	var held []config.Key
	eventually(t, soon, func() error {
		content, err := served(t.Context(), types.NamespacedName{Namespace: namespace, Name: fleet})
		if err != nil {
			return err
		}
		got := map[string]bool{}
		for _, e := range content.Endpoints {
			if e.Name == endpoint {
				held = e.Keys
				for _, key := range e.Keys {
					got[key.SHA256] = true
				}
			}
		}
		if !cmp.Equal(got, want) {
			return fmt.Errorf("%d keys are accepted, not those %d that ought to be", len(got), len(want))
		}
		return nil
	})
	return held
}

func states(endpoint *v1alpha1.PostbackEndpoint) []string {
	var all []string
	for _, key := range endpoint.Status.Keys {
		all = append(all, string(key.State))
	}
	slices.Sort(all)
	return all
}

func generated(t *testing.T, namespace, endpoint string) string {
	t.Helper()
	return secret(string(get[corev1.Secret](t, namespace, endpoint+"-key").Data["key"]))
}

func TestAChangedSecretIsARotation(t *testing.T) {
	namespace := newNamespace(t, nil)
	held := secretOf(t, namespace, "mine", map[string]string{"key": "canary-key-the-first-one"})
	shop := endpointOf(t, namespace, "shop", "{currency: USD, key: {secretRef: {name: mine}, overlap: 48h}}")
	current(t, shop)
	accepted(t, namespace, "shop", "shop", "canary-key-the-first-one")
	change(t, held, func(s *corev1.Secret) { s.Data["key"] = []byte(secret("canary-key-the-second-one")) })
	accepted(t, namespace, "shop", "shop", "canary-key-the-first-one", "canary-key-the-second-one")
	// A Secret has no part in the endpoint's generation, so the status of before still counts as current for a moment.
	eventually(t, soon, func() error {
		current(t, shop)
		if diff := cmp.Diff([]string{"Active", "Retiring"}, states(shop)); diff != "" {
			return fmt.Errorf("keys (-want +got):\n%s", diff)
		}
		return nil
	})
	for _, key := range shop.Status.Keys {
		if key.RetireAt != nil && !key.RetireAt.After(time.Now().Add(47*time.Hour)) {
			t.Errorf("it retires at %v", key.RetireAt)
		}
	}
	if url := string(get[corev1.Secret](t, namespace, "shop-postback").Data["url"]); !strings.Contains(url,
		"/canary-key-the-second-one/") {
		t.Error("the URL has the former key")
	}
}

func TestARaisedRevisionGeneratesTheNextKeyOnce(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	first := generated(t, namespace, "shop")
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Key.Revision = 2 })
	current(t, shop)
	operator.settle()
	second := generated(t, namespace, "shop")
	if first == second {
		t.Fatal("the key is the same")
	}
	accepted(t, namespace, "shop", "shop", first, second)

	change(t, shop, func(e *v1alpha1.PostbackEndpoint) {
		e.Spec.Key.Revision, e.Spec.Key.Overlap = 3, &metav1.Duration{}
	})
	current(t, shop)
	accepted(t, namespace, "shop", "shop", generated(t, namespace, "shop"))
	if diff := cmp.Diff([]string{"Active"}, states(shop)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestAKeyRetiresByItself(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD, key: {overlap: 3s}}")
	current(t, shop)
	first := generated(t, namespace, "shop")
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Key.Revision = 2 })
	eventually(t, soon, func() error {
		read(t, shop)
		if len(shop.Status.Keys) != 2 {
			return fmt.Errorf("%d keys", len(shop.Status.Keys))
		}
		return nil
	})
	second := generated(t, namespace, "shop")
	if first == second {
		t.Fatal("the key is the same")
	}
	accepted(t, namespace, "shop", "shop", second)
	current(t, shop)
}

func TestARevokedKeyIsRefusedAtOnce(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Key.Revoked = []string{e.Status.Keys[0].ID} })
	says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid)
	accepted(t, namespace, "shop", "shop")
	if diff := cmp.Diff([]string{"Revoked"}, states(shop)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Key.Revision = 2 })
	current(t, shop)
	accepted(t, namespace, "shop", "shop", generated(t, namespace, "shop"))
}

func TestAWorkingEndpointOutlivesItsSecret(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD, key: {secretRef: {name: mine}}}")
	if message := says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse,
		v1alpha1.ReasonSecretNotFound); !strings.Contains(message, "Secret mine") {
		t.Errorf("message: %s", message)
	}
	says(t, shop, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	const key = "canary-key-that-outlives"
	held := secretOf(t, namespace, "mine", map[string]string{"key": key})
	current(t, shop)
	for name, data := range map[string]map[string][]byte{
		"an empty key":             {"key": []byte(" ")},
		"a key that is no segment": {"key": []byte("a/b/c/d/e")},
		"no key":                   {"other": []byte("x")},
	} {
		t.Run(name, func(t *testing.T) {
			change(t, held, func(s *corev1.Secret) { s.Data = data })
			says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid)
			accepted(t, namespace, "shop", "shop", key)
		})
	}
	noError(t, admin.Delete(t.Context(), held))
	says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	says(t, shop, v1alpha1.ConditionProgrammed, metav1.ConditionTrue, v1alpha1.ReasonProgrammed)
	accepted(t, namespace, "shop", "shop", key)
	secretOf(t, namespace, "mine", map[string]string{"key": key})
	current(t, shop)
	if diff := cmp.Diff([]string{"Active"}, states(shop)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestADeletedGeneratedKeyIsRestored(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	key := generated(t, namespace, "shop")
	held := get[corev1.Secret](t, namespace, "shop-key")
	uid := held.UID
	noError(t, admin.Delete(t.Context(), held))
	eventually(t, soon, func() error {
		if err := admin.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: "shop-key"}, held); err != nil {
			return err
		}
		if held.UID == uid {
			return fmt.Errorf("it is still the deleted one")
		}
		return nil
	})
	if string(held.Data["key"]) != key {
		t.Error("networks would have to be told another key")
	}
	accepted(t, namespace, "shop", "shop", key)
}

func TestAGeneratedKeyMayBeNamedAsOnesOwn(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	first := generated(t, namespace, "shop")
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) {
		e.Spec.Key.SecretRef = &v1alpha1.SecretKeyReference{Name: "shop-key"}
	})
	current(t, shop)
	accepted(t, namespace, "shop", "shop", first)
	held := get[corev1.Secret](t, namespace, "shop-key")
	next := secret("canary-key-after-the-generated-one")
	change(t, held, func(s *corev1.Secret) { s.Data["key"] = []byte(next) })
	accepted(t, namespace, "shop", "shop", first, next)
	noError(t, admin.Delete(t.Context(), held))
	says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	accepted(t, namespace, "shop", "shop", first, next)
}

func TestAUsersSecretOfTheGeneratedOnesNameIsLeftAlone(t *testing.T) {
	namespace := newNamespace(t, nil)
	held := secretOf(t, namespace, "shop-key", map[string]string{"key": "canary-key-of-the-user"})
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	if message := says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse,
		v1alpha1.ReasonSecretInvalid); !strings.Contains(message, "spec.key.secretRef") {
		t.Errorf("message: %s", message)
	}
	read(t, held)
	if string(held.Data["key"]) != "canary-key-of-the-user" || len(held.Labels) > 1 {
		t.Error("the Secret was taken over")
	}
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) {
		e.Spec.Key.SecretRef = &v1alpha1.SecretKeyReference{Name: "shop-key"}
	})
	current(t, shop)
	accepted(t, namespace, "shop", "shop", "canary-key-of-the-user")
}
