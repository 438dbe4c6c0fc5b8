package api

import (
	"os"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

func TestTheReadmeNamesEveryOutcomeAndReason(t *testing.T) {
	content, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	var names []string
	for _, outcome := range conversion.Outcomes() {
		names = append(names, string(outcome))
	}
	for _, reason := range conversion.Reasons() {
		names = append(names, string(reason))
	}
	for _, name := range names {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("README.md does not name %s", name)
		}
	}
}
