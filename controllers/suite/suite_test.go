// Package suite holds the operator against a real API server: one server and one operator at a time for the whole
// package, the operator with the permissions of config/rbac and nothing more. There is no kubelet and no controller
// manager; what they do that matters here, node_test.go does.
//
// Over the whole run it is watched that every status keeps to kstatus, that no key shows where it must not, and which
// requests the operator makes.
package suite

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/setup"
)

// root is the module's folder.
const root = "../.."

// The fixtures of the package, made by TestMain.
var (
	admin     client.WithWatch
	server    *rest.Config
	operator  *process
	receivers *node
	statuses  *statusWatch
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
	setup.UseLogs(setup.Options{LogFormat: "text", LogLevel: mostVerbose, Logs: logs})
	assets, err := exec.Command(filepath.Join(root, "hack", "envtest.sh")).Output()
	if err != nil {
		return 1, fmt.Errorf("building the API server: %w", err)
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory: strings.TrimSpace(string(assets)),
		CRDDirectoryPaths:     []string{filepath.Join(root, "config", "crd", "bases"), "testdata/crds"},
		ErrorIfCRDPathMissing: true,
	}
	if server, err = environment.Start(); err != nil {
		return 1, fmt.Errorf("starting the API server: %w", err)
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	server.QPS = -1
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	if admin, err = client.NewWithWatch(server, client.Options{Scheme: scheme}); err != nil {
		return 1, err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if err := permit(ctx); err != nil {
		return 1, err
	}
	receivers = startNode(ctx)
	defer receivers.close()
	if statuses, err = watchStatuses(ctx); err != nil {
		return 1, err
	}
	operator = newProcess(clusterWide)
	operator.start()
	code = m.Run()
	if err := statuses.ready.again(ctx); err != nil {
		return 1, err
	}
	operator.stop()
	if selected := flag.Lookup("test.run").Value.String(); code != 0 || selected != "" {
		return code, statuses.verdict()
	}
	return code, errors.Join(statuses.verdict(), leaks(ctx), idlePermissions(), undescribedMetrics())
}

// The users that operators run as, and who is bound to which role.
const (
	clusterWide = "operator"
	withRoles   = "operator-with-roles"
)

// permit binds the roles of config/rbac.
func permit(ctx context.Context) error {
	documents, err := os.ReadFile(filepath.Join(root, "config", "rbac", "role.yaml"))
	if err != nil {
		return err
	}
	for document := range strings.SplitSeq(string(documents), "\n---\n") {
		var role rbacv1.ClusterRole
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			return err
		}
		if role.Kind != "ClusterRole" {
			continue
		}
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: clusterWide}},
		}
		if err := errors.Join(admin.Create(ctx, &role), admin.Create(ctx, binding)); err != nil {
			return err
		}
	}
	return nil
}

// eventually polls until done returns nil.
func eventually(t *testing.T, within time.Duration, done func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := done()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %v", within, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// soon is more than anything takes on a slow machine.
const soon = time.Minute
