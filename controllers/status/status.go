// Package status makes conditions that say what is, in the manner of kstatus: Ready for the whole; Reconciling and
// Stalled only while they hold, and never both. It asks nobody: what was found is passed in.
package status

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Finding is the content of a condition.
type Finding struct {
	Type    string
	Status  metav1.ConditionStatus
	Reason  string
	Message string
}

// True returns a finding that holds.
func True(kind, reason, message string) Finding {
	return Finding{Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: message}
}

// False returns a finding that does not hold.
func False(kind, reason, message string) Finding {
	return Finding{Type: kind, Status: metav1.ConditionFalse, Reason: reason, Message: message}
}

// Unknown returns a finding about which nothing can be said yet.
func Unknown(kind, reason, message string) Finding {
	return Finding{Type: kind, Status: metav1.ConditionUnknown, Reason: reason, Message: message}
}

// maxMessage is the API's bound on a condition's message, in bytes to be safe.
const maxMessage = 32 << 10

// Conditions returns what was found as conditions, sorted by type, with the times of those in before that say the same.
// From the finding about Ready follow Reconciling and Stalled: what is not ready is Stalled when stalled, so that only
// the user's change will help, and Reconciling otherwise.
func Conditions(before []metav1.Condition, generation int64, now time.Time, stalled bool,
	found ...Finding) []metav1.Condition {
	if i := slices.IndexFunc(found, func(f Finding) bool { return f.Type == v1alpha1.ConditionReady }); i >= 0 &&
		found[i].Status != metav1.ConditionTrue {
		progress := v1alpha1.ConditionReconciling
		if stalled {
			progress = v1alpha1.ConditionStalled
		}
		found = append(slices.Clone(found), True(progress, found[i].Reason, found[i].Message))
	}
	conditions := make([]metav1.Condition, 0, len(found))
	for _, f := range found {
		condition := metav1.Condition{
			Type: f.Type, Status: f.Status, Reason: f.Reason, Message: f.Message[:min(len(f.Message), maxMessage)],
			ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
		}
		if was := meta.FindStatusCondition(before, f.Type); was != nil && was.Status == f.Status {
			condition.LastTransitionTime = was.LastTransitionTime
		}
		conditions = append(conditions, condition)
	}
	slices.SortFunc(conditions, func(a, b metav1.Condition) int { return cmp.Compare(a.Type, b.Type) })
	return conditions
}

// Changed returns the conditions of after whose status or reason is not that of before, except Reconciling and Stalled,
// which repeat Ready. They are what events tell.
func Changed(before, after []metav1.Condition) []metav1.Condition {
	var changed []metav1.Condition
	for _, condition := range after {
		if condition.Type == v1alpha1.ConditionReconciling || condition.Type == v1alpha1.ConditionStalled {
			continue
		}
		was := meta.FindStatusCondition(before, condition.Type)
		if was == nil || was.Status != condition.Status || was.Reason != condition.Reason {
			changed = append(changed, condition)
		}
	}
	return changed
}
