package suite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

// cut makes nobody look at a namespace's routes, certificates and load balancers.
func (n *node) cut(namespace string) (join func()) { return n.set(n.offline, namespace) }

// syncRoutes is cert-manager, the Gateways and the cloud's load balancers: all of them are content.
func (n *node) syncRoutes(ctx context.Context) {
	n.mu.Lock()
	offline := map[string]bool{}
	for namespace := range n.offline {
		offline[namespace] = true
	}
	n.mu.Unlock()
	for _, list := range []*unstructured.UnstructuredList{untypedList("cert-manager.io/v1", "Certificate"),
		untypedList("gateway.networking.k8s.io/v1", "HTTPRoute")} {
		if admin.List(ctx, list) != nil {
			continue // the kind is not installed
		}
		for i := range list.Items {
			object := &list.Items[i]
			if _, said := object.Object["status"]; said || offline[object.GetNamespace()] {
				continue
			}
			object.Object["status"] = content(object)
			_ = admin.Status().Update(ctx, object)
		}
	}
	var services corev1.ServiceList
	_ = admin.List(ctx, &services, client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.LabelManagedByValue})
	for i := range services.Items {
		service := &services.Items[i]
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer || len(service.Status.LoadBalancer.Ingress) > 0 ||
			offline[service.Namespace] {
			continue
		}
		service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
		_ = admin.Status().Update(ctx, service)
	}
}

// content is the status of an object with which its controller has no trouble.
func content(object *unstructured.Unstructured) map[string]any {
	condition := func(kind string) []any { return []any{map[string]any{"type": kind, "status": "True"}} }
	refs, _, _ := unstructured.NestedSlice(object.Object, "spec", "parentRefs")
	if len(refs) == 0 {
		return map[string]any{"conditions": condition("Ready")}
	}
	var parents []any
	for _, ref := range refs {
		parents = append(parents, map[string]any{"parentRef": ref, "conditions": condition("Accepted")})
	}
	return map[string]any{"parents": parents}
}

// What leads to the receivers is theirs to say: an endpoint whose address leads nowhere is not Ready.
func TestAnEndpointWhoseAddressLeadsNowhereIsNotReady(t *testing.T) {
	for name, c := range map[string]struct{ spec, reason string }{
		"a certificate": {"{host: c.example.com, ingress: {}, certificate: {issuerRef: {name: ca}}}",
			v1alpha1.ReasonCertificateNotReady},
		"a route": {"{host: r.example.com, gateway: {parentRefs: [{name: public}]}}", v1alpha1.ReasonRouteNotAccepted},
		"a load balancer": {"{service: {type: LoadBalancer}}",
			v1alpha1.ReasonLoadBalancerPending},
	} {
		t.Run(name, func(t *testing.T) {
			namespace := newNamespace(t, nil)
			join := receivers.cut(namespace)
			shop := endpointOf(t, namespace, "shop", "{currency: USD, receiver: "+c.spec+"}")
			summer := campaignOf(t, namespace, "summer",
				"{endpointRef: {name: shop}, offerURL: 'https://offer.example/?s={subid}'}")
			for _, object := range []client.Object{shop, summer} {
				says(t, object, v1alpha1.ConditionReady, metav1.ConditionFalse, c.reason)
				state(t, object, kstatuscheck.InProgress)
			}
			fleet := get[v1alpha1.ReceiverFleet](t, namespace, "shop")
			says(t, fleet, v1alpha1.ConditionReachable, metav1.ConditionFalse, c.reason)
			join()
			current(t, fleet, shop, summer)
		})
	}
}

func TestAKindThatTheClusterLacksIsSaidAndTakenUpOnceItIsThere(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("testdata", "crds", "httproutes.yaml"))
	noError(t, err)
	definition := &unstructured.Unstructured{}
	noError(t, yaml.Unmarshal(document, definition))
	noError(t, admin.Delete(t.Context(), definition.DeepCopy()))
	eventually(t, soon, func() error {
		err := admin.Get(t.Context(), client.ObjectKeyFromObject(definition), definition.DeepCopy())
		if err == nil {
			return fmt.Errorf("%s is there", definition.GetName())
		}
		return client.IgnoreNotFound(err)
	})
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop",
		"{currency: USD, receiver: {host: k.example.com, gateway: {parentRefs: [{name: public}]}}}")
	message := says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonKindMissing)
	if !strings.Contains(message, "does not serve HTTPRoute of gateway.networking.k8s.io/v1") {
		t.Errorf("it says %q", message)
	}
	fleet := get[v1alpha1.ReceiverFleet](t, namespace, "shop")
	says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonKindMissing)
	state(t, fleet, kstatuscheck.InProgress)
	noError(t, admin.Create(t.Context(), definition))
	current(t, fleet, shop)
}
