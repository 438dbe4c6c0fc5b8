package campaign

import (
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/rotation"
	"github.com/postback-dev/postback-operator/controllers/served"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// outcome is what the report is made from besides the scope.
type outcome struct {
	now time.Time
	// keyring after the reconcile; resolved says of the token.
	keyring  credential.Keyring
	resolved status.Finding
	// verdict is what the fleet said about exactly this; nil while it has not.
	verdict *propagation.Verdict
}

// report returns the status, as [served.Report] has its conditions.
func report(s *scope, o outcome) (next v1alpha1.CampaignStatus, wait time.Duration, ok bool) {
	said := served.Report{
		Now:        o.now,
		Before:     s.campaign.Status.Conditions,
		Generation: s.campaign.Generation,
		Obstacle:   obstacle(s),
		Fleet:      s.fleet,
		Namespace:  s.campaign.Namespace,
		Reason:     v1alpha1.ReasonAccepted,
		Taken:      "ReceiverFleet " + s.fleetName.Name + " takes it.",
		Resolved:   o.resolved,
		Verdict:    o.verdict,
	}
	if warnings := render.CampaignWarnings(s.campaign); len(warnings) > 0 {
		said.Reason = v1alpha1.ReasonOfferWithoutSubid
		said.Taken += " " + strings.Join(warnings, " ")
	}
	next = v1alpha1.CampaignStatus{
		ObservedGeneration: s.campaign.Generation,
		Tokens:             status.Keys(o.keyring.Ring[rotation.Campaign]),
	}
	if s.endpoint != nil {
		next.Fleet = &v1alpha1.FleetReference{Name: s.fleetName.Name, Namespace: s.fleetName.Namespace}
		if s.endpoint.Spec.Suspend {
			said.Suspended = "its endpoint is suspended."
		}
	}
	if s.fleet != nil {
		next.Link = resources.Link(s.campaign, s.fleet)
	}
	if o.verdict != nil {
		next.Revision = o.verdict.Revision
	}
	next.Conditions, wait, ok = said.Conditions()
	return next, wait, ok
}

// obstacle says why no fleet can take the campaign; nil if nothing is known.
func obstacle(s *scope) *status.Finding {
	var f status.Finding
	switch {
	case s.endpoint == nil:
		f = status.False(v1alpha1.ConditionAccepted, v1alpha1.ReasonEndpointNotFound,
			"spec.endpointRef: there is no PostbackEndpoint "+s.campaign.Spec.EndpointRef.Name+" in this namespace.")
	case s.fleet == nil && s.own && !s.endpoint.Spec.Suspend:
		f = status.Unknown(v1alpha1.ConditionAccepted, v1alpha1.ReasonProgressing,
			"The ReceiverFleet of PostbackEndpoint "+s.endpoint.Name+" is about to be made.")
	case s.fleet == nil:
		f = status.False(v1alpha1.ConditionAccepted, v1alpha1.ReasonFleetNotFound,
			"The fleet of PostbackEndpoint "+s.endpoint.Name+" is missing: its conditions say which.")
	default:
		return nil
	}
	return &f
}
