package suite

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// canaries are secrets that tests gave to the operator. They must show nowhere but in Secrets.
var canaries struct {
	sync.Mutex
	values map[string]bool
}

// secret marks a value as one that must not show.
func secret(value string) string {
	canaries.Lock()
	defer canaries.Unlock()
	if canaries.values == nil {
		canaries.values = map[string]bool{}
	}
	canaries.values[value] = true
	return value
}

// forms are what a secret can be recognised by: itself, encoded, or any digest of it that the product computes.
func forms(value string) []string {
	digest := config.Digest(value)
	raw, _ := hex.DecodeString(digest)
	return []string{
		value, base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
		hex.EncodeToString([]byte(value)), digest, digest[:16], base64.StdEncoding.EncodeToString(raw),
	}
}

// leaks looks for the canaries, and for the keys and tokens that the operator generated, wherever an outsider may look.
func leaks(ctx context.Context) error {
	places, err := outside(ctx)
	if err != nil {
		return err
	}
	for _, role := range []string{v1alpha1.RoleKey, v1alpha1.RoleOps, v1alpha1.RoleAdmin} {
		var secrets corev1.SecretList
		if err := admin.List(ctx, &secrets, client.MatchingLabels{v1alpha1.LabelRole: role}); err != nil {
			return err
		}
		for _, generated := range secrets.Items {
			for _, value := range generated.Data {
				secret(string(value))
			}
		}
	}
	canaries.Lock()
	defer canaries.Unlock()
	var found []error
	for value := range canaries.values {
		for _, form := range forms(value) {
			for place, text := range places {
				if bytes.Contains(text, []byte(form)) {
					found = append(found, fmt.Errorf("a secret shows in %s as %.4s…", place, form))
				}
			}
		}
	}
	if len(canaries.values) < 10 || len(places["log"]) < 1000 || len(places["metrics"]) < 1000 {
		found = append(found, fmt.Errorf("%d canaries, %d bytes of log: there is too little to look at", len(canaries.values),
			len(places["log"])))
	}
	return errors.Join(found...)
}

// outside collects what outsiders can read: everything but the data of Secrets.
func outside(ctx context.Context) (map[string][]byte, error) {
	places := map[string][]byte{"log": []byte(logs.String())}
	families, err := metrics.Registry.Gather()
	if err != nil {
		return nil, err
	}
	var exposed strings.Builder
	for _, family := range families {
		exposed.WriteString(family.String())
	}
	places["metrics"] = []byte(exposed.String())
	for name, list := range map[string]client.ObjectList{
		"events": &eventsv1.EventList{}, "endpoints": &v1alpha1.PostbackEndpointList{},
		"fleets":    &v1alpha1.ReceiverFleetList{},
		"campaigns": &v1alpha1.CampaignList{}, "pods": &corev1.PodList{}, "services": &corev1.ServiceList{},
		"deployments":   &appsv1.DeploymentList{},
		"stateful sets": &appsv1.StatefulSetList{}, "ingresses": &networkingv1.IngressList{},
		"claims": &corev1.PersistentVolumeClaimList{}, "leases": &coordinationv1.LeaseList{},
	} {
		if err := admin.List(ctx, list); err != nil {
			return nil, err
		}
		if places[name], err = json.Marshal(list); err != nil {
			return nil, err
		}
	}
	var secrets corev1.SecretList
	if err := admin.List(ctx, &secrets); err != nil {
		return nil, err
	}
	for i := range secrets.Items {
		secrets.Items[i].Data = nil
	}
	places["metadata of Secrets"], err = json.Marshal(secrets)
	return places, err
}
