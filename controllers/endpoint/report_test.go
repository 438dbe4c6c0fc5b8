package endpoint

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/random"
	"github.com/postback-dev/postback-operator/controllers/rotation"
	"github.com/postback-dev/postback-operator/controllers/status"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newScope() *scope {
	endpoint := &v1alpha1.PostbackEndpoint{}
	endpoint.Namespace, endpoint.Name = "ads", "shop"
	endpoint.Spec.Key.Overlap = &metav1.Duration{Duration: 72 * time.Hour}
	return &scope{endpoint: endpoint, own: true}
}

func TestWhatAnEndpointSays(t *testing.T) {
	resolved := status.True(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonResolved, "there")
	missing := status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretNotFound, "missing")
	served := propagation.Verdict{Accepted: true, Revision: "r", Available: true, Confirmed: true}
	with := func(edit func(*propagation.Verdict)) *propagation.Verdict {
		v := served
		edit(&v)
		return &v
	}
	for name, c := range map[string]struct {
		outcome   outcome
		joins     bool // the fleet is not there
		suspended bool
		want      [4]string // Accepted, KeyResolved, Programmed, Ready
		state     kstatuscheck.State
	}{
		"served by every receiver": {outcome{resolved: resolved, verdict: &served}, false, false,
			[4]string{"True Accepted", "True Resolved", "True Programmed", "True Ready"}, kstatuscheck.Current},
		"not looked at by its fleet": {outcome{resolved: resolved}, false, false,
			[4]string{"Unknown Progressing", "True Resolved", "False Progressing", "False Progressing"},
			kstatuscheck.InProgress},
		"not confirmed": {outcome{resolved: resolved, verdict: with(func(v *propagation.Verdict) { v.Confirmed = false })},
			false, false,
			[4]string{"True Accepted", "True Resolved", "True Programmed", "False Propagating"}, kstatuscheck.InProgress},
		"without a ready receiver": {outcome{resolved: resolved,
			verdict: with(func(v *propagation.Verdict) { v.Available, v.Confirmed = false, false })}, false, false,
			[4]string{"True Accepted", "True Resolved", "True Programmed", "False Unavailable"}, kstatuscheck.InProgress},
		"not yet in the configuration": {outcome{resolved: resolved,
			verdict: with(func(v *propagation.Verdict) { v.Revision = "" })}, false, false,
			[4]string{"True Accepted", "True Resolved", "False Progressing", "False Progressing"}, kstatuscheck.InProgress},
		"invalid, served as it was": {outcome{resolved: resolved, verdict: with(func(v *propagation.Verdict) {
			v.Accepted, v.Reason, v.Message, v.Former = false, v1alpha1.ReasonInvalid, "why", true
		})}, false, false,
			[4]string{"False Invalid", "True Resolved", "False Invalid", "False Invalid"}, kstatuscheck.Failed},
		"its Secret is gone, its keys are valid": {outcome{resolved: missing, verdict: &served}, false, false,
			[4]string{"True Accepted", "False SecretNotFound", "True Programmed", "False SecretNotFound"},
			kstatuscheck.InProgress},
		"its fleet is missing": {outcome{resolved: resolved}, true, false,
			[4]string{"False FleetNotFound", "True Resolved", "False FleetNotFound", "False FleetNotFound"},
			kstatuscheck.InProgress},
		"its own fleet is about to be made": {outcome{resolved: resolved, verdict: &served}, true, false,
			[4]string{"Unknown Progressing", "True Resolved", "False Progressing", "False Progressing"},
			kstatuscheck.InProgress},
		"suspended, and its own fleet is gone": {outcome{verdict: &served}, true, true,
			[4]string{"False FleetNotFound", "Unknown Suspended", "False FleetNotFound", "False FleetNotFound"},
			kstatuscheck.InProgress},
		"its fleet's name is taken": {outcome{resolved: resolved, fleetTaken: true}, false, false,
			[4]string{"False Invalid", "True Resolved", "False Invalid", "False Invalid"}, kstatuscheck.Failed},
		"suspended while served": {outcome{verdict: with(func(v *propagation.Verdict) { v.Former = true })}, false, true,
			[4]string{"True Accepted", "Unknown Suspended", "True Suspended", "True Ready"}, kstatuscheck.Current},
		"suspended before it was ever served": {outcome{verdict: with(func(v *propagation.Verdict) { v.Revision = "" })},
			false, true,
			[4]string{"True Accepted", "Unknown Suspended", "False Suspended", "False Suspended"}, kstatuscheck.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScope()
			s.endpoint.Generation, s.endpoint.Spec.Suspend = 3, c.suspended
			s.fleetName = types.NamespacedName{Namespace: "ads", Name: "shared"}
			s.own = !c.joins || strings.Contains(name, "own fleet")
			if !c.joins {
				s.fleet = &v1alpha1.ReceiverFleet{}
			}
			c.outcome.now = start
			next, _, ok := report(s, c.outcome)
			if !ok {
				t.Fatal("it says nothing")
			}
			var got [4]string
			for i, kind := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionKeyResolved,
				v1alpha1.ConditionProgrammed, v1alpha1.ConditionReady} {
				condition := meta.FindStatusCondition(next.Conditions, kind)
				got[i] = string(condition.Status) + " " + condition.Reason
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			object := kstatuscheck.Object{Generation: 3, ObservedGeneration: next.ObservedGeneration,
				Conditions: next.Conditions}
			if err := kstatuscheck.Check(object); err != nil {
				t.Error(err)
			}
			if state := kstatuscheck.Read(object); state != c.state {
				t.Errorf("it is %s", state)
			}
		})
	}
}

