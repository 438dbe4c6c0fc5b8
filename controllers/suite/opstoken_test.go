package suite

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
)

// opsToken waits for the token of a fleet's read API.
func opsToken(t *testing.T, namespace, fleet string) string {
	t.Helper()
	var held corev1.Secret
	eventually(t, soon, func() error {
		err := admin.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: fleet + "-ops"}, &held)
		if err == nil && len(held.Data["token"]) < 26 {
			err = fmt.Errorf("the token has %d characters", len(held.Data["token"]))
		}
		return err
	})
	return string(held.Data["token"])
}

func TestEveryFleetHasAnOpsTokenOfItsOwn(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	own := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, fleet, own)
	first := opsToken(t, namespace, "shared")
	if opsToken(t, namespace, "shop") == first {
		t.Error("two fleets share a token")
	}
	template := get[appsv1.Deployment](t, namespace, "shared").Spec.Template.Spec
	if args := template.Containers[0].Args; !slices.Contains(args, "--ops-token-file=/etc/postback/ops/token") {
		t.Errorf("receivers run with %v", args)
	}
	mounted := func(v corev1.Volume) bool {
		return v.Secret != nil && v.Secret.SecretName == "shared-ops" && v.Secret.Optional == nil
	}
	if !slices.ContainsFunc(template.Volumes, mounted) {
		t.Errorf("the Secret is not mounted: %v", template.Volumes)
	}

	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Host = "pb.example.com" })
	current(t, fleet)
	if opsToken(t, namespace, "shared") != first {
		t.Error("the token changes with the fleet")
	}
	noError(t, admin.Delete(t.Context(), get[corev1.Secret](t, namespace, "shared-ops")))
	if opsToken(t, namespace, "shared") == first {
		t.Error("a token whose Secret was deleted comes back")
	}
}

func TestATokenOfTheUsersIsKept(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	current(t, fleet)
	opsToken(t, namespace, "shared")
	const chosen = "eleventh-canary-chosen-ops-token"
	change(t, get[corev1.Secret](t, namespace, "shared-ops"),
		func(s *corev1.Secret) { s.Data["token"] = []byte(secret(chosen)) })
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Host = "pb.example.com" })
	current(t, fleet)
	operator.settle()
	if opsToken(t, namespace, "shared") != chosen {
		t.Error("the operator put another token in its place")
	}
}

func TestNoReceiverStartsWithSomebodyElsesOpsToken(t *testing.T) {
	namespace := newNamespace(t, nil)
	foreign := secretOf(t, namespace, "shared-ops", map[string]string{"token": "twelfth-canary-foreign-ops-token"})
	fleet := fleetOf(t, namespace, "shared", "{}")
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	if want := "Secret shared-ops exists and is not the operator's: rename or delete it"; message != want {
		t.Errorf("message: %s, want %s", message, want)
	}
	operator.settle()
	err := admin.Get(t.Context(), client.ObjectKeyFromObject(fleet), &appsv1.Deployment{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the Deployment: %v", err)
	}
	noError(t, admin.Delete(t.Context(), foreign))
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Host = "pb.example.com" })
	current(t, fleet)
}

// apiToken waits until an endpoint's token of its fleet's API is the one that an ops token makes.
func apiToken(t *testing.T, namespace, endpoint, ops string) {
	t.Helper()
	want := credential.APIToken(types.NamespacedName{Namespace: namespace, Name: endpoint}, []byte(ops))
	secret(want)
	eventually(t, soon, func() error {
		var held corev1.Secret
		if err := admin.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: endpoint + "-postback"},
			&held); err != nil {
			return err
		}
		if string(held.Data["apiToken"]) != want {
			return fmt.Errorf("it is not there: fields %v", slices.Sorted(maps.Keys(held.Data)))
		}
		return nil
	})
}

func TestAnEndpointHasATokenThatReadsItself(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	own := endpointOf(t, namespace, "own", "{currency: USD}")
	current(t, fleet, shop, own)
	apiToken(t, namespace, "shop", opsToken(t, namespace, "shared"))
	apiToken(t, namespace, "own", opsToken(t, namespace, "own"))
	operator.settle()
	written(namespace)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Key.Overlap = &metav1.Duration{Duration: time.Hour} })
	current(t, shop)
	operator.settle()
	if slices.Contains(written(namespace), "secrets/shop-postback") {
		t.Error("a token that is as it ought to be is written")
	}
}

func TestATokenOfAnEndpointEndsWithTheOpsToken(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	current(t, fleet, shop)
	apiToken(t, namespace, "shop", opsToken(t, namespace, "shared"))
	const chosen = "canary-chosen-ops-token-of-tenants"
	change(t, get[corev1.Secret](t, namespace, "shared-ops"),
		func(s *corev1.Secret) { s.Data["token"] = []byte(secret(chosen)) })
	apiToken(t, namespace, "shop", chosen)
}

func TestASuspendedEndpointsTokenFollowsItsFleets(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	current(t, fleet, shop)
	key := generated(t, namespace, "shop")
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Suspend, e.Spec.Key.Revision = true, 2 })
	current(t, shop)
	before := opsToken(t, namespace, "shared")
	noError(t, admin.Delete(t.Context(), get[corev1.Secret](t, namespace, "shared-ops")))
	eventually(t, soon, func() error {
		if opsToken(t, namespace, "shared") == before {
			return errors.New("the fleet has no new token yet")
		}
		return nil
	})
	apiToken(t, namespace, "shop", opsToken(t, namespace, "shared"))
	if got := string(get[corev1.Secret](t, namespace, "shop-postback").Data["key"]); got != key {
		t.Error("a suspended endpoint's URL has another key")
	}
}

func TestAFleetOfAnotherNamespaceGivesItsTokenToThosePermitted(t *testing.T) {
	home, away := newNamespace(t, nil), newNamespace(t, nil)
	fleet := fleetOf(t, home, "shared", "{allowedEndpoints: {namespaces: Selector, selector: {matchLabels: {team: api}}}}")
	shop := endpointOf(t, away, "shop", fmt.Sprintf("{currency: USD, fleetRef: {name: shared, namespace: %s}}", home))
	says(t, shop, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonFleetNotPermitted)
	ops := opsToken(t, home, "shared")
	current(t, fleet)
	operator.settle()
	if get[corev1.Secret](t, away, "shop-postback").Data["apiToken"] != nil {
		t.Error("an endpoint that the fleet does not permit has a token of its API")
	}
	change(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: away}},
		func(n *corev1.Namespace) { n.Labels["team"] = "api" })
	apiToken(t, away, "shop", ops)
	var secrets corev1.SecretList
	noError(t, admin.List(t.Context(), &secrets, client.InNamespace(away)))
	for _, held := range secrets.Items {
		for field, value := range held.Data {
			if strings.Contains(string(value), ops) {
				t.Errorf("the fleet's ops token is in %s, field %s", held.Name, field)
			}
		}
	}
}
