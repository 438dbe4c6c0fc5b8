package credential

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is an endpoint with a generated key, as one reconcile after the other would leave it.
type world struct {
	declared *v1alpha1.PostbackEndpoint
	observed Observed
	source   counter
}

// counter makes keys and ids that tell their number.
type counter struct{ made int }

func (c *counter) source() Source {
	count := func(prefix string) func() string {
		return func() string {
			c.made++
			return fmt.Sprintf("%s-number-%d", prefix, c.made)
		}
	}
	return Source{Key: count("key"), ID: count("id")}
}

func newWorld() *world {
	endpoint := &v1alpha1.PostbackEndpoint{}
	endpoint.Namespace, endpoint.Name = "ads", "shop"
	endpoint.Spec.Key.Overlap = &metav1.Duration{Duration: 72 * time.Hour}
	return &world{declared: endpoint, observed: Observed{Caller: Secret{Name: "shop-key"}}}
}

// reconcile decides at a time and takes over what was decided.
func (w *world) reconcile(at time.Time) *Decision {
	w.observed.Given = w.declared.Spec.Key.SecretRef != nil
	p := Endpoint(w.declared, &w.observed, at, w.source.source())
	w.observed.Keyring = p.Keyring
	if g := p.Generated; g != nil {
		w.observed.Recorded = g.Key
		w.observed.Revision, w.observed.ClientRevision = g.Revision, g.ClientRevision
		w.observed.Caller.Data = map[string][]byte{"key": []byte(g.Key), "clickToken": []byte(g.ClickToken)}
		if g.ClientKey != "" {
			w.observed.Caller.Data["clientKey"] = []byte(g.ClientKey)
		}
	}
	return p
}

func TestTheFirstReconcileGeneratesAndTheSecondChangesNothing(t *testing.T) {
	w := newWorld()
	before := w.observed
	p := w.reconcile(start)
	if !p.Generated.Fresh || !p.Changes(&before) || p.Key != p.Generated.Key || p.Says.Reason != v1alpha1.ReasonResolved {
		t.Errorf("plan: %+v", p)
	}
	again := w.reconcile(start.Add(time.Hour))
	if again.Changes(&w.observed) || again.Generated.Fresh || !again.Next.IsZero() {
		t.Errorf("plan: %+v", again)
	}
}

func TestASchedulesBoundary(t *testing.T) {
	w := newWorld()
	w.declared.Spec.Key.RotateEvery = &metav1.Duration{Duration: 24 * time.Hour}
	first := w.reconcile(start)
	due := start.Add(24 * time.Hour)
	if !first.Next.Equal(due) {
		t.Errorf("next: %v", first.Next)
	}
	if p := w.reconcile(due.Add(-time.Second)); p.Key != first.Key {
		t.Error("it rotates a second too soon")
	}
	second := w.reconcile(due)
	if second.Key == first.Key {
		t.Error("it does not rotate in time")
	}
	if want := due.Add(24 * time.Hour); !second.Next.Equal(want) {
		t.Errorf("next: %v, not the next rotation", second.Next)
	}
	// Two rotations later the first key's 72 hours are the next boundary.
	w.reconcile(due.Add(24 * time.Hour))
	third := w.reconcile(due.Add(48 * time.Hour))
	if want := due.Add(72 * time.Hour); !third.Next.Equal(want) {
		t.Errorf("next: %v", third.Next)
	}
	if n := len(third.Keyring.Ring[rotation.Postback]); n != 4 {
		t.Errorf("%d keys", n)
	}
	if n := len(w.reconcile(due.Add(72 * time.Hour)).Keyring.Ring[rotation.Postback]); n != 4 {
		t.Errorf("%d keys after one has retired and one was added", n)
	}
}

