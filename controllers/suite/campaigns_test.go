package suite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// servedAliases waits until an endpoint has exactly these campaigns, name=alias, in a fleet's configuration.
func servedAliases(t *testing.T, namespace, fleet, endpoint string, want ...string) {
	t.Helper()
	servedEndpoint(t, namespace, fleet, endpoint, func(e *config.Endpoint) bool {
		var got []string
		for _, c := range e.Campaigns {
			got = append(got, c.Name+"="+c.Alias)
		}
		return cmp.Equal(want, got)
	})
}

func TestTheLifeOfACampaign(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop",
		"{currency: USD, receiver: {host: pb.example.com}, browser: {types: [sale], origins: ['https://shop.example']}}")
	summer := campaignOf(t, namespace, "summer", `{endpointRef: {name: shop}, alias: Summer1, offerURL: 'https://offer.example/?s={subid}',
		source: push, parameters: {external_id: [gclid]}, cost: {amount: "0.05"}, forwards: [{name: source, url: 'https://source.example/?c={external_id}', types: [sale]}]}`)
	current(t, shop, summer)
	if summer.Status.Link != "https://pb.example.com/Summer1" || summer.Status.Fleet.Name != "shop" ||
		len(summer.Status.Tokens) != 1 {
		t.Errorf("status: %+v", summer.Status)
	}
	token := secret(string(get[corev1.Secret](t, namespace, "summer-campaign").Data["token"]))
	clientKey := secret(string(get[corev1.Secret](t, namespace, "shop-key").Data["clientKey"]))
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool {
		if len(e.Campaigns) != 1 || e.Browser == nil {
			return false
		}
		want := config.Campaign{
			Name: "summer", Alias: "Summer1", Tokens: []config.Key{{ID: summer.Status.Tokens[0].ID,
				SHA256: config.Digest(token)}},
			OfferURL: "https://offer.example/?s={subid}", Source: "push",
			Parameters: map[string][]string{"external_id": {"gclid"}},
			Cost:       &config.Cost{Amount: "0.05", Currency: "USD"}, CookieDays: 30,
		}
		forwards := []config.Forward{{
			Name: "summer.source", URL: "https://source.example/?c={external_id}", Method: "GET", Types: []string{"sale"},
			Resend: config.ResendOnAnyChange, Campaigns: []string{"summer"},
		}}
		return cmp.Equal(want, e.Campaigns[0]) && cmp.Equal(forwards, e.Forwards) &&
			e.Browser.Keys[0].SHA256 == config.Digest(clientKey)
	})
	pages := get[corev1.Secret](t, namespace, "summer.campaign-snippets")
	eventually(t, soon, func() error {
		read(t, pages)
		script, php := string(pages.Data["tracking-script.html"]), string(pages.Data["kclient.php"])
		if !strings.Contains(script, "https://pb.example.com/"+clientKey+"/postback") ||
			!strings.Contains(php, "'"+token+"'") {
			return fmt.Errorf("the snippets lack the credentials")
		}
		return nil
	})

	change(t, summer, func(c *v1alpha1.Campaign) { c.Spec.Token.Revision = 2 })
	current(t, summer)
	next := secret(string(get[corev1.Secret](t, namespace, "summer-campaign").Data["token"]))
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool {
		return next != token && len(e.Campaigns) == 1 && len(e.Campaigns[0].Tokens) == 2
	})
	change(t, summer, func(c *v1alpha1.Campaign) {
		for _, key := range c.Status.Tokens {
			if key.State == v1alpha1.KeyRetiring {
				c.Spec.Token.Revoked = []string{key.ID}
			}
		}
	})
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool {
		return len(e.Campaigns) == 1 && len(e.Campaigns[0].Tokens) == 1 &&
			e.Campaigns[0].Tokens[0].SHA256 == config.Digest(next)
	})

	noError(t, admin.Delete(t.Context(), summer))
	servedAliases(t, namespace, "shop", "shop")
	if again := string(get[corev1.Secret](t, namespace, "summer-campaign").Data["token"]); again != next {
		t.Error("the token did not outlive its campaign")
	}
}

