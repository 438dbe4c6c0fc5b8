package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestTheExampleOfRotationIsAdmittedAndRendered(t *testing.T) {
	page, err := os.ReadFile("rotation.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(examples) != 1 {
		t.Fatalf("the page has %d examples", len(examples))
	}
	// It is in a list.
	render(t, "PostbackEndpoint", strings.ReplaceAll("\n"+examples[0][1], "\n   ", "\n"))
}
