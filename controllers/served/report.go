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
	// Taken is what is said when the fleet takes it, as a reason of Accepted and a message.
	Reason, Taken string
	// Resolved says of the credentials; without a type it is what was said before.
	Resolved status.Finding
	// Suspended says what keeps the fleet from serving it as declared; empty if it isn't suspended.
	Suspended string
	// Verdict is what the fleet said about exactly this; nil while it has not.
	Verdict *propagation.Verdict
}

// Conditions returns the conditions; ok is false when they are to stay as they are for now, because the fleet has not spoken
// yet, or because receivers are about to confirm the change: that may take as long as wait. Until then their
// observedGeneration tells that they are about an earlier generation.
func (r *Report) Conditions() (conditions []metav1.Condition, wait time.Duration, ok bool) {
	accepted := r.acceptance()
	if accepted.Status == metav1.ConditionUnknown && len(r.Before) > 0 {
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
	return status.Conditions(r.Before, r.Generation, r.Now, stalled, accepted, r.Resolved, programmed, ready), 0, true
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
	case programmed.Status != metav1.ConditionTrue:
		return status.False(kind, programmed.Reason, programmed.Message), programmed.Reason == v1alpha1.ReasonSuspended
	case !r.Verdict.Available:
		return status.False(kind, v1alpha1.ReasonUnavailable, "No receiver of the fleet is ready."), false
	case !r.Verdict.Confirmed:
		return status.False(kind, v1alpha1.ReasonPropagating, "Not every ready receiver serves it yet."), false
	}
	return status.True(kind, v1alpha1.ReasonReady, "Every ready receiver serves it."), false
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