// nextSecond waits until what is declared next is younger: ages are in whole seconds.
func nextSecond(older *v1alpha1.Campaign) {
	time.Sleep(time.Until(older.CreationTimestamp.Add(1100 * time.Millisecond)))
}

func TestTheYoungerOfTwoCampaignsWithOneAliasSaysSo(t *testing.T) {
	infra, foreign := newNamespace(t, nil), newNamespace(t, nil)
	fleetOf(t, infra, "shared", "{allowedEndpoints: {namespaces: All}}")
	shop := endpointOf(t, infra, "shop", "{currency: USD, fleetRef: {name: shared}}")
	other := endpointOf(t, foreign, "other", fmt.Sprintf("{currency: USD, fleetRef: {name: shared, namespace: %s}}",
		infra))
	current(t, shop, other)
	older := campaignOf(t, infra, "older", "{endpointRef: {name: shop}, alias: sale, offerURL: 'https://offer.example/'}")
	current(t, older)
	nextSecond(older)
	same := campaignOf(t, infra, "z-younger",
		"{endpointRef: {name: shop}, alias: sale, offerURL: 'https://offer.example/'}")
	nextSecond(same)
	away := campaignOf(t, foreign, "z-younger",
		"{endpointRef: {name: other}, alias: sale, offerURL: 'https://offer.example/'}")
	if message := says(t, same, v1alpha1.ConditionAccepted, metav1.ConditionFalse,
		v1alpha1.ReasonAliasTaken); !strings.Contains(message, "the older Campaign older") {
		t.Errorf("it says %q", message)
	}
	message := says(t, away, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonAliasTaken)
	if strings.Contains(message, infra) || strings.Contains(message, "older ") &&
		strings.Contains(message, "Campaign older") {
		t.Errorf("it gives another namespace away: %q", message)
	}
	servedAliases(t, infra, "shared", "shop", "older=sale")
	servedAliases(t, infra, "shared", "other")
	current(t, shop, other, older)
	noError(t, admin.Delete(t.Context(), older))
	current(t, same)
	servedAliases(t, infra, "shared", "shop", "z-younger=sale")
}

func TestOneInvalidCampaignLeavesAllElseProgrammed(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	good := campaignOf(t, namespace, "good", "{endpointRef: {name: shop}, offerURL: 'https://offer.example/'}")
	turned := campaignOf(t, namespace, "turned", "{endpointRef: {name: shop}, offerURL: 'https://offer.example/'}")
	bad := campaignOf(t, namespace, "bad",
		"{endpointRef: {name: shop}, offerURL: 'https://offer.example/', forwards: [{name: a, url: 'https://s.example/', "+
			"types: [bet]}]}")
	current(t, shop, good, turned)
	if message := says(t, bad, v1alpha1.ConditionAccepted, metav1.ConditionFalse,
		v1alpha1.ReasonInvalid); !strings.Contains(message, "must be a built-in type") {
		t.Errorf("it says %q", message)
	}
	servedAliases(t, namespace, "shop", "shop", "good=good", "turned=turned")
	change(t, turned, func(c *v1alpha1.Campaign) {
		c.Spec.Alias = "other"
		c.Spec.Forwards = []v1alpha1.CampaignForward{{Name: "a", URL: "https://s.example/", Types: []string{"bet"}}}
	})
	says(t, turned, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	servedAliases(t, namespace, "shop", "shop", "good=good", "turned=turned")
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) {
		e.Spec.ConversionTypes = []v1alpha1.ConversionType{{Name: "bet"}}
	})
	current(t, shop, good, turned, bad)
	servedAliases(t, namespace, "shop", "shop", "bad=bad", "good=good", "turned=other")
}

