//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// forwardTo is a rule of an endpoint or of a campaign that tells the traffic source, at a path of its own.
func forwardTo(path string) string {
	return fmt.Sprintf("{name: source, url: %q}",
		sourceURL+path+"?click={external_id}&subid={subid}&status={status}&payout={payout}&tid={tid}")
}

// forwarded waits until the traffic source was told of every acknowledged postback of the load. It returns how many it
// was told of more than once.
func (l *load) forwarded(t *testing.T, path string, acknowledged []int) (again int) {
	t.Helper()
	var times map[string]int
	eventually(t, func() error {
		times = map[string]int{}
		for _, values := range toldAt(t, path) {
			times[values.Get("tid")]++
		}
		missing := 0
		for _, i := range acknowledged {
			if times[fmt.Sprintf("%s-%d", l.run, i)] == 0 {
				missing++
			}
		}
		if missing > 0 {
			return fmt.Errorf("the traffic source was not told of %d of %d conversions", missing, len(acknowledged))
		}
		return nil
	})
	for _, i := range acknowledged {
		if times[fmt.Sprintf("%s-%d", l.run, i)] > 1 {
			again++
		}
	}
	return again
}

// deleted takes a receiver away while it delivers.
func (s *stage) deleted(t *testing.T) {
	before := receiverPods(t, s.namespace, fleetName)
	l := begin(t, s.target, loadPerSecond)
	time.Sleep(settle)
	kubectl(t, "delete", "pod", "-n", s.namespace, before[0].Name, "--force", "--grace-period=0")
	served(t, s.namespace, len(before))
	if cmp.Equal(identities(before), identities(receiverPods(t, s.namespace, fleetName))) {
		t.Error("the pods are the same ones")
	}
	time.Sleep(settle)
	acknowledged := l.stop(t).Acknowledged
	again := l.forwarded(t, endpointRule, acknowledged)
	t.Logf("%d conversions, %d S2S postbacks sent again so far", len(acknowledged), again)
}

// What a receiver was delivering when its node's power failed is delivered by others when its lease is over: the
// traffic source may have got it, or not.
func TestS2SPostbacksOutliveTheirReceiver(t *testing.T) {
	namespace := inNamespace(t, "e2e-forwards")
	const path = "/slow/outlive" // so that deliveries are always under way
	apply(t, namespace, fleetManifest(t, namespace, "replicas: 3"))
	shop := endpointOn(t, namespace, "shop", "forwards: ["+forwardTo(path)+"]")
	fleetReady(t, namespace, fleetName, 3)
	node := receiverNode(t, namespace)
	l := begin(t, shop, loadPerSecond/5) // a slow source takes no more
	time.Sleep(settle)
	began := time.Now()
	withoutPower(t, node, func() { time.Sleep(settle) })
	acknowledged := l.stop(t).Acknowledged
	again := 0
	eventually(t, func() error {
		if again = l.forwarded(t, path, acknowledged); again == 0 {
			return errors.New("nothing of what was under way on that node was sent again")
		}
		return nil
	})
	t.Logf("%d conversions, %d S2S postbacks sent again, %.0f s after the power failed", len(acknowledged), again,
		time.Since(began).Seconds())
}
