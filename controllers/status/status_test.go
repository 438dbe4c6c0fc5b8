package status

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

var (
	then = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now  = then.Add(time.Hour + 300*time.Millisecond)
)

func summary(conditions []metav1.Condition) string {
	var b strings.Builder
	for _, c := range conditions {
		b.WriteString(c.Type + "=" + string(c.Status) + " " + c.Reason + " " + c.LastTransitionTime.Format("15:04:05") + "\n")
	}
	return b.String()
}

func TestConditionsKeepTheirTimeWhileTheySayTheSame(t *testing.T) {
	before := Conditions(nil, 1, then, false,
		True(v1alpha1.ConditionAccepted, "Accepted", "yes"), False(v1alpha1.ConditionReady, "Progressing", "wait"))
	after := Conditions(before, 2, now, false,
		True(v1alpha1.ConditionAccepted, "Accepted", "still"), True(v1alpha1.ConditionReady, "Ready", "done"))
	want := "Accepted=True Accepted 00:00:00\nReady=True Ready 01:00:00\n"
	if diff := cmp.Diff(want, summary(after)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if changed := Changed(before, after); len(changed) != 1 || changed[0].Type != v1alpha1.ConditionReady {
		t.Errorf("changed: %v", changed)
	}
}

func TestWhatIsNotReadyIsReconcilingOrStalled(t *testing.T) {
	for name, test := range map[string]struct {
		ready   Finding
		stalled bool
		want    string
	}{
		"ready is neither": {True(v1alpha1.ConditionReady, "Ready", "x"), true,
			"Ready=True Ready 00:00:00\n"},
		"waiting is reconciling": {False(v1alpha1.ConditionReady, "Propagating", "x"), false,
			"Ready=False Propagating 00:00:00\nReconciling=True Propagating 00:00:00\n"},
		"unknown is reconciling": {Unknown(v1alpha1.ConditionReady, "Progressing", "x"), false,
			"Ready=Unknown Progressing 00:00:00\nReconciling=True Progressing 00:00:00\n"},
		"what only the user can change is stalled": {False(v1alpha1.ConditionReady, "Invalid", "x"), true,
			"Ready=False Invalid 00:00:00\nStalled=True Invalid 00:00:00\n"},
	} {
		t.Run(name, func(t *testing.T) {
			conditions := Conditions(nil, 3, then, test.stalled, test.ready)
			if diff := cmp.Diff(test.want, summary(conditions)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := kstatuscheck.Check(kstatuscheck.Object{Generation: 3, ObservedGeneration: 3,
				Conditions: conditions}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheCheckerFindsWhatIsWrong(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: "R", Message: "m", ObservedGeneration: 2,
			LastTransitionTime: metav1.NewTime(then)}
	}
	ready, notReady := condition("Ready", metav1.ConditionTrue), condition("Ready", metav1.ConditionFalse)
	reconciling, stalled := condition("Reconciling", metav1.ConditionTrue), condition("Stalled", metav1.ConditionTrue)
	silent, old := ready, ready
	silent.Message, old.ObservedGeneration = " ", 1
	for name, test := range map[string]struct {
		conditions []metav1.Condition
		observed   int64
		says       string
		state      kstatuscheck.State
	}{
		"all is well":               {[]metav1.Condition{ready}, 2, "", kstatuscheck.Current},
		"on the way":                {[]metav1.Condition{notReady, reconciling}, 2, "", kstatuscheck.InProgress},
		"failed":                    {[]metav1.Condition{notReady, stalled}, 2, "", kstatuscheck.Failed},
		"no Ready":                  {[]metav1.Condition{reconciling}, 2, "no condition Ready", kstatuscheck.InProgress},
		"not Ready without a cause": {[]metav1.Condition{notReady}, 2, "neither", kstatuscheck.InProgress},
		"Ready and Reconciling": {[]metav1.Condition{ready, reconciling}, 2, "Ready and Reconciling",
			kstatuscheck.InProgress},
		"both at once": {[]metav1.Condition{notReady, reconciling, stalled}, 2, "at once",
			kstatuscheck.Failed},
		"Stalled that is False": {[]metav1.Condition{ready, condition("Stalled", metav1.ConditionFalse)}, 2,
			"must be True", kstatuscheck.Current},
		"about a future generation":   {[]metav1.Condition{ready}, 4, "observedGeneration is 4", kstatuscheck.InProgress},
		"a condition of another time": {[]metav1.Condition{old}, 2, "generation 1", kstatuscheck.Current},
		"a condition without a word":  {[]metav1.Condition{silent}, 2, "lacks", kstatuscheck.Current},
		"about an earlier declaration": {[]metav1.Condition{{Type: "Ready", Status: "True", Reason: "R", Message: "m",
			ObservedGeneration: 1, LastTransitionTime: metav1.NewTime(then)}}, 1, "", kstatuscheck.InProgress},
	} {
		t.Run(name, func(t *testing.T) {
			object := kstatuscheck.Object{Generation: 2, ObservedGeneration: test.observed, Conditions: test.conditions}
			err := kstatuscheck.Check(object)
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("it says %v", err)
			}
			if got := kstatuscheck.Read(object); got != test.state {
				t.Errorf("it is %s", got)
			}
		})
	}
}

func TestReadyIsHeldToWhatIsTheCase(t *testing.T) {
	ready := func(status metav1.ConditionStatus, reason string) kstatuscheck.Object {
		return kstatuscheck.Object{Conditions: []metav1.Condition{{Type: "Ready", Status: status, Reason: reason}}}
	}
	yes := ready(metav1.ConditionTrue, v1alpha1.ReasonReady)
	for name, c := range map[string]struct {
		object kstatuscheck.Object
		world  kstatuscheck.World
		says   string
	}{
		"all serve it":        {yes, kstatuscheck.World{Revision: "r", Receivers: []string{"r", "r"}}, ""},
		"nobody does":         {yes, kstatuscheck.World{Revision: "r"}, "no ready receiver"},
		"one serves another":  {yes, kstatuscheck.World{Revision: "r", Receivers: []string{"r", "q"}}, `serves "q"`},
		"it leads elsewhere":  {yes, kstatuscheck.World{Revision: "r", Receivers: []string{"r"}, Address: errors.New("x")}, "x"},
		"it is not Ready":     {ready(metav1.ConditionFalse, "Propagating"), kstatuscheck.World{}, ""},
		"nothing is to serve": {ready(metav1.ConditionTrue, v1alpha1.ReasonScaledToZero), kstatuscheck.World{}, ""},
		"it has said nothing": {kstatuscheck.Object{}, kstatuscheck.World{}, ""},
		"it is about to go":   {kstatuscheck.Object{Conditions: yes.Conditions, Deleted: true}, kstatuscheck.World{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := kstatuscheck.CheckReady(c.object, c.world)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
		})
	}
}
