//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/hack/perf/flood"
)

// fault is something that happens to a fleet. It returns once the fleet is whole again.
type fault struct {
	name string
	// mayFail: requests may fail meanwhile.
	mayFail bool
	do      func(t *testing.T, s *soak)
}

// soak is what faults work on.
type soak struct {
	target
	load     *load
	revision int
}

const (
	soakReplicas = 3
	// floodedLink is of a campaign of another endpoint than that which is sent to.
	floodedLink = "flooded"
)

var faults = []fault{
	{"the key is rotated", false, func(t *testing.T, s *soak) {
		s.revision++
		former := activeKey(t, s.namespace, s.endpoint)
		apply(t, s.namespace, endpointManifest(s.endpoint, fmt.Sprintf("key: {revision: %d, overlap: 10m}", s.revision)))
		rotated(t, s.namespace, s.endpoint, former)
		s.load.sendTo(t, postbackURL(t, s.namespace, s.endpoint))
	}},
	{"a pod is deleted", false, func(t *testing.T, s *soak) {
		pods := receiverPods(t, s.namespace, fleetName)
		kubectl(t, "delete", "pod", "-n", s.namespace, pods[rand.IntN(len(pods))].Name)
	}},
	{"receivers are restarted", false, func(t *testing.T, s *soak) {
		kubectl(t, "rollout", "restart", "-n", s.namespace, "deployment/"+fleetName)
		kubectl(t, "rollout", "status", "-n", s.namespace, "deployment/"+fleetName, "--timeout=4m")
	}},
	{"it is scaled", false, func(t *testing.T, s *soak) {
		for _, n := range []int{soakReplicas + 1, soakReplicas} {
			kubectl(t, "scale", "-n", s.namespace, "rfl/"+fleetName, fmt.Sprintf("--replicas=%d", n))
			fleetReady(t, s.namespace, fleetName, n)
		}
	}},
	{"a node is drained", false, func(t *testing.T, s *soak) {
		node := receiverNode(t, s.namespace)
		kubectl(t, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=4m")
		kubectl(t, "uncordon", node)
	}},
	{"another endpoint is flooded", false, func(t *testing.T, s *soak) {
		got, err := call[flood.Summary](t.Context(), "POST", "/flood", map[string]any{
			"url": baseURL(s.namespace) + "/" + floodedLink + "?keyword=shoes", "visitors": 60, "held": 120, "seconds": 10,
		})
		if err != nil || got.Answered == 0 {
			t.Errorf("the flood: %+v %v", got, err)
		}
	}},
	{"the operator is away", false, func(t *testing.T, _ *soak) {
		operatorAway(t, func() { time.Sleep(10 * time.Second) })
	}},
	{"the database is restarted", true, func(t *testing.T, _ *soak) {
		if err := database.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}},
	{"the database is killed", true, func(t *testing.T, _ *soak) {
		if err := database.Kill(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if err := database.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}},
	{"a node is killed", true, func(t *testing.T, s *soak) {
		withoutPower(t, receiverNode(t, s.namespace), func() { served(t, s.namespace, soakReplicas) })
	}},
}

// Faults at random under constant load, each with an account of its own: what was acknowledged is in the ledger, and
// only what takes a database or a node away may fail requests.
func TestSoak(t *testing.T) {
	namespace := inNamespace(t, "e2e-soak")
	apply(t, namespace, fleetManifest(t, namespace, fmt.Sprintf("replicas: %d", soakReplicas)))
	s := &soak{target: endpointOn(t, namespace, "shop"), revision: 1}
	apply(t, namespace, endpointManifest("flooded"))
	apply(t, namespace, fmt.Sprintf(`
apiVersion: postback.dev/v1alpha1
kind: Campaign
metadata: {name: flooded}
spec: {endpointRef: {name: flooded}, alias: %s, offerURL: "https://offer.example/?click={subid}"}
`, floodedLink))
	endpointReady(t, namespace, "flooded")
	eventually(t, func() error {
		campaign := get[v1alpha1.Campaign](t, namespace, "flooded")
		return isReady(campaign.Status.Conditions, campaign.Status.ObservedGeneration, campaign.Generation)
	})
	fleetReady(t, namespace, fleetName, soakReplicas)
	random := rand.New(rand.NewPCG(*seed, 0))
	t.Logf("-seed %d", *seed)

	type verdict struct{ times, sent, failed, lost, twice int }
	verdicts := map[string]*verdict{}
	var order []int
	for deadline := time.Now().Add(*soakFor); time.Now().Before(deadline) && !t.Failed(); {
		if len(order) == 0 { // each once before one comes again
			order = random.Perm(len(faults))
		}
		f := faults[order[0]]
		order = order[1:]
		s.url = postbackURL(t, namespace, s.endpoint)
		s.load = begin(t, s.target, loadPerSecond)
		time.Sleep(settle)
		f.do(t, s)
		fleetReady(t, namespace, fleetName, soakReplicas)
		time.Sleep(settle)
		got := s.load.end(t)
		lost, twice := s.load.audit(t, got)
		v := verdicts[f.name]
		if v == nil {
			v = &verdict{}
			verdicts[f.name] = v
		}
		v.times, v.sent, v.failed, v.lost, v.twice = v.times+1, v.sent+got.Sent, v.failed+got.Failed, v.lost+lost,
			v.twice+twice
		if lost+twice > 0 || got.Failed > 0 && !f.mayFail {
			t.Errorf("%s: %s; %d lost, %d twice; %s", f.name, got, lost, twice, strings.Join(got.Failures, "; "))
		}
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "fault\ttimes\tsent\tfailed\tlost\ttwice")
	for _, f := range faults {
		if v := verdicts[f.name]; v != nil {
			fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\n", f.name, v.times, v.sent, v.failed, v.lost, v.twice)
		}
	}
	_ = table.Flush()
}
