package acceptance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// scenario is an endpoint of its own, which knows the click c1, what is sent to it, and what it has recorded in the
// end.
type scenario struct {
	name string
	// config is laid over an endpoint in USD with all policies at their defaults, in the contract's JSON.
	config string
	steps  []step
	// slots are the conversions, in the order of their first postbacks, as told by [conversion.String].
	slots []string
	// s2s are the types of the S2S postbacks due, in their order.
	s2s []string
}

// step is one thing that happens to a scenario's endpoint.
type step interface{ run(*testing.T, *scene) }

// overlap is how long after a scenario's begin its former key is accepted.
const overlap = 72 * time.Hour

// scene is a scenario under way.
type scene struct {
	*rig
	endpoint                 string
	key, former, token, page string
}

// declare makes the endpoints of a test: one for each fragment of configuration.
func declare(t *testing.T, fragments []string) []config.Endpoint {
	t.Helper()
	endpoints := make([]config.Endpoint, len(fragments))
	for i, fragment := range fragments {
		e := receivertest.Endpoint()
		e.Name = fmt.Sprintf("e%03d", i)
		s := sceneOf(nil, i)
		retireAt := epoch.Add(overlap)
		e.Keys = []config.Key{
			{ID: "k-" + e.Name, SHA256: config.Digest(s.key)},
			{ID: "f-" + e.Name, SHA256: config.Digest(s.former), RetireAt: &retireAt},
		}
		e.ClickTokens = []config.Key{{ID: "t-" + e.Name, SHA256: config.Digest(s.token)}}
		decoder := json.NewDecoder(strings.NewReader(fragment))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&e); err != nil && fragment != "" {
			t.Fatalf("%s: %v", fragment, err)
		}
		if e.Browser != nil {
			e.Browser.Keys = []config.Key{{ID: "p-" + e.Name, SHA256: config.Digest(s.page)}}
		}
		endpoints[i] = e
	}
	return endpoints
}

func sceneOf(r *rig, i int) *scene {
	return &scene{
		rig: r, endpoint: fmt.Sprintf("default/e%03d", i),
		key: fmt.Sprintf("key-%03d-r8k2m5v9", i), former: fmt.Sprintf("former-%03d-h4d6s2j1", i),
		token: fmt.Sprintf("token-%03d-x3n7c1z6", i), page: fmt.Sprintf("page-%03d-q9w2e7r4", i),
	}
}

// play goes through scenarios on both engines, one after the other: they share a clock.
func play(t *testing.T, scenarios []scenario) {
	t.Helper()
	fragments := make([]string, len(scenarios))
	for i, s := range scenarios {
		fragments[i] = s.config
	}
	onBothEngines(t, declare(t, fragments), func(t *testing.T, r *rig) {
		for i, s := range scenarios {
			t.Run(s.name, func(t *testing.T) { s.play(t, sceneOf(r, i)) })
		}
	})
}

// play goes through one scenario.
func (s scenario) play(t *testing.T, scene *scene) {
	scene.now.Store(0)
	click(`{"subid":"c1"}`).run(t, scene)
	for _, step := range s.steps {
		step.run(t, scene)
	}
	if diff := cmp.Diff(s.slots, scene.conversions(t, scene.endpoint), equalEmpty); diff != "" {
		t.Errorf("slots (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(s.s2s, scene.forwards(t, scene.endpoint), equalEmpty); diff != "" {
		t.Errorf("S2S postbacks due (-want +got):\n%s", diff)
	}
}

var equalEmpty = cmp.FilterValues(func(a, b []string) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore())
