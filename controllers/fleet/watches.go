package fleet

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/index"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/served"
)

// Setup adds the reconciler to a manager. foreign is the cache of metadata; namespaces says whether it has Namespaces.
func (r *Reconciler) Setup(mgr ctrl.Manager, foreign cache.Cache, namespaces bool, options controller.Options) error {
	changed := builder.WithPredicates(served.Changed())
	toFleet := handler.EnqueueRequestsFromMapFunc(ofChild)
	build := ctrl.NewControllerManagedBy(mgr).
		Named("receiverfleet").
		WithOptions(options).
		For(&v1alpha1.ReceiverFleet{}, changed).
		Watches(&v1alpha1.ReceiverFleet{}, handler.EnqueueRequestsFromMapFunc(r.ofHost), changed).
		Watches(&v1alpha1.PostbackEndpoint{}, handler.EnqueueRequestsFromMapFunc(ofEndpoint), changed).
		Watches(&v1alpha1.Campaign{}, handler.EnqueueRequestsFromMapFunc(r.ofCampaign), changed).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ofMadeSecret)).
		WatchesRawSource(source.Kind[client.Object](foreign, lookup.SecretMetadata(),
			handler.EnqueueRequestsFromMapFunc(r.ofUsersSecret))).
		WatchesRawSource(r.Prober.Fleets)
	if namespaces {
		build = build.WatchesRawSource(source.Kind[client.Object](foreign, lookup.NamespaceMetadata(),
			handler.EnqueueRequestsFromMapFunc(r.ofNamespace)))
	}
	for _, child := range []client.Object{
		&appsv1.Deployment{}, &appsv1.StatefulSet{}, &corev1.Service{}, &corev1.ServiceAccount{}, &corev1.Pod{},
		&corev1.PersistentVolumeClaim{}, &autoscalingv2.HorizontalPodAutoscaler{}, &policyv1.PodDisruptionBudget{},
		&networkingv1.NetworkPolicy{}, &networkingv1.Ingress{},
	} {
		build = build.Watches(child, toFleet)
	}
	built, err := build.Build(r)
	if err != nil {
		return err
	}
	r.watch = func(kind schema.GroupVersionKind) error {
		child := &unstructured.Unstructured{}
		child.SetGroupVersionKind(kind)
		return built.Watch(source.Kind[client.Object](mgr.GetCache(), child, toFleet))
	}
	return nil
}

// KindsChanged watches the kinds of children that came to be served, and has all fleets reconciled, since some may have
// waited for them, or lack them from now on.
func (r *Reconciler) KindsChanged(ctx context.Context, came []schema.GroupVersionKind) error {
	for _, kind := range came {
		if !r.watched[kind] { // what went and came back is watched still
			if err := r.watch(kind); err != nil {
				return fmt.Errorf("watching %s: %w", kind.Kind, err)
			}
			if r.watched == nil {
				r.watched = map[schema.GroupVersionKind]bool{}
			}
			r.watched[kind] = true
		}
	}
	var fleets v1alpha1.ReceiverFleetList
	if err := r.Cache.List(ctx, &fleets); err != nil {
		return fmt.Errorf("listing ReceiverFleets: %w", err)
	}
	for i := range fleets.Items {
		r.Prober.Fleets.Send(client.ObjectKeyFromObject(&fleets.Items[i]))
	}
	return nil
}

// ofHost finds the other fleets of a fleet's host, of which one may be the owner now.
func (r *Reconciler) ofHost(ctx context.Context, object client.Object) []reconcile.Request {
	fleet := object.(*v1alpha1.ReceiverFleet)
	if !resources.RoutesHost(fleet) {
		return nil
	}
	var found []reconcile.Request
	for _, host := range fleet.Spec.Hosts() {
		fleets, err := index.FleetsOfHost(ctx, r.Cache, host)
		if err != nil {
			logf.FromContext(ctx).Error(err, "Finding fleets in the cache")
		}
		for i := range fleets {
			if name := client.ObjectKeyFromObject(&fleets[i]); name != client.ObjectKeyFromObject(fleet) {
				found = append(found, reconcile.Request{NamespacedName: name})
			}
		}
	}
	return found
}

