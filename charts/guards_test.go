package charts

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// guards names the objects of the guards of an installation.
func guards(prefix string) (names []string) {
	for _, guard := range []string{"fleet-in-use", "store-change", "host-change"} {
		for _, kind := range []string{"ValidatingAdmissionPolicy/", "ValidatingAdmissionPolicyBinding/"} {
			names = append(names, kind+prefix+"-"+guard)
		}
	}
	return names
}

func TestTheChartAndTheKustomizationHaveTheSameGuards(t *testing.T) {
	kustomization := kustomize(t, "default")
	for prefix, all := range map[string]objects{
		"postback-operator": template(t), "pb": template(t, "fullnameOverride=pb"),
	} {
		for i, name := range guards(prefix) {
			// Kustomize does not know that the kinds are the cluster's, and the API server drops the namespace.
			want := kustomization[strings.Replace(guards("postback-operator")[i], "/", "/postback-system/", 1)]
			if want == nil || all[name] == nil {
				t.Fatalf("there is no %s", name)
			}
			spec := want.Object["spec"].(map[string]any)
			if policy, ok := spec["policyName"].(string); ok {
				spec["policyName"] = strings.Replace(policy, "postback-operator", prefix, 1)
			}
			if diff := cmp.Diff(want.Object["spec"], all[name].Object["spec"]); diff != "" {
				t.Errorf("%s (-kustomization +chart):\n%s", name, diff)
			}
			if policy, ok := spec["policyName"].(string); ok {
				spec["policyName"] = strings.Replace(policy, prefix, "postback-operator", 1)
			}
		}
	}
	for name := range template(t, "watchNamespaces={a}") {
		if strings.HasPrefix(name, "ValidatingAdmission") {
			t.Errorf("%s is cluster-wide", name)
		}
	}
}

const guarded = `
apiVersion: postback.dev/v1alpha1
kind: ReceiverFleet
metadata: {name: shared, namespace: guarded}
spec: {host: pb.example.com}
---
apiVersion: postback.dev/v1alpha1
kind: PostbackEndpoint
metadata: {name: shop, namespace: guarded}
spec: {currency: USD}
`

// says are what the API server answers to changes, one after the other; empty: it takes them.
var guardedSteps = []struct {
	what string
	args []string
	says string
}{
	{"a fleet that serves an endpoint is deleted", []string{"delete", "rfl", "shared"},
		"endpoints are served by it: 1; let them join another fleet"},
	{"all fleets are", []string{"delete", "rfl", "--all"}, "annotate rfl/shared postback.dev/allow-deletion=true"},
	{"a fleet gets another store", []string{"patch", "rfl", "shared", "--type=merge", "-p",
		`{"spec": {"store": {"embedded": null, "postgres": {"dsnSecretRef": {"name": "db"}}}}}`},
		"store: what is in the embedded store stays behind."},
	{"an endpoint's receivers do", []string{"patch", "pbe", "shop", "--type=merge", "-p",
		`{"spec": {"receiver": {"store": {"postgres": {"dsnSecretRef": {"name": "db"}}}}}}`},
		"postback.dev/store-change: postgres"},
	{"one that is annotated with another store", []string{"patch", "pbe", "shop", "--type=merge", "-p",
		`{"metadata": {"annotations": {"postback.dev/store-change": "embedded"}},
		"spec": {"receiver": {"store": {"postgres": {"dsnSecretRef": {"name": "db"}}}}}}`},
		"postback.dev/store-change: postgres"},
	{"one that is annotated with this one", []string{"patch", "pbe", "shop", "--type=merge", "-p",
		`{"metadata": {"annotations": {"postback.dev/store-change": "postgres"}},
		"spec": {"receiver": {"store": {"postgres": {"dsnSecretRef": {"name": "db"}}}}}}`}, ""},
	{"an endpoint joins a fleet", []string{"patch", "pbe", "shop", "--type=merge", "-p",
		`{"spec": {"receiver": null, "fleetRef": {"name": "shared"}}}`}, ""},
	{"a fleet is changed otherwise", []string{"patch", "rfl", "shared", "--type=merge", "-p",
		`{"spec": {"replicas": 0, "additionalHosts": ["old.example.com"]}}`}, ""},
	{"a fleet that may be deleted is", []string{"annotate", "rfl", "shared", "postback.dev/allow-deletion=true"}, ""},
	{"indeed", []string{"delete", "rfl", "shared"}, ""},
}

