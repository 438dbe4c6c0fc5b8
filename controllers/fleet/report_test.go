package fleet

import (
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/assembly"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/status"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

func TestWhatAFleetSays(t *testing.T) {
	rolledOut := workload{found: true, observed: true, wanted: 1, existing: 1, updated: 1, available: 1}
	serves := func(revision string) map[string]propagation.Answer {
		return map[string]propagation.Answer{"a": {Asked: true, Revision: revision}}
	}
	stuck := workload{found: true, observed: true, wanted: 1, existing: 1}
	broken := errors.New("spec.podTemplate: it is wrong")
	for name, c := range map[string]struct {
		workload workload
		answers  map[string]propagation.Answer
		problems []error
		problem  error // of the configuration
		want     [3]string
		state    kstatuscheck.State
	}{
		"its receivers serve the configuration": {rolledOut, serves("new"), nil, nil,
			[3]string{"True Available", "True Confirmed", "True Ready"}, kstatuscheck.Current},
		"a receiver serves another": {rolledOut, serves("old"), nil, nil,
			[3]string{"True Available", "False Propagating", "False Propagating"}, kstatuscheck.InProgress},
		"no receiver is ready": {rolledOut, nil, nil, nil,
			[3]string{"False Unavailable", "False Propagating", "False Unavailable"}, kstatuscheck.InProgress},
		"a rollout is under way": {workload{found: true, observed: true, wanted: 2, existing: 2, updated: 1, available: 2},
			serves("new"), nil, nil,
			[3]string{"True Available", "True Confirmed", "False Progressing"}, kstatuscheck.InProgress},
		"a child can't be made": {rolledOut, serves("new"), []error{broken}, nil,
			[3]string{"True Available", "True Confirmed", "False Invalid"}, kstatuscheck.Failed},
		"it is declared to have no receiver": {workload{found: true, observed: true}, nil, nil, nil,
			[3]string{"False ScaledToZero", "True ScaledToZero", "True ScaledToZero"}, kstatuscheck.Current},
		"its receivers don't come up": {stuck, nil, nil, nil,
			[3]string{"False Unavailable", "False Propagating", "False ProgressDeadlineExceeded"}, kstatuscheck.Failed},
		"a rollout is stuck while former receivers serve": {stuck, serves("new"), nil, nil,
			[3]string{"True Available", "True Confirmed", "False ProgressDeadlineExceeded"}, kstatuscheck.Failed},
		"there can be no configuration": {rolledOut, nil, []error{broken}, broken,
			[3]string{"False Unavailable", "False Invalid", "False Invalid"}, kstatuscheck.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			s := scopeOf(nil)
			s.fleet.Generation, s.workload = 3, c.workload
			s.reach = status.True(v1alpha1.ConditionReachable, v1alpha1.ReasonReachable, "fine")
			s.trouble.stuck = c.workload.wanted > 0 && c.workload.available == 0
			if c.workload.wanted == 0 {
				s.fleet.Spec.Replicas = new(int32)
			}
			next := report(s, &plan{revision: "new", settings: "own", problem: c.problem}, c.answers, c.problems, start)
			var got [3]string
			for i, kind := range []string{v1alpha1.ConditionAvailable, v1alpha1.ConditionConfigPropagated,
				v1alpha1.ConditionReady} {
				condition := meta.FindStatusCondition(next.Conditions, kind)
				got[i] = string(condition.Status) + " " + condition.Reason
			}
			if got != c.want {
				t.Errorf("it says %v, want %v", got, c.want)
			}
			object := kstatuscheck.Object{Generation: 3, ObservedGeneration: next.ObservedGeneration,
				Conditions: next.Conditions}
			if err := kstatuscheck.Check(object); err != nil {
				t.Error(err)
			}
			if state := kstatuscheck.Read(object); state != c.state {
				t.Errorf("it is %s", state)
			}
			if c.problem == nil && next.Revision != "own" {
				t.Errorf("revision %q", next.Revision)
			}
		})
	}
}

