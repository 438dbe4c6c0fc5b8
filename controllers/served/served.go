// Package served is what the reconcilers of endpoints and campaigns, the two kinds that a fleet serves, have in common:
// how they read, when they decide by the API server instead of the cache, and what they say of a fleet's verdict. It is
// plain functions for two callers.
package served

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/apply"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// Tools are what a reconciler works with.
type Tools struct {
	Writer *apply.Writer
	// Cache holds declarations and what the operator made; Live asks the API server.
	Cache, Live client.Reader
	// Secrets are those of users.
	Secrets  *lookup.Secrets
	Verdicts *propagation.VerdictStore
	Now      func() time.Time
}

// Failures remember which reconciles do not succeed.
type Failures struct {
	attempts status.Attempts
	left     status.Left
}

// Forget drops a declaration that is gone.
func (f *Failures) Forget(name types.NamespacedName) {
	f.attempts.Forget(name)
	f.left.Forget(name)
}

// Settle deals with what a reconcile of a declaration returned. say writes conditions into its status. observed is the
// generation that the status is about.
func (f *Failures) Settle(w *apply.Writer, object client.Object, observed int64, result ctrl.Result, err error,
	say func(conditions func(before []metav1.Condition) []metav1.Condition) error) (ctrl.Result, error) {
	name, generation, now := client.ObjectKeyFromObject(object), object.GetGeneration(), w.Now()
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return ctrl.Result{}, nil
	}
	if foreign := new(apply.ForeignError); errors.As(err, &foreign) {
		f.attempts.Forget(name)
		news, followed := f.left.Note(name, generation, foreign.Operator, now)
		if news {
			w.Events.Eventf(object, nil, corev1.EventTypeWarning, v1alpha1.ReasonManagedByOther, "Leave", "%s", foreign.Error())
		}
		switch {
		case observed == generation:
			return ctrl.Result{}, nil
		case now.Before(followed):
			return Again(0, followed, now), nil
		}
		return ctrl.Result{}, say(func(before []metav1.Condition) []metav1.Condition {
			return status.LeftAlone(before, generation, now, foreign)
		})
	}
	f.left.Forget(name)
	if f.attempts.Tell(name, err) {
		err = errors.Join(err, say(func(before []metav1.Condition) []metav1.Condition {
			return status.Refused(before, generation, now, err)
		}))
	}
	return result, err
}

// Reconcile reads an object and has it reconciled, unless it is gone or about to go. When that fails again, say says so
// in the object's status.
func Reconcile[T client.Object](
	ctx context.Context, t *Tools, failures *Failures, name types.NamespacedName, object T,
	reconcile func(context.Context, T) (ctrl.Result, error),
	say func(ctx context.Context, object T, conditions func([]metav1.Condition) []metav1.Condition) error,
	observed func(T) int64,
) (ctrl.Result, error) {
	err := client.IgnoreNotFound(t.Cache.Get(ctx, name, object))
	if err != nil || object.GetUID() == "" || object.GetDeletionTimestamp() != nil {
		failures.Forget(name)
		return ctrl.Result{}, err
	}
	result, err := reconcile(ctx, object)
	return failures.Settle(t.Writer, object, observed(object), result, err,
		func(conditions func([]metav1.Condition) []metav1.Condition) error {
			return say(ctx, object, conditions)
		})
}

// Scope is what one reconcile has read.
type Scope interface {
	// Observed is what was read of the credentials.
	Observed() *credential.Observed
}

// Decide observes and decides by the cache and, if that would change credentials, again by the API server: the cache
// may lag behind the operator's own last write, and a key must not be made twice. own is where observe finds the
// operator's Secrets.
func Decide[S Scope](
	t *Tools, observe func(own client.Reader) (S, error), decide func(S) *credential.Decision,
) (s S, decision *credential.Decision, err error) {
	for _, own := range []client.Reader{t.Cache, t.Live} {
		if s, err = observe(own); err != nil {
			return s, nil, err
		}
		if decision = decide(s); !decision.Changes(s.Observed()) {
			break
		}
	}
	return s, decision, nil
}