func TestWhatMakesTheNextKey(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*world)
		next bool
	}{
		"a raised revision":          {func(w *world) { w.declared.Spec.Key.Revision = 2 }, true},
		"the revision that is":       {func(w *world) { w.declared.Spec.Key.Revision = 1 }, false},
		"a lost annotation does not": {func(w *world) { w.observed.Revision = 0 }, false},
		"a deleted Secret does not": {func(w *world) { w.observed.Caller = Secret{Name: "shop-key", Err: ErrNotFound} },
			false},
		"a deleted Secret and a deleted URL": {func(w *world) {
			w.observed.Caller, w.observed.Recorded = Secret{Name: "shop-key", Err: ErrNotFound}, ""
		}, true},
		"a pasted key that nobody knows": {func(w *world) {
			w.observed.Caller, w.observed.Recorded = Secret{Name: "shop-key", Err: ErrNotFound}, "foreign-key"
		}, true},
		"a broken key is restored": {func(w *world) { w.observed.Caller.Data["key"] = []byte("a/b") }, false},
		"an edited key is taken as it stands": {func(w *world) { w.observed.Caller.Data["key"] = []byte("edited-by-hand") },
			true},
		"a missing click token does not": {func(w *world) { delete(w.observed.Caller.Data, "clickToken") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			first := w.reconcile(start)
			c.edit(w)
			p := w.reconcile(start.Add(time.Hour))
			if (p.Key != first.Key) != c.next {
				t.Errorf("the key was %s and is %s", first.Key, p.Key)
			}
			if p.Generated.ClickToken == "" {
				t.Error("there is no click token")
			}
		})
	}
}

