//go:build e2e

package e2e

import (
	"bytes"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/cli/command"
)

// plugin runs kubectl-postback in a namespace and returns its exit code and what it prints.
func plugin(t *testing.T, namespace string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = command.Run(t.Context(), "e2e", append(args, "-n", namespace), strings.NewReader(""), &out, &errs)
	t.Logf("kubectl postback %s: exit code %d\n%s%s", strings.Join(args, " "), code, out.String(), errs.String())
	return code, out.String(), errs.String()
}

// works runs kubectl-postback, which has to work and to print something.
func works(t *testing.T, namespace, want string, args ...string) {
	t.Helper()
	if code, out, errs := plugin(t, namespace, args...); code != 0 || !strings.Contains(out, want) {
		t.Errorf("kubectl postback %s: exit code %d, want %q in\n%s%s", strings.Join(args, " "), code, want, out, errs)
	}
}

// The day of somebody who works with the plugin alone.
func TestThePlugin(t *testing.T) {
	namespace := inNamespace(t, "e2e-plugin")
	kubectl(t, "apply", "-n", namespace, "-f", "config/samples/shop.yaml")
	endpointReady(t, namespace, "shop")
	service := "http://shop." + namespace + ".svc.cluster.local"
	formerKey, former := secret(t, namespace, "shop-key", "key"), activeKey(t, namespace, "shop")

	works(t, namespace, "", "check")
	works(t, namespace, "/"+formerKey+"/postback?subid={sub1}&status={status}", "url", "shop", "--network", "affise")
	works(t, namespace, "recorded", "test", "shop", "--query", "status=approved&payout=12,5&currency=eur",
		"--expect", "recorded,sale,13.75")

	addClicks(t, service, secret(t, namespace, "shop-key", "clickToken"), "c1")
	for _, query := range []string{"subid=c1&status=lead&payout=10", "subid=c1&status=approve&payout=3&tid=2"} {
		if got := visit(t, service+"/"+formerKey+"/postback?"+query); got.Status != http.StatusOK {
			t.Fatalf("%s is answered %d", query, got.Status)
		}
	}
	works(t, namespace, "status_unknown", "log", "shop", "--ignored")
	works(t, namespace, "10", "report", "shop", "--group", "type", "--metrics", "conversions,revenue")
	works(t, namespace, "1 ignored", "replay", "shop", "--status", "approve", "--note", "e2e", "--dry-run")
	works(t, namespace, "dry_run_done", "operations", "shop")
	works(t, namespace, "rejected 10 USD", "correct", "shop", "--subid", "c1", "--type", "rejected", "--note", "e2e",
		"--yes")

	backup := filepath.Join(t.TempDir(), "copy.db")
	works(t, namespace, "it is whole", "backup", "shop", backup)
	if out, err := exec.CommandContext(t.Context(), "go", "run", "./receiver", "check", "--store",
		"sqlite://"+backup).CombinedOutput(); err != nil {
		t.Errorf("the backup: %v\n%s", err, out)
	}

	works(t, namespace, "every ready receiver confirmed it", "rotate", "shop", "--write", "--yes", "--wait")
	works(t, namespace, "every ready receiver confirmed it", "revoke", "shop", former, "--write", "--yes", "--wait")
	if got := visit(t, service+"/"+formerKey+"/postback?subid=c1&status=sale"); got.Status != http.StatusNotFound {
		t.Errorf("the revoked key is answered %d", got.Status)
	}
	if key := secret(t, namespace, "shop-key", "key"); key == formerKey {
		t.Error("the key is the former one")
	}
}

// What goes wrong is a line that says what to do.
func TestThePluginSaysWhatIsWrong(t *testing.T) {
	namespace := inNamespace(t, "e2e-plugin-wrong")
	kubectl(t, "apply", "-n", namespace, "-f", "config/samples/shop.yaml")
	endpointReady(t, namespace, "shop")
	for _, c := range []struct {
		want string
		code int
		args []string
	}{
		{"there is no PostbackEndpoint", 1, []string{"log", "other"}},
		{`context "other" does not exist`, 1, []string{"log", "shop", "--context", "other"}},
		{"you may not use postbackendpoints", 1, []string{"log", "shop", "--as", "nobody"}},
		{"add --yes to write", 2, []string{"replay", "shop", "--note", "e2e"}},
		{"add --yes to write", 2, []string{"rotate", "shop", "--write"}},
	} {
		code, out, errs := plugin(t, namespace, c.args...)
		if code != c.code || out != "" || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit code %d, %q, %q", c.args, code, out, errs)
		}
	}
}
