// Package fleet reconciles ReceiverFleets: it renders the endpoints that join into the receivers' configuration, makes
// the workload and what stands around it, sees to it that every receiver takes the configuration up, and tells each
// endpoint what became of it. Keys and keyrings of endpoints are package endpoint's.
//
// A reconcile observes (reads), decides (pure), writes through package apply and reports.
package fleet

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/apply"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/random"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/served"
)

// Reconciler reconciles fleets.
type Reconciler struct {
	Writer *apply.Writer
	// Cache holds declarations and what the operator made; Live asks the API server.
	Cache, Live client.Reader
	// Foreign holds the labels of Namespaces; nil where the operator may not read them.
	Foreign client.Reader
	// Secrets are those of users.
	Secrets *lookup.Secrets
	// Verdicts holds what became of endpoints, Campaigns what became of campaigns.
	Verdicts, Campaigns *propagation.VerdictStore

	Prober  *propagation.Prober
	History *propagation.History
	Facts   resources.Facts
	Now     func() time.Time

	failures served.Failures
	// watch adds a watch of a kind of children to the controller.
	watch func(kind schema.GroupVersionKind) error
	// watched are those that it was called with. Only the runnable that follows the kinds uses it.
	watched map[schema.GroupVersionKind]bool
}

// +kubebuilder:rbac:groups=postback.dev,resources=receiverfleets,verbs=get;list;watch
// +kubebuilder:rbac:groups=postback.dev,resources=receiverfleets/status,verbs=patch
// +kubebuilder:rbac:groups=postback.dev,resources=postbackendpoints;campaigns,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=services,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=serviceaccounts;persistentvolumeclaims,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch;patch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch,roleName=postback-operator-cluster
// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=autoscaling,resources=horizontalpodautoscalers,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies;ingresses,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=cert-manager.io,resources=certificates,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=monitoring.coreos.com,resources=podmonitors;prometheusrules,verbs=get;list;watch;create;patch;delete

