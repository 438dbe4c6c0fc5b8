package served

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// Report is what an endpoint's or a campaign's conditions are made from.
type Report struct {
	Now time.Time
	// Before are the conditions so far.
	Before     []metav1.Condition
	Generation int64
	// Obstacle says why the fleet can't take it, whatever its verdict; nil if nothing is known.
	Obstacle *status.Finding
	// Fleet is nil while there is none, Namespace that of the declaration.
	Fleet     *v1alpha1.ReceiverFleet
	Namespace string
	// Taken is what is said when the fleet takes it, as a reason of Accepted and a message.
	Reason, Taken string
	// Resolved says of the credentials; without a type it is what was said before.
	Resolved status.Finding
	// Suspended says what keeps the fleet from serving it as declared; empty if it isn't suspended.
	Suspended string
	// Verdict is what the fleet said about exactly this; nil while it has not.
	Verdict *propagation.Verdict
}

// Grace is how long what is named may be missing before that counts as Stalled: an object that is applied before what
// it names is not wrong.
const Grace = 5 * time.Minute

// Conditions returns the conditions; ok is false when they are to stay as they are for now, because the fleet has not
// spoken yet, or because receivers are about to confirm the change. Until then their observedGeneration tells that they
// are about an earlier generation. If time alone may change them, they are to be made again after wait.
func (r *Report) Conditions() (conditions []metav1.Condition, wait time.Duration, ok bool) {
	if r.Fleet == nil {
		r.Verdict = nil // it is about a fleet that is gone
	}
	accepted := r.acceptance()
	if accepted.Status == metav1.ConditionUnknown && r.Obstacle == nil && len(r.Before) > 0 {
		return nil, 0, false
	}
	if r.Resolved.Type == "" {
		r.Resolved = r.kept(v1alpha1.ConditionKeyResolved)
	}
	programmed := r.programming(accepted)
	ready, stalled := r.readiness(accepted, programmed)
	if ready.Reason == v1alpha1.ReasonPropagating && len(r.Before) > 0 {
		if wait := r.Verdict.Since.Add(propagation.Patience).Sub(r.Now); wait > 0 {
			return nil, wait, false
		}
	}
	if f, found := firstFalse(accepted, r.Resolved); found { // what the fleet waits for is in its own status
		wait = r.grace(f.Reason)
		stalled = stalled && wait == 0
	}
	return status.Conditions(r.Before, r.Generation, r.Now, stalled, accepted, r.Resolved, programmed, ready), wait, true
}

// grace is how much longer something that is named may be missing; 0 if nothing is, or for too long.
func (r *Report) grace(reason string) time.Duration {
	of := v1alpha1.ConditionAccepted
	switch reason {
	case v1alpha1.ReasonFleetNotFound, v1alpha1.ReasonEndpointNotFound:
	case v1alpha1.ReasonSecretNotFound:
		of = v1alpha1.ConditionKeyResolved
	default:
		return 0
	}
	since := r.Now
	if was := meta.FindStatusCondition(r.Before, of); was != nil && was.Status == metav1.ConditionFalse {
		since = was.LastTransitionTime.Time
	}
	return max(0, since.Add(Grace).Sub(r.Now))
}

func (r *Report) acceptance() status.Finding {
	const kind = v1alpha1.ConditionAccepted
	switch {
	case r.Obstacle != nil:
		return *r.Obstacle
	case r.Verdict == nil:
		return status.Unknown(kind, v1alpha1.ReasonProgressing, "Waiting for the fleet to reconcile.")
	case !r.Verdict.Accepted:
		return status.False(kind, r.Verdict.Reason, r.Verdict.Message)
	}
	return status.True(kind, r.Reason, r.Taken)
}

func (r *Report) programming(accepted status.Finding) status.Finding {
	const kind = v1alpha1.ConditionProgrammed
	stands := r.Verdict != nil && r.Verdict.Revision != ""
	switch {
	case stands && r.Suspended != "":
		return status.True(kind, v1alpha1.ReasonSuspended, "Its receivers serve it as it was last programmed: "+r.Suspended)
	case r.Suspended != "" && accepted.Status == metav1.ConditionTrue:
		return status.False(kind, v1alpha1.ReasonSuspended, "It was never programmed: "+r.Suspended)
	case stands && !r.Verdict.Former:
		return status.True(kind, v1alpha1.ReasonProgrammed, "It is in the configuration of its receivers.")
	}
	reason := v1alpha1.ReasonProgressing
	if f, found := firstFalse(accepted, r.Resolved); found {
		reason = f.Reason
	}
	if stands {
		return status.False(kind, reason, "Its receivers serve it as it was before.")
	}
	return status.False(kind, reason, "It is not in the configuration of its receivers.")
}

