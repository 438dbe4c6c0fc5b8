package fleet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/assembly"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// campaignOf returns a campaign of the endpoint shop with these tokens, the last one active.
func campaignOf(name string, age time.Duration, tokens ...string) assembly.Campaign {
	c := assembly.Campaign{
		Name: types.NamespacedName{Namespace: "ads", Name: name}, Created: start.Add(-age), Declared: &v1alpha1.Campaign{},
	}
	c.Declared.Namespace, c.Declared.Name, c.Declared.Generation = "ads", name, 1
	c.Declared.CreationTimestamp = metav1.NewTime(start.Add(-age))
	c.Declared.Spec.EndpointRef.Name, c.Declared.Spec.OfferURL = "shop", "https://offer.example/"
	for i, token := range tokens {
		c.Keyring.Ring = rotation.Advance(c.Keyring.Ring, rotation.Input{
			Now: start.Add(time.Duration(i-len(tokens)) * time.Hour), Overlap: 72 * time.Hour,
			Observed: map[rotation.Purpose][]string{rotation.Campaign: {token}},
			NewID:    func() string { return fmt.Sprintf("id-%x", config.Digest(name + token)[:6]) },
		})
	}
	c.Keyring.Data = c.Keyring.Ring.Encode()
	return c
}

func with(j assembly.Endpoint, campaigns ...assembly.Campaign) assembly.Endpoint {
	j.Campaigns = campaigns
	return j
}

func aliases(e config.Endpoint) string {
	var all []string
	for _, c := range e.Campaigns {
		all = append(all, c.Alias)
	}
	return strings.Join(all, " ")
}

// said is what the plan says of a campaign: its reason when it isn't accepted, how it is served when it is.
func said(p *plan, name string) string {
	verdict, found := p.campaigns[types.NamespacedName{Namespace: "ads", Name: name}]
	served := "not served"
	switch {
	case !found:
		return "nothing"
	case verdict.Revision != "" && verdict.Former:
		served = "served as it was"
	case verdict.Revision != "":
		served = "served"
	}
	return strings.TrimSpace(verdict.Reason + " " + served)
}

func TestACampaignThatChangesLeavesTheRevisionsOfAllElse(t *testing.T) {
	plan := func(offer string) *plan {
		changing := campaignOf("b", time.Hour, "token-of-b")
		changing.Declared.Spec.OfferURL = offer
		return decide(scopeOf(nil, with(joins(declared("shop", time.Hour), "the-key"),
			campaignOf("a", time.Hour, "token-of-a"), changing)), start, newID)
	}
	before, after := plan("https://offer.example/"), plan("https://other.example/")
	opened(t, after)
	var changed []string
	for name, revision := range after.contents {
		if before.contents[name] != revision {
			changed = append(changed, name.Name)
		}
	}
	if diff := cmp.Diff([]string{"campaign/b"}, changed); diff != "" || len(after.contents) != 3 ||
		before.revision == after.revision {
		t.Errorf("of %v changed (-want +got):\n%s", after.contents, diff)
	}
}

