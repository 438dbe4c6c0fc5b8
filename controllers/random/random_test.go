package random

import (
	"regexp"
	"testing"
)

func TestWhatIsGeneratedIsSafeAndNew(t *testing.T) {
	cases := map[string]struct {
		generate func() string
		form     *regexp.Regexp
	}{
		// 26 characters of 5 bits.
		"a key has at least 128 bits": {newKey, regexp.MustCompile(`^[a-z2-7]{26}$`)},
		"an id is a DNS label":        {newID, regexp.MustCompile(`^[a-z2-7]{12}$`)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			for range 1000 {
				value := c.generate()
				if !c.form.MatchString(value) || seen[value] {
					t.Fatalf("%q is malformed or not new", value)
				}
				seen[value] = true
			}
		})
	}
}