func TestWhatIsSaidOfAUsersSecret(t *testing.T) {
	const key = "4f3c2b1a-9d8e-7f60-5a4b-3c2d1e0f9a8b"
	for name, c := range map[string]struct {
		edit           func(*world)
		status, reason string
		says           string
	}{
		"all is there": {func(*world) {}, "True", "Resolved", "The key is in Secret mine."},
		"no click token": {func(w *world) { delete(w.observed.Caller.Data, "clickToken") }, "True", "Resolved",
			"click intake is off"},
		"a weak key": {func(w *world) { w.observed.Caller.Data["key"] = []byte("ba1ec3c-0000") }, "True", "KeyWeak",
			"64 bits"},
		"a short key": {func(w *world) { w.observed.Caller.Data["key"] = []byte("ba1ec3c") }, "False", "SecretInvalid",
			"fewer than 12 characters and may be guessed: take a longer one, or set spec.key.allowWeak"},
		"a short key that is allowed": {func(w *world) {
			w.observed.Caller.Data["key"], w.declared.Spec.Key.AllowWeak = []byte("ba1ec3c"), true
		}, "True", "KeyWeak", "64 bits"},
		"a Secret that did not opt in": {func(w *world) {
			w.observed.Caller = Secret{Name: "mine", Err: ErrNotReadable}
		}, "False", "SecretNotReadable", `spec.key.secretRef: Secret mine: it needs the label postback.dev/readable: "true"`},
		"a signing Secret that is not shared": {func(w *world) {
			w.declared.Spec.Access = &v1alpha1.AccessSpec{HMAC: &v1alpha1.HMACSpec{
				SecretRef: v1alpha1.SecretKeyReference{Name: "signing"},
			}}
			w.observed.Signing = Secret{Name: "signing", Err: NotShared("infra")}
		}, "False", "SecretNotReadable", "spec.access.hmac.secretRef: Secret signing: it needs the annotation " +
			"postback.dev/shared-with: infra"},
		"no Secret": {func(w *world) { w.observed.Caller = Secret{Name: "mine", Err: ErrNotFound} }, "False",
			"SecretNotFound", "spec.key.secretRef: Secret mine: not found. What was valid stays valid."},
		"an empty key": {func(w *world) { w.observed.Caller.Data["key"] = []byte("\n") }, "False", "SecretInvalid",
			`field "key" is empty`},
		"another field": {func(w *world) { w.declared.Spec.Key.SecretRef.Key = "other" }, "False", "SecretInvalid",
			`field "other" is missing`},
		"a broken token": {func(w *world) { w.observed.Caller.Data["clickToken"] = []byte("a b") }, "False", "SecretInvalid",
			"clickToken"},
		"no signing Secret": {func(w *world) {
			w.declared.Spec.Access = &v1alpha1.AccessSpec{HMAC: &v1alpha1.HMACSpec{
				SecretRef: v1alpha1.SecretKeyReference{Name: "signing"},
			}}
			w.observed.Signing = Secret{Name: "signing", Err: ErrNotFound}
		}, "False", "SecretNotFound", "spec.access.hmac.secretRef"},
		"an empty signing Secret": {func(w *world) {
			w.declared.Spec.Access = &v1alpha1.AccessSpec{HMAC: &v1alpha1.HMACSpec{
				SecretRef: v1alpha1.SecretKeyReference{Name: "signing"},
			}}
			w.observed.Signing = Secret{Name: "signing"}
		}, "False", "SecretInvalid", `field "hmac" is missing`},
		"no Secret of a forward": {func(w *world) {
			w.observed.Headers.Problem = (&Secret{Name: "capi", Err: ErrNotFound}).problem("spec.forwards", nil)
		},
			"False", "SecretNotFound", "spec.forwards: Secret capi: not found"},
		"a broken Secret of a forward": {func(w *world) {
			w.observed.Headers.Problem = (&Secret{Name: "capi"}).problem("spec.forwards", errors.New("broken"))
		}, "False", "SecretInvalid", "spec.forwards: Secret capi: broken"},
		"a revoked key": {func(w *world) {
			w.observed.Given = true
			w.observed.Keyring = Endpoint(w.declared, &w.observed, start, Source{ID: func() string { return "known" }}).Keyring
			w.declared.Spec.Key.Revoked = []string{"known"}
		}, "False", "SecretInvalid", "is revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.declared.Spec.Key.SecretRef = &v1alpha1.SecretKeyReference{Name: "mine"}
			w.observed.Caller = Secret{Name: "mine", Data: map[string][]byte{"key": []byte(key),
				"clickToken": []byte("click-token")}}
			c.edit(w)
			got := w.reconcile(start).Says
			if diff := cmp.Diff([]string{c.status, c.reason},
				[]string{map[bool]string{true: "True", false: "False"}[got.Resolved], got.Reason}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.Contains(got.Message, c.says) {
				t.Errorf("message: %s", got.Message)
			}
			for _, value := range w.observed.Caller.Data {
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
	header := v1alpha1.ForwardHeader{Name: "A", ValueFrom: &v1alpha1.ForwardHeaderSource{SecretKeyRef: ref}}
	w.declared.Spec.Forwards = []v1alpha1.Forward{{ForwardOptions: v1alpha1.ForwardOptions{
		Headers: []v1alpha1.ForwardHeader{header},
	}}}
	id := func(value string) string {
		w.observed.Headers.Values, w.observed.Headers.Problem = HeaderValues{ref: value}, nil
		secrets := w.reconcile(start).Keyring.Ring.Secrets(rotation.Forward, []string{value})
		if len(secrets) != 1 {
			t.Fatalf("%q has %d entries", value, len(secrets))
		}
		return secrets[0].ID
	}
	first := id("Bearer one")
	if again := id("Bearer one"); again != first {
		t.Error("the same value has another id")
	}
	w.observed.Headers = Headers{Problem: (&Secret{Name: "capi", Err: ErrNotFound}).problem("spec.forwards", nil)}
	w.reconcile(start)
	if again := id("Bearer one"); again != first {
		t.Error("what was valid is forgotten while its Secret is missing")
	}
	if next := id("Bearer two"); next == first || len(w.observed.Keyring.Ring[rotation.Forward]) != 1 {
		t.Errorf("another value: %v", w.observed.Keyring.Ring[rotation.Forward])
	}
}