// Reconcile brings one fleet to what it declares.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var fleet v1alpha1.ReceiverFleet
	err := client.IgnoreNotFound(r.Cache.Get(ctx, request.NamespacedName, &fleet))
	if err != nil {
		return ctrl.Result{}, err
	}
	if fleet.UID == "" || fleet.DeletionTimestamp != nil {
		r.Prober.Watch(request.NamespacedName, "", nil)
		r.History.Forget(request.NamespacedName)
		r.Verdicts.Forget(request.NamespacedName)
		r.Campaigns.Forget(request.NamespacedName)
		r.failures.Forget(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	result, err := r.reconcile(ctx, &fleet)
	return r.failures.Settle(r.Writer, &fleet, fleet.Status.ObservedGeneration, result, err,
		func(conditions func([]metav1.Condition) []metav1.Condition) error {
			return r.say(ctx, &fleet, conditions)
		})
}

func (r *Reconciler) reconcile(ctx context.Context, fleet *v1alpha1.ReceiverFleet) (ctrl.Result, error) {
	// An endpoint's own fleet goes with the endpoint.
	if err := r.Writer.Foreign(v1alpha1.KindReceiverFleet, fleet); err != nil {
		return ctrl.Result{}, err
	}
	observe := observer{cache: r.Cache, foreign: r.Foreign, secrets: r.Secrets}
	s, err := observe.observe(ctx, fleet, r.Facts)
	if err != nil {
		return ctrl.Result{}, err
	}
	s.egress = r.Facts.Permitted.Egress(fleet)
	s.trouble = troubleOf(s.pods, s.workload.conditions, fleet.Name, r.Now())
	p := decide(s, r.Now(), random.Source().ID)
	generates := resources.GeneratesAdminKey(fleet)
	if !bytes.Equal(p.keyring.Data, s.keyring.Data) || s.opsToken == "" || generates && s.adminKey == "" {
		// The cache may lag behind the operator's own last write, and no id or token must be given twice.
		observe.cache = r.Live
		if err := observe.credentials(ctx, s); err != nil {
			return ctrl.Result{}, err
		}
		p = decide(s, r.Now(), random.Source().ID)
	}
	p.opsToken = cmp.Or(s.opsToken, random.Source().Key())
	if generates {
		p.adminKey = cmp.Or(s.adminKey, random.Source().Key())
	}
	problems, err := r.write(ctx, s, p)
	if foreign := new(apply.ForeignError); errors.As(err, &foreign) {
		r.leave(s, p, foreign)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	wait, err := r.report(ctx, s, p, problems)
	if wait == 0 && slices.ContainsFunc(problems, isTaken) {
		wait = takenAgain
	}
	return served.Again(wait, s.trouble.again, r.Now()), err
}

// takenAgain is when an object that is in the way is looked for again: nobody watches objects of others.
const takenAgain = 20 * time.Second

func isTaken(problem error) bool {
	taken := new(apply.TakenError)
	return errors.As(problem, &taken)
}

// declaredProblems are what is wrong with the declaration and the Secrets that it names.
func (s *scope) declaredProblems() []error {
	all := append(slices.Clone(s.providers.Problems), s.podProblems...)
	all = append(all, render.CheckFleet(s.fleet), s.egress)
	return slices.DeleteFunc(all, func(err error) bool { return err == nil })
}

// write makes the fleet's objects. The problems are the user's to repair; each leaves alone what it is about.
func (r *Reconciler) write(ctx context.Context, s *scope, p *plan) (problems []error, err error) {
	fleet := s.fleet
	problems = s.declaredProblems()
	children := []resources.Child{
		resources.SecretChild(resources.OpsSecret(fleet, p.opsToken)),
		resources.AdminSecret(fleet, p.adminKey),
	}
	if p.keyring.Data != nil {
		children = append(children, resources.SecretChild(resources.RatesKeyringSecret(fleet, p.keyring.Data)))
	}
	if p.problem == nil {
		documents, err := resources.ConfigSecrets(fleet, p.documents, p.revision)
		p.problem = err
		children = append(children, documents...)
	}
	if p.problem != nil {
		problems = append(problems, p.problem)
	}
	built, err := resources.Fleet(fleet, r.Facts)
	if err != nil {
		problems = append(problems, err)
	}
	if s.hostOwner != nil {
		built = slices.DeleteFunc(built, resources.Child.IsRoute)
	}
	if s.storeKept != nil {
		problems = append(problems, s.storeKept)
		built = slices.DeleteFunc(built, ofStore)
	}
	if len(s.podProblems) > 0 {
		built = slices.DeleteFunc(built, resources.Child.IsWorkload)
	}
	secretTaken := false
	for _, child := range append(children, built...) {
		if secretTaken && child.IsWorkload() {
			continue // it would mount somebody else's Secret
		}
		written, err := r.Writer.Child(ctx, fleet, child)
		if taken := new(apply.TakenError); errors.As(err, &taken) {
			problems = append(problems, taken)
			secretTaken = secretTaken || child.Kind == resources.KindSecret
			continue
		}
		if refused := new(apply.RefusedError); errors.As(err, &refused) && refused.OfFields() {
			problems = append(problems, err)
			continue
		}
		if err != nil {
			return nil, err
		}
		if written {
			logf.FromContext(ctx).V(1).Info("Wrote a child", "kind", child.Kind.Kind, "name", child.Name)
		}
	}
	return problems, nil
}

// receivers are the ready pods.
func receivers(pods []corev1.Pod) []propagation.Receiver {
	var ready []propagation.Receiver
	for i := range pods {
		if receiver, ok := receiverOf(&pods[i]); ok {
			ready = append(ready, receiver)
		}
	}
	return ready
}

func receiverOf(pod *corev1.Pod) (propagation.Receiver, bool) {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue && pod.Status.PodIP != "" {
			return propagation.Receiver{
				ID:      string(pod.UID) + "/" + strconv.FormatInt(c.LastTransitionTime.Unix(), 10),
				Address: net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(resources.OpsPort))),
			}, true
		}
	}
	return propagation.Receiver{}, false
}

