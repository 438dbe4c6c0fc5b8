package credential

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

func states(p *Decision) string {
	var all []string
	for _, e := range p.Keyring.Ring[rotation.Browser] {
		state := "active"
		if e.RetireAt != nil {
			state = "until " + e.RetireAt.Sub(start).String()
		}
		all = append(all, state)
	}
	return strings.Join(all, ", ")
}

func TestTheLifeOfAGeneratedClientKey(t *testing.T) {
	w := newWorld()
	browser := &v1alpha1.BrowserSpec{Types: []string{"lead"}, Origins: []string{"https://shop.example"}}
	var keys []string
	for _, step := range []struct {
		name   string
		hours  time.Duration
		edit   func()
		keys   int // that were generated so far
		client bool
		ring   string
	}{
		{"pages can't report", 0, func() {}, 0, false, ""},
		{"they may", 1, func() { w.declared.Spec.Browser = browser }, 1, true, "active"},
		{"nothing changes", 2, func() {}, 1, true, "active"},
		{"the annotation is lost", 3, func() { w.observed.ClientRevision = 0 }, 1, true, "active"},
		{"the next key", 4, func() { browser.Revision = 2 }, 2, true, "until 76h0m0s, active"},
		{"the postback key is another matter", 5, func() { w.declared.Spec.Key.Revision = 2 }, 2, true,
			"until 76h0m0s, active"},
		{"they may no longer", 6, func() { w.declared.Spec.Browser = nil }, 2, false, "until 76h0m0s, until 78h0m0s"},
		{"they may again, by the same key", 7, func() { w.declared.Spec.Browser = browser }, 2, true,
			"until 76h0m0s, active"},
		{"the Secret lost the key", 8, func() { delete(w.observed.Caller.Data, "clientKey") }, 3, true,
			"until 76h0m0s, until 80h0m0s, active"},
	} {
		step.edit()
		p := w.reconcile(start.Add(step.hours * time.Hour))
		if key := p.Generated.ClientKey; key != "" && (len(keys) == 0 || keys[len(keys)-1] != key) {
			keys = append(keys, key)
		}
		if len(keys) != step.keys || (p.ClientKey != "") != step.client {
			t.Errorf("%s: keys %v, in use %q", step.name, keys, p.ClientKey)
		}
		if diff := cmp.Diff(step.ring, states(p)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestARevokedClientKeyIsReplacedByTheNextOne(t *testing.T) {
	w := newWorld()
	w.declared.Spec.Browser = &v1alpha1.BrowserSpec{}
	first := w.reconcile(start)
	w.declared.Spec.Key.Revoked = []string{first.Keyring.Ring[rotation.Browser][0].ID}
	p := w.reconcile(start.Add(time.Hour))
	if p.ClientKey != "" || p.Says.Reason != v1alpha1.ReasonSecretInvalid ||
		!strings.Contains(p.Says.Message, "spec.browser.revision") {
		t.Errorf("key %q, %s: %s", p.ClientKey, p.Says.Reason, p.Says.Message)
	}
	w.declared.Spec.Browser.Revision = 2
	if p = w.reconcile(start.Add(2 * time.Hour)); p.ClientKey == "" || p.ClientKey == first.ClientKey ||
		len(p.Keyring.Ring.Keys(rotation.Browser)) != 1 {
		t.Errorf("key %q, ring %v", p.ClientKey, p.Keyring.Ring.Keys(rotation.Browser))
	}
}

func TestAClientKeyOfTheUsersOwnSecret(t *testing.T) {
	for name, c := range map[string]struct {
		field       string
		browser     bool
		key, reason string
		says        string
	}{
		"is in use": {"client-key", true, "client-key", v1alpha1.ReasonResolved,
			"The key is in Secret mine."},
		"is not used where pages can't": {"client-key", false, "", v1alpha1.ReasonResolved, "The key is in Secret mine."},
		"is not there: pages can't report": {"", true, "", v1alpha1.ReasonResolved,
			"Pages can't report: the Secret has no field clientKey."},
		"is none that can be in the URL": {"a/b/c/d", true, "", v1alpha1.ReasonSecretInvalid,
			"spec.key.secretRef: Secret mine"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.declared.Spec.Key.SecretRef = &v1alpha1.SecretKeyReference{Name: "mine"}
			if c.browser {
				w.declared.Spec.Browser = &v1alpha1.BrowserSpec{}
			}
			w.observed.Caller = Secret{Name: "mine", Data: map[string][]byte{"key": []byte("aZ3-x9_q~T7w.Kd2"),
				"clickToken": []byte("a-click-token")}}
			if c.field != "" {
				w.observed.Caller.Data["clientKey"] = []byte(c.field)
			}
			p := w.reconcile(start)
			if p.ClientKey != c.key || p.Says.Reason != c.reason || !strings.Contains(p.Says.Message, c.says) {
				t.Errorf("key %q, %s: %s", p.ClientKey, p.Says.Reason, p.Says.Message)
			}
		})
	}
}
