//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/config"

	"github.com/postback-dev/postback-operator/hack/testbed"
)

const senderNamespace = "e2e-sender"

// startSender runs the sender beside the control plane, on the node that is never killed.
func startSender(ctx context.Context) error {
	manifest := fmt.Sprintf(`
apiVersion: v1
kind: Namespace
metadata: {name: %[1]s}
---
apiVersion: v1
kind: Pod
metadata: {name: sender, namespace: %[1]s, labels: {app: sender}}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 1
  affinity:
    nodeAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: 100, preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node1]}]}}
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: sender
    image: %[2]s/sender:%[3]s
    imagePullPolicy: IfNotPresent
    ports: [{containerPort: 8080}]
    readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
---
apiVersion: v1
kind: Service
metadata: {name: sender, namespace: %[1]s}
spec:
  selector: {app: sender}
  ports: [{port: 80, targetPort: 8080}]
`, senderNamespace, testbed.Registry, testbed.ImageTag)
	// One of a former run has that one's program.
	if _, err := bed.Kubectl(ctx, "delete", "pod", "-n", senderNamespace, "sender", "--ignore-not-found"); err != nil {
		return err
	}
	if err := bed.Apply(ctx, "", manifest); err != nil {
		return err
	}
	_, err := bed.Kubectl(ctx, "wait", "-n", senderNamespace, "--for=condition=Ready", "pod/sender", "--timeout=2m")
	return err
}

// call asks the sender, through the API server.
func call[Out any](ctx context.Context, method, path string, in any) (Out, error) {
	var out Out
	settings, err := config.GetConfig()
	if err != nil {
		return out, err
	}
	web, err := rest.HTTPClientFor(settings)
	if err != nil {
		return out, err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	url := fmt.Sprintf("%s/api/v1/namespaces/%s/pods/sender:8080/proxy%s", settings.Host, senderNamespace, path)
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	response, err := web.Do(request)
	if err != nil {
		return out, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return out, fmt.Errorf("the sender answers %s to %s", response.Status, path)
	}
	return out, json.NewDecoder(response.Body).Decode(&out)
}

// answer is what came back to a request that the sender sent.
type answer struct {
	Status int
	Header http.Header
	Body   string
	Error  string
}

// outcome is the header's.
func (a answer) outcome() string { return a.Header.Get("X-Postback-Outcome") }

// fetch sends a request from inside the cluster.
func fetch(t *testing.T, method, url string, header map[string]string, body string) answer {
	t.Helper()
	got, err := call[answer](t.Context(), "POST", "/fetch",
		map[string]any{"method": method, "url": url, "header": header, "body": body})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// visit is a GET from inside the cluster that must be answered.
func visit(t *testing.T, url string) answer {
	t.Helper()
	got := fetch(t, "GET", url, nil, "")
	if got.Error != "" {
		t.Fatal(got.Error)
	}
	return got
}

// addClicks tells a fleet of clicks. Ready is what the receivers say: a moment later the nodes send a new Service's
// connections there.
func addClicks(t *testing.T, baseURL, token string, clicks ...string) {
	t.Helper()
	var lines strings.Builder
	for _, subid := range clicks {
		fmt.Fprintf(&lines, "{\"subid\":%q}\n", subid)
	}
	var got answer
	eventually(t, func() error {
		if got = fetch(t, "POST", baseURL+"/clicks", map[string]string{"Authorization": "Bearer " + token},
			lines.String()); got.Error != "" {
			return errors.New(got.Error)
		}
		return nil
	})
	if got.Status != http.StatusOK {
		t.Fatalf("the click intake answers %d %s", got.Status, got.Body)
	}
}

// account is what has become of a run: see hack/e2e/sender.
type account struct {
	Sent          int
	Outcomes      map[string]int
	Failed        int
	Failures      []string
	P50, P99, Max time.Duration
	Acknowledged  []int
}

func (a account) String() string {
	return fmt.Sprintf("%d sent, %d failed, p50 %s, p99 %s, max %s, %v", a.Sent, a.Failed,
		a.P50.Round(100*time.Microsecond), a.P99.Round(time.Millisecond), a.Max.Round(time.Millisecond), a.Outcomes)
}

// load is a constant load on one endpoint of a fleet on PostgreSQL.
type load struct {
	target
	run string
}

// runs numbers them.
var runs int

// loadSubIDs is how many clicks a target has.
const loadSubIDs = 200

// target is an endpoint whose ledger the suite can read.
type target struct {
	namespace, endpoint string
	url                 string // with the key
	dsn                 string // for this machine
}

// begin starts a load.
func begin(t *testing.T, to target, perSecond int) *load {
	t.Helper()
	runs++
	l := &load{target: to, run: fmt.Sprintf("r%d", runs)}
	if _, err := call[struct{}](t.Context(), "POST", "/start", map[string]any{
		"url": to.url, "subids": loadSubIDs, "per_second": perSecond, "run": l.run,
	}); err != nil {
		t.Fatal(err)
	}
	// it is stopped already unless the test failed
	t.Cleanup(func() { _, _ = call[account](context.Background(), "POST", "/stop", nil) })
	return l
}

// end ends the load, waits for the last answers, and returns the account.
func (l *load) end(t *testing.T) account {
	t.Helper()
	got, err := call[account](t.Context(), "POST", "/stop", nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// stop ends the load, holds every acknowledgement against the ledger, and returns the account.
func (l *load) stop(t *testing.T) account {
	t.Helper()
	got := l.end(t)
	lost, twice := l.audit(t, got)
	t.Logf("%s; %d of them lost, %d recorded twice", got, lost, twice)
	if lost > 0 || twice > 0 {
		t.Errorf("%d acknowledged postbacks are not in the ledger, %d are there twice", lost, twice)
	}
	if len(got.Acknowledged) == 0 {
		t.Error("nothing was acknowledged")
	}
	return got
}

// audit reads the database by itself: every acknowledged postback is a conversion of one version.
func (l *load) audit(t *testing.T, a account) (lost, twice int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), l.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(),
		`select substr(tid, $2), version from conversions where endpoint = $1 and starts_with(tid, $3)`,
		l.namespace+"/"+l.endpoint, len(l.run)+2, l.run+"-")
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]bool{}
	var number string
	var version int
	if _, err := pgx.ForEachRow(rows, []any{&number, &version}, func() error {
		recorded[number] = true
		if version != 1 {
			twice++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, i := range a.Acknowledged {
		if !recorded[fmt.Sprint(i)] {
			lost++
		}
	}
	return lost, twice
}
