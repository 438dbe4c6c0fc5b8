package credential

import (
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// campaignWorld is a campaign with a generated token, as one reconcile after the other would leave it.
type campaignWorld struct {
	declared *v1alpha1.Campaign
	observed Observed
	source   counter
}

func newCampaignWorld() *campaignWorld {
	campaign := &v1alpha1.Campaign{}
	campaign.Namespace, campaign.Name, campaign.Generation = "ads", "summer", 3
	campaign.Spec.EndpointRef.Name, campaign.Spec.OfferURL = "shop", "https://offer.example/?s={subid}"
	campaign.Spec.Token.Overlap = &metav1.Duration{Duration: 72 * time.Hour}
	return &campaignWorld{declared: campaign, observed: Observed{Caller: Secret{Name: "summer-campaign"}}}
}

// reconcile decides at a time and takes over what was decided.
func (w *campaignWorld) reconcile(at time.Time) *Decision {
	w.observed.Given = w.declared.Spec.Token.SecretRef != nil
	p := Campaign(w.declared, &w.observed, at, w.source.source())
	w.observed.Keyring = p.Keyring
	if g := p.Generated; g != nil {
		w.observed.Revision = g.Revision
		w.observed.Caller.Data = map[string][]byte{"token": []byte(g.Key)}
	}
	return p
}

func TestTheLifeOfAGeneratedToken(t *testing.T) {
	w := newCampaignWorld()
	before := w.observed
	first := w.reconcile(start)
	if !first.Generated.Fresh || !first.Changes(&before) || first.Key == "" || !first.Next.IsZero() {
		t.Fatalf("plan: %+v", first)
	}
	if again := w.reconcile(start.Add(time.Hour)); again.Changes(&w.observed) || again.Key != first.Key {
		t.Errorf("a second reconcile changes something: %+v", again)
	}
	w.observed.Revision = 0
	if p := w.reconcile(start.Add(2 * time.Hour)); p.Key != first.Key {
		t.Error("a lost annotation makes another token")
	}
	w.declared.Spec.Token.Revision = 2
	second := w.reconcile(start.Add(3 * time.Hour))
	if end := start.Add(75 * time.Hour); second.Key == first.Key || !second.Next.Equal(end) ||
		len(second.Keyring.Ring.Keys(rotation.Campaign)) != 2 {
		t.Errorf("plan: %+v", second)
	}
	if p := w.reconcile(second.Next); len(p.Keyring.Ring[rotation.Campaign]) != 1 || !p.Next.IsZero() {
		t.Errorf("the former token is still there: %+v", p.Keyring.Ring)
	}
	delete(w.observed.Caller.Data, "token")
	if p := w.reconcile(second.Next.Add(time.Hour)); p.Key == second.Key || p.Generated.Revision != 2 {
		t.Errorf("a deleted token is not replaced: %+v", p.Generated)
	}
	w.declared.Spec.Token.Revoked = []string{w.observed.Keyring.Ring[rotation.Campaign][1].ID}
	if p := w.reconcile(second.Next.Add(2 * time.Hour)); p.Key != "" || p.Says.Reason != v1alpha1.ReasonSecretInvalid {
		t.Errorf("a revoked token is in use: %+v", p.Says)
	}
}

func TestWhatIsSaidOfAUsersToken(t *testing.T) {
	for name, c := range map[string]struct {
		secret Secret
		field  string
		token  string
		reason string
	}{
		"it is there": {Secret{Data: map[string][]byte{"token": []byte("a-token-1\n")}}, "", "a-token-1",
			v1alpha1.ReasonResolved},
		"it is in another field": {Secret{Data: map[string][]byte{"mine": []byte("a-token-1")}}, "mine", "a-token-1",
			v1alpha1.ReasonResolved},
		"the Secret did not opt in": {Secret{Err: ErrNotReadable}, "", "", v1alpha1.ReasonSecretNotReadable},
		"the Secret is missing":     {Secret{Err: ErrNotFound}, "", "", v1alpha1.ReasonSecretNotFound},
		"the field is missing":      {Secret{}, "", "", v1alpha1.ReasonSecretInvalid},
		"it is too short": {Secret{Data: map[string][]byte{"token": []byte("hunter2")}}, "", "",
			v1alpha1.ReasonSecretInvalid},
		"it has characters of no token": {Secret{Data: map[string][]byte{"token": []byte("hunter2, hunter2")}}, "", "",
			v1alpha1.ReasonSecretInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCampaignWorld()
			w.declared.Spec.Token.SecretRef = &v1alpha1.SecretKeyReference{Name: "mine", Key: c.field}
			w.observed.Caller = c.secret
			p := w.reconcile(start)
			if p.Generated != nil || p.Key != c.token || p.Says.Reason != c.reason ||
				(len(p.Keyring.Ring) > 0) != (c.token != "") {
				t.Errorf("token %q, %+v, ring %v", p.Key, p.Says, p.Keyring.Ring)
			}
			if strings.Contains(p.Says.Message, "hunter2") {
				t.Errorf("the token shows: %s", p.Says.Message)
			}
		})
	}
}

func TestATokenWhoseSecretIsGoneStaysValid(t *testing.T) {
	w := newCampaignWorld()
	w.declared.Spec.Token.SecretRef = &v1alpha1.SecretKeyReference{Name: "mine"}
	w.observed.Caller = Secret{Data: map[string][]byte{"token": []byte("a-token-1")}}
	w.reconcile(start)
	w.observed.Caller = Secret{Err: ErrNotFound}
	if p := w.reconcile(start.Add(1000 * time.Hour)); len(p.Keyring.Ring.Keys(rotation.Campaign)) != 1 ||
		p.Keyring.Ring.Keys(rotation.Campaign)[0].RetireAt != nil {
		t.Errorf("ring: %+v", p.Keyring.Ring)
	}
}

func TestWhatIsSaidOfTheSecretsOfForwards(t *testing.T) {
	for name, c := range map[string]struct {
		problem *Problem
		reason  string
		says    string
	}{
		"all there": {nil, v1alpha1.ReasonResolved, "generated token"},
		"no Secret": {(&Secret{Name: "capi", Err: ErrNotFound}).problem("spec.forwards", nil), v1alpha1.ReasonSecretNotFound,
			"spec.forwards: Secret capi: not found."},
		"broken one": {(&Secret{Name: "capi"}).problem("spec.forwards", errors.New("broken")), v1alpha1.ReasonSecretInvalid,
			"spec.forwards: Secret capi: broken."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCampaignWorld()
			w.observed.Headers.Problem = c.problem
			got := w.reconcile(start)
			if got.Says.Reason != c.reason || !strings.Contains(got.Says.Message, c.says) || got.Key == "" {
				t.Errorf("%+v", got.Says)
			}
		})
	}
}
