package resources

import (
	"encoding/json"
	"fmt"

	kjson "k8s.io/apimachinery/pkg/util/json"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// OwnFleet is the fleet of an endpoint without fleetRef: of its name, owned by it, shaped by spec.receiver. nil for an
// endpoint that joins another.
//
// It is untyped, because the generated apply configurations can't say "an empty list": rates.providers: [] would get
// the default providers back.
func OwnFleet(endpoint *v1alpha1.PostbackEndpoint) (*UntypedApplyConfiguration, error) {
	if endpoint.Spec.FleetRef != nil {
		return nil, nil
	}
	spec := map[string]any{}
	if receiver := endpoint.Spec.Receiver; receiver != nil {
		encoded, err := json.Marshal(receiver)
		if err == nil {
			err = kjson.Unmarshal(encoded, &spec)
		}
		if err != nil {
			return nil, fmt.Errorf("copying spec.receiver: %w", err)
		}
	}
	// On by default and left out when off, so that it would be switched on again. It is also said where nothing is
	// declared, so that a fleet in which somebody switches it off is corrected.
	receiver := endpoint.Spec.Receiver
	spec["podDisruptionBudget"] = map[string]any{"enabled": receiver == nil || receiver.PodDisruptionBudget.Enabled}
	labels := map[string]string{
		v1alpha1.LabelManagedBy: v1alpha1.LabelManagedByValue,
		v1alpha1.LabelEndpoint:  endpoint.Name,
	}
	// The only one of the endpoint's labels that is handed on: the same operator takes both.
	if class := endpoint.Labels[v1alpha1.LabelClass]; class != "" {
		labels[v1alpha1.LabelClass] = class
	}
	return untyped(KindReceiverFleet, metav1ac.ObjectMeta().
		WithName(endpoint.Name).WithNamespace(endpoint.Namespace).
		WithLabels(labels).
		WithOwnerReferences(ownedByEndpoint(endpoint)), spec), nil
}
