package lookup

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/render"
)

// Permitted reports whether endpoints of a namespace may join a fleet. foreign has the metadata of Namespaces; nil
// where they can't be read, so that a fleet which chooses by their labels permits none.
func Permitted(
	ctx context.Context, foreign client.Reader, fleet *v1alpha1.ReceiverFleet, namespace string,
) (bool, error) {
	var labels map[string]string
	if fleet.Spec.AllowedEndpoints.Namespaces == v1alpha1.NamespacesSelector && foreign != nil {
		metadata := NamespaceMetadata()
		if err := foreign.Get(ctx, types.NamespacedName{Name: namespace}, metadata); client.IgnoreNotFound(err) != nil {
			return false, fmt.Errorf("reading the Namespace: %w", err)
		}
		labels = metadata.Labels
	}
	return render.Permits(fleet, namespace, labels), nil
}