func TestAFleetSaysWhatItsReceiversHaveLost(t *testing.T) {
	said := []metav1.Condition{{
		Type: v1alpha1.ConditionAcknowledgedMissing, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSpoolDamaged,
		Message: "before",
	}}
	for name, c := range map[string]struct {
		before  []metav1.Condition
		answers map[string]propagation.Answer
		want    string // the beginning of the message; empty when there is no condition
	}{
		"nothing":          {nil, map[string]propagation.Answer{"a": {Revision: "r"}}, ""},
		"nothing any more": {said, map[string]propagation.Answer{"a": {Revision: "r"}}, ""},
		"two receivers have lost some": {nil, map[string]propagation.Answer{"a": {Revision: "r", SpoolMissing: 2},
			"b": {Revision: "r", SpoolMissing: 3}}, "Acknowledged postbacks that are missing: 5."},
		"no receiver is there to ask": {said, nil, "before"},
		"one has not answered": {said, map[string]propagation.Answer{"a": {Revision: "r"}, "b": {Asked: true}},
			"before"},
		"nothing was ever known of it": {nil, map[string]propagation.Answer{"a": {Asked: true}}, ""},
		"one has lost some, one is silent": {nil, map[string]propagation.Answer{"a": {Revision: "r", SpoolMissing: 2},
			"b": {}}, "Acknowledged postbacks that are missing: 2."},
	} {
		t.Run(name, func(t *testing.T) {
			s := scopeOf(nil)
			s.fleet.Generation, s.fleet.Status.Conditions = 3, c.before
			next := report(s, &plan{revision: "r"}, c.answers, nil, start)
			condition := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionAcknowledgedMissing)
			switch {
			case c.want == "" && condition != nil:
				t.Errorf("it says %q", condition.Message)
			case c.want != "" && (condition == nil || condition.Status != metav1.ConditionTrue ||
				!strings.HasPrefix(condition.Message, c.want)):
				t.Errorf("it says %+v, want %q", condition, c.want)
			}
		})
	}
}

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
		"a receiver has not taken it up yet": {answer("old", "new"), time.Second, false,
			propagation.Patience - time.Second},
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

func TestAMissingSecretIsStalledAfterAWhileUnlessMoreIsWrong(t *testing.T) {
	dsn := credential.Secret{Name: "database", Err: credential.ErrNotFound}
	missing := dsn.Unusable("spec.store.postgres.dsnSecretRef")
	dsn.Err = credential.ErrNotReadable
	unreadable := dsn.Unusable("spec.store.postgres.dsnSecretRef")
	for name, c := range map[string]struct {
		problems []error
		after    time.Duration
		reason   string
		state    kstatuscheck.State
	}{
		"at first":         {[]error{missing}, 0, v1alpha1.ReasonSecretNotFound, kstatuscheck.InProgress},
		"in a while":       {[]error{missing}, time.Minute, v1alpha1.ReasonSecretNotFound, kstatuscheck.InProgress},
		"at last":          {[]error{missing}, 5 * time.Minute, v1alpha1.ReasonSecretNotFound, kstatuscheck.Failed},
		"more is wrong":    {[]error{missing, errors.New("host")}, 0, v1alpha1.ReasonInvalid, kstatuscheck.Failed},
		"it is unreadable": {[]error{unreadable}, 0, v1alpha1.ReasonInvalid, kstatuscheck.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			s := scopeOf(nil)
			s.fleet.Generation = 3
			s.reach = status.True(v1alpha1.ConditionReachable, v1alpha1.ReasonReachable, "fine")
			s.fleet.Status = report(s, &plan{}, nil, c.problems, start)
			next := report(s, &plan{}, nil, c.problems, start.Add(c.after))
			ready := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionReady)
			if ready.Reason != c.reason || !strings.Contains(ready.Message, "spec.store.postgres.dsnSecretRef: Secret database") {
				t.Errorf("it says %+v", ready)
			}
			if got := kstatuscheck.Read(kstatuscheck.Object{Generation: 3, ObservedGeneration: 3,
				Conditions: next.Conditions}); got != c.state {
				t.Errorf("it is %s", got)
			}
		})
	}
}

