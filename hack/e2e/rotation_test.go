//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// activeKey is the id of an endpoint's active key.
func activeKey(t *testing.T, namespace, name string) string {
	t.Helper()
	for _, key := range get[v1alpha1.PostbackEndpoint](t, namespace, name).Status.Keys {
		if key.State == v1alpha1.KeyActive {
			return key.ID
		}
	}
	return ""
}

// rotated waits until another key than the former is active and every receiver confirmed it.
func rotated(t *testing.T, namespace, name, former string) *v1alpha1.PostbackEndpoint {
	t.Helper()
	var endpoint *v1alpha1.PostbackEndpoint
	eventually(t, func() error {
		endpoint = get[v1alpha1.PostbackEndpoint](t, namespace, name)
		if !slices.ContainsFunc(endpoint.Status.Keys, func(k v1alpha1.KeyStatus) bool {
			return k.State == v1alpha1.KeyActive && k.ID != former
		}) {
			return fmt.Errorf("the former key is active")
		}
		return isReady(endpoint.Status.Conditions, endpoint.Status.ObservedGeneration, endpoint.Generation)
	})
	return endpoint
}

// rotations is how many times the key is changed to know how long that takes.
const rotations = 20

// Once an endpoint says Ready every receiver takes the new key. How long that takes is printed, not judged.
func TestARotationIsKnownToAllReceivers(t *testing.T) {
	namespace := inNamespace(t, "e2e-rotation")
	apply(t, namespace, fleetManifest(t, namespace, "replicas: 3"))
	endpointOn(t, namespace, "shop")
	fleetReady(t, namespace, fleetName, 3)
	took := make([]time.Duration, 0, rotations)
	for i := range rotations {
		former := activeKey(t, namespace, "shop")
		began := time.Now()
		apply(t, namespace, endpointManifest("shop", fmt.Sprintf("key: {revision: %d, overlap: 0s}", i+2)))
		rotated(t, namespace, "shop", former)
		took = append(took, time.Since(began))
		key := secret(t, namespace, "shop-key", "key")
		for _, pod := range receiverPods(t, namespace, fleetName) {
			url := fmt.Sprintf("http://%s:8080/%s/postback?subid=load-0&status=sale&tid=%d", pod.Status.PodIP, key, i)
			if got := visit(t, url); got.Status != http.StatusOK {
				t.Errorf("rotation %d: %s answers %d to the new key", i, pod.Name, got.Status)
			}
		}
	}
	slices.Sort(took)
	t.Logf("%d rotations, 3 receivers, from kubectl apply to the last confirmation: p50 %.1f s, p95 %.1f s, max %.1f s",
		rotations,
		took[rotations/2].Seconds(), took[rotations*95/100].Seconds(), took[rotations-1].Seconds())
}

// The former key is accepted until it retires and not after, whether or not there is an operator.
func TestAFormerKeyRetiresOnTime(t *testing.T) {
	namespace := inNamespace(t, "e2e-retire")
	apply(t, namespace, fleetManifest(t, namespace, "replicas: 3"))
	endpointOn(t, namespace, "shop")
	fleetReady(t, namespace, fleetName, 3)
	rotate := func(revision int, overlap string) (retireAt time.Time, formerKey string) {
		former, formerKey := activeKey(t, namespace, "shop"), secret(t, namespace, "shop-key", "key")
		apply(t, namespace, endpointManifest("shop", fmt.Sprintf("key: {revision: %d, overlap: %s}", revision, overlap)))
		for _, key := range rotated(t, namespace, "shop", former).Status.Keys {
			if key.ID == former && key.RetireAt != nil {
				return key.RetireAt.Time, formerKey
			}
		}
		t.Fatal("the former key does not retire")
		return
	}
	t.Run("with the operator", func(t *testing.T) {
		retireAt, formerKey := rotate(2, "20s")
		retires(t, namespace, retireAt, formerKey)
	})
	t.Run("without the operator", func(t *testing.T) {
		retireAt, formerKey := rotate(3, "60s")
		operatorAway(t, func() {
			if !time.Now().Before(retireAt) {
				t.Fatal("the key retired before the operator was gone: nothing is proven")
			}
			retires(t, namespace, retireAt, formerKey)
		})
	})
}

// retires asks every receiver by the former key until it is refused: not before it retires.
func retires(t *testing.T, namespace string, retireAt time.Time, formerKey string) {
	t.Helper()
	pods := receiverPods(t, namespace, fleetName)
	refused := map[string]time.Time{}
	eventually(t, func() error {
		for _, pod := range pods {
			if !refused[pod.Name].IsZero() {
				continue
			}
			got := visit(t, fmt.Sprintf("http://%s:8080/%s/postback?subid=load-0&status=sale&tid=retire", pod.Status.PodIP,
				formerKey))
			if got.Status != http.StatusNotFound {
				return fmt.Errorf("the former key is answered %d", got.Status)
			}
			refused[pod.Name] = time.Now()
		}
		return nil
	})
	for name, at := range refused {
		t.Logf("%s answers 404 %.1f s after retireAt", name, at.Sub(retireAt).Seconds())
		// A status has whole seconds.
		if at.Before(retireAt.Add(-time.Second)) {
			t.Errorf("%s refused the former key before it retired", name)
		}
	}
}
