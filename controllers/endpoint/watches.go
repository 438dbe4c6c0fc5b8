package endpoint

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
		Named("postbackendpoint").
		WithOptions(options).
		For(&v1alpha1.PostbackEndpoint{}, changed).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ofMadeSecret)).
		Watches(&v1alpha1.ReceiverFleet{}, handler.EnqueueRequestsFromMapFunc(r.ofFleet), served.FleetChanged()).
		WatchesRawSource(source.Kind[client.Object](foreign, lookup.SecretMetadata(),
			handler.EnqueueRequestsFromMapFunc(r.ofUsersSecret))).
		WatchesRawSource(r.Verdicts.Endpoints).
		Complete(r)
}

// ofMadeSecret finds the endpoint that a Secret of the operator's belongs to, those that name it as if it were a
// user's, and, of a fleet's ops token, those whose own token is made from it.
func (r *Reconciler) ofMadeSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	found := r.ofUsersSecret(ctx, secret)
	if secret.GetLabels()[v1alpha1.LabelRole] == v1alpha1.RoleOps {
		fleet := types.NamespacedName{Namespace: secret.GetNamespace(), Name: secret.GetLabels()[v1alpha1.LabelFleet]}
		endpoints, err := index.EndpointsOfFleet(ctx, r.Cache, fleet)
		found = append(found, served.Requests(ctx, endpoints, err)...)
	}
	if name := secret.GetLabels()[v1alpha1.LabelEndpoint]; name != "" {
		found = append(found, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: secret.GetNamespace(),
			Name: name}})
	}
	return found
}

func (r *Reconciler) ofUsersSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	endpoints, err := index.EndpointsOfSecret(ctx, r.Cache, client.ObjectKeyFromObject(secret))
	return served.Requests(ctx, endpoints, err)
}

func (r *Reconciler) ofFleet(ctx context.Context, fleet client.Object) []reconcile.Request {
	endpoints, err := index.EndpointsOfFleet(ctx, r.Cache, client.ObjectKeyFromObject(fleet))
	return served.Requests(ctx, endpoints, err)
}
