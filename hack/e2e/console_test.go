//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/hack/testbed"
)

// The console of the chart shows an endpoint to whom its role allows that, and to nobody else.
func TestTheConsoleInTheCluster(t *testing.T) {
	reinstalled(t)
	namespace := inNamespace(t, "e2e-console")
	kubectl(t, "apply", "-n", namespace, "-f", "config/samples/shop.yaml")
	endpointReady(t, namespace, "shop")
	service := "http://shop." + namespace + ".svc.cluster.local"
	addClicks(t, service, secret(t, namespace, "shop-key", "clickToken"), "c-console")
	visit(t, service+"/"+secret(t, namespace, "shop-key", "key")+"/postback?subid=c-console&status=sale&payout=10")

	helm(t, "upgrade", append([]string{
		"charts/postback-operator", "--set", "console.enabled=true", "--set", "console.hosts={127.0.0.1}",
		"--set", "console.image.repository=" + testbed.Registry + "/console",
		"--set", "console.image.tag=" + testbed.ImageTag,
		"--set", "console.fleets[0].namespace=" + namespace, "--set", "console.fleets[0].name=shop",
	}, testbed.Values(testbed.ImageTag)...)...)
	address, err := bed.Forward(t.Context(), testbed.Namespace, "service/"+testbed.Release+"-console", "http")
	if err != nil {
		t.Fatal(err)
	}
	page := "http://" + address + "/e/" + namespace + "/shop/conversions"

	kubectl(t, "create", "rolebinding", "reader", "-n", namespace,
		"--clusterrole="+testbed.Release+"-console-reader", "--serviceaccount="+namespace+":reader")
	for _, c := range []struct {
		who    string
		status int
		shown  bool
	}{{"reader", http.StatusOK, true}, {"stranger", http.StatusNotFound, false}} {
		kubectl(t, "create", "serviceaccount", c.who, "-n", namespace)
		session := signIn(t, "http://"+address, strings.TrimSpace(kubectl(t, "create", "token", c.who, "-n", namespace)))
		status, text := consolePage(t, page, session)
		if status != c.status || strings.Contains(text, "c-console") != c.shown {
			t.Errorf("the %s's conversions are answered %d:\n%s", c.who, status, text)
		}
	}
	if _, text := consolePage(t, page, nil); strings.Contains(text, "c-console") {
		t.Errorf("somebody who has not signed in sees\n%s", text)
	}
}

// signIn returns the cookie of a new session. It is one of HTTPS, which ends before the console.
func signIn(t *testing.T, address, token string) *http.Cookie {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(address+"/login", url.Values{"token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusSeeOther || len(response.Cookies()) != 1 {
		t.Fatalf("signing in is answered %s with %d cookies", response.Status, len(response.Cookies()))
	}
	return response.Cookies()[0]
}

// consolePage returns a page as who has the session sees it; nil is nobody's.
func consolePage(t *testing.T, address string, session *http.Cookie) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if session != nil {
		request.AddCookie(session)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
