package served

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/status"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// well is a report of what every receiver serves.
func well() *Report {
	return &Report{
		Now:       start,
		Namespace: "ads",
		Fleet:     &v1alpha1.ReceiverFleet{ObjectMeta: metav1.ObjectMeta{Namespace: "ads", Name: "shared"}},
		Reason:    v1alpha1.ReasonAccepted,
		Resolved:  status.True(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonResolved, "there"),
		Verdict:   &propagation.Verdict{Accepted: true, Revision: "r", Available: true, Confirmed: true},
	}
}

func (r *Report) stall() {
	r.Fleet.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonInvalid, Message: "why",
	}}
}

func TestReadyIsNoMoreThanItsFleetIs(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(r *Report)
		want string
	}{
		"well": {func(*Report) {}, "True Ready: Every ready receiver serves it."},
		"the fleet is stalled": {func(r *Report) { r.stall() },
			"False Invalid: ReceiverFleet shared: why"},
		"a fleet of another namespace is stalled": {func(r *Report) { r.stall(); r.Namespace = "home" },
			"False Invalid: ReceiverFleet shared is not ready: its conditions say why."},
		"the fleet is declared to have no receiver": {func(r *Report) {
			r.Fleet.Spec.Replicas = new(int32)
			r.Verdict.Available, r.Verdict.Confirmed = false, false
		}, "False ScaledToZero: Nothing serves it: the fleet's spec.replicas is 0."},
		"the fleet's rollout is stuck, and nothing serves": {func(r *Report) {
			r.stall()
			r.Fleet.Status.Conditions[0].Reason = v1alpha1.ReasonProgressDeadlineExceeded
			r.Verdict.Available, r.Verdict.Confirmed = false, false
		}, "False ProgressDeadlineExceeded: ReceiverFleet shared: why"},
		"the fleet's rollout is stuck, and the former receivers serve": {func(r *Report) {
			r.stall()
			r.Fleet.Status.Conditions[0].Reason = v1alpha1.ReasonProgressDeadlineExceeded
			r.Fleet.Status.Conditions = append(r.Fleet.Status.Conditions,
				metav1.Condition{Type: v1alpha1.ConditionAvailable, Status: metav1.ConditionTrue})
		}, "True Ready: Every ready receiver serves it."},
		"its address leads nowhere": {func(r *Report) {
			r.Fleet.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReachable,
				Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonRouteNotAccepted, Message: "why"}}
		}, "False RouteNotAccepted: ReceiverFleet shared: why"},
		"its fleet lacks a kind that its address does not need": {func(r *Report) {
			r.stall()
			r.Fleet.Status.Conditions[0].Reason = v1alpha1.ReasonKindMissing
		}, "True Ready: Every ready receiver serves it."},
		"the fleet is gone, though it said that all is well": {func(r *Report) {
			r.Fleet = nil
			f := status.Unknown(v1alpha1.ConditionAccepted, v1alpha1.ReasonProgressing, "It is about to be made.")
			r.Obstacle, r.Before = &f, []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}}
		}, "False Progressing: It is about to be made."},
	} {
		t.Run(name, func(t *testing.T) {
			r := well()
			c.edit(r)
			conditions, _, ok := r.Conditions()
			if !ok {
				t.Fatal("it says nothing")
			}
			ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
			if got := string(ready.Status) + " " + ready.Reason + ": " + ready.Message; got != c.want {
				t.Errorf("it says %q", got)
			}
		})
	}
}

func TestWhatIsMissingIsStalledAfterAWhile(t *testing.T) {
	missing := map[string]func(r *Report){
		"a Secret": func(r *Report) {
			r.Resolved = status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretNotFound, "missing")
		},
		"a fleet": func(r *Report) {
			f := status.False(v1alpha1.ConditionAccepted, v1alpha1.ReasonFleetNotFound, "missing")
			r.Fleet, r.Obstacle = nil, &f
		},
	}
	for name, edit := range missing {
		for _, c := range []struct {
			after, wait time.Duration
			stalled     bool
		}{{0, Grace, false}, {Grace - time.Second, time.Second, false}, {Grace, 0, true}, {24 * time.Hour, 0, true}} {
			t.Run(name+" after "+c.after.String(), func(t *testing.T) {
				r := well()
				edit(r)
				r.Before, _, _ = r.Conditions()
				r.Now = start.Add(c.after)
				conditions, wait, ok := r.Conditions()
				if !ok || wait != c.wait {
					t.Errorf("it looks again after %v, says something: %v", wait, ok)
				}
				stalled := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled)
				if reconciling := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling); stalled != c.stalled ||
					reconciling == stalled {
					t.Errorf("stalled %v, reconciling %v", stalled, reconciling)
				}
			})
		}
	}
}

func TestASecretThatIsWrongIsStalledAtOnce(t *testing.T) {
	r := well()
	r.Resolved = status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretInvalid, "wrong")
	if conditions, _, _ := r.Conditions(); !meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled) {
		t.Errorf("conditions: %+v", conditions)
	}
}
