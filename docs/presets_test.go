package docs

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/api/presets"
	"github.com/postback-dev/postback-operator/api/presets/page"
)

func TestThePageOfPresetsIsUpToDate(t *testing.T) {
	text, err := os.ReadFile("presets.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := page.Replace(string(text), presets.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("make generate would change it:\n%s", diff)
	}
}
