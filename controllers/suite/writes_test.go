package suite

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// written names the writes since the last call, without a pod's own name, sorted.
func written(namespace string) []string {
	var all []string
	for _, write := range operator.recorder.take() {
		_, object, here := strings.Cut(write, "/namespaces/"+namespace+"/")
		if kind, _, _ := strings.Cut(object, "/"); kind == "pods" {
			object = "pods"
		}
		if here && !strings.HasPrefix(object, "events") {
			all = append(all, object)
		}
	}
	slices.Sort(all)
	return all
}

// TestOneChangedEndpointIsThreeWrites counts at the HTTP transport. The third is the nudge, one for each ready
// receiver.
func TestOneChangedEndpointIsThreeWrites(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	neighbour := endpointOf(t, namespace, "neighbour", "{currency: USD, fleetRef: {name: shared}}")
	current(t, fleet, shop, neighbour)
	operator.settle()
	written(namespace)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Currency = "EUR" })
	current(t, shop)
	operator.settle()
	want := []string{"pods", "postbackendpoints/shop/status", "secrets/shared-config"}
	if diff := cmp.Diff(want, written(namespace)); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

// TestAConfigurationThatOutgrowsOneSecretMovesAndComesBack makes endpoints so large that few fill a Secret.
func TestAConfigurationThatOutgrowsOneSecretMovesAndComesBack(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	var endpoints []*v1alpha1.PostbackEndpoint
	for i := range 16 {
		endpoints = append(endpoints, endpointOf(t, namespace, fmt.Sprintf("large-%d", i),
			fmt.Sprintf("{currency: USD, fleetRef: {name: shared}, training: [%s]}", strings.Join(training(), ", "))))
	}
	for _, e := range endpoints {
		current(t, e)
	}
	shard := &corev1.Secret{}
	shard.Namespace, shard.Name = namespace, resources.ShardSecretName("shared", 1)
	eventually(t, soon, func() error { return admin.Get(t.Context(), client.ObjectKeyFromObject(shard), shard) })
	holds := func(endpoints int) {
		t.Helper()
		eventually(t, soon, func() error {
			content, err := served(t.Context(), client.ObjectKeyFromObject(fleet))
			if err == nil && len(content.Endpoints) != endpoints {
				err = fmt.Errorf("%d endpoints are served", len(content.Endpoints))
			}
			return err
		})
	}
	holds(len(endpoints))
	for _, e := range endpoints[1:] {
		noError(t, admin.Delete(t.Context(), e))
	}
	gone(t, shard)
	holds(1)
	current(t, endpoints[0], fleet)
	if held := get[corev1.Secret](t, namespace, "shared-config"); len(held.Data) != 2 {
		t.Errorf("%d documents are in one Secret", len(held.Data))
	}
}

// training returns rules of some 50 kB: as many words of the greatest length as the built-in types may have.
func training() []string {
	var rules []string
	for i, kind := range []string{"lead", "sale", "rejected", "registration", "deposit", "trash"} {
		var words []string
		for j := range 128 {
			words = append(words, fmt.Sprintf("%064d", i*1000+j))
		}
		rules = append(rules, fmt.Sprintf("{type: %s, statuses: ['%s']}", kind, strings.Join(words, "', '")))
	}
	return rules
}