func TestWhichCampaignsAreServed(t *testing.T) {
	bet := func(c assembly.Campaign) assembly.Campaign {
		c.Declared.Spec.Forwards = []v1alpha1.CampaignForward{{Name: "a", URL: "https://s.example/", Method: "GET",
			Resend: "OnAnyChange", Types: []string{"bet"}}}
		return c
	}
	aliased := func(c assembly.Campaign, alias string) assembly.Campaign {
		c.Declared.Spec.Alias = alias
		return c
	}
	suspended := declared("shop", time.Hour)
	suspended.Spec.Suspend, suspended.Status.Revision = true, "r"
	invalid := declared("shop", time.Hour)
	invalid.Spec.Currency = "no currency"
	// What is served before: the endpoint with the campaigns a and gone.
	former := opened(t, decide(scopeOf(nil, with(joins(declared("shop", time.Hour), "the-key"),
		campaignOf("a", time.Hour, "token-of-a"), campaignOf("gone", time.Hour, "token-of-gone"))), start, newID))["shop"]
	for name, c := range map[string]struct {
		endpoint  *v1alpha1.PostbackEndpoint
		campaigns []assembly.Campaign
		aliases   string
		said      map[string]string
	}{
		"those that are declared": {
			declared("shop", time.Hour), []assembly.Campaign{campaignOf("a", 2*time.Hour, "token-of-a"),
				campaignOf("b", time.Hour, "token-of-b")},
			"a b", map[string]string{"a": "served", "b": "served"},
		},
		"not one whose token is about to be generated": {
			declared("shop", time.Hour), []assembly.Campaign{campaignOf("b", time.Hour)},
			"", map[string]string{"b": "not served"},
		},
		"one that became invalid, as it was": {
			declared("shop", time.Hour), []assembly.Campaign{bet(campaignOf("a", time.Hour, "token-of-a"))},
			"a", map[string]string{"a": "Invalid served as it was"},
		},
		"not one that was never valid": {
			declared("shop", time.Hour), []assembly.Campaign{bet(campaignOf("b", time.Hour, "token-of-b")),
				campaignOf("a", time.Hour, "token-of-a")},
			"a", map[string]string{"b": "Invalid not served", "a": "served"},
		},
		"the older of two with an alias": {
			declared("shop", time.Hour), []assembly.Campaign{aliased(campaignOf("a", 2*time.Hour, "token-of-a"), "x"),
				aliased(campaignOf("b", time.Hour, "token-of-b"), "x")},
			"x", map[string]string{"a": "served", "b": "AliasTaken not served"},
		},
		"the younger of two with an alias as before": {
			declared("shop", time.Hour), []assembly.Campaign{aliased(campaignOf("b", 2*time.Hour, "token-of-b"), "x"),
				aliased(campaignOf("a", time.Hour, "token-of-a"), "x")},
			"a x", map[string]string{"b": "served", "a": "AliasTaken served as it was"},
		},
		"the older of two with a token": {
			declared("shop", time.Hour), []assembly.Campaign{campaignOf("a", 2*time.Hour, "one-token"),
				campaignOf("b", time.Hour, "one-token")},
			"a", map[string]string{"a": "served", "b": "TokenTaken not served"},
		},
		"both where the token of the younger retires": {
			declared("shop", time.Hour), []assembly.Campaign{campaignOf("a", 2*time.Hour, "one-token"),
				campaignOf("b", time.Hour, "one-token", "another-token")},
			"a b", map[string]string{"a": "served", "b": "served"},
		},
		"of a suspended endpoint those of before that are still declared": {
			suspended, []assembly.Campaign{aliased(campaignOf("a", time.Hour, "token-of-a"), "new"),
				campaignOf("b", time.Hour, "token-of-b")},
			"a", map[string]string{"a": "served as it was", "b": "not served", "gone": "nothing"},
		},
		"of an invalid endpoint likewise": {
			invalid, []assembly.Campaign{campaignOf("a", time.Hour, "token-of-a"), campaignOf("b", time.Hour, "token-of-b")},
			"a", map[string]string{"a": "EndpointNotAccepted served as it was", "b": "EndpointNotAccepted not served"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := decide(scopeOf([]config.Endpoint{former}, with(joins(c.endpoint, "the-key"), c.campaigns...)), start, newID)
			if got := aliases(opened(t, p)["shop"]); got != c.aliases {
				t.Errorf("served are %q", got)
			}
			for campaign, want := range c.said {
				if got := said(p, campaign); got != want {
					t.Errorf("%s: %s, want %s", campaign, got, want)
				}
			}
		})
	}
}

func TestARevokedTokenIsTakenOutOfACampaignThatIsServedAsItWas(t *testing.T) {
	a := campaignOf("a", time.Hour, "token-of-a")
	former := opened(t, decide(scopeOf(nil, with(joins(declared("shop", time.Hour), "the-key"), a)), start, newID))["shop"]
	suspended := declared("shop", time.Hour)
	suspended.Spec.Suspend, suspended.Status.Revision = true, "r"
	a.Declared.Spec.Token.Revoked = []string{former.Campaigns[0].Tokens[0].ID}
	p := decide(scopeOf([]config.Endpoint{former}, with(joins(suspended, "the-key"), a)), start, newID)
	if served := opened(t, p)["shop"].Campaigns; len(served) != 1 || len(served[0].Tokens) != 0 {
		t.Errorf("served: %+v", served)
	}
}

func TestTheClientKeyOfAnOlderEndpointMakesTheYoungerOneLose(t *testing.T) {
	elder, younger := declared("elder", 2*time.Hour), declared("younger", time.Hour)
	elder.Spec.Browser = &v1alpha1.BrowserSpec{Types: []string{"lead"}, Origins: []string{"https://shop.example"},
		RatePerMinute: 60}
	first, second := joins(elder, "key-of-elder"), joins(younger, "a-public-key")
	first.Keyring.Ring = rotation.Advance(first.Keyring.Ring, rotation.Input{
		Now: start, NewID: newID, Observed: map[rotation.Purpose][]string{rotation.Postback: {"key-of-elder"},
			rotation.Browser: {"a-public-key"}},
	})
	p := decide(scopeOf(nil, first, second), start, newID)
	if served := opened(t, p); served["elder"].Browser == nil || len(served) != 1 {
		t.Errorf("served: %v", served)
	}
	if verdict := p.verdicts[types.NamespacedName{Namespace: "ads",
		Name: "younger"}]; verdict.Reason != v1alpha1.ReasonKeyTaken {
		t.Errorf("verdict: %+v", verdict)
	}
}

func TestThousandCampaignsOfAnEndpointLeaveItAndWhoHasRoomServed(t *testing.T) {
	var many []assembly.Campaign
	for i := range 1000 {
		many = append(many, campaignOf(fmt.Sprintf("c%d", i), time.Duration(1000-i)*time.Hour,
			fmt.Sprintf("token-number-%d", i)))
	}
	p := decide(scopeOf(nil, with(joins(declared("shop", time.Hour), "the-key"), many...)), start, newID)
	if served := len(opened(t, p)["shop"].Campaigns); served != config.MaxCampaigns {
		t.Errorf("%d are served", served)
	}
	if first, last := said(p, "c0"), said(p, "c999"); first != "served" || last != "Invalid not served" {
		t.Errorf("the oldest is %s, the youngest %s", first, last)
	}
}