func TestAnotherKindOfStoreIsTakenWhenItIsMeant(t *testing.T) {
	endpoint := &v1alpha1.PostbackEndpoint{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "e"}}
	own := []assembly.Endpoint{{Name: types.NamespacedName{Name: "shop"}, Declared: endpoint}}
	annotated := func(value string) map[string]string {
		return map[string]string{v1alpha1.AnnotationStoreChange: value}
	}
	for name, c := range map[string]struct {
		has, fleets, endpoints string
		own                    bool
		want                   string // what is to be annotated; empty if nothing is
	}{
		"a new fleet":                              {has: ""},
		"the same store":                           {has: "postgres"},
		"another store":                            {has: "embedded", want: "rfl/shop"},
		"another store, as is said":                {has: "embedded", fleets: "postgres"},
		"another store, what is said is of before": {has: "embedded", fleets: "embedded", want: "rfl/shop"},
		"that of an own fleet":                     {has: "embedded", own: true, want: "pbe/shop"},
		"that of an own fleet, as is said":         {has: "embedded", own: true, endpoints: "postgres"},
		"the endpoint has no say elsewhere":        {has: "embedded", endpoints: "postgres", want: "rfl/shop"},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := &v1alpha1.ReceiverFleet{ObjectMeta: metav1.ObjectMeta{Name: "shop", Annotations: annotated(c.fleets)}}
			fleet.Spec.Store.Postgres, fleet.Status.Store = &v1alpha1.PostgresStore{}, c.has
			endpoint.Annotations = annotated(c.endpoints)
			if yes := true; c.own {
				fleet.OwnerReferences = []metav1.OwnerReference{{UID: "e", Controller: &yes}}
			}
			found := storeChange(fleet, own)
			if got := found != nil; got != (c.want != "") {
				t.Fatalf("it says %v", found)
			}
			if want := "kubectl annotate " + c.want + " postback.dev/store-change=postgres"; found != nil &&
				!strings.HasSuffix(found.Error(), want) {
				t.Errorf("it says %q", found)
			}
		})
	}
}

func TestAMissingKindIsStalledAfterAWhile(t *testing.T) {
	reachable := status.True(v1alpha1.ConditionReachable, v1alpha1.ReasonReachable, "fine")
	for name, c := range map[string]struct {
		after time.Duration
		state kstatuscheck.State
		grace time.Duration
	}{
		"at first":   {0, kstatuscheck.InProgress, 5 * time.Minute},
		"in a while": {time.Minute, kstatuscheck.InProgress, 4 * time.Minute},
		"at last":    {5 * time.Minute, kstatuscheck.Failed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := scopeOf(nil)
			s.fleet.Generation, s.reach, s.missing = 3, reachable, []schema.GroupVersionKind{resources.KindPodMonitor}
			s.fleet.Status = report(s, &plan{}, nil, nil, start)
			next := report(s, &plan{}, nil, nil, start.Add(c.after))
			ready := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionReady)
			if ready.Reason != v1alpha1.ReasonKindMissing || !strings.Contains(ready.Message, "PodMonitor") {
				t.Errorf("it says %+v", ready)
			}
			if got := kstatuscheck.Read(kstatuscheck.Object{Generation: 3, ObservedGeneration: 3,
				Conditions: next.Conditions}); got != c.state {
				t.Errorf("it is %s", got)
			}
			if got := s.grace(ready.Reason, start.Add(c.after)); got != c.grace {
				t.Errorf("it is looked at again after %v", got)
			}
		})
	}
}
