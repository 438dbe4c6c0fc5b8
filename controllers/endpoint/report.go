package endpoint

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/rotation"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// outcome is what the report is made from besides scope and plan.
type outcome struct {
	now time.Time
	// ring is the keyring after the reconcile; resolved what is to be said of the credentials.
	ring     rotation.Ring
	resolved status.Finding
	// fleetTaken: there is a fleet of the endpoint's name that isn't its own.
	fleetTaken bool
	// verdict is what the fleet said about exactly this; nil while it has not.
	verdict *propagation.Verdict
}

// report returns the status; ok is false when it is to stay as it is for now, because the fleet has not spoken yet, or
// because receivers are about to confirm the change: that may take as long as wait. Until then an endpoint keeps its
// conditions: their observedGeneration tells that they are about an earlier generation.
func report(s *scope, o outcome) (next v1alpha1.PostbackEndpointStatus, wait time.Duration, ok bool) {
	endpoint := s.endpoint
	before := endpoint.Status
	accepted := acceptance(s, o)
	if accepted.Status == metav1.ConditionUnknown && len(before.Conditions) > 0 {
		return before, 0, false
	}
	resolved := o.resolved
	if resolved.Type == "" {
		resolved = kept(before.Conditions, v1alpha1.ConditionKeyResolved)
	}
	programmed := programming(s, o, accepted, resolved)
	ready, stalled := readiness(o, accepted, resolved, programmed)
	if ready.Reason == v1alpha1.ReasonPropagating && len(before.Conditions) > 0 {
		if wait := o.verdict.Since.Add(propagation.Patience).Sub(o.now); wait > 0 {
			return before, wait, false
		}
	}
	next = v1alpha1.PostbackEndpointStatus{
		ObservedGeneration: endpoint.Generation,
		Conditions: status.Conditions(before.Conditions, endpoint.Generation, o.now, stalled,
			accepted, resolved, programmed, ready),
		Fleet:       &v1alpha1.FleetReference{Name: s.fleetName.Name, Namespace: s.fleetName.Namespace},
		URLTemplate: before.URLTemplate,
		Keys:        status.Keys(o.ring[rotation.Postback]),
		ClientKeys:  status.Keys(o.ring[rotation.Browser]),
	}
	if s.fleet != nil {
		next.URLTemplate = resources.URLTemplate(s.fleet)
	}
	if o.verdict != nil {
		next.Revision = o.verdict.Revision
	}
	return next, 0, true
}

func acceptance(s *scope, o outcome) status.Finding {
	const kind = v1alpha1.ConditionAccepted
	switch {
	case o.fleetTaken:
		return status.False(kind, v1alpha1.ReasonInvalid,
			"There is a ReceiverFleet of the endpoint's name: name it in spec.fleetRef to join it, or rename one of them.")
	case s.fleet == nil && !s.own:
		return status.False(kind, v1alpha1.ReasonFleetNotFound, "spec.fleetRef: there is no ReceiverFleet "+s.fleetName.String()+".")
	case o.verdict == nil:
		return status.Unknown(kind, v1alpha1.ReasonProgressing, "The fleet has not looked at it yet.")
	case !o.verdict.Accepted:
		return status.False(kind, o.verdict.Reason, o.verdict.Message)
	}
	return status.True(kind, v1alpha1.ReasonAccepted, "ReceiverFleet "+s.fleetName.Name+" takes it.")
}

func programming(s *scope, o outcome, accepted, resolved status.Finding) status.Finding {
	const kind = v1alpha1.ConditionProgrammed
	stands := o.verdict != nil && o.verdict.Revision != ""
	suspended := s.endpoint.Spec.Suspend
	switch {
	case stands && suspended:
		return status.True(kind, v1alpha1.ReasonSuspended, "Its receivers serve it as it was last programmed: spec.suspend is set.")
	case suspended:
		return status.False(kind, v1alpha1.ReasonSuspended, "It was never programmed: spec.suspend is set.")
	case stands && !o.verdict.Former:
		return status.True(kind, v1alpha1.ReasonProgrammed, "It stands in the configuration of its receivers.")
	}
	reason := v1alpha1.ReasonProgressing
	for _, f := range []status.Finding{accepted, resolved} {
		if f.Status == metav1.ConditionFalse {
			reason = f.Reason
			break
		}
	}
	if stands {
		return status.False(kind, reason, "Its receivers serve it as it was before.")
	}
	return status.False(kind, reason, "It is not in the configuration of its receivers.")
}

// readiness judges the whole; stalled means that waiting won't help.
func readiness(o outcome, accepted, resolved, programmed status.Finding) (ready status.Finding, stalled bool) {
	const kind = v1alpha1.ConditionReady
	for _, f := range []status.Finding{accepted, resolved} {
		if f.Status == metav1.ConditionFalse {
			return status.False(kind, f.Reason, f.Message), true
		}
	}
	switch {
	case programmed.Status != metav1.ConditionTrue:
		return status.False(kind, programmed.Reason, programmed.Message), programmed.Reason == v1alpha1.ReasonSuspended
	case !o.verdict.Available:
		return status.False(kind, v1alpha1.ReasonUnavailable, "No receiver of the fleet is ready."), false
	case !o.verdict.Confirmed:
		return status.False(kind, v1alpha1.ReasonPropagating, "Not every ready receiver serves it yet."), false
	}
	return status.True(kind, v1alpha1.ReasonReady, "Every ready receiver serves it."), false
}

// kept repeats what a condition said. Before it said anything nothing is known.
func kept(before []metav1.Condition, kind string) status.Finding {
	if c := meta.FindStatusCondition(before, kind); c != nil {
		return status.Finding{Type: kind, Status: c.Status, Reason: c.Reason, Message: c.Message}
	}
	return status.Unknown(kind, v1alpha1.ReasonSuspended, "It was not looked at: spec.suspend is set.")
}
