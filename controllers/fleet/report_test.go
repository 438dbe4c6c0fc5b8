package fleet

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/propagation"
)

func TestHowLongAFleetWaitsForItsReceiversBeforeItSaysThatTheyAreBehind(t *testing.T) {
	answer := func(revisions ...string) map[string]propagation.Answer {
		answers := map[string]propagation.Answer{}
		for _, revision := range revisions {
			answers[revision] = propagation.Answer{Asked: true, Revision: revision}
		}
		return answers
	}
	for name, c := range map[string]struct {
		answers map[string]propagation.Answer
		after   time.Duration
		silent  bool // it has no conditions yet
		want    time.Duration
	}{
		"a receiver has not taken it up yet":         {answer("old", "new"), time.Second, false, propagation.Patience - time.Second},
		"a receiver does not take it up":             {answer("old"), propagation.Patience, false, 0},
		"every receiver serves it":                   {answer("new"), 0, false, 0},
		"there is no receiver":                       {nil, 0, false, 0},
		"a fleet that has said nothing yet":          {answer("old"), 0, true, 0},
		"one that was behind since long before":      {answer("old"), time.Hour, false, 0},
		"nothing is known of a receiver that is new": {answer(""), 0, false, propagation.Patience},
	} {
		t.Run(name, func(t *testing.T) {
			s := scopeOf(nil)
			if !c.silent {
				s.fleet.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady}}
			}
			if got := s.patience(&plan{revision: "new"}, c.answers, start, start.Add(c.after)); got != c.want {
				t.Errorf("it waits %v, want %v", got, c.want)
			}
		})
	}
}

func TestAVerdictRemembersSinceWhenItIsNotConfirmed(t *testing.T) {
	name := types.NamespacedName{Namespace: "ads", Name: "shop"}
	before, later := start, start.Add(time.Minute)
	for title, c := range map[string]struct {
		was  propagation.Verdict
		want time.Time
	}{
		"the same":                          {propagation.Verdict{Revision: "new", Confirmed: true, Since: before}, before},
		"a change of what was confirmed":    {propagation.Verdict{Revision: "old", Confirmed: true, Since: before}, later},
		"a change of what was on its way":   {propagation.Verdict{Revision: "old", Since: before}, before},
		"what was not in the configuration": {propagation.Verdict{Since: before}, later},
	} {
		t.Run(title, func(t *testing.T) {
			got := judge(verdicts{name: {Revision: "new"}}, verdicts{name: c.was}, asItIs, nil, nil, later)[name]
			if !got.Since.Equal(c.want) {
				t.Errorf("since %v, want %v", got.Since, c.want)
			}
		})
	}
}
