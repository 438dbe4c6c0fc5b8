package console

import (
	"regexp"
	"strings"
	"testing"
)

func TestEveryPageThatSumsSaysZoneCurrencyAndThatTestsAreLeftOut(t *testing.T) {
	for _, path := range []string{"", "campaigns", "reports"} {
		text := get(t, &receiver{}, "/console/"+path+"?lang=en&tz=Europe/Kyiv").Body.String()
		for _, note := range regexp.MustCompile(`<p class="footnote">(Time zone[^<]*)`).FindAllString(text, -1) {
			if !strings.Contains(note, "Currency USD") || !strings.Contains(note, "tests are in no sum") {
				t.Errorf("/console/%s says of its sums only %q", path, note)
			}
		}
		if !strings.Contains(text, "Time zone UTC") { // The report's own zone.
			t.Errorf("/console/%s says nothing of its time zone", path)
		}
	}
}