// ofChild finds the fleet by the label, which is there also on what has no owner.
func ofChild(_ context.Context, child client.Object) []reconcile.Request {
	name := child.GetLabels()[v1alpha1.LabelFleet]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: child.GetNamespace(), Name: name}}}
}

func ofEndpoint(_ context.Context, object client.Object) []reconcile.Request {
	name, _ := render.FleetOf(object.(*v1alpha1.PostbackEndpoint))
	return []reconcile.Request{{NamespacedName: name}}
}

// ofCampaign finds the fleet of a campaign's endpoint.
func (r *Reconciler) ofCampaign(ctx context.Context, object client.Object) []reconcile.Request {
	var endpoint v1alpha1.PostbackEndpoint
	name := types.NamespacedName{Namespace: object.GetNamespace(), Name: object.(*v1alpha1.Campaign).Spec.EndpointRef.Name}
	if r.Cache.Get(ctx, name, &endpoint) != nil {
		return nil
	}
	return ofEndpoint(ctx, &endpoint)
}

// ofMadeSecret: a fleet's own Secrets, the keyrings of its endpoints and their campaigns, and what is named as if it
// were a user's.
func (r *Reconciler) ofMadeSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	found := append(ofChild(ctx, secret), r.ofUsersSecret(ctx, secret)...)
	if secret.GetLabels()[v1alpha1.LabelRole] != v1alpha1.RoleKeyring {
		return found
	}
	if name := secret.GetLabels()[v1alpha1.LabelCampaign]; name != "" {
		var campaign v1alpha1.Campaign
		if r.Cache.Get(ctx, types.NamespacedName{Namespace: secret.GetNamespace(), Name: name}, &campaign) != nil {
			return found
		}
		return append(found, r.ofCampaign(ctx, &campaign)...)
	}
	var endpoint v1alpha1.PostbackEndpoint
	name := types.NamespacedName{Namespace: secret.GetNamespace(), Name: secret.GetLabels()[v1alpha1.LabelEndpoint]}
	if r.Cache.Get(ctx, name, &endpoint) != nil {
		return found
	}
	return append(found, ofEndpoint(ctx, &endpoint)...)
}

func (r *Reconciler) ofUsersSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	name := client.ObjectKeyFromObject(secret)
	var found []reconcile.Request
	fleets, err := index.FleetsOfSecret(ctx, r.Cache, name)
	for i := range fleets {
		found = append(found, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&fleets[i])})
	}
	if err == nil {
		var endpoints []v1alpha1.PostbackEndpoint
		endpoints, err = index.EndpointsOfSecret(ctx, r.Cache, name)
		for i := range endpoints {
			// Of a key the keyring tells; the secrets that sign, and those of forwards, are needed themselves.
			if endpoints[i].Spec.Signer() != nil || len(endpoints[i].ForwardSecrets()) > 0 {
				found = append(found, ofEndpoint(ctx, &endpoints[i])...)
			}
		}
	}
	if err == nil {
		var campaigns []v1alpha1.Campaign
		campaigns, err = index.CampaignsOfSecret(ctx, r.Cache, name)
		for i := range campaigns {
			if len(campaigns[i].ForwardSecrets()) > 0 {
				found = append(found, r.ofCampaign(ctx, &campaigns[i])...)
			}
		}
	}
	if err != nil {
		logf.FromContext(ctx).Error(err, "Finding fleets in the cache")
	}
	return found
}

// ofNamespace: fleets that choose by the labels of namespaces.
func (r *Reconciler) ofNamespace(ctx context.Context, _ client.Object) []reconcile.Request {
	var fleets v1alpha1.ReceiverFleetList
	if err := r.Cache.List(ctx, &fleets); err != nil {
		logf.FromContext(ctx).Error(err, "Listing fleets in the cache")
	}
	var found []reconcile.Request
	for i := range fleets.Items {
		if fleets.Items[i].Spec.AllowedEndpoints.Namespaces == v1alpha1.NamespacesSelector {
			found = append(found, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&fleets.Items[i])})
		}
	}
	return found
}
