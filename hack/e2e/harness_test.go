//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// long is how long to wait for what takes seconds on an idle machine.
const long = 4 * time.Minute

// eventually waits until check passes.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(long); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
		if t.Context().Err() != nil {
			break
		}
	}
	t.Fatal(err)
}

// kubectl runs kubectl and returns what it prints.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := bed.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// apply applies manifests.
func apply(t *testing.T, namespace, manifests string) {
	t.Helper()
	if err := bed.Apply(t.Context(), namespace, manifests); err != nil {
		t.Fatal(err)
	}
}

// inNamespace makes a namespace for one test. When the test is over it must go without anybody's help.
func inNamespace(t *testing.T, name string) string {
	t.Helper()
	kubectl(t, "create", "namespace", name)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(describe(name))
		}
		if _, err := bed.Kubectl(context.Background(), "delete", "namespace", name, "--timeout=3m"); err != nil {
			t.Errorf("the namespace does not go: %v", err)
		}
	})
	return name
}

// describe shows what a failed test left.
func describe(namespace string) string {
	var b strings.Builder
	for _, args := range [][]string{
		{"get", "postback,pods,persistentvolumeclaims", "-n", namespace, "-o", "wide"},
		{"get", "pbe", "-n", namespace, "-o", `jsonpath={range .items[*]}{.metadata.name}{" "}{.status}{"\n"}{end}`},
		{"get", "events", "-n", namespace, "--sort-by=.lastTimestamp"},
		{"logs", "-n", namespace, "-l", v1alpha1.LabelFleet, "--tail=20", "--prefix"},
	} {
		out, err := bed.Kubectl(context.Background(), args...)
		fmt.Fprintf(&b, "$ kubectl %s\n%s", strings.Join(args, " "), out)
		if err != nil {
			fmt.Fprintln(&b, err)
		}
	}
	return b.String()
}

// get reads an object.
func get[T any, P interface {
	*T
	client.Object
}](t *testing.T, namespace, name string) P {
	t.Helper()
	object := P(new(T))
	if err := cluster.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
		t.Fatal(err)
	}
	return object
}

// isReady says whether conditions of a generation say Ready.
func isReady(conditions []metav1.Condition, observed, generation int64) error {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case observed != generation:
		return fmt.Errorf("generation %d was not looked at", generation)
	case ready == nil:
		return fmt.Errorf("there is no condition Ready")
	case ready.Status != metav1.ConditionTrue:
		return fmt.Errorf("it is not Ready: %s: %s", ready.Reason, ready.Message)
	}
	return nil
}

// endpointReady waits until an endpoint is Ready and returns it.
func endpointReady(t *testing.T, namespace, name string) *v1alpha1.PostbackEndpoint {
	t.Helper()
	var endpoint *v1alpha1.PostbackEndpoint
	eventually(t, func() error {
		endpoint = get[v1alpha1.PostbackEndpoint](t, namespace, name)
		return isReady(endpoint.Status.Conditions, endpoint.Status.ObservedGeneration, endpoint.Generation)
	})
	return endpoint
}

// fleetReady waits until a fleet is Ready with that many receivers, each of which confirmed, and no other is left.
func fleetReady(t *testing.T, namespace, name string, receivers int) *v1alpha1.ReceiverFleet {
	t.Helper()
	var fleet *v1alpha1.ReceiverFleet
	eventually(t, func() error {
		fleet = get[v1alpha1.ReceiverFleet](t, namespace, name)
		if err := isReady(fleet.Status.Conditions, fleet.Status.ObservedGeneration, fleet.Generation); err != nil {
			return err
		}
		if pods := receiverPods(t, namespace, name); len(pods) != receivers ||
			int(fleet.Status.ConfirmedReplicas) != receivers {
			return fmt.Errorf("%d pods, %d confirmed, want %d", len(pods), fleet.Status.ConfirmedReplicas, receivers)
		}
		return nil
	})
	return fleet
}

// receiverPods are the pods of a fleet that are not over, oldest first.
func receiverPods(t *testing.T, namespace, fleet string) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	if err := cluster.List(t.Context(), &pods, client.InNamespace(namespace),
		client.MatchingLabels{v1alpha1.LabelFleet: fleet}); err != nil {
		t.Fatal(err)
	}
	live := slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool {
		return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	})
	slices.SortFunc(live, func(a, b corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
	return live
}

// identities are the pods' and their containers', which change when either is restarted.
func identities(pods []corev1.Pod) []string {
	var ids []string
	for _, p := range pods {
		for _, c := range p.Status.ContainerStatuses {
			ids = append(ids, fmt.Sprintf("%s restarts=%d", p.UID, c.RestartCount))
		}
	}
	slices.Sort(ids)
	return ids
}

// secret reads a field of a Secret.
func secret(t *testing.T, namespace, name, field string) string {
	t.Helper()
	value, ok := get[corev1.Secret](t, namespace, name).Data[field]
	if !ok {
		t.Fatalf("Secret %s has no field %s", name, field)
	}
	return string(value)
}

// decode reads JSON.
func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var into T
	if err := json.Unmarshal([]byte(text), &into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return into
}
