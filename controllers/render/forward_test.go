package render

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

func TestReadHeaders(t *testing.T) {
	secrets := map[string]map[string][]byte{
		"good":   {"token": []byte("Bearer canary \n"), "other": []byte("canary-2")},
		"broken": {"token": []byte("canary\nwith a line"), "empty": []byte(" ")},
	}
	read := func(name string) (map[string][]byte, bool, error) {
		data, found := secrets[name]
		return data, found, nil
	}
	key := func(name, key string) v1alpha1.ForwardSecretKey {
		return v1alpha1.ForwardSecretKey{Name: name, Key: key}
	}
	for name, c := range map[string]struct {
		refs   []v1alpha1.ForwardSecretKey
		values HeaderValues
		says   string // of the problem; "missing" if the Secret is
	}{
		"all there":          {[]v1alpha1.ForwardSecretKey{key("good", "token"), key("good", "other")}, HeaderValues{key("good", "token"): "Bearer canary", key("good", "other"): "canary-2"}, ""},
		"nothing to read":    {nil, HeaderValues{}, ""},
		"no Secret":          {[]v1alpha1.ForwardSecretKey{key("gone", "token"), key("good", "other")}, HeaderValues{key("good", "other"): "canary-2"}, "missing"},
		"no field":           {[]v1alpha1.ForwardSecretKey{key("good", "gone")}, HeaderValues{}, `field "gone" is missing`},
		"an empty field":     {[]v1alpha1.ForwardSecretKey{key("broken", "empty")}, HeaderValues{}, `field "empty" is empty`},
		"a value of 2 lines": {[]v1alpha1.ForwardSecretKey{key("broken", "token")}, HeaderValues{}, "printing ASCII"},
	} {
		t.Run(name, func(t *testing.T) {
			values, problem, err := ReadHeaders(c.refs, read)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.values, values); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			switch {
			case c.says == "" && problem == nil:
			case c.says == "missing" && problem != nil && problem.Missing && problem.Err == nil:
			case problem == nil || problem.Err == nil || !strings.Contains(problem.Err.Error(), c.says) || strings.Contains(problem.Err.Error(), "canary"):
				t.Errorf("problem %+v, want %q", problem, c.says)
			}
			if HeadersReady(c.refs, values, rotation.Ring{}) != (len(c.refs) == 0) {
				t.Error("values that are not on record are ready")
			}
			if ready := HeadersReady(c.refs, values, ring(map[rotation.Purpose][]string{rotation.Forward: values.List(c.refs)})); ready != (c.says == "") {
				t.Errorf("ready: %t", ready)
			}
		})
	}
	_, _, err := ReadHeaders([]v1alpha1.ForwardSecretKey{key("a", "b")}, func(string) (map[string][]byte, bool, error) { return nil, false, errors.New("away") })
	if err == nil {
		t.Error("no error while Secrets can't be read")
	}
}

func TestAHeaderWhoseSecretDidNotOptInIsAProblemAndNoFailure(t *testing.T) {
	closed, open := v1alpha1.ForwardSecretKey{Name: "closed", Key: "token"}, v1alpha1.ForwardSecretKey{Name: "open", Key: "token"}
	values, problem, err := ReadHeaders([]v1alpha1.ForwardSecretKey{closed, open}, func(name string) (map[string][]byte, bool, error) {
		if name == "closed" {
			return nil, true, NotShared("infra")
		}
		return map[string][]byte{"token": []byte("Bearer x")}, true, nil
	})
	if err != nil || problem == nil || problem.Secret != "closed" || problem.Missing || problem.Err != nil ||
		problem.Denied == nil || problem.Denied.Error() != NotShared("infra").Error() {
		t.Errorf("%+v, %v", problem, err)
	}
	if len(values) != 1 || values[open] != "Bearer x" {
		t.Errorf("%d values", len(values))
	}
}
