// Package propagation follows a configuration on its way into the receivers: it asks each of them which revision it
// serves, and keeps what fleets have to tell their endpoints. Everything is in memory and is found out again after a
// restart.
//
// It writes nothing and never blocks who calls it.
package propagation

import (
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Patience is how long a status may wait for receivers to confirm a change before it says that they have not: a kubelet
// that was nudged takes a second or two. Until then it is that of before.
const Patience = 5 * time.Second

// Verdict is what a fleet says of one endpoint or campaign.
type Verdict struct {
	// Input is what the verdict is about, see [Input].
	Input string
	// Accepted: the fleet takes the endpoint. If not, Reason and Message of the condition Accepted say why.
	Accepted        bool
	Reason, Message string
	// Revision is the endpoint's own revision in the fleet's configuration; empty when it isn't in there.
	Revision string
	// Former: it stands there as it was before, because it can't be rendered as it is now.
	Former bool
	// Since is when the endpoint ceased to be Confirmed, or when Revision became what is wanted if it is.
	Since time.Time
	// Available: a receiver of the fleet is ready.
	Available bool
	// Confirmed: every ready receiver serves Revision.
	Confirmed bool
}

// Input identifies what an endpoint is rendered from: its generation and its keyring. It is for comparisons in memory,
// not for publication.
func Input(generation int64, ring []byte) string {
	return strconv.FormatInt(generation, 10) + "/" + config.Digest(string(ring))
}

// VerdictStore holds the verdicts of all fleets on endpoints; another one holds those on campaigns.
type VerdictStore struct {
	// Endpoints hears of every endpoint, or campaign, whose verdict has changed.
	Endpoints *Trigger

	mu     sync.Mutex
	fleets map[types.NamespacedName]map[types.NamespacedName]Verdict
}

// Publish replaces what a fleet says. The argument must not be changed afterwards.
func (b *VerdictStore) Publish(fleet types.NamespacedName, verdicts map[types.NamespacedName]Verdict) {
	b.mu.Lock()
	before := b.fleets[fleet]
	if b.fleets == nil {
		b.fleets = map[types.NamespacedName]map[types.NamespacedName]Verdict{}
	}
	b.fleets[fleet] = verdicts
	b.mu.Unlock()

	var changed []types.NamespacedName
	for endpoint, verdict := range verdicts {
		if was, found := before[endpoint]; !found || was != verdict {
			changed = append(changed, endpoint)
		}
	}
	for endpoint := range before {
		if _, found := verdicts[endpoint]; !found {
			changed = append(changed, endpoint)
		}
	}
	b.Endpoints.Send(changed...)
}

// Forget drops a fleet that is gone.
func (b *VerdictStore) Forget(fleet types.NamespacedName) {
	b.Publish(fleet, nil)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.fleets, fleet)
}

// Verdicts returns what a fleet said last, for reading only; published is false before it said anything.
func (b *VerdictStore) Verdicts(fleet types.NamespacedName) (verdicts map[types.NamespacedName]Verdict,
	published bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	verdicts, published = b.fleets[fleet]
	return verdicts, published
}

// Verdict returns what a fleet said last of an endpoint.
func (b *VerdictStore) Verdict(fleet, endpoint types.NamespacedName) (Verdict, bool) {
	verdicts, _ := b.Verdicts(fleet)
	verdict, found := verdicts[endpoint]
	return verdict, found
}
