// Package endpoint reconciles PostbackEndpoints: it resolves and rotates their credentials, writes their Secrets and
// their own fleets, and reports what their fleet says of them. It makes no workload and no configuration: that is
// package fleet.
//
// A reconcile observes (reads), decides (pure), writes through package apply and reports.
package endpoint

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/apply"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/random"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/served"
	"github.com/postback-dev/postback-operator/controllers/snippets"
)

// Reconciler reconciles endpoints.
type Reconciler struct {
	served.Tools
	// Foreign is the cache of the metadata of Namespaces; nil where they can't be read.
	Foreign  client.Reader
	failures served.Failures
}

// +kubebuilder:rbac:groups=postback.dev,resources=postbackendpoints,verbs=list;watch
// +kubebuilder:rbac:groups=postback.dev,resources=postbackendpoints/status,verbs=patch
// +kubebuilder:rbac:groups=postback.dev,resources=receiverfleets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one endpoint to what it declares, as far as it isn't its fleet's to do.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	return served.Reconcile(ctx, &r.Tools, &r.failures, request.NamespacedName, &v1alpha1.PostbackEndpoint{}, r.reconcile,
		r.say, func(endpoint *v1alpha1.PostbackEndpoint) int64 { return endpoint.Status.ObservedGeneration })
}

func (r *Reconciler) reconcile(ctx context.Context, endpoint *v1alpha1.PostbackEndpoint) (ctrl.Result, error) {
	now := r.Now()
	s, d, err := served.Decide(&r.Tools, func(own client.Reader) (*scope, error) {
		return r.observe(ctx, own, endpoint)
	}, func(s *scope) *credential.Decision {
		if endpoint.Spec.Suspend {
			return &credential.Decision{Keyring: s.credentials.Keyring}
		}
		return credential.Endpoint(endpoint, &s.credentials, now, random.Source())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	o := outcome{now: now, keyring: d.Keyring}
	if endpoint.Spec.Suspend {
		err = r.writeURL(ctx, s, s.key)
	} else {
		o.resolved = served.Resolved(d.Says)
		err = r.write(ctx, s, d, &o)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	o.verdict = r.Verdict(s.fleetName, endpoint, o.keyring)
	wait, err := r.report(ctx, s, o)
	return served.Again(wait, d.Next, now), err
}

// write makes the endpoint's objects. Objects of others that are in the way go into the outcome.
func (r *Reconciler) write(ctx context.Context, s *scope, d *credential.Decision, o *outcome) error {
	endpoint := s.endpoint
	var generated *corev1ac.SecretApplyConfiguration
	if d.Generated != nil {
		generated = resources.KeySecret(endpoint, d.Generated)
	}
	taken, err := r.Record(ctx, endpoint, d, "spec.key.secretRef", generated,
		func(ring []byte) *corev1ac.SecretApplyConfiguration {
			return resources.KeyringSecret(endpoint, ring)
		})
	if err != nil {
		return err
	}
	if taken != nil {
		o.keyring, o.resolved = s.credentials.Keyring, *taken
		return nil
	}
	if d.Generated != nil && d.Generated.Fresh && len(s.credentials.Caller.Data) > 0 {
		r.Writer.Events.Eventf(endpoint, nil, corev1.EventTypeNormal, "KeyGenerated", "Generate",
			"The next key was generated.")
	}
	if s.fleet != nil && d.Key != "" {
		if err := r.writeURL(ctx, s, d.Key); err != nil {
			return err
		}
		texts := snippets.Endpoint(snippets.EndpointInput{
			Base:      resources.BaseURL(s.fleet),
			Key:       d.Key,
			ClientKey: d.ClientKey,
			Status:    render.ReportedType(endpoint),
		})
		if err := r.Writer.Secret(ctx, endpoint, resources.SnippetsSecret(endpoint, texts)); err != nil {
			return err
		}
	}
	return r.ownFleet(ctx, s, o)
}

// writeURL makes the Secret with the postback URL and the API token, of a suspended endpoint with the key that it has:
// its former token ended with the fleet's, and would be of no use.
func (r *Reconciler) writeURL(ctx context.Context, s *scope, key string) error {
	if s.fleet == nil || key == "" {
		return nil
	}
	token := credential.APIToken(client.ObjectKeyFromObject(s.endpoint), s.opsToken)
	return r.Writer.Secret(ctx, s.endpoint, resources.URLSecret(s.endpoint, s.fleet, key, token))
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
	return wait, r.Writer.EndpointStatus(ctx, s.endpoint, next)
}

// say writes why nothing else can be said.
func (r *Reconciler) say(ctx context.Context, endpoint *v1alpha1.PostbackEndpoint,
	conditions func([]metav1.Condition) []metav1.Condition) error {
	next := endpoint.Status
	next.ObservedGeneration = endpoint.Generation
	next.Conditions = conditions(next.Conditions)
	return r.Writer.EndpointStatus(ctx, endpoint, next)
}