// Record writes the generated Secret, nil where the user declares one, and the keyring: before anything speaks of a
// credential it is on record. taken is what is to be said when the generated one's name belongs to somebody else's
// Secret, which at says how to use; nil when all was written.
func (t *Tools) Record(ctx context.Context, owner client.Object, d *credential.Decision, at string,
	generated *corev1ac.SecretApplyConfiguration, keyring func(ring []byte) *corev1ac.SecretApplyConfiguration,
) (taken *status.Finding, err error) {
	if g := d.Generated; g != nil {
		if g.Fresh || g.Restored {
			logf.FromContext(ctx).Info("Writing generated credentials",
				"fresh", g.Fresh, "restored", g.Restored, "revision", g.Revision, "clientRevision", g.ClientRevision)
		}
		err := t.Writer.Secret(ctx, owner, generated)
		if other := new(apply.TakenError); errors.As(err, &other) {
			says := status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretInvalid, fmt.Sprintf(
				"Secret %s exists and is not the operator's: name it in %s, or delete it.", other.Name, at))
			return &says, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if d.Keyring.Data == nil {
		return nil, nil
	}
	return nil, t.Writer.Secret(ctx, owner, keyring(d.Keyring.Data))
}

// Verdict returns what the fleet said about an object exactly as it is; nil while it has not.
func (t *Tools) Verdict(
	fleet types.NamespacedName, object client.Object, keyring credential.Keyring,
) *propagation.Verdict {
	verdict, found := t.Verdicts.Verdict(fleet, client.ObjectKeyFromObject(object))
	if !found || verdict.Input != propagation.Input(object.GetGeneration(), keyring.Data) {
		return nil
	}
	return &verdict
}

// Again is when to look again: after wait, but not later than at next; either may be zero for never.
func Again(wait time.Duration, next, now time.Time) ctrl.Result {
	if boundary := max(next.Sub(now), time.Second); !next.IsZero() && (wait == 0 || boundary < wait) {
		wait = boundary
	}
	return ctrl.Result{RequeueAfter: wait}
}

// Changed lets an event pass of a declaration that changes, or that is adopted by somebody or left by its owner.
func Changed() predicate.Predicate {
	return predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return ownerOf(e.ObjectOld) != ownerOf(e.ObjectNew) || storeChange(e.ObjectOld) != storeChange(e.ObjectNew)
		},
	})
}

func storeChange(object client.Object) string {
	return object.GetAnnotations()[v1alpha1.AnnotationStoreChange]
}

func ownerOf(object client.Object) types.UID {
	if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
		return owner.UID
	}
	return ""
}

// FleetChanged lets an event of a fleet pass whose declaration changes, or what keeps it from getting ready.
func FleetChanged() builder.Predicates {
	return builder.WithPredicates(predicate.Or(Changed(), predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool { return hindrance(e.ObjectOld) != hindrance(e.ObjectNew) },
	}))
}

// hindrance identifies what of a fleet its endpoints pass on.
func hindrance(object client.Object) string {
	fleet := object.(*v1alpha1.ReceiverFleet)
	r := &Report{Fleet: fleet, Namespace: fleet.Namespace}
	says := strconv.FormatBool(meta.IsStatusConditionTrue(fleet.Status.Conditions, v1alpha1.ConditionStalled))
	for _, f := range []*status.Finding{r.fleetStalled(), r.unreachable()} {
		if f != nil {
			says += f.Reason + f.Message
		}
	}
	return says
}

// Requests asks for the reconciles of what was found in the cache.
func Requests[T any, P interface {
	*T
	client.Object
}](ctx context.Context, found []T, err error) []reconcile.Request {
	if err != nil {
		logf.FromContext(ctx).Error(err, "Finding declarations in the cache")
		return nil
	}
	requests := make([]reconcile.Request, 0, len(found))
	for i := range found {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(P(&found[i]))})
	}
	return requests
}
