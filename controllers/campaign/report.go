package campaign

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/rotation"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// outcome is what the report is made from besides the scope.
type outcome struct {
	now time.Time
	// ring is the keyring after the reconcile; resolved what is to be said of the token.
	ring     rotation.Ring
	resolved status.Finding
	// verdict is what the fleet said about exactly this; nil while it has not.
	verdict *propagation.Verdict
}

// report returns the status; ok is false when it is to stay as it is for now, because the fleet has not spoken yet, or
// because receivers are about to confirm the change: that may take as long as wait. Until then a campaign keeps its
// conditions: their observedGeneration tells that they are about an earlier generation.
func report(s *scope, o outcome) (next v1alpha1.CampaignStatus, wait time.Duration, ok bool) {
	before := s.campaign.Status
	accepted := acceptance(s, o)
	if accepted.Status == metav1.ConditionUnknown && len(before.Conditions) > 0 {
		return before, 0, false
	}
	programmed := programming(s, o, accepted)
	ready, stalled := readiness(o, accepted, programmed)
	if ready.Reason == v1alpha1.ReasonPropagating && len(before.Conditions) > 0 {
		if wait := o.verdict.Since.Add(propagation.Patience).Sub(o.now); wait > 0 {
			return before, wait, false
		}
	}
	next = v1alpha1.CampaignStatus{
		ObservedGeneration: s.campaign.Generation,
		Conditions: status.Conditions(before.Conditions, s.campaign.Generation, o.now, stalled,
			accepted, o.resolved, programmed, ready),
		Tokens: status.Keys(o.ring[rotation.Campaign]),
	}
	if s.endpoint != nil {
		next.Fleet = &v1alpha1.FleetReference{Name: s.fleetName.Name, Namespace: s.fleetName.Namespace}
	}
	if s.fleet != nil {
		next.Link = resources.Link(s.campaign, s.fleet)
	}
	if o.verdict != nil {
		next.Revision = o.verdict.Revision
	}
	return next, 0, true
}

func acceptance(s *scope, o outcome) status.Finding {
	const kind = v1alpha1.ConditionAccepted
	switch {
	case s.endpoint == nil:
		return status.False(kind, v1alpha1.ReasonEndpointNotFound,
			"spec.endpointRef: there is no PostbackEndpoint "+s.campaign.Spec.EndpointRef.Name+" in this namespace.")
	case s.fleet == nil && !s.own:
		return status.False(kind, v1alpha1.ReasonFleetNotFound,
			"The fleet of PostbackEndpoint "+s.endpoint.Name+" is missing: its conditions say which.")
	case o.verdict == nil:
		return status.Unknown(kind, v1alpha1.ReasonProgressing, "The fleet has not looked at it yet.")
	case !o.verdict.Accepted:
		return status.False(kind, o.verdict.Reason, o.verdict.Message)
	}
	taken := "ReceiverFleet " + s.fleetName.Name + " takes it."
	if warnings := render.CampaignWarnings(s.campaign); len(warnings) > 0 {
		return status.True(kind, v1alpha1.ReasonOfferWithoutSubid, taken+" "+strings.Join(warnings, " "))
	}
	return status.True(kind, v1alpha1.ReasonAccepted, taken)
}

func programming(s *scope, o outcome, accepted status.Finding) status.Finding {
	const kind = v1alpha1.ConditionProgrammed
	stands := o.verdict != nil && o.verdict.Revision != ""
	suspended := s.endpoint != nil && s.endpoint.Spec.Suspend
	switch {
	case stands && suspended:
		return status.True(kind, v1alpha1.ReasonSuspended, "Receivers serve it as it was last programmed: its endpoint is suspended.")
	case suspended && accepted.Status == metav1.ConditionTrue:
		return status.False(kind, v1alpha1.ReasonSuspended, "It was never programmed: its endpoint is suspended.")
	case stands && !o.verdict.Former:
		return status.True(kind, v1alpha1.ReasonProgrammed, "It stands in the configuration of its receivers.")
	}
	reason := v1alpha1.ReasonProgressing
	for _, f := range []status.Finding{accepted, o.resolved} {
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
func readiness(o outcome, accepted, programmed status.Finding) (ready status.Finding, stalled bool) {
	const kind = v1alpha1.ConditionReady
	for _, f := range []status.Finding{accepted, o.resolved} {
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
