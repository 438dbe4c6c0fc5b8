package campaign

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/index"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/served"
)

// Setup adds the reconciler to a manager. foreign is the cache of all Secrets' metadata.
func (r *Reconciler) Setup(mgr ctrl.Manager, foreign cache.Cache, options controller.Options) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).
		Named("campaign").
		WithOptions(options).
		For(&v1alpha1.Campaign{}, changed).
		Watches(&v1alpha1.PostbackEndpoint{}, handler.EnqueueRequestsFromMapFunc(r.ofEndpoint), changed).
		Watches(&v1alpha1.ReceiverFleet{}, handler.EnqueueRequestsFromMapFunc(r.ofFleet), served.FleetChanged()).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ofMadeSecret)).
		WatchesRawSource(source.Kind[client.Object](foreign, lookup.SecretMetadata(),
			handler.EnqueueRequestsFromMapFunc(r.ofUsersSecret))).
		WatchesRawSource(r.Verdicts.Endpoints).
		Complete(r)
}

// ofMadeSecret finds the campaign that a Secret of the operator's belongs to, those into whose snippets an endpoint's
// go, and those that name it as if it were a user's.
func (r *Reconciler) ofMadeSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	labels := secret.GetLabels()
	found := r.ofUsersSecret(ctx, secret)
	if name := labels[v1alpha1.LabelCampaign]; name != "" {
		found = append(found, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: secret.GetNamespace(),
			Name: name}})
	}
	if labels[v1alpha1.LabelRole] == v1alpha1.RoleSnippets {
		found = append(found, r.ofName(ctx, types.NamespacedName{Namespace: secret.GetNamespace(),
			Name: labels[v1alpha1.LabelEndpoint]})...)
	}
	return found
}

func (r *Reconciler) ofEndpoint(ctx context.Context, endpoint client.Object) []reconcile.Request {
	return r.ofName(ctx, client.ObjectKeyFromObject(endpoint))
}

func (r *Reconciler) ofName(ctx context.Context, endpoint types.NamespacedName) []reconcile.Request {
	campaigns, err := index.CampaignsOfEndpoint(ctx, r.Cache, endpoint)
	return served.Requests(ctx, campaigns, err)
}

func (r *Reconciler) ofFleet(ctx context.Context, fleet client.Object) []reconcile.Request {
	endpoints, err := index.EndpointsOfFleet(ctx, r.Cache, client.ObjectKeyFromObject(fleet))
	found := served.Requests[v1alpha1.Campaign](ctx, nil, err)
	for i := range endpoints {
		found = append(found, r.ofEndpoint(ctx, &endpoints[i])...)
	}
	return found
}

func (r *Reconciler) ofUsersSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	campaigns, err := index.CampaignsOfSecret(ctx, r.Cache, client.ObjectKeyFromObject(secret))
	return served.Requests(ctx, campaigns, err)
}
