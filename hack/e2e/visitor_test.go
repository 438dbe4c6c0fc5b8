//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"
)

// visitor is a browser without scripts, on this machine. It keeps cookies.
type visitor struct{ http.Client }

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{http.Client{Jar: jar}}
}

// get returns the page.
func (v *visitor) get(t *testing.T, address string) string {
	t.Helper()
	response, err := v.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s (%v)", address, response.Status, body, err)
	}
	return string(body)
}
