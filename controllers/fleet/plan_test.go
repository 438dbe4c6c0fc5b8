package fleet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/assembly"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// declared returns an endpoint as the schema would complete it.
func declared(name string, age time.Duration) *v1alpha1.PostbackEndpoint {
	e := &v1alpha1.PostbackEndpoint{}
	e.Namespace, e.Name, e.Generation = "ads", name, 1
	e.CreationTimestamp = metav1.NewTime(start.Add(-age))
	e.Spec.Currency = "USD"
	e.Spec.Policies = v1alpha1.Policies{
		MissingStatus: "Ignore", UnknownStatus: "Ignore", UnknownClick: "Ignore",
		HoldFor: &metav1.Duration{Duration: time.Hour},
		Repeat:  "Overwrite", Slot: "Tid", Transitions: "Any",
	}
	return e
}

// ringOf is the keyring after these keys were seen, an hour apart, the last one active.
func ringOf(keys ...string) rotation.Ring {
	ring := rotation.Ring{}
	for i, key := range keys {
		ring = rotation.Advance(ring, rotation.Input{
			Now: start.Add(time.Duration(i-len(keys)) * time.Hour), Overlap: 72 * time.Hour,
			Observed: map[rotation.Purpose][]string{rotation.Postback: {key}},
			NewID:    func() string { return fmt.Sprintf("id-%x", config.Digest(key)[:6]) },
		})
	}
	return ring
}

func joins(e *v1alpha1.PostbackEndpoint, keys ...string) assembly.Endpoint {
	ring := ringOf(keys...)
	return assembly.Endpoint{
		Name:      client.ObjectKeyFromObject(e),
		Created:   e.CreationTimestamp.Time,
		Declared:  e,
		Permitted: true, Suspended: e.Spec.Suspend, Programmed: e.Status.Revision != "",
		Keyring: credential.Keyring{Ring: ring, Data: ring.Encode()},
	}
}

func scopeOf(former []config.Endpoint, endpoints ...assembly.Endpoint) *scope {
	fleet := &v1alpha1.ReceiverFleet{}
	fleet.Namespace, fleet.Name = "ads", "shared"
	fleet.Spec.Rates.RefreshEvery = &metav1.Duration{Duration: 12 * time.Hour}
	return &scope{
		fleet: fleet, endpoints: endpoints,
		former: func(name types.NamespacedName) (config.Endpoint, bool) {
			for _, e := range former {
				if e.Namespace == name.Namespace && e.Name == name.Name {
					return e, true
				}
			}
			return config.Endpoint{}, false
		},
	}
}

func newID() string { return "fresh" }

// opened returns the endpoints of a plan's documents by name.
func opened(t *testing.T, p *plan) map[string]config.Endpoint {
	t.Helper()
	if p.problem != nil {
		t.Fatal(p.problem)
	}
	content, err := config.Open(func(name string) ([]byte, error) { return p.documents[name], nil })
	if err != nil {
		t.Fatal(err)
	}
	if content.Revision != p.revision {
		t.Errorf("revision %s, the documents' is %s", p.revision, content.Revision)
	}
	byName := map[string]config.Endpoint{}
	for _, e := range content.Endpoints {
		byName[e.Name] = e
		e, _ = render.Detach(e) // campaigns have revisions of their own
		if own := p.contents[types.NamespacedName{Namespace: e.Namespace, Name: e.Name}]; own != e.Revision() {
			t.Errorf("%s: own revision %s, the documents' is %s", e.Name, own, e.Revision())
		}
	}
	return byName
}

func TestRule5OneInvalidEndpointAmongThousandLeavesTheOthersProgrammed(t *testing.T) {
	var endpoints []assembly.Endpoint
	for i := range 1000 {
		e := declared(fmt.Sprintf("e%d", i), time.Hour)
		if i == 500 {
			e.Spec.Currency = "no currency"
		}
		endpoints = append(endpoints, joins(e, fmt.Sprintf("key-number-%d", i)))
	}
	p := decide(scopeOf(nil, endpoints...), start, newID)
	if got := len(opened(t, p)); got != 999 {
		t.Errorf("%d endpoints are programmed", got)
	}
	verdict := p.verdicts[types.NamespacedName{Namespace: "ads", Name: "e500"}]
	if verdict.Accepted || verdict.Reason != v1alpha1.ReasonInvalid || verdict.Revision != "" ||
		!strings.Contains(verdict.Message, "currency") {
		t.Errorf("verdict: %+v", verdict)
	}
}

