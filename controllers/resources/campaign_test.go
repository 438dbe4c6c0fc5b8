package resources

import (
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
)

func TestObjectsOfACampaign(t *testing.T) {
	campaign := declared[v1alpha1.Campaign](t, `
apiVersion: postback.dev/v1alpha1
kind: Campaign
metadata: {name: summer}
spec: {endpointRef: {name: shop}, offerURL: "https://offer.example/"}`)
	built := map[string]string{
		"Secret-token.yaml":    asYAML(t, TokenSecret(campaign, &credential.Generated{Revision: 2, Key: "the-token"})),
		"Secret-keyring.yaml":  asYAML(t, CampaignKeyringSecret(campaign, []byte(`{"campaign":[]}`))),
		"Secret-snippets.yaml": asYAML(t, CampaignSnippetsSecret(campaign, map[string][]byte{"link.txt": []byte("x")})),
	}
	golden(t, "campaign", built)
	for file, content := range built {
		if strings.Contains(content, foreignMark) {
			t.Errorf("%s has a label of the campaign", file)
		}
	}
	if link := Link(campaign, fleetOf(t, `{host: pb.example.com}`)); link != "https://pb.example.com/summer" {
		t.Errorf("link: %s", link)
	}
}
