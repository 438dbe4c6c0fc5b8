package apply

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// EndpointStatus writes the whole status, unless that is what live has, and reports whether it did.
func (w *Writer) EndpointStatus(ctx context.Context, live *v1alpha1.PostbackEndpoint, want v1alpha1.PostbackEndpointStatus) (bool, error) {
	if equality.Semantic.DeepEqual(live.Status, want) {
		return false, nil
	}
	return w.status(ctx, v1alpha1.KindPostbackEndpoint, live, &want)
}

// FleetStatus is [Writer.EndpointStatus] for a fleet.
func (w *Writer) FleetStatus(ctx context.Context, live *v1alpha1.ReceiverFleet, want v1alpha1.ReceiverFleetStatus) (bool, error) {
	if equality.Semantic.DeepEqual(live.Status, want) {
		return false, nil
	}
	return w.status(ctx, v1alpha1.KindReceiverFleet, live, &want)
}

// CampaignStatus is [Writer.EndpointStatus] for a campaign.
func (w *Writer) CampaignStatus(ctx context.Context, live *v1alpha1.Campaign, want v1alpha1.CampaignStatus) (bool, error) {
	if equality.Semantic.DeepEqual(live.Status, want) {
		return false, nil
	}
	return w.status(ctx, v1alpha1.KindCampaign, live, &want)
}

func (w *Writer) status(ctx context.Context, kind string, live client.Object, status any) (bool, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(status)
	if err != nil {
		return false, fmt.Errorf("encoding the status: %w", err)
	}
	object := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	object.SetNamespace(live.GetNamespace())
	object.SetName(live.GetName())
	// Not the status of a successor that has the name.
	object.SetUID(live.GetUID())
	err = w.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(object), FieldOwner, client.ForceOwnership)
	if err != nil {
		return false, fmt.Errorf("applying the status: %w", err)
	}
	return true, nil
}
