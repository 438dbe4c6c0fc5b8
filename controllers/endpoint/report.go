package endpoint

import (
	"time"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/rotation"
	"github.com/postback-dev/postback-operator/controllers/served"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// outcome is what the report is made from besides the scope.
type outcome struct {
	now time.Time
	// keyring after the reconcile; resolved says of the credentials, nothing while the endpoint is suspended.
	keyring  credential.Keyring
	resolved status.Finding
	// fleetTaken: there is a fleet of the endpoint's name that isn't its own.
	fleetTaken bool
	// verdict is what the fleet said about exactly this; nil while it has not.
	verdict *propagation.Verdict
}

// report returns the status, as [served.Report] has its conditions.
func report(s *scope, o outcome) (next v1alpha1.PostbackEndpointStatus, wait time.Duration, ok bool) {
	endpoint := s.endpoint
	said := served.Report{
		Now:        o.now,
		Before:     endpoint.Status.Conditions,
		Generation: endpoint.Generation,
		Obstacle:   obstacle(s, o),
		Fleet:      s.fleet,
		Namespace:  endpoint.Namespace,
		Reason:     v1alpha1.ReasonAccepted,
		Taken:      "ReceiverFleet " + s.fleetName.Name + " takes it.",
		Resolved:   o.resolved,
		Verdict:    o.verdict,
	}
	if endpoint.Spec.Suspend {
		said.Suspended = "spec.suspend is set."
	}
	next = v1alpha1.PostbackEndpointStatus{
		ObservedGeneration: endpoint.Generation,
		Fleet:              &v1alpha1.FleetReference{Name: s.fleetName.Name, Namespace: s.fleetName.Namespace},
		URLTemplate:        endpoint.Status.URLTemplate,
		Keys:               status.Keys(o.keyring.Ring[rotation.Postback]),
		ClientKeys:         status.Keys(o.keyring.Ring[rotation.Browser]),
	}
	if s.fleet != nil {
		next.URLTemplate = resources.URLTemplate(s.fleet)
	}
	if o.verdict != nil {
		next.Revision = o.verdict.Revision
	}
	next.Conditions, wait, ok = said.Conditions()
	return next, wait, ok
}

// obstacle says why no fleet can take the endpoint; nil if nothing is known.
func obstacle(s *scope, o outcome) *status.Finding {
	var f status.Finding
	switch {
	case o.fleetTaken:
		f = status.False(v1alpha1.ConditionAccepted, v1alpha1.ReasonInvalid,
			"There is a ReceiverFleet of the endpoint's name: name it in spec.fleetRef to join it, or rename one of them.")
	case s.fleet == nil && !s.own:
		f = status.False(v1alpha1.ConditionAccepted, v1alpha1.ReasonFleetNotFound,
			"spec.fleetRef: there is no ReceiverFleet "+s.fleetName.String()+".")
	case s.fleet == nil && s.endpoint.Spec.Suspend:
		f = status.False(v1alpha1.ConditionAccepted, v1alpha1.ReasonFleetNotFound,
			"Its ReceiverFleet is gone. It is made again when spec.suspend is unset.")
	case s.fleet == nil:
		f = status.Unknown(v1alpha1.ConditionAccepted, v1alpha1.ReasonProgressing, "Its ReceiverFleet is about to be made.")
	default:
		return nil
	}
	return &f
}
