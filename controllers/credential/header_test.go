package credential

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

func TestReadHeaders(t *testing.T) {
	secrets := map[string]map[string][]byte{
		"good":   {"token": []byte("Bearer canary \n"), "other": []byte("canary-2")},
		"broken": {"token": []byte("canary\nwith a line"), "empty": []byte(" ")},
	}
	find := func(name string) (Secret, error) {
		data, found := secrets[name]
		if !found {
			return Secret{Name: name, Err: ErrNotFound}, nil
		}
		return Secret{Name: name, Data: data}, nil
	}
	key := func(name, key string) v1alpha1.ForwardSecretKey {
		return v1alpha1.ForwardSecretKey{Name: name, Key: key}
	}
	for name, c := range map[string]struct {
		refs   []v1alpha1.ForwardSecretKey
		values HeaderValues
		says   string // of the problem
	}{
		"all there": {[]v1alpha1.ForwardSecretKey{key("good", "token"), key("good", "other")},
			HeaderValues{key("good", "token"): "Bearer canary", key("good", "other"): "canary-2"}, ""},
		"nothing to read": {nil, HeaderValues{}, ""},
		"no Secret": {[]v1alpha1.ForwardSecretKey{key("gone", "token"), key("good", "other")},
			HeaderValues{key("good", "other"): "canary-2"}, "spec.forwards: Secret gone: not found"},
		"no field":           {[]v1alpha1.ForwardSecretKey{key("good", "gone")}, HeaderValues{}, `field "gone" is missing`},
		"an empty field":     {[]v1alpha1.ForwardSecretKey{key("broken", "empty")}, HeaderValues{}, `field "empty" is empty`},
		"a value of 2 lines": {[]v1alpha1.ForwardSecretKey{key("broken", "token")}, HeaderValues{}, "printing ASCII"},
	} {
		t.Run(name, func(t *testing.T) {
			headers, err := ReadHeaders(c.refs, find)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.values, headers.Values); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			switch problem := headers.Problem; {
			case c.says == "" && problem == nil:
			case problem == nil || !strings.Contains(problem.Error(), c.says) || strings.Contains(problem.Error(), "canary"):
				t.Errorf("problem %v, want %q", problem, c.says)
			}
		})
	}
	_, err := ReadHeaders([]v1alpha1.ForwardSecretKey{key("a", "b")},
		func(string) (Secret, error) { return Secret{}, errors.New("away") })
	if err == nil {
		t.Error("no error while Secrets can't be read")
	}
}

func TestAHeaderWhoseSecretDidNotOptInIsAProblemAndNoFailure(t *testing.T) {
	closed, open := v1alpha1.ForwardSecretKey{Name: "closed", Key: "token"},
		v1alpha1.ForwardSecretKey{Name: "open", Key: "token"}
	headers, err := ReadHeaders([]v1alpha1.ForwardSecretKey{closed, open}, func(name string) (Secret, error) {
		if name == "closed" {
			return Secret{Name: name, Err: NotShared("infra")}, nil
		}
		return Secret{Name: name, Data: map[string][]byte{"token": []byte("Bearer x")}}, nil
	})
	problem := headers.Problem
	if err != nil || problem == nil || problem.Reason != v1alpha1.ReasonSecretNotReadable ||
		!strings.Contains(problem.Error(), "shared-with: infra") {
		t.Errorf("%+v, %v", problem, err)
	}
	if len(headers.Values) != 1 || headers.Values[open] != "Bearer x" {
		t.Errorf("%d values", len(headers.Values))
	}
}