func TestACampaignSaysWhatIsTheMatterWithItsEndpoint(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleetOf(t, namespace, "shared", "{}")
	campaign := campaignOf(t, namespace, "summer", "{endpointRef: {name: shop}, offerURL: 'https://offer.example/'}")
	says(t, campaign, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonEndpointNotFound)
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: nowhere}}")
	says(t, campaign, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonFleetNotFound)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.FleetRef.Name = "shared" })
	current(t, shop, campaign)

	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Aliases = v1alpha1.Aliases{"tid": {"bet_status"}} })
	current(t, shop)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) {
		e.Spec.ConversionTypes = []v1alpha1.ConversionType{{Name: "bet"}}
	})
	says(t, shop, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	says(t, campaign, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonEndpointNotAccepted)
	servedAliases(t, namespace, "shared", "shop", "summer=summer")

	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Aliases, e.Spec.Suspend = nil, true })
	says(t, campaign, v1alpha1.ConditionProgrammed, metav1.ConditionTrue, v1alpha1.ReasonSuspended)
	late := campaignOf(t, namespace, "late", "{endpointRef: {name: shop}, offerURL: 'https://offer.example/'}")
	says(t, late, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonSuspended)
	servedAliases(t, namespace, "shared", "shop", "summer=summer")
	noError(t, admin.Delete(t.Context(), campaign))
	servedAliases(t, namespace, "shared", "shop")
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Suspend = false })
	current(t, shop, late)
}

func TestACampaignWithAUsersToken(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	summer := campaignOf(t, namespace, "summer",
		"{endpointRef: {name: shop}, offerURL: 'https://offer.example/', token: {secretRef: {name: mine}}}")
	current(t, shop)
	says(t, summer, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	servedAliases(t, namespace, "shop", "shop", "summer=summer") // the link works, the click API is off
	held := secretOf(t, namespace, "mine", map[string]string{"token": "canary-token-of-a-campaign"})
	current(t, summer)
	change(t, held, func(s *corev1.Secret) { s.Data["token"] = []byte("no token") })
	says(t, summer, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid)
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool {
		return len(e.Campaigns) == 1 && len(e.Campaigns[0].Tokens) == 1 &&
			e.Campaigns[0].Tokens[0].SHA256 == config.Digest("canary-token-of-a-campaign")
	})

	// Somebody else's Secret of the generated one's name stays as it is.
	secretOf(t, namespace, "winter-campaign", map[string]string{"token": "canary-token-of-nobody"})
	winter := campaignOf(t, namespace, "winter", "{endpointRef: {name: shop}, offerURL: 'https://offer.example/'}")
	says(t, winter, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid)
	if token := string(get[corev1.Secret](t, namespace,
		"winter-campaign").Data["token"]); token != "canary-token-of-nobody" {
		t.Error("it was overwritten")
	}
}

func TestPagesReportOnlyWithAClientKey(t *testing.T) {
	namespace := newNamespace(t, nil)
	held := secretOf(t, namespace, "mine", map[string]string{"key": "canary-key-of-the-pages",
		"clickToken": "canary-token-of-pages"})
	shop := endpointOf(t, namespace, "shop",
		"{currency: USD, key: {secretRef: {name: mine}}, browser: {types: [sale, lead], origins: ['https://shop.example']}}")
	current(t, shop)
	if message := says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionTrue,
		v1alpha1.ReasonResolved); !strings.Contains(message, "no field clientKey") {
		t.Errorf("it says %q", message)
	}
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool { return e.Browser == nil })
	change(t, held, func(s *corev1.Secret) { s.Data["clientKey"] = []byte(secret("canary-client-key")) })
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool {
		return e.Browser != nil && len(e.Browser.Keys) == 1 &&
			e.Browser.Keys[0].SHA256 == config.Digest("canary-client-key") && e.Browser.RatePerMinute == 60
	})
	eventually(t, soon, func() error {
		current(t, shop)
		if len(shop.Status.ClientKeys) != 1 || shop.Status.ClientKeys[0].State != v1alpha1.KeyActive {
			return fmt.Errorf("client keys: %v", shop.Status.ClientKeys)
		}
		return nil
	})
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Key.Revoked = []string{shop.Status.ClientKeys[0].ID} })
	says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid)
	servedEndpoint(t, namespace, "shop", "shop", func(e *config.Endpoint) bool { return e.Browser == nil })
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Key.Revoked, e.Spec.Browser = nil, nil })
	current(t, shop)
}
