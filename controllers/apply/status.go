package apply

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// EndpointStatus writes the whole status, unless that is what live has, and tells of transitions in events.
func (w *Writer) EndpointStatus(ctx context.Context, live *v1alpha1.PostbackEndpoint,
	want v1alpha1.PostbackEndpointStatus) error {
	written, err := w.status(ctx, v1alpha1.KindPostbackEndpoint, live, &live.Status, &want)
	return w.tell(live, written, err, live.Status.Conditions, want.Conditions)
}

// FleetStatus is [Writer.EndpointStatus] for a fleet.
func (w *Writer) FleetStatus(ctx context.Context, live *v1alpha1.ReceiverFleet,
	want v1alpha1.ReceiverFleetStatus) error {
	written, err := w.status(ctx, v1alpha1.KindReceiverFleet, live, &live.Status, &want)
	return w.tell(live, written, err, live.Status.Conditions, want.Conditions)
}

// CampaignStatus is [Writer.EndpointStatus] for a campaign.
func (w *Writer) CampaignStatus(ctx context.Context, live *v1alpha1.Campaign, want v1alpha1.CampaignStatus) error {
	written, err := w.status(ctx, v1alpha1.KindCampaign, live, &live.Status, &want)
	return w.tell(live, written, err, live.Status.Conditions, want.Conditions)
}

// status reports whether it wrote. Who is gone needs none.
func (w *Writer) status(ctx context.Context, kind string, live client.Object, was, want any) (bool, error) {
	if equality.Semantic.DeepEqual(was, want) {
		return false, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(want)
	if err != nil {
		return false, fmt.Errorf("encoding the status: %w", err)
	}
	object := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	object.SetNamespace(live.GetNamespace())
	object.SetName(live.GetName())
	// Not the status of a successor that has the name.
	object.SetUID(live.GetUID())
	if !w.guard.permits(w.Now(), kind, live.GetNamespace(), live.GetName(), said(want)) {
		return false, &ContestedError{Kind: kind, Name: live.GetName()}
	}
	err = w.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(object), statusOwner,
		client.ForceOwnership)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("applying the status: %w", err)
	}
	return true, nil
}

// said is what a status says, without the times: who fights over it changes those, too.
func said(status any) string {
	content, _ := runtime.DefaultUnstructuredConverter.ToUnstructured(status) // it was converted before
	conditions, _ := content["conditions"].([]any)
	for _, condition := range conditions {
		delete(condition.(map[string]any), "lastTransitionTime")
	}
	return fmt.Sprint(content)
}

func (w *Writer) tell(live client.Object, written bool, err error, before, after []metav1.Condition) error {
	if written {
		status.Announce(w.Events, live, before, after)
	}
	return err
}
