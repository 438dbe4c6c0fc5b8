package suite

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// What no schema can say is said by the condition, in words that name the field of the declaration.
func TestWhatTheSchemaLetsPassIsSaidByTheCondition(t *testing.T) {
	namespace := newNamespace(t, nil)
	for name, c := range map[string]struct{ spec, says string }{
		"macro": {"{currency: USD, forwards: [{name: a, url: 'https://s.example/?c={clik}'}]}",
			"spec.forwards[0].url: {clik} is no macro"},
		"currency": {"{currency: ZZZ}", "spec.currency: ZZZ is no ISO 4217 code"},
		"word": {"{currency: USD, training: [{type: sale, statuses: [won]}, {type: lead, statuses: [won]}]}",
			"spec.training"},
	} {
		t.Run(name, func(t *testing.T) {
			shop := endpointOf(t, namespace, name, c.spec)
			message := says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
			if !strings.Contains(message, c.says) || strings.Contains(message, "endpoint.") {
				t.Errorf("it says %q", message)
			}
		})
	}
	fleet := fleetOf(t, namespace, "chosen",
		"{allowedEndpoints: {namespaces: Selector, selector: {matchExpressions: [{key: team, operator: Foo}]}}}")
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	if !strings.Contains(message, "write In, NotIn, Exists or DoesNotExist") {
		t.Errorf("it says %q", message)
	}
}

// What a schema can say is refused before it is stored.
func TestWhatTheSchemaRefusesSaysWhatToWrite(t *testing.T) {
	namespace := newNamespace(t, nil)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://canary-dsn-of-a-spool@db/x"})
	spooled := fleetOf(t, namespace, "spooled", "{store: {postgres: {dsnSecretRef: {name: database}, spool: {size: 1Gi}}}}")
	embedded := fleetOf(t, namespace, "embedded", "{store: {embedded: {size: 2Gi}}}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: embedded}}")
	for name, c := range map[string]struct {
		object client.Object
		spec   string
		says   string
	}{
		"another size of a spool": {spooled, "{store: {postgres: {spool: {size: 2Gi}}}}",
			"the volumes of receivers keep their size: declare none, delete the claims"},
		"a volume that shrinks": {embedded, "{store: {embedded: {size: 1Gi}}}", "write at least what it was"},
		"another class of a volume": {embedded, "{store: {embedded: {storageClassName: fast}}}",
			"a volume keeps its class: leave it as it was"},
		"a port": {shop, "{forwards: [{name: a, url: 'https://s.example:65536/'}]}", "a port up to 65535 if any"},
		"a revision": {shop, "{key: {revision: 9223372036854775807}}",
			"spec.key.revision in body should be less than or equal to 1000000"},
	} {
		t.Run(name, func(t *testing.T) {
			patch, err := yaml.YAMLToJSON([]byte("spec: " + c.spec))
			noError(t, err)
			changed := c.object.DeepCopyObject().(client.Object)
			err = admin.Patch(t.Context(), changed, client.RawPatch(types.MergePatchType, patch))
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "{\n") {
				t.Errorf("it says %v", err)
			}
		})
	}
}
