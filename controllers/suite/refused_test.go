package suite

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// refusedWith waits for the reason APIRefused, and for an event about it.
func refusedWith(t *testing.T, object client.Object, words string) {
	t.Helper()
	if message := says(t, object, v1alpha1.ConditionReady, metav1.ConditionFalse,
		v1alpha1.ReasonAPIRefused); !strings.Contains(message, words) {
		t.Errorf("it says %q", message)
	}
	eventually(t, soon, func() error {
		var all eventsv1.EventList
		if err := admin.List(t.Context(), &all, client.InNamespace(object.GetNamespace())); err != nil {
			return err
		}
		for _, event := range all.Items {
			if event.Regarding.UID == object.GetUID() && event.Reason == v1alpha1.ReasonAPIRefused {
				return nil
			}
		}
		return errors.New("no event")
	})
}

// deny has a policy refuse Secrets in the namespaces with a label, and returns what takes it away again.
func deny(t *testing.T, label string) (allow func()) {
	t.Helper()
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: label},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"secrets"}},
				},
			}}},
			Validations: []admissionv1.Validation{{
				Expression:        "false",
				MessageExpression: `"ask the platform team about " + (has(object.data.key) ? string(object.data.key) : "it")`,
			}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: label},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        label,
			ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
			MatchResources: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{label: "yes"}},
			},
		},
	}
	noError(t, admin.Create(t.Context(), policy), admin.Create(t.Context(), binding))
	return func() { noError(t, admin.Delete(t.Context(), binding), admin.Delete(t.Context(), policy)) }
}

func TestWhatAPolicyRefusesIsSaid(t *testing.T) {
	const label = "no-secrets"
	namespace := newNamespace(t, map[string]string{label: "yes"})
	allow := deny(t, label)
	eventually(t, soon, func() error { // a policy takes a moment to be in force
		probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "probe"}}
		if err := admin.Create(t.Context(), probe, client.DryRunAll); err == nil {
			return errors.New("the policy is not in force")
		}
		return nil
	})
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	summer := campaignOf(t, namespace, "summer",
		"{endpointRef: {name: shop}, offerURL: 'https://offer.example/?s={subid}'}")
	refusedWith(t, shop, "ask the platform team about …")
	refusedWith(t, summer, "ask the platform team")
	allow()
	current(t, shop, summer)
	generated(t, namespace, "shop")
}

func TestWhatAQuotaRefusesIsSaid(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	current(t, fleet)
	hard := corev1.ResourceList{"count/secrets": resource.MustParse("1")}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "few"},
		Spec: corev1.ResourceQuotaSpec{Hard: hard}}
	noError(t, admin.Create(t.Context(), quota))
	quota.Status = corev1.ResourceQuotaStatus{Hard: hard, Used: hard} // there is no controller that would count
	noError(t, admin.Status().Update(t.Context(), quota))
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	refusedWith(t, shop, "exceeded quota: few")
	noError(t, admin.Delete(t.Context(), quota))
	current(t, shop)
}

func TestAnImmutableSecretOfTheOperatorsIsSaid(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	current(t, fleet, shop)
	yes := true
	held := get[corev1.Secret](t, namespace, "shop-keyring")
	change(t, held, func(s *corev1.Secret) { s.Immutable = &yes })
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Key.Revision = 2 })
	refusedWith(t, shop, "applying Secret shop-keyring: the API server refuses it; data: Forbidden: field is immutable")
	generated(t, namespace, "shop")
	noError(t, admin.Delete(t.Context(), held))
	eventually(t, soon, func() error {
		current(t, shop)
		if len(shop.Status.Keys) == 0 {
			return fmt.Errorf("no keys")
		}
		return nil
	})
}

func TestAFleetThatAQuotaRefusesIsSaidByItsEndpoint(t *testing.T) {
	namespace := newNamespace(t, nil)
	none := corev1.ResourceList{"count/receiverfleets.postback.dev": resource.MustParse("0")}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "none"},
		Spec: corev1.ResourceQuotaSpec{Hard: none}}
	noError(t, admin.Create(t.Context(), quota))
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	noError(t, admin.Status().Update(t.Context(), quota))
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	refusedWith(t, shop, "applying ReceiverFleet shop")
	noError(t, admin.Delete(t.Context(), quota))
	current(t, shop)
}

func TestASecretOfSomebodyElseInTheWayIsSaid(t *testing.T) {
	namespace := newNamespace(t, nil)
	for name, suffix := range map[string]string{"a": "-keyring", "b": "-postback", "c": "-snippets"} {
		foreign := secretOf(t, namespace, name+suffix, map[string]string{"mine": "canary-of-somebody-else"})
		shop := endpointOf(t, namespace, name, "{currency: USD}")
		refusedWith(t, shop, "Secret "+name+suffix+" exists and is not the operator's: rename or delete it")
		noError(t, admin.Delete(t.Context(), foreign))
		current(t, shop)
	}
}

// The configuration, which receivers mount, is the fleet's.
func TestAConfigurationOfSomebodyElseInTheWayIsSaid(t *testing.T) {
	namespace := newNamespace(t, nil)
	foreign := secretOf(t, namespace, "shared-config", map[string]string{"mine": "canary-of-somebody-else"})
	fleet := fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	for _, object := range []client.Object{fleet, shop} {
		message := says(t, object, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
		if !strings.Contains(message, "Secret shared-config exists and is not the operator's: rename or delete it") {
			t.Errorf("it says %q", message)
		}
	}
	noError(t, admin.Delete(t.Context(), foreign))
	current(t, fleet, shop)
}
