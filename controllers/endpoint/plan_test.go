package endpoint

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is an endpoint with a generated key, as one reconcile after the other would leave it.
type world struct {
	scope scope
	made  int
}

func newWorld() *world {
	endpoint := &v1alpha1.PostbackEndpoint{}
	endpoint.Namespace, endpoint.Name = "ads", "shop"
	endpoint.Spec.Key.Overlap = &metav1.Duration{Duration: 72 * time.Hour}
	return &world{scope: scope{endpoint: endpoint, own: true, caller: secret{name: "shop-key"}}}
}

// reconcile decides at a time and takes over what was decided.
func (w *world) reconcile(at time.Time) *plan {
	count := func(prefix string) func() string {
		return func() string {
			w.made++
			return fmt.Sprintf("%s-number-%d", prefix, w.made)
		}
	}
	p := decide(&w.scope, given{now: at, newKey: count("key"), newID: count("id")})
	w.scope.ring, w.scope.ringData = p.ring, p.ringData
	if g := p.generated; g != nil {
		w.scope.caller.found, w.scope.pastedKey = true, g.Key
		w.scope.generatedFor, w.scope.clientFor = g.Revision, g.ClientRevision
		w.scope.caller.data = map[string][]byte{"key": []byte(g.Key), "clickToken": []byte(g.ClickToken)}
		if g.ClientKey != "" {
			w.scope.caller.data["clientKey"] = []byte(g.ClientKey)
		}
	}
	return p
}

func TestTheFirstReconcileGeneratesAndTheSecondChangesNothing(t *testing.T) {
	w := newWorld()
	before := w.scope
	p := w.reconcile(start)
	if !p.generated.fresh || !p.changes(&before) || p.key != p.generated.Key || p.resolved.Reason != v1alpha1.ReasonResolved {
		t.Errorf("plan: %+v", p)
	}
	again := w.reconcile(start.Add(time.Hour))
	if again.changes(&w.scope) || again.generated.fresh || !again.next.IsZero() {
		t.Errorf("plan: %+v", again)
	}
}

func TestASchedulesBoundary(t *testing.T) {
	w := newWorld()
	w.scope.endpoint.Spec.Key.RotateEvery = &metav1.Duration{Duration: 24 * time.Hour}
	first := w.reconcile(start)
	due := start.Add(24 * time.Hour)
	if !first.next.Equal(due) {
		t.Errorf("next: %v", first.next)
	}
	if p := w.reconcile(due.Add(-time.Second)); p.key != first.key {
		t.Error("it rotates a second too soon")
	}
	second := w.reconcile(due)
	if second.key == first.key {
		t.Error("it does not rotate in time")
	}
	if want := due.Add(24 * time.Hour); !second.next.Equal(want) {
		t.Errorf("next: %v, not the next rotation", second.next)
	}
	// Two rotations later the first key's 72 hours are the next boundary.
	w.reconcile(due.Add(24 * time.Hour))
	third := w.reconcile(due.Add(48 * time.Hour))
	if want := due.Add(72 * time.Hour); !third.next.Equal(want) {
		t.Errorf("next: %v", third.next)
	}
	if n := len(third.ring[rotation.Postback]); n != 4 {
		t.Errorf("%d keys", n)
	}
	if n := len(w.reconcile(due.Add(72 * time.Hour)).ring[rotation.Postback]); n != 4 {
		t.Errorf("%d keys after one has retired and one was added", n)
	}
}

func TestWhatMakesTheNextKey(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*world)
		next bool
	}{
		"a raised revision":                   {func(w *world) { w.scope.endpoint.Spec.Key.Revision = 2 }, true},
		"the revision that is":                {func(w *world) { w.scope.endpoint.Spec.Key.Revision = 1 }, false},
		"a lost annotation does not":          {func(w *world) { w.scope.generatedFor = 0 }, false},
		"a deleted Secret does not":           {func(w *world) { w.scope.caller = secret{name: "shop-key"} }, false},
		"a deleted Secret and a deleted URL":  {func(w *world) { w.scope.caller, w.scope.pastedKey = secret{name: "shop-key"}, "" }, true},
		"a pasted key that nobody knows":      {func(w *world) { w.scope.caller, w.scope.pastedKey = secret{name: "shop-key"}, "foreign-key" }, true},
		"a broken key is restored":            {func(w *world) { w.scope.caller.data["key"] = []byte("a/b") }, false},
		"an edited key is taken as it stands": {func(w *world) { w.scope.caller.data["key"] = []byte("edited-by-hand") }, true},
		"a missing click token does not":      {func(w *world) { delete(w.scope.caller.data, "clickToken") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			first := w.reconcile(start)
			c.edit(w)
			p := w.reconcile(start.Add(time.Hour))
			if (p.key != first.key) != c.next {
				t.Errorf("the key was %s and is %s", first.key, p.key)
			}
			if p.generated.ClickToken == "" {
				t.Error("there is no click token")
			}
		})
	}
}

