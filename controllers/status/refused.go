package status

import (
	"context"
	"errors"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Attempts counts how often in a row the reconciles of objects have failed.
type Attempts struct {
	mu     sync.Mutex
	failed map[types.NamespacedName]int // guarded by mu
}

// Tell counts a reconcile and reports whether its error is to be said in the status: from the second try on, as the
// first may have met no more than a server that was about to restart.
func (a *Attempts) Tell(name types.NamespacedName, err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil || errors.Is(err, context.Canceled) {
		delete(a.failed, name)
		return false
	}
	if a.failed == nil {
		a.failed = map[types.NamespacedName]int{}
	}
	a.failed[name]++
	return a.failed[name] > 1
}

// Forget drops an object that is gone.
func (a *Attempts) Forget(name types.NamespacedName) { a.Tell(name, nil) }

// Refused returns the conditions of an object whose reconcile goes on failing. What was said of an earlier declaration
// is not known of this one. It is tried again, so that it is not Stalled.
func Refused(before []metav1.Condition, generation int64, now time.Time, cause error) []metav1.Condition {
	reason := v1alpha1.ReasonAPIRefused
	var reasoned interface{ Reason() string }
	if errors.As(cause, &reasoned) {
		reason = reasoned.Reason()
	}
	return unknown(before, generation, now, false, reason, cause)
}

// LeftAlone returns the conditions of an object that is left to another operator, which does not look at it.
func LeftAlone(before []metav1.Condition, generation int64, now time.Time, cause error) []metav1.Condition {
	return unknown(before, generation, now, true, v1alpha1.ReasonManagedByOther, cause)
}

// unknown says in Ready why nothing can be said, and keeps of the others what is of the same generation.
func unknown(before []metav1.Condition, generation int64, now time.Time, stalled bool, reason string,
	cause error) []metav1.Condition {
	found := []Finding{False(v1alpha1.ConditionReady, reason, cause.Error())}
	for _, c := range before {
		switch {
		case c.Type == v1alpha1.ConditionReady || c.Type == v1alpha1.ConditionReconciling ||
			c.Type == v1alpha1.ConditionStalled:
		case c.ObservedGeneration != generation:
			found = append(found, Unknown(c.Type, reason, "Ready says why that is not known."))
		default:
			found = append(found, Finding{Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message})
		}
	}
	return Conditions(before, generation, now, stalled, found...)
}
