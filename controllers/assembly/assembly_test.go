package assembly

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func in(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// endpoint is one that is declared well and has one key.
func endpoint(name types.NamespacedName, age time.Duration, key string) Endpoint {
	declared := &v1alpha1.PostbackEndpoint{}
	declared.Namespace, declared.Name = name.Namespace, name.Name
	declared.Spec.Currency = "USD"
	declared.Spec.Policies = v1alpha1.Policies{
		MissingStatus: "Ignore",
		UnknownStatus: "Ignore",
		UnknownClick:  "Ignore",
		HoldFor:       &metav1.Duration{Duration: time.Hour},
		Repeat:        "Overwrite",
		Slot:          "Tid",
		Transitions:   "Any",
	}
	ring := rotation.Ring{rotation.Postback: {{ID: "id-" + key, SHA256: config.Digest(key), Since: start}}}
	return Endpoint{
		Name:      name,
		Created:   start.Add(-age),
		Declared:  declared,
		Permitted: true,
		Keyring:   credential.Keyring{Ring: ring},
	}
}

// assembled decides about endpoints of which those named are served already, as they are declared.
func assembled(nameAll bool, served map[types.NamespacedName]Endpoint, endpoints ...Endpoint) Result {
	nobody := func(types.NamespacedName) (config.Endpoint, bool) { return config.Endpoint{}, false }
	return Assemble(Input{Fleet: in("ads", "shared"), Endpoints: endpoints, NameAll: nameAll,
		Served: func(name types.NamespacedName) (config.Endpoint, bool) {
			e, found := served[name]
			if !found {
				return config.Endpoint{}, false
			}
			return Assemble(Input{Fleet: in("ads", "shared"), Endpoints: []Endpoint{e}, Served: nobody}).Endpoints[0], true
		},
	})
}

func TestAnOwnerOfAnotherNamespaceIsNamedOnlyToWhoMaySeeAll(t *testing.T) {
	elder, younger := endpoint(in("home", "elder"), 2*time.Hour, "same"), endpoint(in("ads", "younger"), time.Hour, "same")
	for nameAll, want := range map[bool]string{
		false: "spec.key: an older PostbackEndpoint of another namespace has the same key, client key or click token: " +
			"give this one its own.",
		true: "spec.key: the older PostbackEndpoint home/elder has the same key, client key or click token: give this " +
			"one its own.",
	} {
		got := assembled(nameAll, nil, younger, elder).Verdicts[younger.Name]
		if diff := cmp.Diff(Verdict{Reason: v1alpha1.ReasonKeyTaken, Message: want}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestWhatCannotBeReadIsServedAsBefore(t *testing.T) {
	shop := endpoint(in("ads", "shop"), time.Hour, "the-key")
	served := map[types.NamespacedName]Endpoint{shop.Name: shop}
	unread := Endpoint{Name: shop.Name, Permitted: true}
	refused := unread
	refused.Refused = errors.New("spec.polices: unknown field")
	for name, c := range map[string]struct {
		endpoint Endpoint
		served   map[types.NamespacedName]Endpoint
		accepted bool
		keys     int // -1: it is not served
	}{
		"a document that cannot be read":    {unread, served, true, 1},
		"one that was never served":         {unread, nil, true, -1},
		"one that is refused":               {refused, served, false, 1},
		"one that is refused and was never": {refused, nil, false, -1},
	} {
		t.Run(name, func(t *testing.T) {
			got := assembled(false, c.served, c.endpoint)
			verdict := got.Verdicts[shop.Name]
			if verdict.Accepted != c.accepted || verdict.Previous != (c.keys > 0) || (verdict.Revision != "") != (c.keys > 0) {
				t.Errorf("verdict: %+v", verdict)
			}
			if keys := len(got.Endpoints); keys != max(c.keys, 0) {
				t.Errorf("served: %+v", got.Endpoints)
			}
		})
	}
}

// An endpoint that loses and goes on by a key that it had before keeps nobody from that key.
func TestALosersPreviousKeyIsThatOfWhoClaimsItNow(t *testing.T) {
	middle := endpoint(in("ads", "middle"), 2*time.Hour, "same")
	before := endpoint(in("ads", "middle"), 2*time.Hour, "wanted")
	got := assembled(false, map[types.NamespacedName]Endpoint{middle.Name: before},
		endpoint(in("ads", "elder"), 3*time.Hour, "same"), middle, endpoint(in("ads", "young"), time.Hour, "wanted"))
	var names []string
	for _, e := range got.Endpoints {
		names = append(names, e.Name)
	}
	if diff := cmp.Diff([]string{"elder", "young"}, names); diff != "" {
		t.Errorf("served (-want +got):\n%s", diff)
	}
}
