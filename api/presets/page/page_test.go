package page

import (
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/api/presets"
)

func TestReplaceKeepsWhatIsWrittenByHand(t *testing.T) {
	got, err := Replace("# Top\n\n"+begin+"old\n"+end+"\nBottom\n", presets.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got, "# Top\n\n"+begin) || !strings.HasSuffix(got, end+"\nBottom\n") ||
		strings.Contains(got, "old\n") {
		t.Error(got)
	}
	if !strings.Contains(got, "| `affise` | [Affise](https://help-center.affise.com/") {
		t.Error("Affise is missing")
	}
	again, err := Replace(got, presets.Builtin())
	if err != nil || again != got {
		t.Errorf("the second time it changes the page: %v", err)
	}
}

func TestReplaceRefusesAPageWithoutItsLines(t *testing.T) {
	for _, text := range []string{"", begin, end, end + begin} {
		if got, err := Replace(text, presets.Builtin()); err == nil {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}
