package fleet

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/served"
	"github.com/postback-dev/postback-operator/controllers/status"
)

type verdicts = map[types.NamespacedName]propagation.Verdict

// allAsked reports whether something is known of every receiver. Before that, after a start of the operator, endpoints
// keep their conditions.
func allAsked(answers map[string]propagation.Answer) bool {
	for _, answer := range answers {
		if !answer.Asked {
			return false
		}
	}
	return true
}

// settling reports whether the status should wait for the first answers of receivers: what it says of this declaration
// would only be taken back for a moment.
func (s *scope) settling(answers map[string]propagation.Answer) bool {
	was := &s.fleet.Status
	return !allAsked(answers) && len(was.Conditions) > 0 && was.ObservedGeneration == s.fleet.Generation
}

// patience returns how long the status should yet wait for receivers to take up a configuration that is wanted since
// then: they do so in a moment, and a status that said so in between would be two writes for each change of an
// endpoint.
func (s *scope) patience(p *plan, answers map[string]propagation.Answer, since, now time.Time) time.Duration {
	behind := 0
	for _, answer := range answers {
		if answer.Revision != p.revision {
			behind++
		}
	}
	if behind == 0 || len(s.fleet.Status.Conditions) == 0 {
		return 0
	}
	return max(0, since.Add(propagation.Patience).Sub(now))
}

// judge completes the verdicts by what receivers serve. key gives the name under which the history has an object.
func judge(found, before verdicts, key func(types.NamespacedName) types.NamespacedName,
	history map[string]propagation.Contents, answers map[string]propagation.Answer, now time.Time) verdicts {
	judged := verdicts{}
	for name, verdict := range found {
		verdict.Available = len(answers) > 0
		was, known := before[name]
		verdict.Since = now
		if known && (was.Revision == verdict.Revision || was.Revision != "" && !was.Confirmed) {
			verdict.Since = was.Since
		}
		held := known && was.Confirmed && was.Revision == verdict.Revision
		verdict.Confirmed = verdict.Revision != "" && verdict.Available &&
			confirmed(key(name), verdict.Revision, held, history, answers)
		judged[name] = verdict
	}
	return judged
}

// asItIs is the key of endpoints.
func asItIs(endpoint types.NamespacedName) types.NamespacedName { return endpoint }

// confirmed reports whether every receiver serves an endpoint or campaign in its wanted revision. A receiver that has
// not answered yet, like one that was added, doesn't take back what was confirmed before.
func confirmed(name types.NamespacedName, revision string, held bool, history map[string]propagation.Contents,
	answers map[string]propagation.Answer) bool {
	for _, answer := range answers {
		if answer.Revision == "" && held {
			continue
		}
		if history[answer.Revision][name] != revision {
			return false
		}
	}
	return true
}

// unprogrammed says of all endpoints that they are not in the configuration as declared, because there is none.
func unprogrammed(found verdicts) verdicts {
	all := maps.Clone(found)
	for name, verdict := range all {
		verdict.Revision, verdict.Former = "", false
		all[name] = verdict
	}
	return all
}

// report is pure.
func report(s *scope, p *plan, answers map[string]propagation.Answer, problems []error,
	now time.Time) v1alpha1.ReceiverFleetStatus {
	fleet := s.fleet
	next := v1alpha1.ReceiverFleetStatus{
		ObservedGeneration: fleet.Generation,
		Replicas:           s.workload.existing,
		Selector:           resources.FleetSelector(fleet.Name),
		Revision:           p.settings,
		Store:              fleet.Spec.Store.Kind(),
	}
	if s.storeKept != nil || len(s.podProblems) > 0 { // then there is no other workload than before
		next.Store = fleet.Status.Store
	}
	if p.problem != nil {
		next.Revision = fleet.Status.Revision
	}
	for _, verdict := range p.verdicts {
		switch {
		case !verdict.Accepted:
			next.Endpoints.Rejected++
		case verdict.Revision != "": // the others wait for their key
			next.Endpoints.Accepted++
		}
	}
	for _, answer := range answers {
		if p.problem == nil && answer.Revision == p.revision {
			next.ConfirmedReplicas++
		}
	}
	serving := len(answers)
	if p.problem != nil {
		serving = len(receivers(s.pods))
	}
	available := s.availability(serving)
	propagated := propagatedness(p, int(next.ConfirmedReplicas), len(answers))
	if s.atZero() && p.problem == nil {
		propagated = status.True(v1alpha1.ConditionConfigPropagated, v1alpha1.ReasonScaledToZero,
			"There is no receiver that could serve anything else.")
	}
	ready, stalled := s.readiness(problems, available, propagated)
	if s.hostOwner != nil && len(problems) == 0 {
		ready, stalled = status.False(v1alpha1.ConditionReady, v1alpha1.ReasonHostTaken, s.hostMessage()), true
	}
	if waits(ready.Reason) {
		stalled = s.grace(ready.Reason, now) == 0
	}
	found := append(lost(fleet.Status.Conditions, answers), available, propagated, s.reach, ready)
	next.Conditions = status.Conditions(fleet.Status.Conditions, fleet.Generation, now, stalled, found...)
	return next
}

// hostMessage names the owner only to those who can see it.
func (s *scope) hostMessage() string {
	who := "an older ReceiverFleet of another namespace"
	if s.hostOwner.Namespace == s.fleet.Namespace {
		who = "the older ReceiverFleet " + s.hostOwner.Name
	}
	field := "spec.host"
	if s.hostTaken != s.fleet.Spec.Host {
		field = "spec.additionalHosts: " + s.hostTaken
	}
	return field + ": it is routed to " + who + ": declare another one. Its own routes stay as they are."
}