func TestAnEndpointKeepsItsConditionsUntilItsFleetHasSpoken(t *testing.T) {
	s := newScope()
	s.fleet = &v1alpha1.ReceiverFleet{}
	s.endpoint.Generation = 2
	s.endpoint.Status = v1alpha1.PostbackEndpointStatus{
		ObservedGeneration: 1,
		Conditions:         []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}},
	}
	if next, _, ok := report(s, outcome{now: start}); ok {
		t.Errorf("it says %+v", next)
	}
}

func TestAnEndpointKeepsItsConditionsWhileReceiversAreAboutToConfirm(t *testing.T) {
	for name, c := range map[string]struct {
		after  time.Duration
		silent bool // it has no conditions yet
		wait   time.Duration
	}{
		"at once":                   {0, false, propagation.Patience},
		"after a while":             {time.Second, false, propagation.Patience - time.Second},
		"when patience is over":     {propagation.Patience, false, 0},
		"one without any condition": {0, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScope()
			s.fleet = &v1alpha1.ReceiverFleet{}
			if !c.silent {
				s.endpoint.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}}
			}
			verdict := propagation.Verdict{Accepted: true, Revision: "r", Available: true, Since: start}
			resolved := status.True(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonResolved, "there")
			next, wait, ok := report(s, outcome{now: start.Add(c.after), resolved: resolved, verdict: &verdict})
			if wait != c.wait || ok != (c.wait == 0) {
				t.Errorf("it waits %v, says something: %v", wait, ok)
			}
			if ok && meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionReady).Reason != v1alpha1.ReasonPropagating {
				t.Errorf("it says %+v", next.Conditions)
			}
		})
	}
}

func TestTheStatusTellsOfKeysWithoutGivingThemAway(t *testing.T) {
	s := newScope()
	reconcile := func(at time.Time) rotation.Ring {
		d := credential.Endpoint(s.endpoint, &s.credentials, at, random.Source())
		s.credentials.Keyring, s.credentials.Revision = d.Keyring, d.Generated.Revision
		s.credentials.Caller.Data = map[string][]byte{"key": []byte(d.Generated.Key),
			"clickToken": []byte(d.Generated.ClickToken)}
		return d.Keyring.Ring
	}
	reconcile(start)
	s.endpoint.Spec.Key.Revision = 2
	ring := reconcile(start.Add(time.Hour))
	var second string
	for _, e := range ring[rotation.Postback] {
		if e.Active() {
			second = e.ID
		}
	}
	s.endpoint.Spec.Key.Revision, s.endpoint.Spec.Key.Revoked = 3, []string{second}
	described := status.Keys(reconcile(start.Add(2 * time.Hour))[rotation.Postback])
	retired := metav1.NewTime(start.Add(73 * time.Hour))
	var got []v1alpha1.KeyState
	for _, key := range described {
		got = append(got, key.State)
		if key.State == v1alpha1.KeyRetiring && !key.RetireAt.Equal(&retired) {
			t.Errorf("it retires at %v", key.RetireAt)
		}
	}
	slices.Sort(got) // the ids that sort them are random
	if diff := cmp.Diff([]v1alpha1.KeyState{v1alpha1.KeyActive, v1alpha1.KeyRetiring, v1alpha1.KeyRevoked},
		got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