// readiness judges the whole; stalled means that waiting won't help.
func (r *Report) readiness(accepted, programmed status.Finding) (ready status.Finding, stalled bool) {
	const kind = v1alpha1.ConditionReady
	if f, found := firstFalse(accepted, r.Resolved); found {
		return status.False(kind, f.Reason, f.Message), true
	}
	switch {
	case accepted.Status == metav1.ConditionUnknown && r.Obstacle != nil:
		return status.False(kind, accepted.Reason, accepted.Message), false
	case programmed.Status != metav1.ConditionTrue:
		return status.False(kind, programmed.Reason, programmed.Message), programmed.Reason == v1alpha1.ReasonSuspended
	case r.fleetStalled() != nil:
		return *r.fleetStalled(), true
	case !r.Verdict.Available && r.Fleet != nil && r.Fleet.ScaledToZero():
		return status.False(kind, v1alpha1.ReasonScaledToZero, "Nothing serves it: the fleet's spec.replicas is 0."), true
	case !r.Verdict.Available:
		return status.False(kind, v1alpha1.ReasonUnavailable,
			"No receiver of the fleet is ready: the conditions of the ReceiverFleet say why."), false
	case !r.Verdict.Confirmed:
		return status.False(kind, v1alpha1.ReasonPropagating, "Not every ready receiver serves it yet."), false
	}
	if f := r.unreachable(); f != nil {
		stalled := meta.FindStatusCondition(r.Fleet.Status.Conditions, v1alpha1.ConditionStalled)
		return *f, stalled != nil && stalled.Reason == f.Reason
	}
	return status.True(kind, v1alpha1.ReasonReady, "Every ready receiver serves it."), false
}

// fleetStalled says why the fleet won't get ready; nil if it may. What it says in full is for its own namespace only.
func (r *Report) fleetStalled() *status.Finding {
	if r.Fleet == nil {
		return nil
	}
	stalled := meta.FindStatusCondition(r.Fleet.Status.Conditions, v1alpha1.ConditionStalled)
	if stalled == nil || stalled.Status != metav1.ConditionTrue {
		return nil
	}
	switch {
	case stalled.Reason == v1alpha1.ReasonProgressDeadlineExceeded &&
		meta.IsStatusConditionTrue(r.Fleet.Status.Conditions, v1alpha1.ConditionAvailable):
		return nil // the former receivers go on serving
	case stalled.Reason == v1alpha1.ReasonKindMissing:
		return nil // unreachable says whether that concerns anybody but the fleet
	}
	return r.ofFleet(stalled)
}

// unreachable says that something which leads to the fleet is not in order; nil if nothing is known of that.
func (r *Report) unreachable() *status.Finding {
	if r.Fleet == nil {
		return nil
	}
	c := meta.FindStatusCondition(r.Fleet.Status.Conditions, v1alpha1.ConditionReachable)
	if c == nil || c.Status != metav1.ConditionFalse {
		return nil
	}
	return r.ofFleet(c)
}

// ofFleet passes on what a condition of the fleet says, in full only to its own namespace.
func (r *Report) ofFleet(c *metav1.Condition) *status.Finding {
	f := status.False(v1alpha1.ConditionReady, c.Reason, "ReceiverFleet "+r.Fleet.Name+": "+c.Message)
	if r.Fleet.Namespace != r.Namespace {
		f.Message = "ReceiverFleet " + r.Fleet.Name + " is not ready: its conditions say why."
	}
	return &f
}

func firstFalse(findings ...status.Finding) (status.Finding, bool) {
	for _, f := range findings {
		if f.Status == metav1.ConditionFalse {
			return f, true
		}
	}
	return status.Finding{}, false
}

// kept repeats what a condition said. Before it said anything nothing is known.
func (r *Report) kept(kind string) status.Finding {
	if c := meta.FindStatusCondition(r.Before, kind); c != nil {
		return status.Finding{Type: kind, Status: c.Status, Reason: c.Reason, Message: c.Message}
	}
	return status.Unknown(kind, v1alpha1.ReasonSuspended, "It was not looked at: spec.suspend is set.")
}

// Resolved says of the credentials what was decided.
func Resolved(says credential.Says) status.Finding {
	if !says.Resolved {
		return status.False(v1alpha1.ConditionKeyResolved, says.Reason, says.Message)
	}
	return status.True(v1alpha1.ConditionKeyResolved, says.Reason, says.Message)
}