// nudge makes the kubelets of receivers that serve something else refresh the mounted configuration at once instead of
// within a minute. A receiver that was nudged to take up something else may be about to, even if it answers what is
// wanted now.
func (r *Reconciler) nudge(ctx context.Context, s *scope, revision string,
	answers map[string]propagation.Answer) error {
	for i := range s.pods {
		receiver, ready := receiverOf(&s.pods[i])
		answer := answers[receiver.ID]
		if !ready || answer.Revision == "" || cmp.Or(answer.Nudged, answer.Revision) == revision {
			continue
		}
		// After a nudge the cache may be behind.
		if answer.Nudged != "" || s.pods[i].Annotations[v1alpha1.AnnotationConfigRevision] != revision {
			if err := r.Writer.Annotate(ctx, &s.pods[i], v1alpha1.AnnotationConfigRevision, revision); err != nil {
				return err
			}
		}
		r.Prober.Nudged(client.ObjectKeyFromObject(s.fleet), receiver.ID, revision)
	}
	return nil
}

// report follows the configuration into the receivers, tells the endpoints, and writes the status. If that should wait
// for the receivers, or time alone may change it, it says how long at most.
func (r *Reconciler) report(ctx context.Context, s *scope, p *plan, problems []error) (wait time.Duration, err error) {
	name, now := client.ObjectKeyFromObject(s.fleet), r.Now()
	var answers map[string]propagation.Answer
	if p.problem == nil {
		answers = r.Prober.Watch(name, p.revision, receivers(s.pods))
		if err := r.nudge(ctx, s, p.revision, answers); err != nil {
			return 0, err
		}
		served := map[string]bool{}
		for _, answer := range answers {
			served[answer.Revision] = true
		}
		history, since := r.History.Record(name, p.revision, p.contents, served, now)
		before, published := r.Verdicts.Verdicts(name)
		if published || allAsked(answers) {
			r.Verdicts.Publish(name, judge(p.verdicts, before, asItIs, history, answers, now))
			before, _ = r.Campaigns.Verdicts(name)
			r.Campaigns.Publish(name, judge(p.campaigns, before, contentKey, history, answers, now))
		}
		if s.settling(answers) {
			return 0, nil
		}
		if wait := s.patience(p, answers, since, now); wait > 0 {
			return wait, nil
		}
	} else {
		r.Verdicts.Publish(name, unprogrammed(p.verdicts))
		r.Campaigns.Publish(name, unprogrammed(p.campaigns))
	}
	next := report(s, p, answers, problems, now)
	ready := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionReady)
	return s.grace(ready.Reason, now), r.Writer.FleetStatus(ctx, s.fleet, next)
}

// leave tells the endpoints and campaigns of a fleet that another operator has it.
func (r *Reconciler) leave(s *scope, p *plan, why *apply.ForeignError) {
	name := client.ObjectKeyFromObject(s.fleet)
	r.Prober.Watch(name, "", nil)
	for store, found := range map[*propagation.VerdictStore]verdicts{r.Verdicts: p.verdicts, r.Campaigns: p.campaigns} {
		all := verdicts{}
		for of, verdict := range found {
			all[of] = propagation.Verdict{Input: verdict.Input, Reason: v1alpha1.ReasonManagedByOther,
				Message: fmt.Sprintf("ReceiverFleet %s is the operator %q's.", name.Name, why.Operator)}
		}
		store.Publish(name, all)
	}
}

// say writes why nothing else can be said.
func (r *Reconciler) say(ctx context.Context, fleet *v1alpha1.ReceiverFleet,
	conditions func([]metav1.Condition) []metav1.Condition) error {
	next := fleet.Status
	next.ObservedGeneration = fleet.Generation
	next.Conditions = conditions(next.Conditions)
	return r.Writer.FleetStatus(ctx, fleet, next)
}
