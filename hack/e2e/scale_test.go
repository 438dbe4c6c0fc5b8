//go:build e2e

package e2e

import (
	"fmt"
	"testing"
)

// A fleet with autoscaling grows under load and answers all the while.
func TestTheLoadDecidesHowManyReceiversThereAre(t *testing.T) {
	namespace := inNamespace(t, "e2e-scale")
	apply(t, namespace, fleetManifest(t, namespace,
		"autoscaling: {minReplicas: 1, maxReplicas: 3, targetCPUUtilization: 50}",
		// What it is a half of: so little that the load of one sender passes it.
		"podTemplate: {spec: {containers: [{name: receiver, resources: {requests: {cpu: 20m}}}]}}"))
	shop := endpointOn(t, namespace, "shop")
	fleetReady(t, namespace, fleetName, 1)
	eventually(t, func() error { // it knows nothing before it has measured twice
		_, err := bed.Kubectl(t.Context(), "top", "pods", "-n", namespace)
		return err
	})
	under(t, shop, func(t *testing.T, _ *load) {
		eventually(t, func() error {
			if n := len(receiverPods(t, namespace, fleetName)); n < 2 {
				return fmt.Errorf("%d receivers", n)
			}
			return nil
		})
		served(t, namespace, 2)
	})
	// What the autoscaler decided the operator leaves alone.
	apply(t, namespace, endpointManifest("shop", "aliases: {subid: [clickid]}"))
	endpointReady(t, namespace, "shop")
	if n := len(receiverPods(t, namespace, fleetName)); n < 2 {
		t.Errorf("a change of an endpoint set the receivers to %d", n)
	}
}
