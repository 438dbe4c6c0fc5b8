package resources

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 60)
	for name, test := range map[string]struct{ owner, suffix, want string }{
		"a short owner keeps its name":             {"shop", "-config-31", "shop-config-31"},
		"the longest declared name fits unchanged": {strings.Repeat("a", 52), "-config-31", strings.Repeat("a", 52) + "-config-31"},
		"a longer one is shortened and told apart": {long, "-config", strings.Repeat("a", 47) + "-f05917e5-config"},
		"a hyphen at the cut does not become two":  {strings.Repeat("a", 46) + "-" + long, "-config", strings.Repeat("a", 46) + "-e60c0b98-config"},
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