func TestWhatIsSaidOfAUsersSecret(t *testing.T) {
	const key = "4f3c2b1a-9d8e-7f60-5a4b-3c2d1e0f9a8b"
	for name, c := range map[string]struct {
		edit           func(*scope)
		status, reason string
		says           string
	}{
		"all is there":   {func(*scope) {}, "True", "Resolved", "The key is in Secret mine."},
		"no click token": {func(s *scope) { delete(s.caller.data, "clickToken") }, "True", "Resolved", "click intake is off"},
		"a weak key":     {func(s *scope) { s.caller.data["key"] = []byte("ba1ec3c-0000") }, "True", "KeyWeak", "64 bits"},
		"a short key":    {func(s *scope) { s.caller.data["key"] = []byte("ba1ec3c") }, "False", "SecretInvalid", "fewer than 12 characters and may be guessed: take a longer one, or set spec.key.allowWeak"},
		"a short key that is allowed": {func(s *scope) {
			s.caller.data["key"], s.endpoint.Spec.Key.AllowWeak = []byte("ba1ec3c"), true
		}, "True", "KeyWeak", "64 bits"},
		"a Secret that did not opt in": {func(s *scope) {
			s.caller = secret{name: "mine", found: true, denied: render.ErrNotReadable}
		}, "False", "SecretNotReadable", `spec.key.secretRef: Secret mine: it needs the label postback.dev/readable: "true"`},
		"a signing Secret that is not shared": {func(s *scope) {
			s.endpoint.Spec.Access = &v1alpha1.AccessSpec{HMAC: &v1alpha1.HMACSpec{SecretRef: v1alpha1.SecretKeyReference{Name: "signing"}}}
			s.signing = secret{name: "signing", found: true, data: map[string][]byte{"hmac": []byte("signing-secret")}, denied: render.NotShared("infra")}
		}, "False", "SecretNotReadable", "spec.access.hmac.secretRef: Secret signing: it needs the annotation postback.dev/shared-with: infra"},
		"no Secret":      {func(s *scope) { s.caller = secret{name: "mine"} }, "False", "SecretNotFound", "spec.key.secretRef: there is no Secret mine"},
		"an empty key":   {func(s *scope) { s.caller.data["key"] = []byte("\n") }, "False", "SecretInvalid", `field "key" is empty`},
		"another field":  {func(s *scope) { s.endpoint.Spec.Key.SecretRef.Key = "other" }, "False", "SecretInvalid", `field "other" is missing`},
		"a broken token": {func(s *scope) { s.caller.data["clickToken"] = []byte("a b") }, "False", "SecretInvalid", "clickToken"},
		"no signing Secret": {func(s *scope) {
			s.endpoint.Spec.Access = &v1alpha1.AccessSpec{HMAC: &v1alpha1.HMACSpec{SecretRef: v1alpha1.SecretKeyReference{Name: "signing"}}}
		}, "False", "SecretNotFound", "spec.access.hmac.secretRef"},
		"an empty signing Secret": {func(s *scope) {
			s.endpoint.Spec.Access = &v1alpha1.AccessSpec{HMAC: &v1alpha1.HMACSpec{SecretRef: v1alpha1.SecretKeyReference{Name: "signing"}}}
			s.signing = secret{name: "signing", found: true}
		}, "False", "SecretInvalid", `field "hmac" is missing`},
		"no Secret of a forward": {func(s *scope) { s.headerProblem = &render.HeaderProblem{Secret: "capi", Missing: true} },
			"False", "SecretNotFound", "spec.forwards: there is no Secret capi"},
		"a broken Secret of a forward": {func(s *scope) {
			s.headerProblem = &render.HeaderProblem{Secret: "capi", Err: errors.New("broken")}
		}, "False", "SecretInvalid", "spec.forwards: Secret capi: broken"},
		"a revoked key": {func(s *scope) {
			s.ring = decide(s, given{now: start, newID: func() string { return "known" }}).ring
			s.endpoint.Spec.Key.Revoked = []string{"known"}
		}, "False", "SecretInvalid", "is revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.scope.endpoint.Spec.Key.SecretRef = &v1alpha1.SecretKeyReference{Name: "mine"}
			w.scope.caller = secret{name: "mine", found: true, data: map[string][]byte{"key": []byte(key), "clickToken": []byte("click-token")}}
			c.edit(&w.scope)
			got := w.reconcile(start).resolved
			if diff := cmp.Diff([]string{c.status, c.reason}, []string{string(got.Status), got.Reason}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.Contains(got.Message, c.says) {
				t.Errorf("message: %s", got.Message)
			}
			for _, value := range w.scope.caller.data {
				if len(strings.TrimSpace(string(value))) > 3 && strings.Contains(got.Message, string(value)) {
					t.Errorf("the message shows a secret: %s", got.Message)
				}
			}
		})
	}
}

func TestTheSecretHeadersOfForwardsAreOnRecord(t *testing.T) {
	w := newWorld()
	ref := v1alpha1.ForwardSecretKey{Name: "capi", Key: "token"}
	w.scope.endpoint.Spec.Forwards = []v1alpha1.Forward{{ForwardOptions: v1alpha1.ForwardOptions{Headers: []v1alpha1.ForwardHeader{
		{Name: "A", ValueFrom: &v1alpha1.ForwardHeaderSource{SecretKeyRef: ref}},
	}}}}
	id := func(value string) string {
		w.scope.headers, w.scope.headerProblem = render.HeaderValues{ref: value}, nil
		secrets := w.reconcile(start).ring.Secrets(rotation.Forward, []string{value})
		if len(secrets) != 1 {
			t.Fatalf("%q has %d entries", value, len(secrets))
		}
		return secrets[0].ID
	}
	first := id("Bearer one")
	if again := id("Bearer one"); again != first {
		t.Error("the same value has another id")
	}
	w.scope.headers, w.scope.headerProblem = nil, &render.HeaderProblem{Secret: "capi", Missing: true}
	w.reconcile(start)
	if again := id("Bearer one"); again != first {
		t.Error("what was valid is forgotten while its Secret is missing")
	}
	if next := id("Bearer two"); next == first || len(w.scope.ring[rotation.Forward]) != 1 {
		t.Errorf("another value: %v", w.scope.ring[rotation.Forward])
	}
}
