// Package endpoint reconciles PostbackEndpoints: it resolves and rotates their credentials, writes their Secrets and their
// own fleets, and reports what their fleet says of them. It makes no workload and no configuration: that is package fleet.
//
// A reconcile observes (reads), decides (pure), writes through package apply and reports.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/apply"
	"github.com/postback-dev/postback-operator/controllers/credentials"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/snippets"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// Reconciler reconciles endpoints.
type Reconciler struct {
	Writer *apply.Writer
	// Cache holds declarations and what the operator made; Live asks the API server.
	Cache, Live client.Reader
	// Secrets are those of users.
	Secrets *lookup.Secrets
	Board   *propagation.Board
	Events  events.EventRecorder
	Now     func() time.Time
}

// +kubebuilder:rbac:groups=postback.dev,resources=postbackendpoints,verbs=list;watch
// +kubebuilder:rbac:groups=postback.dev,resources=postbackendpoints/status,verbs=patch
// +kubebuilder:rbac:groups=postback.dev,resources=receiverfleets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one endpoint to what it declares, as far as it isn't its fleet's to do.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var endpoint v1alpha1.PostbackEndpoint
	if err := r.Cache.Get(ctx, request.NamespacedName, &endpoint); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if endpoint.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	result, err := r.reconcile(ctx, &endpoint)
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return ctrl.Result{}, nil
	}
	return result, err
}

func (r *Reconciler) reconcile(ctx context.Context, endpoint *v1alpha1.PostbackEndpoint) (ctrl.Result, error) {
	observe := observer{cache: r.Cache, own: r.Cache, secrets: r.Secrets}
	s, err := observe.observe(ctx, endpoint)
	if err != nil {
		return ctrl.Result{}, err
	}
	now := r.Now()
	o := outcome{now: now, ring: s.ring}
	ringData := s.ringData
	var next time.Time
	if !endpoint.Spec.Suspend {
		from := given{now: now, newKey: credentials.NewKey, newID: credentials.NewID}
		p := decide(s, from)
		if p.changes(s) {
			// The cache may lag behind the operator's own last write, and a key must not be made twice.
			observe.own = r.Live
			if s, err = observe.observe(ctx, endpoint); err != nil {
				return ctrl.Result{}, err
			}
			p = decide(s, from)
		}
		o.ring, o.resolved, ringData, next = p.ring, p.resolved, p.ringData, p.next
		if err := r.write(ctx, s, p, &o); err != nil {
			return ctrl.Result{}, err
		}
	}
	if verdict, found := r.Board.Verdict(s.fleetName, client.ObjectKeyFromObject(endpoint)); found && verdict.Input == propagation.Input(endpoint.Generation, ringData) {
		o.verdict = &verdict
	}
	wait, err := r.report(ctx, s, o)
	if err != nil {
		return ctrl.Result{}, err
	}
	if boundary := max(next.Sub(now), time.Second); !next.IsZero() && (wait == 0 || boundary < wait) {
		wait = boundary
	}
	return ctrl.Result{RequeueAfter: wait}, nil
}

// write makes the endpoint's objects, in an order in which a key is on record before anything speaks of it. Objects of
// others that stand in the way go into the outcome.
func (r *Reconciler) write(ctx context.Context, s *scope, p *plan, o *outcome) error {
	log := logf.FromContext(ctx)
	endpoint := s.endpoint
	if g := p.generated; g != nil {
		if g.fresh || g.restored {
			log.Info("Writing the generated key", "fresh", g.fresh, "restored", g.restored, "revision", g.Revision, "clientRevision", g.ClientRevision)
		}
		err := r.Writer.Secret(ctx, endpoint, resources.KeySecret(endpoint, g.Generated))
		if taken := new(apply.TakenError); errors.As(err, &taken) {
			o.ring = s.ring
			o.resolved = status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretInvalid,
				fmt.Sprintf("Secret %s exists and is not the operator's: name it in spec.key.secretRef, or delete it.", taken.Name))
			return nil
		}
		if err != nil {
			return err
		}
		if s.caller.found && g.fresh {
			r.Events.Eventf(endpoint, nil, corev1.EventTypeNormal, "KeyGenerated", "Generate", "The next key was generated.")
		}
	}
	if p.ringData != nil {
		if err := r.Writer.Secret(ctx, endpoint, resources.KeyringSecret(endpoint, p.ringData)); err != nil {
			return err
		}
	}
	if s.fleet != nil && p.key != "" {
		if err := r.Writer.Secret(ctx, endpoint, resources.URLSecret(endpoint, s.fleet, p.key)); err != nil {
			return err
		}
		texts := snippets.Endpoint(snippets.EndpointInput{
			Base: resources.BaseURL(s.fleet), Key: p.key, ClientKey: p.clientKey, Status: render.ReportedType(endpoint),
		})
		if err := r.Writer.Secret(ctx, endpoint, resources.SnippetsSecret(endpoint, texts)); err != nil {
			return err
		}
	}
	return r.ownFleet(ctx, s, o)
}

// ownFleet makes the fleet of an endpoint without fleetRef and deletes that of one which has joined another.
func (r *Reconciler) ownFleet(ctx context.Context, s *scope, o *outcome) error {
	name := client.ObjectKeyFromObject(s.endpoint)
	child := resources.Child{Kind: resources.KindReceiverFleet, Namespace: name.Namespace, Name: name.Name}
	switch {
	case s.own:
		fleet, err := resources.OwnFleet(s.endpoint)
		if err != nil {
			return err
		}
		child.Apply = fleet
	case s.fleetName == name:
		return nil
	}
	_, err := r.Writer.Child(ctx, s.endpoint, child)
	if taken := new(apply.TakenError); errors.As(err, &taken) {
		o.fleetTaken = true
		return nil
	}
	return err
}

// report writes the status, and tells of transitions in events. If the status is to wait, it says how long at most.
func (r *Reconciler) report(ctx context.Context, s *scope, o outcome) (time.Duration, error) {
	next, wait, ok := report(s, o)
	if !ok {
		return wait, nil
	}
	before := s.endpoint.Status.Conditions
	written, err := r.Writer.EndpointStatus(ctx, s.endpoint, next)
	if err != nil || !written {
		return 0, client.IgnoreNotFound(err)
	}
	status.Announce(r.Events, s.endpoint, before, next.Conditions)
	return 0, nil
}
