package status

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

func TestAnErrorIsToldFromTheSecondTryOn(t *testing.T) {
	var attempts Attempts
	shop, other := types.NamespacedName{Name: "shop"}, types.NamespacedName{Name: "other"}
	refused := errors.New("quota")
	for i, step := range []struct {
		name types.NamespacedName
		err  error
		tell bool
	}{
		{shop, refused, false}, {other, refused, false}, {shop, refused, true}, {shop, refused, true},
		{shop, nil, false}, {shop, refused, false}, {other, refused, true}, {other, context.Canceled, false},
		{other, refused, false},
	} {
		if got := attempts.Tell(step.name, step.err); got != step.tell {
			t.Errorf("step %d: it tells: %v", i, got)
		}
	}
}

func TestWhatIsSaidWhileTheAPIServerRefuses(t *testing.T) {
	before := Conditions(nil, 1, then, true, True(v1alpha1.ConditionAccepted, "Accepted", "yes"),
		False(v1alpha1.ConditionReady, "Invalid", "x"))
	for name, c := range map[string]struct {
		generation int64
		want       string
	}{
		"of the same declaration": {1, "Accepted=True Accepted 00:00:00\nReady=False APIRefused " +
			"00:00:00\nReconciling=True APIRefused 01:00:00\n"},
		"of a new one": {2, "Accepted=Unknown APIRefused 01:00:00\nReady=False APIRefused " +
			"00:00:00\nReconciling=True APIRefused 01:00:00\n"},
	} {
		t.Run(name, func(t *testing.T) {
			conditions := Refused(before, c.generation, now, errors.New("exceeded quota"))
			if diff := cmp.Diff(c.want, summary(conditions)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			object := kstatuscheck.Object{Generation: c.generation, ObservedGeneration: c.generation, Conditions: conditions}
			if err := kstatuscheck.Check(object); err != nil {
				t.Error(err)
			}
		})
	}
}
