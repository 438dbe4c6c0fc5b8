package console

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// changing finds what leads to a change: where forms are sent, links to forms, and the tester's second button.
var changing = regexp.MustCompile(`method="post"[^>]* action="[^"?]*/([a-z]+)(?:\?[^"]*)?(?:#[a-z]+)?"` +
	`|href="[^"]*#(replay|import|reconcile|resend|erase|correct|adjust|unpin)"|<button name="(send)"`)

// offered returns what all pages offer to change, sorted.
func offered(t *testing.T, readOnly bool) []string {
	t.Helper()
	c := consoleOver(&receiver{}, nil)
	c.ReadOnly = func(*http.Request) bool { return readOnly }
	handler := c.handler()
	var all []string
	for _, path := range pages {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		for _, match := range changing.FindAllStringSubmatch(w.Body.String(), -1) {
			all = append(all, strings.Join(match[1:], ""))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestWhoMayOnlyReadIsOfferedNoChange(t *testing.T) {
	// The tester asks what would become of a postback, by a form because of the key in its URL.
	if got := offered(t, true); !slices.Equal(got, []string{"url"}) {
		t.Errorf("a reader is offered %v", got)
	}
	want := []string{"adjust", "change", "correct", "erase", "operations", "replay", "resend", "run", "send", "url"}
	if got := offered(t, false); !slices.Equal(got, want) {
		t.Errorf("others are offered %v, want %v", got, want)
	}
}
