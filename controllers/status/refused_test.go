package status

import (
	"context"
	"errors"
	"testing"
	"time"

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

func TestWhatIsLeftToAnotherOperatorIsNewsOnce(t *testing.T) {
	var l Left
	shop := types.NamespacedName{Name: "shop"}
	for i, step := range []struct {
		generation int64
		why        string
		after      time.Duration
		news       bool
		followed   time.Duration
	}{
		{1, "a", 0, true, FollowWithin},
		{1, "a", time.Second, false, FollowWithin},
		{2, "a", time.Minute, false, time.Minute + FollowWithin},
		{2, "b", time.Hour, true, time.Hour + FollowWithin},
	} {
		news, followed := l.Note(shop, step.generation, step.why, now.Add(step.after))
		if news != step.news || !followed.Equal(now.Add(step.followed)) {
			t.Errorf("step %d: news %v, followed %v", i, news, followed)
		}
	}
	if l.Forget(shop); len(l.seen) > 0 {
		t.Error("it is not forgotten")
	}
}

func TestWhatIsLeftToAnotherOperatorIsStalled(t *testing.T) {
	before := Conditions(nil, 1, then, true, True(v1alpha1.ConditionAccepted, "Accepted", "yes"),
		True(v1alpha1.ConditionReady, "Ready", "x"))
	conditions := LeftAlone(before, 2, now, errors.New("another one made it"))
	want := "Accepted=Unknown ManagedByOther 01:00:00\nReady=False ManagedByOther 01:00:00\n" +
		"Stalled=True ManagedByOther 01:00:00\n"
	if diff := cmp.Diff(want, summary(conditions)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := kstatuscheck.Check(kstatuscheck.Object{Generation: 2, ObservedGeneration: 2,
		Conditions: conditions}); err != nil {
		t.Error(err)
	}
}
