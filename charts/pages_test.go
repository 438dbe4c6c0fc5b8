package charts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shop is an endpoint in the midst of a rotation, with what an operator would have made.
const shop = `
apiVersion: v1
kind: Namespace
metadata: {name: pages}
---
apiVersion: postback.dev/v1alpha1
kind: PostbackEndpoint
metadata: {name: shop, namespace: pages}
spec: {currency: USD}
---
apiVersion: v1
kind: Secret
metadata: {name: shop-postback, namespace: pages}
stringData: {url: "http://shop.pages.svc/KEY/postback"}
`

const shopStatus = `{"status": {
  "observedGeneration": 1,
  "conditions": [{"type": "Ready", "status": "True", "reason": "Ready", "message": "Every ready receiver serves it.",
    "lastTransitionTime": "2026-11-23T08:41:51Z", "observedGeneration": 1}],
  "keys": [
    {"id": "cv24cu6qxijs", "state": "Active", "since": "2026-11-23T08:41:51Z"},
    {"id": "sav6rwjceurb", "state": "Retiring", "since": "2026-11-20T08:41:51Z", "retireAt": "2026-11-25T08:41:51Z"}
  ]}}`

func TestTheCommandsOfThePagesAnswer(t *testing.T) {
	must(t, "kubectl", "apply", "--server-side", "--force-conflicts", "-k", filepath.Join(root, "config", "crd"))
	must(t, "kubectl", "wait", "--for=condition=Established", "--timeout=1m", "crd", "--all")
	mustWith(t, shop, "kubectl", "apply", "-f", "-")
	must(t, "kubectl", "patch", "-n", "pages", "pbe", "shop", "--subresource=status", "--type=merge", "-p", shopStatus)
	must(t, "kubectl", "config", "set-context", "--current", "--namespace=pages")
	defer must(t, "kubectl", "config", "set-context", "--current", "--namespace=default")

	command := regexp.MustCompile(`(?m)^ *\$ (kubectl .*)\n((?: *[^ $\x60\n].*\n)*)`)
	for page, commands := range map[string]int{"rotation.md": 3, "conditions.md": 3} {
		text, err := os.ReadFile(filepath.Join(root, "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		found := command.FindAllStringSubmatch(string(text), -1)
		if len(found) != commands {
			t.Errorf("%s has %d commands", page, len(found))
		}
		for _, match := range found {
			t.Run(match[1], func(t *testing.T) { answers(t, match[1], match[2]) })
		}
	}
}

// answers runs a command of a page, which must print what stands below it there, if anything does.
func answers(t *testing.T, line, below string) {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", line)
	shell.Env = append(os.Environ(), "PATH="+filepath.Dir(programs["kubectl"])+":"+os.Getenv("PATH"))
	out, err := shell.CombinedOutput()
	if err != nil || len(out) == 0 {
		t.Fatalf("%v: %s", err, out)
	}
	if want := strings.Fields(below); len(want) > 0 {
		if diff := cmp.Diff(want, strings.Fields(string(out))); diff != "" {
			t.Errorf("(-page +printed):\n%s", diff)
		}
	}
}
