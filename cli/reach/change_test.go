package reach_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// rotating is a cluster whose endpoint has an active and a retiring key, and is ready for generation 2.
func rotating() *cluster {
	c := newCluster("")
	endpoint := c.objects[endpointPath].(*v1alpha1.PostbackEndpoint)
	endpoint.Generation = 1
	endpoint.Spec.Key = v1alpha1.KeySpec{Revision: 4, Revoked: []string{"gone"}}
	since := metav1.NewTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	endpoint.Status = v1alpha1.PostbackEndpointStatus{
		ObservedGeneration: 2,
		Conditions: []metav1.Condition{{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Ready", ObservedGeneration: 2,
		}},
		Keys: []v1alpha1.KeyStatus{
			{ID: "fresh", State: v1alpha1.KeyActive, Since: since}, {ID: "old", State: v1alpha1.KeyRetiring, Since: since},
		},
	}
	return c
}

func TestAChangeOfKeysIsPrintedOrWritten(t *testing.T) {
	const head = "apiVersion: postback.dev/v1alpha1\nkind: PostbackEndpoint\nmetadata:\n  name: shop\n  namespace: default\n"
	for _, c := range []struct {
		name      string
		args      []string
		code      int
		out, errs string
		patch     string
	}{
		{
			name: "rotate prints the next revision", args: []string{"rotate", "shop", "--overlap", "48h"},
			out: head + "spec:\n  key:\n    overlap: 48h\n    revision: 5\n",
		},
		{
			name: "rotate writes it, and waits until it is served",
			args: []string{"rotate", "shop", "--write", "--yes", "--wait"}, patch: `{"spec":{"key":{"revision":5}}}`,
			out: "default/shop is changed\nevery ready receiver confirmed it\n" +
				"KEY    STATE     SINCE                 RETIRES\n" +
				"fresh  Active    2026-03-01T12:00:00Z  -\nold    Retiring  2026-03-01T12:00:00Z  -\n",
		},
		{
			name: "revoke keeps those that are revoked", args: []string{"revoke", "shop", "old", "--write", "--yes"},
			patch: `{"spec":{"key":{"revoked":["gone","old"]}}}`, out: "default/shop is changed\n",
		},
		{
			name: "the active key has no successor", args: []string{"revoke", "shop", "fresh"}, code: 1,
			errs: "error: fresh is the active key: rotate first, so that there is another\n",
		},
		{
			name: "there is no such key", args: []string{"revoke", "shop", "nope"}, code: 1,
			errs: "error: shop has no key \"nope\": `kubectl get pbe shop -o yaml` lists status.keys\n",
		},
		{
			name: "nobody can be asked", args: []string{"rotate", "shop", "--write"}, code: 2,
			errs: "error: there is no terminal to ask at: add --yes to write\n",
		},
		{
			name: "waiting is for writing", args: []string{"rotate", "shop", "--wait"}, code: 2,
			errs: "error: --yes and --wait are for --write\n",
		},
		{
			name: "the overlap is no duration", args: []string{"rotate", "shop", "--overlap", "2 days"}, code: 2,
			errs: "error: --overlap: write a duration, such as 48h\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster := rotating()
			code, out, errs := cluster.kubectl(t, c.args...)
			if code != c.code || out != c.out || errs != c.errs {
				t.Errorf("exit code %d\n%s%s", code, out, errs)
			}
			if got := strings.Join(cluster.patches, " "); got != c.patch {
				t.Errorf("written: %s", got)
			}
		})
	}
}

func TestAKeyOfOnesOwnIsNotRotatedByThePlugin(t *testing.T) {
	c := rotating()
	c.objects[endpointPath].(*v1alpha1.PostbackEndpoint).Spec.Key.SecretRef = &v1alpha1.SecretKeyReference{Name: "mine"}
	code, _, errs := c.kubectl(t, "rotate", "shop")
	if code != 1 || errs != "error: the key of shop is in your Secret mine: write another value there, see docs/rotation.md\n" {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

// found lists the lines of `check` that are not ok.
func found(t *testing.T, c *cluster) (code int, faults []string) {
	t.Helper()
	code, out, _ := c.kubectl(t, "check", "-o", "json")
	var answer struct {
		Items []struct{ Check, State, Found, Advice string }
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, item := range answer.Items {
		if item.State != "ok" {
			faults = append(faults, item.Check+": "+item.Found)
			if item.Advice == "" {
				t.Errorf("%s: %s: nothing says what to do", item.Check, item.Found)
			}
		}
	}
	return code, faults
}

func TestACheckSaysWhatIsWrong(t *testing.T) {
	c := rotating()
	c.objects["/version"] = map[string]string{"major": "1", "minor": "37", "gitVersion": "v1.37.2"}
	code, faults := found(t, c)
	if code != 1 || len(faults) != 1 || faults[0] != "kinds: the cluster knows none of postback.dev" {
		t.Errorf("without the operator: exit code %d, %q", code, faults)
	}
	c.objects["/apis/postback.dev/v1alpha1"] = &metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"}, GroupVersion: "postback.dev/v1alpha1",
		APIResources: []metav1.APIResource{
			{Name: "postbackendpoints", Kind: "PostbackEndpoint"}, {Name: "receiverfleets", Kind: "ReceiverFleet"},
			{Name: "campaigns", Kind: "Campaign"},
		},
	}
	c.objects["/version"] = map[string]string{"major": "1", "minor": "20+", "gitVersion": "v1.20.1"}
	code, faults = found(t, c)
	if code != 1 || len(faults) == 0 || faults[0] != "cluster: Kubernetes v1.20.1" {
		t.Errorf("on an old cluster: exit code %d, %q", code, faults)
	}
}

func TestACheckNeedsACluster(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	c := newCluster("")
	c.refuse["/version"] = nil
	code, out, errs := c.kubectl(t, "check", "--server", dead.URL)
	if code != 2 || out != "" || errs != "error: this needs a cluster: leave out --server\n" {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
}