func TestWhoHasTheSameKey(t *testing.T) {
	formerly := func(name string, keys ...string) config.Endpoint {
		j := joins(declared(name, time.Hour), keys...)
		p := decide(scopeOf(nil, j), start, newID)
		return opened(t, p)[name]
	}
	for name, c := range map[string]struct {
		former    []config.Endpoint
		endpoints []assembly.Endpoint
		// keys by endpoint that is served.
		want map[string][]string
		// taken are the endpoints that are told so.
		taken string
	}{
		"the younger is left out": {
			endpoints: []assembly.Endpoint{joins(declared("old", 2*time.Hour), "same"),
				joins(declared("young", time.Hour), "same")},
			want: map[string][]string{"old": {"same"}}, taken: "young",
		},
		"of the same age the one whose name comes later": {
			endpoints: []assembly.Endpoint{joins(declared("b", time.Hour), "same"), joins(declared("a", time.Hour), "same")},
			want:      map[string][]string{"a": {"same"}}, taken: "b",
		},
		"a working endpoint that takes another's key is served as before": {
			former: []config.Endpoint{formerly("young", "mine")},
			endpoints: []assembly.Endpoint{joins(declared("old", 2*time.Hour), "same"),
				joins(declared("young", time.Hour), "mine", "same")},
			want: map[string][]string{"old": {"same"}, "young": {"mine"}}, taken: "young",
		},
		"but not if its former key is the other's by now": {
			former: []config.Endpoint{formerly("young", "mine")},
			endpoints: []assembly.Endpoint{joins(declared("old", 2*time.Hour), "same", "mine"),
				joins(declared("young", time.Hour), "mine", "same")},
			want: map[string][]string{"old": {"same", "mine"}}, taken: "young",
		},
		"who was given a key of its own is served without the other's": {
			endpoints: []assembly.Endpoint{joins(declared("old", 2*time.Hour), "same"),
				joins(declared("young", time.Hour), "same", "mine")},
			want: map[string][]string{"old": {"same"}, "young": {"mine"}},
		},
		"one who loses takes nobody else along": {
			endpoints: []assembly.Endpoint{
				joins(declared("old", 3*time.Hour), "same"), joins(declared("young", 2*time.Hour), "x", "same"),
				joins(declared("third", time.Hour), "x"),
			},
			want: map[string][]string{"old": {"same"}, "third": {"x"}}, taken: "young",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := decide(scopeOf(c.former, c.endpoints...), start, newID)
			got, want := map[string]map[string]bool{}, map[string]map[string]bool{}
			for name, e := range opened(t, p) {
				got[name] = map[string]bool{}
				for _, key := range e.Keys {
					got[name][key.SHA256] = true
				}
			}
			for name, keys := range c.want {
				want[name] = map[string]bool{}
				for _, key := range keys {
					want[name][config.Digest(key)] = true
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("served (-want +got):\n%s", diff)
			}
			var taken []string
			for name, verdict := range p.verdicts {
				if verdict.Reason == v1alpha1.ReasonKeyTaken {
					taken = append(taken, name.Name)
				}
				if served := len(want[name.Name]) > 0; served != (verdict.Revision != "") {
					t.Errorf("%s: verdict %+v", name.Name, verdict)
				}
			}
			if strings.Join(taken, " ") != c.taken {
				t.Errorf("taken: %v", taken)
			}
		})
	}
}

