package resources

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 60)
	for name, test := range map[string]struct{ owner, suffix, want string }{
		"a short owner keeps its name": {"shop", "-config-31", "shop-config-31"},
		"the longest declared name fits unchanged": {strings.Repeat("a", 52), "-config-31",
			strings.Repeat("a", 52) + "-config-31"},
		"a longer one is shortened and told apart": {long, "-config", strings.Repeat("a", 47) + "-f05917e5-config"},
		"a hyphen at the cut does not become two": {strings.Repeat("a", 46) + "-" + long, "-config",
			strings.Repeat("a", 46) + "-e60c0b98-config"},
	} {
		t.Run(name, func(t *testing.T) {
			got := childName(test.owner, test.suffix)
			if got != test.want {
				t.Errorf("childName(%q, %q) = %q, want %q", test.owner, test.suffix, got, test.want)
			}
			if errs := validation.IsDNS1123Label(got); len(errs) > 0 {
				t.Errorf("%q is no DNS label: %v", got, errs)
			}
		})
	}
	if childName(long+"b", "-config") == childName(long+"c", "-config") {
		t.Error("two owners share a name")
	}
}

func TestEveryChildOfALongNameHasANameOfItsOwn(t *testing.T) {
	endpoint, campaign, fleet := &v1alpha1.PostbackEndpoint{}, &v1alpha1.Campaign{}, &v1alpha1.ReceiverFleet{}
	for _, length := range []int{4, 46, 47, 49, 50, 52, 63} {
		name := strings.Repeat("a", length)
		endpoint.Name, campaign.Name, fleet.Name = name, name, name
		seen := map[string]bool{}
		for _, child := range []string{
			KeySecretName(endpoint), KeyringSecretName(endpoint), URLSecretName(endpoint), SnippetsSecretName(endpoint),
			TokenSecretName(campaign), CampaignKeyringSecretName(campaign), CampaignSnippetsSecretName(campaign),
			RatesKeyringSecretName(fleet), ManifestSecretName(name), ShardSecretName(name, 31),
		} {
			if seen[child] || len(child) > maxName || len(validation.IsDNS1123Subdomain(child)) > 0 {
				t.Errorf("an owner of %d characters: %q is malformed or not new", length, child)
			}
			seen[child] = true
		}
	}
}
