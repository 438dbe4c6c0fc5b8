package fleet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

func TestWhatTheCertificateAndTheRouteSay(t *testing.T) {
	fleet := &v1alpha1.ReceiverFleet{}
	fleet.Namespace = "ads"
	fleet.Spec.Gateway = &v1alpha1.GatewaySpec{ParentRefs: []v1alpha1.ParentRef{
		{Name: "public"}, {Name: "private", Namespace: "infra", SectionName: "https"},
	}}
	const private = "{parentRef: {name: private, namespace: infra, sectionName: https}, " +
		"conditions: [{type: Accepted, status: 'True'}]}"
	for name, c := range map[string]struct {
		says   func(*unstructured.Unstructured, *v1alpha1.ReceiverFleet) string
		status string
		want   string
	}{
		"a certificate that nobody looked at": {certificateSays, "{}",
			"The Certificate was not looked at yet by cert-manager."},
		"a certificate that is not issued": {certificateSays,
			"{conditions: [{type: Issuing, status: 'True'}, {type: Ready, status: 'False', reason: DoesNotExist, message: m}]}",
			"The Certificate is not ready: DoesNotExist: m"},
		"a certificate": {certificateSays, "{conditions: [{type: Ready, status: 'True'}]}", ""},
		"a route that one Gateway has not looked at": {routeSays, "{parents: [" + private + "]}",
			"Gateway public did not look at the HTTPRoute yet."},
		"a route that a Gateway of the same name elsewhere takes": {routeSays, "{parents: [" + private +
			", {parentRef: {name: public, namespace: other}, conditions: [{type: Accepted, status: 'True'}]}]}",
			"Gateway public did not look at the HTTPRoute yet."},
		"a route that one does not accept": {routeSays, "{parents: [" + private + ", {parentRef: {name: public}, " +
			"conditions: [{type: Accepted, status: 'False', reason: NoMatchingListenerHostname, message: m}]}]}",
			"Gateway public does not take the HTTPRoute: NoMatchingListenerHostname: m"},
		"a route that all accept": {routeSays, "{parents: [" + private +
			", {parentRef: {name: public, namespace: ads}, conditions: [{type: ResolvedRefs, status: 'True'}]}]}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte("{status: "+c.status+"}"), &object.Object); err != nil {
				t.Fatal(err)
			}
			if got := c.says(object, fleet); got != c.want {
				t.Errorf("it says %q", got)
			}
		})
	}
}

func TestALoadBalancerWithoutAnAddressIsSaid(t *testing.T) {
	service := &corev1.Service{}
	if balancerSays(service) == "" {
		t.Error("nothing is said")
	}
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: "lb.example"}}
	if got := balancerSays(service); got != "" {
		t.Errorf("it says %q", got)
	}
}
