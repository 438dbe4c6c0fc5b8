package campaign

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a campaign with a generated token, as one reconcile after the other would leave it.
type world struct {
	scope scope
	made  int
}

func newWorld() *world {
	campaign := &v1alpha1.Campaign{}
	campaign.Namespace, campaign.Name, campaign.Generation = "ads", "summer", 3
	campaign.Spec.EndpointRef.Name, campaign.Spec.OfferURL = "shop", "https://offer.example/?s={subid}"
	campaign.Spec.Token.Overlap = &metav1.Duration{Duration: 72 * time.Hour}
	return &world{scope: scope{campaign: campaign, own: true, secret: secret{name: "summer-campaign"}}}
}

// reconcile decides at a time and takes over what was decided.
func (w *world) reconcile(at time.Time) *plan {
	count := func(prefix string) func() string {
		return func() string {
			w.made++
			return fmt.Sprintf("%s-number-%d", prefix, w.made)
		}
	}
	p := decide(&w.scope, given{now: at, newToken: count("token"), newID: count("id")})
	w.scope.ring, w.scope.ringData = p.ring, p.ringData
	if g := p.generated; g != nil {
		w.scope.secret.found, w.scope.generatedFor = true, g.revision
		w.scope.secret.data = map[string][]byte{"token": []byte(g.token)}
	}
	return p
}

func TestTheLifeOfAGeneratedToken(t *testing.T) {
	w := newWorld()
	before := w.scope
	first := w.reconcile(start)
	if !first.generated.fresh || !first.changes(&before) || first.token == "" || !first.next.IsZero() {
		t.Fatalf("plan: %+v", first)
	}
	if again := w.reconcile(start.Add(time.Hour)); again.changes(&w.scope) || again.token != first.token {
		t.Errorf("a second reconcile changes something: %+v", again)
	}
	w.scope.generatedFor = 0
	if p := w.reconcile(start.Add(2 * time.Hour)); p.token != first.token {
		t.Error("a lost annotation makes another token")
	}
	w.scope.campaign.Spec.Token.Revision = 2
	second := w.reconcile(start.Add(3 * time.Hour))
	if end := start.Add(75 * time.Hour); second.token == first.token || !second.next.Equal(end) || len(second.ring.Keys(rotation.Campaign)) != 2 {
		t.Errorf("plan: %+v", second)
	}
	if p := w.reconcile(second.next); len(p.ring[rotation.Campaign]) != 1 || !p.next.IsZero() {
		t.Errorf("the former token is still there: %+v", p.ring)
	}
	delete(w.scope.secret.data, "token")
	if p := w.reconcile(second.next.Add(time.Hour)); p.token == second.token || p.generated.revision != 2 {
		t.Errorf("a deleted token is not replaced: %+v", p.generated)
	}
	w.scope.campaign.Spec.Token.Revoked = []string{w.scope.ring[rotation.Campaign][1].ID}
	if p := w.reconcile(second.next.Add(2 * time.Hour)); p.token != "" || p.resolved.Reason != v1alpha1.ReasonSecretInvalid {
		t.Errorf("a revoked token is in use: %+v", p.resolved)
	}
}

func TestWhatIsSaidOfAUsersToken(t *testing.T) {
	for name, c := range map[string]struct {
		secret secret
		field  string
		token  string
		reason string
	}{
		"it is there":                   {secret{found: true, data: map[string][]byte{"token": []byte("a-token-1\n")}}, "", "a-token-1", v1alpha1.ReasonResolved},
		"it is in another field":        {secret{found: true, data: map[string][]byte{"mine": []byte("a-token-1")}}, "mine", "a-token-1", v1alpha1.ReasonResolved},
		"the Secret did not opt in":     {secret{found: true, denied: render.ErrNotReadable}, "", "", v1alpha1.ReasonSecretNotReadable},
		"the Secret is missing":         {secret{}, "", "", v1alpha1.ReasonSecretNotFound},
		"the field is missing":          {secret{found: true}, "", "", v1alpha1.ReasonSecretInvalid},
		"it is too short":               {secret{found: true, data: map[string][]byte{"token": []byte("hunter2")}}, "", "", v1alpha1.ReasonSecretInvalid},
		"it has characters of no token": {secret{found: true, data: map[string][]byte{"token": []byte("hunter2, hunter2")}}, "", "", v1alpha1.ReasonSecretInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.scope.campaign.Spec.Token.SecretRef = &v1alpha1.SecretKeyReference{Name: "mine", Key: c.field}
			w.scope.secret = c.secret
			p := w.reconcile(start)
			if p.generated != nil || p.token != c.token || p.resolved.Reason != c.reason || (len(p.ring) > 0) != (c.token != "") {
				t.Errorf("token %q, %+v, ring %v", p.token, p.resolved, p.ring)
			}
			if strings.Contains(p.resolved.Message, "hunter2") {
				t.Errorf("the token shows: %s", p.resolved.Message)
			}
		})
	}
}

func TestATokenWhoseSecretIsGoneStaysValid(t *testing.T) {
	w := newWorld()
	w.scope.campaign.Spec.Token.SecretRef = &v1alpha1.SecretKeyReference{Name: "mine"}
	w.scope.secret = secret{found: true, data: map[string][]byte{"token": []byte("a-token-1")}}
	w.reconcile(start)
	w.scope.secret = secret{}
	if p := w.reconcile(start.Add(1000 * time.Hour)); len(p.ring.Keys(rotation.Campaign)) != 1 || p.ring.Keys(rotation.Campaign)[0].RetireAt != nil {
		t.Errorf("ring: %+v", p.ring)
	}
}

func TestWhatIsSaidOfTheSecretsOfForwards(t *testing.T) {
	for name, c := range map[string]struct {
		problem *render.HeaderProblem
		reason  string
		says    string
	}{
		"all there":  {nil, v1alpha1.ReasonResolved, "generated token"},
		"no Secret":  {&render.HeaderProblem{Secret: "capi", Missing: true}, v1alpha1.ReasonSecretNotFound, "spec.forwards: there is no Secret capi."},
		"broken one": {&render.HeaderProblem{Secret: "capi", Err: errors.New("broken")}, v1alpha1.ReasonSecretInvalid, "spec.forwards: Secret capi: broken."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.scope.headerProblem = c.problem
			got := w.reconcile(start)
			if got.resolved.Reason != c.reason || !strings.Contains(got.resolved.Message, c.says) || got.token == "" {
				t.Errorf("%+v", got.resolved)
			}
		})
	}
}
