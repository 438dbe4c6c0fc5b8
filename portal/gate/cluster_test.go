package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/reach"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// root is the module's folder, host the name under which the consoles answer in tests.
const (
	root = "../.."
	host = "console.example"
)

// The fixtures of the package, made by TestMain: a real API server with two tenants, a and b.
var (
	admin *kubernetes.Clientset
	// narrow is the cluster with the console's own rights and no others.
	narrow *reach.Cluster
	// signingKey is the file with the key that signs the tokens of ServiceAccounts.
	signingKey string
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		built, err := exec.Command(filepath.Join(root, "hack", "envtest.sh")).Output()
		if err != nil {
			return 1, fmt.Errorf("building the API server: %w", err)
		}
		assets = strings.TrimSpace(string(built))
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     []string{filepath.Join(root, "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := environment.Start()
	if err != nil {
		return 1, fmt.Errorf("starting the API server: %w", err)
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	config.QPS = -1
	signingKey = filepath.Join(environment.ControlPlane.APIServer.CertDir, "sa-signer.key")
	if admin, err = kubernetes.NewForConfig(config); err != nil {
		return 1, err
	}
	if err := settle(context.Background(), config); err != nil {
		return 1, err
	}
	own := rest.CopyConfig(config)
	own.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:ops:console"}
	narrow = &reach.Cluster{Context: "in-cluster", Core: kubernetes.NewForConfigOrDie(own), Dynamic: dynamic.NewForConfigOrDie(own)}
	return m.Run(), nil
}

// settle makes the tenants: in each namespace an endpoint with a fleet and a pod, and people. The console may read the
// token of a's fleet only.
func settle(ctx context.Context, config *rest.Config) error {
	for _, file := range []string{"console-role.yaml", "console-users.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, "charts", "postback-operator", "files", file))
		if err != nil {
			return err
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			role := &rbacv1.ClusterRole{}
			if err := yaml.Unmarshal([]byte(document), role); err != nil {
				return err
			}
			if _, err := admin.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{}); err != nil {
				return err
			}
		}
	}
	console := rbacv1.Subject{Kind: "User", APIGroup: rbacv1.GroupName, Name: "system:serviceaccount:ops:console"}
	_, err := admin.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "console"}, Subjects: []rbacv1.Subject{console},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "postback-operator-console"},
	}, metav1.CreateOptions{})
	all := dynamic.NewForConfigOrDie(config)
	for _, namespace := range []string{"a", "b"} {
		err = errors.Join(err, tenant(ctx, all, namespace))
	}
	_, roleErr := admin.RbacV1().Roles("a").Create(ctx, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "console"}, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"shop-ops"}, Verbs: []string{"get"}},
			{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}},
		},
	}, metav1.CreateOptions{})
	return errors.Join(err, roleErr, bind(ctx, "a", "console", "Role", "console", console))
}

func tenant(ctx context.Context, all dynamic.Interface, namespace string) error {
	_, err := admin.CoreV1().Namespaces().Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	endpoint := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "postback.dev/v1alpha1", "kind": "PostbackEndpoint", "metadata": map[string]any{"name": "shop"},
		"spec": map[string]any{"currency": "USD"},
	}}
	_, endpointErr := all.Resource(reach.EndpointResource).Namespace(namespace).
		Create(ctx, endpoint, metav1.CreateOptions{})
	_, secretErr := admin.CoreV1().Secrets(namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-ops"}, Data: map[string][]byte{"token": []byte("ops-of-" + namespace)},
	}, metav1.CreateOptions{})
	_, accountErr := admin.CoreV1().ServiceAccounts(namespace).Create(ctx,
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{})
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "shop-1", Labels: resources.SelectorLabels("shop")}}
	pod.Spec.Containers = []corev1.Container{{
		Name: "receiver", Image: "receiver", Ports: []corev1.ContainerPort{{Name: resources.OpsPortName, ContainerPort: 8081}},
	}}
	made, podErr := admin.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{})
	if err := errors.Join(err, endpointErr, secretErr, accountErr, podErr); err != nil {
		return err
	}
	made.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: "10.0.0.1", PodIPs: []corev1.PodIP{{IP: "10.0.0.1"}},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	}
	_, err = admin.CoreV1().Pods(namespace).UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}

// bind gives a role of a namespace to somebody.
func bind(ctx context.Context, namespace, name, kind, role string, to rbacv1.Subject) error {
	_, err := admin.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Subjects: []rbacv1.Subject{to},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: role},
	}, metav1.CreateOptions{})
	return err
}

// person makes a ServiceAccount with a role of its namespace, none if it is empty, and returns a token of it.
func person(t *testing.T, namespace, role string) (name, token string) {
	t.Helper()
	account, err := admin.CoreV1().ServiceAccounts(namespace).Create(t.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{GenerateName: "person-"}}, metav1.CreateOptions{})
	if err == nil && role != "" {
		err = bind(t.Context(), namespace, account.Name, "ClusterRole", "postback-operator-console-"+role,
			rbacv1.Subject{Kind: "ServiceAccount", Namespace: namespace, Name: account.Name})
	}
	if err != nil {
		t.Fatal(err)
	}
	made, err := admin.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), account.Name,
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return account.Name, made.Status.Token
}

// fleet answers as the receivers of the tenants' fleets do, and keeps what it was asked. It takes the tokens of a's.
type fleet struct {
	mu    sync.Mutex
	asked []asked
}

type asked struct {
	method, path, actor string
	grant               read.Grant
}

func (f *fleet) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	grant, ok := read.ParseToken("ops-of-a", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, asked{r.Method, r.URL.Path, r.Header.Get("X-Postback-Actor"), grant})
	switch {
	case !ok || r.URL.Host != "10.0.0.1:8081":
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method != http.MethodGet && !grant.May(read.ScopeWrite):
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(read.Error{Error: "this token lacks the scope write"})
	case r.Method != http.MethodGet:
		_ = json.NewEncoder(w).Encode(read.Operation{ID: "o1"})
	default:
		_, _ = io.WriteString(w, `{"items":[]}`)
	}
	return w.Result(), nil
}

// last returns what was asked last.
func (f *fleet) last() asked {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.asked) == 0 {
		return asked{}
	}
	return f.asked[len(f.asked)-1]
}

// house is a gate with the fleet behind it, at a time that tests move.
type house struct {
	*Gate
	fleet *fleet
	now   time.Time
}

func newHouse(secret string) *house {
	h := &house{fleet: &fleet{}, now: time.Now()}
	h.Gate = New(Options{
		Cluster: narrow, Hosts: []string{host}, ProxySecret: secret, Receivers: h.fleet,
		Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return h.now },
	})
	return h
}
