package suite

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// rarely are permissions that are needed and that no test can make the operator use.
var rarely = map[request]string{
	{"patch", "events.k8s.io", "events"}: "client-go counts an event up that repeats within minutes",
	{"patch", "", "events"}:              "likewise",
}

// idlePermissions returns the permissions of config/rbac that no operator used during the whole run. That none is
// missing the API server saw to: the operators ran with nothing more.
func idlePermissions() error {
	used := map[request]bool{}
	for _, p := range processes {
		for seen := range p.recorder.requests {
			used[seen] = true
		}
	}
	roles, err := rolesOf()
	if err != nil {
		return err
	}
	var idle []error
	for _, role := range roles {
		for _, rule := range role.Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						permission := request{verb, group, resource}
						if verb == "list" {
							// Where the API server does not stream what is there at the start of a watch, it is listed first.
							verb = "watch"
						}
						if !used[request{verb, group, resource}] && rarely[permission] == "" {
							idle = append(idle, fmt.Errorf("%s: nobody used the permission %+v", role.Name, permission))
						}
					}
				}
			}
		}
	}
	if len(roles) != 3 {
		idle = append(idle, fmt.Errorf("%d roles, there are 3", len(roles)))
	}
	return errors.Join(idle...)
}

// rolesOf reads the roles that were generated; a Role as if it were a ClusterRole.
func rolesOf() ([]rbacv1.ClusterRole, error) {
	documents, err := os.ReadFile(filepath.Join(root, "config", "rbac", "role.yaml"))
	if err != nil {
		return nil, err
	}
	var roles []rbacv1.ClusterRole
	for document := range strings.SplitSeq(strings.TrimPrefix(string(documents), "---\n"), "\n---\n") {
		var role rbacv1.ClusterRole
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			return nil, err
		}
		roles = append(roles, role)
	}
	return roles, nil
}

// permitIn binds the roles that are meant for single namespaces.
func permitIn(t *testing.T, namespace, user string) {
	t.Helper()
	roles, err := rolesOf()
	noError(t, err)
	for _, role := range roles {
		if role.Name == "postback-operator-cluster" {
			continue
		}
		here := metav1.ObjectMeta{Namespace: namespace, Name: role.Name}
		noError(t, admin.Create(t.Context(), &rbacv1.Role{ObjectMeta: here, Rules: role.Rules}),
			admin.Create(t.Context(), &rbacv1.RoleBinding{
				ObjectMeta: here,
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
				Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
			}))
	}
}

func TestRule6RolesAreEnoughAndAStandbyTakesOver(t *testing.T) {
	namespace, sibling, foreign := newNamespace(t, nil), newNamespace(t, nil), newNamespace(t, nil)
	permitIn(t, namespace, withRoles)
	permitIn(t, sibling, withRoles)
	operator.stop()
	defer operator.start()
	first, second := newProcess(withRoles, namespace, sibling), newProcess(withRoles, namespace, sibling)
	for _, p := range []*process{first, second} {
		p.options.LeaderElection, p.options.LeaderElectionNamespace = true, namespace
	}
	first.start()
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	fleetOf(t, namespace, "shared", "{allowedEndpoints: {namespaces: All}}")
	joined := endpointOf(t, sibling, "joined", fmt.Sprintf("{currency: USD, fleetRef: {name: shared, namespace: %s}}",
		namespace))
	ignored := endpointOf(t, foreign, "shop", "{currency: USD}")
	current(t, shop, joined)
	second.start()
	first.settle()
	if written := second.recorder.take(); len(written) > 0 {
		t.Errorf("the one that stands by writes: %v", written)
	}
	first.stop()
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Currency = "EUR" })
	current(t, shop)
	second.stop()
	if read(t, ignored); len(ignored.Status.Conditions) > 0 {
		t.Error("an endpoint of another namespace was looked at")
	}
}

func TestMetricsAreForThoseWhoMay(t *testing.T) {
	namespace := newNamespace(t, nil)
	address := freeAddress(t)
	operator.stop()
	operator.options.MetricsAddress = address
	operator.start()
	defer func() {
		operator.stop()
		operator.options.MetricsAddress = "0"
		operator.start()
	}()
	token := func(name string) string {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		review := &authenticationv1.TokenRequest{}
		noError(t, admin.Create(t.Context(), account), admin.SubResource("token").Create(t.Context(), account, review))
		return review.Status.Token
	}
	may, mayNot := token("scraper"), token("stranger")
	noError(t, admin.Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "metrics-reader"},
		Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}), admin.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "metrics-reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "scraper"}},
	}))
	for name, c := range map[string]struct {
		token string
		want  int
	}{"nobody": {"", 401}, "a stranger": {mayNot, 403}, "the scraper": {may, 200}} {
		t.Run(name, func(t *testing.T) {
			eventually(t, soon, func() error {
				got, body, err := scrape(t, address, c.token)
				if err == nil && (got != c.want || got == 200 && !strings.Contains(body, "controller_runtime_reconcile_total")) {
					err = fmt.Errorf("status %d", got)
				}
				return err
			})
		})
	}
}

func TestMetricsAreServedWithTheCertificateOfTheFolder(t *testing.T) {
	const name = "postback-operator-metrics"
	certificate, key, err := cert.GenerateSelfSignedCertKey(name, nil, nil)
	noError(t, err)
	dir, address := t.TempDir(), freeAddress(t)
	noError(t, os.WriteFile(filepath.Join(dir, "tls.crt"), certificate, 0o600),
		os.WriteFile(filepath.Join(dir, "tls.key"), key, 0o600))
	operator.stop()
	operator.options.MetricsAddress, operator.options.MetricsCertDir = address, dir
	operator.start()
	defer func() {
		operator.stop()
		operator.options.MetricsAddress, operator.options.MetricsCertDir = "0", ""
		operator.start()
	}()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: name}}
	eventually(t, soon, func() error {
		connection, err := dialer.DialContext(t.Context(), "tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	})
}

func scrape(t *testing.T, address, token string) (int, string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/metrics", http.NoBody)
	noError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}
