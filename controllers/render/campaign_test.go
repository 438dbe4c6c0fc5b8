package render

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// anEndpoint is the endpoint of the golden files, without keys.
func anEndpoint(t *testing.T) config.Endpoint {
	t.Helper()
	keys := ring(map[rotation.Purpose][]string{rotation.Postback: {"the-key"}, rotation.Signing: {"the-secret"},
		rotation.Forward: {"Bearer the-header"}})
	rendered, err := Endpoint(parse[v1alpha1.PostbackEndpoint](t, filepath.Join("testdata", "endpoint.yaml")), keys,
		[]string{"the-secret"}, headerValues())
	if err != nil {
		t.Fatal(err)
	}
	return rendered
}

func TestEveryFieldOfACampaignIsRendered(t *testing.T) {
	campaign := parse[v1alpha1.Campaign](t, filepath.Join("testdata", "campaign.yaml"))
	link, err := Campaign(campaign, ring(map[rotation.Purpose][]string{rotation.Campaign: {"the-token"},
		rotation.Forward: {"Bearer the-header"}}), headerValues(), anEndpoint(t))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "campaign.golden.yaml"), link)
}

func TestACampaignTakesItsAliasAndCurrencyFromElsewhereWhenItSaysNone(t *testing.T) {
	campaign := &v1alpha1.Campaign{}
	campaign.Name, campaign.Spec.OfferURL = "summer", "https://offer.example/"
	campaign.Spec.Cost = &v1alpha1.CostSpec{Amount: "1"}
	endpoint := anEndpoint(t)
	link, err := Campaign(campaign, rotation.Ring{}, nil, endpoint)
	if err != nil || link.Campaign.Alias != "summer" || link.Campaign.Cost.Currency != endpoint.Currency {
		t.Errorf("%+v, %v", link, err)
	}
}

func TestACampaignIsJudgedWithItsEndpoint(t *testing.T) {
	campaign := parse[v1alpha1.Campaign](t, filepath.Join("testdata", "campaign.yaml"))
	endpoint := anEndpoint(t)
	campaign.Spec.Forwards[0].Types = []string{"no_such_type"}
	campaign.Spec.Forwards = campaign.Spec.Forwards[:1]
	if _, err := Campaign(campaign, rotation.Ring{}, nil, endpoint); err == nil ||
		!strings.Contains(err.Error(), "forwards[0].types[0]: must be a built-in type") {
		t.Errorf("error: %v", err)
	}
}

func TestDetachTakesOffWhatAttachPutsOn(t *testing.T) {
	endpoint := anEndpoint(t)
	before := anEndpoint(t)
	links := []Link{
		{Campaign: config.Campaign{Name: "a", Alias: "a"}, Forwards: []config.Forward{{Name: "a.x"}, {Name: "a.y"}}},
		{Campaign: config.Campaign{Name: "b", Alias: "b"}},
	}
	whole := Attach(endpoint, links...)
	if len(whole.Campaigns) != 2 || len(whole.Forwards) != len(endpoint.Forwards)+2 {
		t.Errorf("attached: %d campaigns, %d forwards", len(whole.Campaigns), len(whole.Forwards))
	}
	base, found := Detach(whole)
	exact := cmp.Comparer(func(a, b config.Redacted) bool { return a.Reveal() == b.Reveal() })
	if diff := cmp.Diff(before, base, exact); diff != "" {
		t.Errorf("endpoint (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(links, found); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if links[0].Revision() == links[1].Revision() || base.Revision() == whole.Revision() {
		t.Error("revisions don't tell contents apart")
	}
}

// What fits by this count must fit by the contract's.
func TestTheRoomOfAnEndpointIsNotLargerThanTheContracts(t *testing.T) {
	for name, length := range map[string]int{"small ones, by number": 10, "large ones, by size": 1900} {
		t.Run(name, func(t *testing.T) {
			endpoint := anEndpoint(t)
			room := RoomOf(endpoint)
			var links []Link
			var err error
			for i := 0; err == nil; i++ {
				campaign := fmt.Sprintf("c%d", i)
				link := Link{
					Campaign: config.Campaign{Name: campaign, Alias: campaign,
						OfferURL: "https://a.example/" + strings.Repeat("&", length)},
					Forwards: []config.Forward{{Name: campaign + ".a", URL: "https://s.example/", Method: "GET",
						Resend: config.ResendOnAnyChange}},
				}
				if err = room.Take(link); err == nil {
					links = append(links, link)
				}
			}
			whole := Attach(endpoint, links...)
			if err := whole.Validate(); err != nil {
				t.Error(err)
			}
			if len(links) < 30 || len(links) > config.MaxCampaigns {
				t.Errorf("%d campaigns have room", len(links))
			}
		})
	}
}
