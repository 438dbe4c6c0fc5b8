package reach_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/cli/command"
)

// browse starts `kubectl postback console` and returns a browser that has followed the URL, the address of the pages, and
// what stops the command and returns its exit code and stderr.
func (c *cluster) browse(t *testing.T) (browser *http.Client, pages string, stop func() (int, string)) {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	out, written := io.Pipe()
	var errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := command.Run(ctx, "dev", []string{"console", "shop", "--no-open", "--kubeconfig", kubeconfigFor(t, server.URL)},
			strings.NewReader(""), written, &errs)
		_ = written.Close()
		ended <- code
	}()
	stop = func() (int, string) {
		cancel()
		return <-ended, errs.String()
	}
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		address = regexp.MustCompile(`http://127\.0\.0\.1:\d+/open\?token=\w+`).FindString(lines.Text())
	}
	if address == "" {
		code, text := stop()
		t.Fatalf("no URL is printed; exit code %d, %s", code, text)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser = &http.Client{Jar: jar}
	response, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	pages, _, _ = strings.Cut(address, "/open")
	return browser, pages, stop
}

// page returns what the console shows.
func page(t *testing.T, response *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheConsoleAsksThroughTheAPIServer(t *testing.T) {
	var changed http.Header
	answering := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer token-of-the-fleet":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodPost:
			changed = r.Header.Clone()
			_, _ = io.WriteString(w, `{"id":"o1","kind":"replay","state":"running"}`)
		case r.URL.Path == "/api/v1/endpoints":
			_, _ = io.WriteString(w, `{"items":[{"name":"default/shop","currency":"USD","types":["lead"]}]}`)
		default:
			_, _ = io.WriteString(w, `{"items":[]}`)
		}
	}))
	defer answering.Close()
	c := newCluster(answering.Listener.Addr().String())
	c.objects["/apis/authentication.k8s.io/v1/selfsubjectreviews"] = &authenticationv1.SelfSubjectReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authentication.k8s.io/v1", Kind: "SelfSubjectReview"},
		Status:   authenticationv1.SelfSubjectReviewStatus{UserInfo: authenticationv1.UserInfo{Username: "ann@example.com"}},
	}
	c.objects["/api/v1/namespaces/default/configmaps"] = &corev1.ConfigMapList{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMapList"},
		Items: []corev1.ConfigMap{{
			ObjectMeta: metav1.ObjectMeta{Name: "view-by-day", Labels: map[string]string{"postback.dev/view": ""}},
			Data:       map[string]string{"name": "By day", "url": "/console/reports?group=day"},
		}},
	}
	browser, pages, stop := c.browse(t)
	response, err := browser.Get(pages + "/console/views?name=Ignored&url=/console/received?outcome=ignored")
	views := page(t, response, err)
	for _, want := range []string{`href="/console/reports?group=day"`, "By day", "kind: ConfigMap", "name: view-ignored-"} {
		if !strings.Contains(views, want) {
			t.Errorf("the page of views lacks %s", want)
		}
	}
	response, err = browser.Get(pages + "/console/operations")
	token := regexp.MustCompile(`name="token" value="([0-9a-f]{64})"`).FindStringSubmatch(page(t, response, err))
	if token == nil {
		t.Fatal("the page of operations has no form")
	}
	response, err = browser.PostForm(pages+"/console/operations",
		url.Values{"token": {token[1]}, "kind": {"replay"}, "endpoint": {"default/shop"}, "note": {"trained"}})
	_ = page(t, response, err)
	if changed.Get("X-Postback-Actor") != "ann@example.com" {
		t.Errorf("the operation is asked for with %v", changed)
	}
	stranger, err := http.Get(pages + "/console/")
	if page(t, stranger, err); stranger.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a session: %s", stranger.Status)
	}
	if code, errs := stop(); code != 0 || errs != "" {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

func TestWithoutViewsToReadTheConsoleSaysWhatIsMissing(t *testing.T) {
	c := newCluster(receiver(t, "token-of-the-fleet"))
	browser, pages, stop := c.browse(t)
	response, err := browser.Get(pages + "/console/views")
	if text := page(t, response, err); response.StatusCode != http.StatusBadGateway {
		t.Errorf("%s: %s", response.Status, text)
	}
	if code, _ := stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestTheConsoleNeedsAnEndpointAndAPort(t *testing.T) {
	for _, args := range [][]string{{"console"}, {"console", "shop", "--port", "70000"}, {"console", "a/b/c"}} {
		if code, out, errs := newCluster("").kubectl(t, args...); code != 2 || out != "" {
			t.Errorf("%v: exit code %d, %q, %q", args, code, out, errs)
		}
	}
}
