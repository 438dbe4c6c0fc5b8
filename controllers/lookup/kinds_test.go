package lookup

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestKindsComeAndGo(t *testing.T) {
	a := schema.GroupVersionKind{Group: "g", Version: "v1", Kind: "A"}
	b := schema.GroupVersionKind{Group: "g", Version: "v1", Kind: "B"}
	installed, down := map[string]bool{}, false
	kinds := &Kinds{Wanted: []schema.GroupVersionKind{a, b}, Discover: func(string) (*metav1.APIResourceList, error) {
		switch {
		case down:
			return nil, errors.New("no route to host")
		case len(installed) == 0:
			return nil, apierrors.NewNotFound(schema.GroupResource{}, "g/v1")
		}
		list := &metav1.APIResourceList{}
		for kind := range installed {
			list.APIResources = append(list.APIResources, metav1.APIResource{Kind: kind})
		}
		return list, nil
	}}
	for _, step := range []struct {
		name string
		edit func()
		came []schema.GroupVersionKind
		went bool
		has  [2]bool
		fail bool
	}{
		{"none is there", func() {}, nil, false, [2]bool{}, false},
		{"one comes", func() { installed["A"] = true }, []schema.GroupVersionKind{a}, false, [2]bool{true, false}, false},
		{"the server is away", func() { down = true }, nil, false, [2]bool{true, false}, true},
		{"the other comes", func() { down, installed["B"] = false, true }, []schema.GroupVersionKind{b}, false,
			[2]bool{true, true}, false},
		{"one goes", func() { delete(installed, "A") }, nil, true, [2]bool{false, true}, false},
		{"nothing changes", func() {}, nil, false, [2]bool{false, true}, false},
	} {
		step.edit()
		came, went, err := kinds.Refresh()
		if diff := cmp.Diff(step.came, came); diff != "" || went != step.went || (err != nil) != step.fail ||
			step.has != [2]bool{kinds.Serves(a), kinds.Serves(b)} {
			t.Errorf("%s: came %v, went %t, error %v", step.name, came, went, err)
		}
	}
}
