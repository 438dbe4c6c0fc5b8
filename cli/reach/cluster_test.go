package reach_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/command"
)

// cluster is an API server with one endpoint, its fleet and one pod, which forwards ports by SPDY as kubelets do.
type cluster struct {
	objects map[string]any // by path
	// refuse are answers by path, in place of the object.
	refuse map[string]*apierrors.StatusError
	// receiver is the address that the pod's port leads to; empty: the pod is dead.
	receiver string
	opened   []string // ports that were asked for
	patches  []string // of the endpoint
}

const (
	endpointPath = "/apis/postback.dev/v1alpha1/namespaces/default/postbackendpoints/shop"
	podsPath     = "/api/v1/namespaces/default/pods"
	tokenPath    = "/api/v1/namespaces/default/secrets/shop-postback"
	opsPath      = "/api/v1/namespaces/default/secrets/shop-ops"
	forwardPath  = podsPath + "/shop-1/portforward"
)

func newCluster(receiver string) *cluster {
	endpoint := &v1alpha1.PostbackEndpoint{
		TypeMeta:   metav1.TypeMeta{APIVersion: "postback.dev/v1alpha1", Kind: "PostbackEndpoint"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "shop"},
		Spec:       v1alpha1.PostbackEndpointSpec{Currency: "USD"},
	}
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "shop-1"}}
	pod.Spec.Containers = []corev1.Container{{
		Name: "receiver", Ports: []corev1.ContainerPort{{Name: "ops", ContainerPort: 8081}},
	}}
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	return &cluster{
		objects: map[string]any{
			endpointPath: endpoint,
			podsPath: &corev1.PodList{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, Items: []corev1.Pod{pod},
			},
			opsPath: &corev1.Secret{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
				Data:     map[string][]byte{"token": []byte("token-of-the-fleet")},
			},
		},
		refuse:   map[string]*apierrors.StatusError{},
		receiver: receiver,
	}
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refused, object := c.refuse[r.URL.Path], c.objects[r.URL.Path]
	if r.URL.Path == forwardPath && refused == nil {
		c.forward(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if object == nil && refused == nil {
		refused = apierrors.NewNotFound(schema.GroupResource{}, filepath.Base(r.URL.Path))
	}
	if r.Method == http.MethodPatch && refused == nil {
		text, _ := io.ReadAll(r.Body)
		c.patches = append(c.patches, string(text))
		object.(*v1alpha1.PostbackEndpoint).Generation++
	}
	if refused != nil {
		w.WriteHeader(int(refused.ErrStatus.Code))
		status := refused.ErrStatus
		status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
		object = status
	}
	_ = json.NewEncoder(w).Encode(object)
}

// forward copies streams to the receiver, and says on the error stream when nobody is there.
func (c *cluster) forward(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "SPDY/3.1") {
		http.Error(w, "only SPDY here", http.StatusBadRequest)
		return
	}
	if _, err := httpstream.Handshake(r, w, []string{"portforward.k8s.io"}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	if connection == nil {
		return
	}
	defer func() { _ = connection.Close() }()
	var failures httpstream.Stream
	for {
		select {
		case <-connection.CloseChan():
			return
		case s := <-streams:
			if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
				failures = s
				continue
			}
			c.opened = append(c.opened, s.Headers().Get(corev1.PortHeader))
			go c.copy(s, failures)
		}
	}
}

func (c *cluster) copy(data, failures httpstream.Stream) {
	to, err := net.Dial("tcp", c.receiver)
	if err != nil {
		_, _ = fmt.Fprint(failures, "dial tcp4 127.0.0.1:8081: connect: connection refused")
		_ = failures.Close()
		return
	}
	go func() { _, _ = io.Copy(to, data); _ = to.Close() }()
	_, _ = io.Copy(data, to)
	_ = data.Close()
	_ = failures.Close()
}

// kubectl runs the plugin on the cluster and returns its exit code and what it printed.
func (c *cluster) kubectl(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(c)
	defer server.Close()
	kubeconfig := kubeconfigFor(t, server.URL)
	var out, errs bytes.Buffer
	args = append(args, "--kubeconfig", kubeconfig)
	code = command.Run(t.Context(), "dev", args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// kubeconfigFor writes a kubeconfig whose cluster is the server.
func kubeconfigFor(t *testing.T, server string) string {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := `{"apiVersion": "v1", "kind": "Config", "current-context": "test",
		"clusters": [{"name": "test", "cluster": {"server": "` + server + `"}}],
		"users": [{"name": "me", "user": {"token": "mine"}}],
		"contexts": [{"name": "test", "context": {"cluster": "test", "user": "me"}},
			{"name": "away", "context": {"cluster": "nowhere", "user": "me"}}]}`
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return kubeconfig
}

// receiver answers as a receiver whose log has one row, to who presents the token.
func receiver(t *testing.T, token string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+token:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"send the ops token"}`)
		case r.URL.Path == "/api/v1/postbacks":
			_, _ = io.WriteString(w, `{"items":[{"id":"the-row","outcome":"recorded"}],"next_cursor":null}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestAReceiverIsReachedThroughTheAPIServer(t *testing.T) {
	for name, token := range map[string]string{"by the token of the fleet": "token-of-the-fleet", "by its own": "own"} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(receiver(t, token))
			if token == "own" {
				c.objects[tokenPath] = &corev1.Secret{
					TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, Data: map[string][]byte{"apiToken": []byte(token)},
				}
			}
			code, out, errs := c.kubectl(t, "log", "shop", "-o", "name")
			if code != 0 || out != "the-row\n" || errs != "" {
				t.Errorf("exit code %d, %q, %q", code, out, errs)
			}
			if len(c.opened) != 1 || c.opened[0] != "8081" {
				t.Errorf("ports %v were forwarded", c.opened)
			}
		})
	}
}