// lost finds acknowledged postbacks that are missing. While nothing is known of a receiver, or there is none, what was
// said before stands: it is no better for that.
func lost(before []metav1.Condition, answers map[string]propagation.Answer) []status.Finding {
	const kind = v1alpha1.ConditionAcknowledgedMissing
	known, missing := len(answers) > 0, int64(0)
	for _, answer := range answers {
		known = known && answer.Revision != ""
		missing += answer.SpoolMissing
	}
	was := meta.FindStatusCondition(before, kind)
	switch {
	case !known && was != nil:
		return []status.Finding{status.True(kind, was.Reason, was.Message)}
	case missing == 0:
		return nil
	}
	return []status.Finding{status.True(kind, v1alpha1.ReasonSpoolDamaged, fmt.Sprintf(
		"Acknowledged postbacks that are missing: %d. The disk of a receiver's spool has lost what it had promised to keep. "+
			"Compare the networks' statements with the conversions, and replace the disk; docs/backup.md says how to end "+
			"this condition.",
		missing))}
}

// atZero reports whether the fleet is declared to have no receiver, and has none.
func (s *scope) atZero() bool {
	return s.workload.found && s.workload.observed && s.fleet.ScaledToZero() && s.workload.existing == 0
}

func (s *scope) availability(ready int) status.Finding {
	switch {
	case s.atZero():
		return status.False(v1alpha1.ConditionAvailable, v1alpha1.ReasonScaledToZero,
			"spec.replicas is 0: there is no receiver.")
	case ready == 0 && s.trouble.says != "":
		return status.False(v1alpha1.ConditionAvailable, v1alpha1.ReasonUnavailable,
			"No receiver is ready: "+s.trouble.says+".")
	case ready == 0:
		return status.False(v1alpha1.ConditionAvailable, v1alpha1.ReasonUnavailable, "No receiver is ready.")
	}
	return status.True(v1alpha1.ConditionAvailable, v1alpha1.ReasonAvailable, "Receivers are ready.")
}

func propagatedness(p *plan, confirmed, ready int) status.Finding {
	const kind = v1alpha1.ConditionConfigPropagated
	switch {
	case p.problem != nil:
		return status.False(kind, v1alpha1.ReasonInvalid, "The configuration stays as it was: "+p.problem.Error())
	case ready == 0:
		return status.False(kind, v1alpha1.ReasonPropagating, "There is no ready receiver to serve it.")
	case confirmed < ready:
		return status.False(kind, v1alpha1.ReasonPropagating, "Not every ready receiver serves the configuration yet.")
	}
	return status.True(kind, v1alpha1.ReasonConfirmed, "Every ready receiver serves the configuration.")
}

func (s *scope) readiness(problems []error, available, propagated status.Finding) (ready status.Finding,
	stalled bool) {
	const kind = v1alpha1.ConditionReady
	w := s.workload
	if len(problems) > 0 {
		return status.False(kind, reasonOf(problems), errors.Join(problems...).Error()), true
	}
	if len(s.missing) > 0 {
		return status.False(kind, v1alpha1.ReasonKindMissing, missingMessage(s.missing[0])), true
	}
	settled := w.found && w.observed && w.updated >= w.wanted && w.existing == w.wanted && w.available >= w.wanted
	if !settled && s.trouble.stuck {
		return status.False(kind, v1alpha1.ReasonProgressDeadlineExceeded, s.stuckMessage()), true
	}
	if s.atZero() && propagated.Status == metav1.ConditionTrue && s.reach.Status == metav1.ConditionTrue {
		return status.True(kind, v1alpha1.ReasonScaledToZero, "spec.replicas is 0, and there is no receiver."), false
	}
	for _, f := range []status.Finding{available, propagated, s.reach} {
		if f.Status != metav1.ConditionTrue {
			return status.False(kind, f.Reason, f.Message), false
		}
	}
	if !settled {
		message := fmt.Sprintf("The rollout is under way: of %d receivers not all are up to date and ready", w.wanted)
		if s.trouble.says != "" {
			message += ": " + s.trouble.says
		}
		return status.False(kind, v1alpha1.ReasonProgressing, message+"."), false
	}
	return status.True(kind, v1alpha1.ReasonReady, "All receivers are ready and serve the configuration."), false
}

// reasonOf returns the reason that all problems have.
func reasonOf(problems []error) string {
	missing := !slices.ContainsFunc(problems, func(err error) bool { return !credential.IsNotFound(err) })
	stored := new(storeError)
	switch {
	case missing:
		return v1alpha1.ReasonSecretNotFound
	case len(problems) == 1 && errors.As(problems[0], &stored):
		return v1alpha1.ReasonStoreChanged
	}
	return v1alpha1.ReasonInvalid
}

func (s *scope) stuckMessage() string {
	message := "The rollout does not get on: of " + fmt.Sprint(s.workload.wanted) + " receivers not all come up"
	if s.trouble.says == "" {
		return message + ". The events of its pods and of its workload say why."
	}
	return message + ": " + s.trouble.says + "."
}

// waits reports whether a reason of Ready is about something that may come a moment later.
func waits(reason string) bool {
	return reason == v1alpha1.ReasonKindMissing || reason == v1alpha1.ReasonSecretNotFound
}

// grace is how much longer a kind or a Secret may be missing before that counts as Stalled: it may be installed, or
// applied, in a moment. It is 0 for other reasons of Ready, too.
func (s *scope) grace(reason string, now time.Time) time.Duration {
	if !waits(reason) {
		return 0
	}
	since := now
	was := meta.FindStatusCondition(s.fleet.Status.Conditions, v1alpha1.ConditionReady)
	if was != nil && was.Reason == reason {
		since = was.LastTransitionTime.Time
	}
	return max(0, since.Add(served.Grace).Sub(now))
}