func TestTheGuardsRefuseWhatIsAMistakeMostOfTheTime(t *testing.T) {
	for _, folder := range []string{"crd", "guards"} {
		must(t, "kubectl", "apply", "--server-side", "--force-conflicts", "-k", filepath.Join(root, "config", folder))
	}
	must(t, "kubectl", "wait", "--for=condition=Established", "--timeout=1m", "crd", "--all")
	must(t, "kubectl", "create", "namespace", "guarded")
	mustWith(t, guarded, "kubectl", "apply", "-f", "-")
	must(t, "kubectl", "patch", "-n", "guarded", "rfl", "shared", "--subresource=status", "--type=merge", "-p",
		`{"status": {"observedGeneration": 1, "endpoints": {"accepted": 1, "rejected": 0}}}`)
	inForce(t)
	for _, step := range guardedSteps {
		t.Run(step.what, func(t *testing.T) {
			stdout, stderr, err := try(t, "", "kubectl", append([]string{"-n", "guarded"}, step.args...)...)
			if (err == nil) != (step.says == "") || !strings.Contains(strings.Join(strings.Fields(stderr), " "), step.says) {
				t.Errorf("%v: %s%s", err, stdout, stderr)
			}
		})
	}
}

func TestAHostThatNobodyReachesAnyMoreIsWarnedOf(t *testing.T) {
	for _, folder := range []string{"crd", "guards"} {
		must(t, "kubectl", "apply", "--server-side", "--force-conflicts", "-k", filepath.Join(root, "config", folder))
	}
	must(t, "kubectl", "wait", "--for=condition=Established", "--timeout=1m", "crd", "--all")
	must(t, "kubectl", "create", "namespace", "moves")
	mustWith(t, strings.ReplaceAll(guarded, "namespace: guarded", "namespace: moves"), "kubectl", "apply", "-f", "-")
	deadline := time.Now().Add(time.Minute)
	for { // a policy takes a moment to be in force
		_, stderr, err := try(t, "", "kubectl", "patch", "-n", "moves", "rfl", "shared", "--type=merge", "--dry-run=server", "-p",
			`{"spec": {"host": "next.example.com"}}`)
		if err != nil {
			t.Fatal(stderr)
		}
		if strings.Contains(stderr, "keep it in additionalHosts until they have the new ones") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it says %q", stderr)
		}
		time.Sleep(100 * time.Millisecond)
	}
	_, stderr, err := try(t, "", "kubectl", "patch", "-n", "moves", "rfl", "shared", "--type=merge", "-p",
		`{"spec": {"host": "next.example.com", "additionalHosts": ["pb.example.com"]}}`)
	if err != nil || strings.Contains(stderr, "Warning") {
		t.Errorf("%v: %s", err, stderr)
	}
}

// inForce waits for the policies, which takes a moment.
func inForce(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		_, _, err := try(t, "", "kubectl", "delete", "-n", "guarded", "rfl", "shared", "--dry-run=server")
		_, _, other := try(t, "", "kubectl", "patch", "-n", "guarded", "rfl", "shared", "--type=merge", "--dry-run=server", "-p",
			`{"spec": {"store": {"embedded": null, "postgres": {"dsnSecretRef": {"name": "db"}}}}}`)
		if err != nil && other != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(errors.Join(err, other, os.ErrDeadlineExceeded))
		}
		time.Sleep(100 * time.Millisecond)
	}
}