func TestWhatGoesWrongIsOneLine(t *testing.T) {
	forbidden := func(resource string) *apierrors.StatusError {
		return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "shop", fmt.Errorf("no RBAC policy matched"))
	}
	for _, c := range []struct {
		name string
		edit func(*cluster)
		args []string
		want string
	}{
		{
			name: "the context is not in the kubeconfig", args: []string{"--context", "other"},
			want: "the kubeconfig has no such context: `kubectl config get-contexts` lists them",
		},
		{
			name: "the cluster knows no such kind", edit: func(c *cluster) {
				c.refuse[endpointPath] = &apierrors.StatusError{ErrStatus: metav1.Status{
					Status: "Failure", Code: 404, Reason: metav1.StatusReasonNotFound, Details: &metav1.StatusDetails{},
				}}
			},
			want: `the cluster of context "test" knows no PostbackEndpoint: install the operator, or choose another --context`,
		},
		{
			name: "there is no such endpoint", edit: func(c *cluster) { delete(c.objects, endpointPath) },
			want: `there is no PostbackEndpoint default/shop in context "test": ` + "`kubectl get pbe -A` lists all",
		},
		{
			name: "the user may not read Secrets", edit: func(c *cluster) {
				c.refuse[tokenPath], c.refuse[opsPath] = forbidden("secrets"), forbidden("secrets")
			},
			want: `you may not read the Secret default/shop-postback in context "test": ` +
				"ask for a Role that gets it, or for the role postback-operator-corrector",
		},
		{
			name: "the user may not forward ports", edit: func(c *cluster) { c.refuse[forwardPath] = forbidden("pods") },
			want: `you may not use pods/portforward default/shop-1 in context "test": ` +
				"ask for the role postback-operator-reader, or one above it",
		},
		{
			name: "the login has ended", edit: func(c *cluster) { c.refuse[endpointPath] = apierrors.NewUnauthorized("expired") },
			want: `the cluster of context "test" does not know you: log in again`,
		},
		{
			name: "no pod is ready", edit: func(c *cluster) {
				c.objects[podsPath].(*corev1.PodList).Items[0].Status.Conditions = nil
			},
			want: "none of the 1 pods of the fleet default/shop is ready: " +
				"`kubectl describe pod -n default shop-1` says why",
		},
		{
			name: "there are no pods", edit: func(c *cluster) { c.objects[podsPath].(*corev1.PodList).Items = nil },
			want: "the fleet default/shop has no pods: `kubectl describe rfl -n default shop` says why",
		},
		{
			name: "the pod is dead", edit: func(c *cluster) { c.receiver = "127.0.0.1:1" },
			want: "the pod default/shop-1 does not answer: dial tcp4 127.0.0.1:8081: connect: connection refused",
		},
		{
			name: "the token has changed", edit: func(c *cluster) {
				c.objects[opsPath].(*corev1.Secret).Data["token"] = []byte("former")
			},
			want: "the receiver does not take the token: give the right one by --token-file; " +
				"on a cluster it may just have changed, ask again",
		},
		{
			name: "the receiver is older", args: []string{"--conversions"},
			want: "the receiver does not know this request: it is older than this program, or --server is not its second port",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster := newCluster(receiver(t, "token-of-the-fleet"))
			if c.edit != nil {
				c.edit(cluster)
			}
			code, out, errs := cluster.kubectl(t, append([]string{"log", "shop"}, c.args...)...)
			if code != 1 || out != "" || errs != "error: "+c.want+"\n" {
				t.Errorf("exit code %d, %q,\n%s", code, out, errs)
			}
		})
	}
}

func TestAWrongCommandLineIsToldFromAFailure(t *testing.T) {
	for _, args := range [][]string{
		{"log"},
		{"log", "a/b/c"},
		{"log", "shop", "--server", "ftp://x"},
		{"log", "shop", "--token-file", "x"},
		{"log", "shop", "--server", "http://127.0.0.1:1", "--since", "1h", "--from", "2026-01-01"},
		{"log", "shop", "-f", "-o", "csv", "--server", "http://127.0.0.1:1"},
		{"log", "shop", "-o", "html"},
		{"status", "--server", "http://127.0.0.1:1"},
		{"explain", "shop"},
		{"url", "shop", "--server", "http://127.0.0.1:1"},
	} {
		if code, out, errs := newCluster("").kubectl(t, args...); code != 2 || out != "" {
			t.Errorf("%v: exit code %d, %q, %q", args, code, out, errs)
		}
	}
}