func TestWhoCantBeServedAsDeclaredIsServedAsBefore(t *testing.T) {
	former := opened(t, decide(scopeOf(nil, joins(declared("shop", time.Hour), "former", "key")), start, newID))["shop"]
	signed := &v1alpha1.AccessSpec{HMAC: &v1alpha1.HMACSpec{Parameter: "signature",
		SecretRef: v1alpha1.SecretKeyReference{Name: "s"}}}
	capi := []v1alpha1.Forward{{Name: "a", ForwardOptions: v1alpha1.ForwardOptions{Headers: []v1alpha1.ForwardHeader{
		{Name: "A", ValueFrom: &v1alpha1.ForwardHeaderSource{SecretKeyRef: v1alpha1.ForwardSecretKey{Name: "capi",
			Key: "token"}}},
	}}}}
	for name, c := range map[string]struct {
		edit     func(*assembly.Endpoint)
		accepted bool
		keys     int // -1: it is not served
	}{
		"because it is invalid":   {func(e *assembly.Endpoint) { e.Declared.Spec.Currency = "x" }, false, 2},
		"because it is suspended": {func(e *assembly.Endpoint) { e.Suspended = true }, true, 2},
		"because its keyring is gone": {func(e *assembly.Endpoint) {
			e.Keyring, e.Programmed = credential.Keyring{}, true
		}, true, 2},
		"because its signing secret is gone": {func(e *assembly.Endpoint) { e.Declared.Spec.Access = signed }, true, 2},
		"because a header's Secret is gone":  {func(e *assembly.Endpoint) { e.Declared.Spec.Forwards = capi }, true, 2},
		"because a header is not on record": {func(e *assembly.Endpoint) {
			e.Declared.Spec.Forwards, e.Headers = capi, credential.HeaderValues{{Name: "capi", Key: "token"}: "new"}
		}, true, 2},
		"but not with a revoked key": {func(e *assembly.Endpoint) {
			e.Suspended, e.Declared.Spec.Key.Revoked = true, []string{former.Keys[0].ID}
		}, true, 1},
		"but not where it is not permitted": {func(e *assembly.Endpoint) { e.Permitted = false }, false, -1},
	} {
		t.Run(name, func(t *testing.T) {
			j := joins(declared("shop", time.Hour), "former", "key")
			c.edit(&j)
			p := decide(scopeOf([]config.Endpoint{former}, j), start, newID)
			served, found := opened(t, p)["shop"]
			verdict := p.verdicts[j.Name]
			if verdict.Accepted != c.accepted || verdict.Former != (c.keys >= 0) || found != (c.keys >= 0) {
				t.Errorf("served: %v, verdict %+v", found, verdict)
			}
			if found && len(served.Keys) != c.keys {
				t.Errorf("%d keys", len(served.Keys))
			}
		})
	}
}

func TestAnEndpointWithoutAKeyWaits(t *testing.T) {
	j := joins(declared("shop", time.Hour))
	p := decide(scopeOf(nil, j), start, newID)
	if len(opened(t, p)) != 0 || !p.verdicts[j.Name].Accepted {
		t.Errorf("verdict: %+v", p.verdicts[j.Name])
	}
}

func TestWhenAnEndpointIsConfirmed(t *testing.T) {
	name := types.NamespacedName{Namespace: "ads", Name: "shop"}
	history := map[string]propagation.Contents{"r1": {name: "old"}, "r2": {name: "new"}, "r3": {name: "new"}}
	answers := func(revisions ...string) map[string]propagation.Answer {
		all := map[string]propagation.Answer{}
		for i, revision := range revisions {
			all[fmt.Sprint(i)] = propagation.Answer{Asked: true, Revision: revision}
		}
		return all
	}
	was := verdicts{name: {Revision: "new", Confirmed: true}}
	for title, c := range map[string]struct {
		before               verdicts
		answers              map[string]propagation.Answer
		confirmed, available bool
	}{
		"every receiver serves it, by whatever configuration": {nil, answers("r2", "r3"), true, true},
		"one receiver serves it as it was":                    {nil, answers("r1", "r2"), false, true},
		"one that was confirmed, served as it was":            {was, answers("r1", "r2"), false, true},
		"a receiver serves what nobody remembers":             {nil, answers("r0"), false, true},
		"a receiver has not answered":                         {nil, answers("r2", ""), false, true},
		"a receiver was added to those that confirmed":        {was, answers("r2", ""), true, true},
		"there is no receiver":                                {was, nil, false, false},
	} {
		t.Run(title, func(t *testing.T) {
			got := judge(verdicts{name: {Accepted: true, Revision: "new"}}, c.before, asItIs, history, c.answers, start)[name]
			if got.Confirmed != c.confirmed || got.Available != c.available {
				t.Errorf("verdict: %+v", got)
			}
		})
	}
}
