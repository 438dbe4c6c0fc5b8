//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/hack/testbed"
)

// loadPerSecond is the rate of the loads. It leaves two cores room for three nodes, a control plane and a database.
const loadPerSecond = 100

// whatever settles a change has this long to show itself under load.
const settle = 3 * time.Second

// under runs a change under load and demands that no request fails.
func under(t *testing.T, to target, change func(t *testing.T, l *load)) {
	t.Helper()
	if got := underWhatFails(t, to, change); got.Failed > 0 {
		t.Errorf("%d of %d requests failed: %s", got.Failed, got.Sent, strings.Join(got.Failures, "; "))
	}
}

// underWhatFails is under for what may fail requests: none that was acknowledged may be lost all the same.
func underWhatFails(t *testing.T, to target, change func(t *testing.T, l *load)) account {
	t.Helper()
	l := begin(t, to, loadPerSecond)
	time.Sleep(settle)
	change(t, l)
	time.Sleep(settle)
	return l.stop(t)
}

// sendTo makes the load go on with another URL.
func (l *load) sendTo(t *testing.T, url string) {
	t.Helper()
	if _, err := call[struct{}](t.Context(), "POST", "/target", map[string]any{"url": url}); err != nil {
		t.Fatal(err)
	}
}

// Everything that happens to a fleet while networks send to it.
func TestUnderLoad(t *testing.T) {
	namespace := inNamespace(t, "e2e-load")
	apply(t, namespace, fleetManifest(t, namespace, "replicas: 3"))
	shop := endpointOn(t, namespace, "shop")
	fleetReady(t, namespace, fleetName, 3)

	t.Run("the key is rotated by its revision", func(t *testing.T) {
		under(t, shop, func(t *testing.T, l *load) {
			apply(t, namespace, endpointManifest("shop", "key: {revision: 2, overlap: 1h}"))
			endpointReady(t, namespace, "shop")
			former := shop.url
			shop.url = postbackURL(t, namespace, "shop")
			if former == shop.url {
				t.Fatal("it is the same key")
			}
			l.sendTo(t, shop.url)
		})
	})
	t.Run("the key is rotated by the user's Secret", func(t *testing.T) {
		hold := func(key string) string {
			return fmt.Sprintf(`{apiVersion: v1, kind: Secret, metadata: {name: own-key, labels: {postback.dev/readable: "true"}},
				stringData: {key: %s, clickToken: e2e-click-token-of-own}}`, key)
		}
		apply(t, namespace, hold("e2e-first-key-of-own-endpoint"))
		spec := "key: {secretRef: {name: own-key}, overlap: 1h}"
		own := endpointOn(t, namespace, "own", spec)
		under(t, own, func(t *testing.T, l *load) {
			former := activeKey(t, namespace, "own")
			apply(t, namespace, hold("e2e-second-key-of-own-endpoint"))
			rotated(t, namespace, "own", former)
			l.sendTo(t, postbackURL(t, namespace, "own"))
		})
	})
	t.Run("aliases and training change", func(t *testing.T) {
		before := identities(receiverPods(t, namespace, fleetName))
		under(t, shop, func(t *testing.T, _ *load) {
			apply(t, namespace, endpointManifest("shop", "key: {revision: 2, overlap: 1h}", "aliases: {subid: [clickid]}",
				"training: [{type: deposit, statuses: [ftd]}]"))
			endpointReady(t, namespace, "shop")
			if got := visit(t, shop.url+"?clickid=load-0&status=ftd&tid=alias&payout=1"); got.outcome() != "recorded" {
				t.Errorf("by the alias it is %d %s", got.Status, got.outcome())
			}
		})
		if diff := cmp.Diff(before, identities(receiverPods(t, namespace, fleetName))); diff != "" {
			t.Errorf("it restarted receivers:\n%s", diff)
		}
	})
	t.Run("another endpoint joins and an invalid one tries to", func(t *testing.T) {
		before := identities(receiverPods(t, namespace, fleetName))
		under(t, shop, func(t *testing.T, _ *load) {
			apply(t, namespace, endpointManifest("broken", "access: {hmac: {secretRef: {name: there-is-none}}}"))
			second := endpointOn(t, namespace, "second")
			if got := visit(t, second.url+"?subid=load-0&status=sale&tid=1"); got.outcome() != "recorded" {
				t.Errorf("the second endpoint answers %d %s", got.Status, got.outcome())
			}
			broken := get[v1alpha1.PostbackEndpoint](t, namespace, "broken")
			if isReady(broken.Status.Conditions, broken.Status.ObservedGeneration, broken.Generation) == nil {
				t.Error("an endpoint without its Secret is Ready")
			}
			endpointReady(t, namespace, "shop")
		})
		if diff := cmp.Diff(before, identities(receiverPods(t, namespace, fleetName))); diff != "" {
			t.Errorf("it restarted receivers:\n%s", diff)
		}
	})
	t.Run("another image is rolled out", func(t *testing.T) {
		under(t, shop, func(t *testing.T, _ *load) {
			apply(t, namespace, fleetOnDatabase("replicas: 3", "image: "+testbed.Registry+"/receiver:"+testbed.NextTag))
			rolledOut(t, namespace, testbed.NextTag, 3)
		})
	})
	t.Run("it is scaled down and up", func(t *testing.T) {
		under(t, shop, func(t *testing.T, _ *load) {
			for _, receivers := range []int{2, 4, 3} {
				kubectl(t, "scale", "-n", namespace, "rfl/"+fleetName, fmt.Sprintf("--replicas=%d", receivers))
				fleetReady(t, namespace, fleetName, receivers)
			}
		})
	})
	t.Run("a pod is deleted", func(t *testing.T) {
		under(t, shop, func(t *testing.T, _ *load) {
			kubectl(t, "delete", "pod", "-n", namespace, receiverPods(t, namespace, fleetName)[0].Name)
			fleetReady(t, namespace, fleetName, 3)
		})
	})
	t.Run("the operator is away for a minute", func(t *testing.T) {
		under(t, shop, func(t *testing.T, _ *load) {
			operatorAway(t, func() { time.Sleep(time.Minute) })
			endpointReady(t, namespace, "shop")
		})
	})
	t.Run("a node is drained", func(t *testing.T) {
		node := receiverNode(t, namespace)
		under(t, shop, func(t *testing.T, _ *load) {
			t.Cleanup(func() { _, _ = bed.Kubectl(context.Background(), "uncordon", node) })
			kubectl(t, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=4m")
			fleetReady(t, namespace, fleetName, 3)
			for _, pod := range receiverPods(t, namespace, fleetName) {
				if pod.Spec.NodeName == node {
					t.Errorf("%s is on the drained node", pod.Name)
				}
			}
			kubectl(t, "uncordon", node)
		})
	})
	t.Run("the database is restarted", func(t *testing.T) {
		underWhatFails(t, shop, func(t *testing.T, _ *load) {
			if err := database.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			fleetReady(t, namespace, fleetName, 3)
		})
	})
	t.Run("the database is killed", func(t *testing.T) {
		underWhatFails(t, shop, func(t *testing.T, _ *load) {
			if err := database.Kill(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			if err := database.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			fleetReady(t, namespace, fleetName, 3)
		})
	})
	t.Run("a node is killed", func(t *testing.T) {
		node := receiverNode(t, namespace)
		underWhatFails(t, shop, func(t *testing.T, _ *load) {
			withoutPower(t, node, func() {
				began := time.Now()
				eventually(t, func() error {
					for _, pod := range receiverPods(t, namespace, fleetName) {
						if pod.Spec.NodeName == node && pod.DeletionTimestamp == nil {
							return fmt.Errorf("%s is still wanted on %s", pod.Name, node)
						}
					}
					return nil
				})
				t.Logf("given up %.0f s after the power failed", time.Since(began).Seconds())
				served(t, namespace, 3)
			})
		})
		fleetReady(t, namespace, fleetName, 3)
	})
}

// receiverNode is a node with a receiver of the fleet that may be taken away: not that of the sender.
func receiverNode(t *testing.T, namespace string) string {
	t.Helper()
	kept := get[corev1.Pod](t, senderNamespace, "sender").Spec.NodeName
	for _, pod := range receiverPods(t, namespace, fleetName) {
		if pod.Spec.NodeName != kept {
			return pod.Spec.NodeName
		}
	}
	t.Fatalf("no receiver is on another node than %s, where the sender is", kept)
	return ""
}

// served waits until that many receivers are ready, whatever is left of others.
func served(t *testing.T, namespace string, receivers int) {
	t.Helper()
	eventually(t, func() error {
		ready := 0
		for _, pod := range receiverPods(t, namespace, fleetName) {
			for _, condition := range pod.Status.Conditions {
				if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil {
					ready++
				}
			}
		}
		if ready < receivers {
			return fmt.Errorf("%d receivers are ready, want %d", ready, receivers)
		}
		return nil
	})
}

// rolledOut waits until every receiver has the image.
func rolledOut(t *testing.T, namespace, tag string, receivers int) {
	t.Helper()
	eventually(t, func() error {
		for _, pod := range receiverPods(t, namespace, fleetName) {
			if !strings.HasSuffix(pod.Spec.Containers[0].Image, ":"+tag) {
				return fmt.Errorf("%s has the image %s", pod.Name, pod.Spec.Containers[0].Image)
			}
		}
		return nil
	})
	fleetReady(t, namespace, fleetName, receivers)
}

// operatorAway stops the operator for as long as do takes.
func operatorAway(t *testing.T, do func()) {
	t.Helper()
	scale := func(replicas int) error {
		_, err := bed.Kubectl(context.Background(), "scale", "-n", testbed.Namespace, "deployment/"+testbed.Release,
			fmt.Sprintf("--replicas=%d", replicas))
		return err
	}
	t.Cleanup(func() { _ = scale(2) }) // also when do fails the test
	if err := scale(0); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "wait", "-n", testbed.Namespace, "--for=delete", "pod", "-l", "app.kubernetes.io/instance="+testbed.Release,
		"--timeout=2m")
	do()
	if err := scale(2); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "rollout", "status", "-n", testbed.Namespace, "deployment/"+testbed.Release, "--timeout=2m")
}

// withoutPower fails a node's power for as long as do takes.
func withoutPower(t *testing.T, node string, do func()) {
	t.Helper()
	t.Cleanup(func() { _ = bed.Power(context.Background(), node, true) }) // also when do fails the test
	if err := bed.Power(t.Context(), node, false); err != nil {
		t.Fatal(err)
	}
	do()
	if err := bed.Power(t.Context(), node, true); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "wait", "--for=condition=Ready", "node/"+node, "--timeout=3m")
}
