package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/index"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// scope is what one reconcile has read.
type scope struct {
	fleet *v1alpha1.ReceiverFleet
	// joiners are the endpoints that want to be served, oldest name first.
	joiners []joiner
	// former returns the endpoint as it stands in the configuration now; found is false when it doesn't.
	former func(name types.NamespacedName) (endpoint config.Endpoint, found bool)
	// providerKeys by provider name; missingKeys says of others why they are not there.
	providerKeys map[string]string
	missingKeys  []error
	// egress says that the fleet asks for private egress and may not have it; nil when it does not or may.
	egress error
	// hostOwner is the older fleet to which the fleet's host is routed; nil when it is this one, or it is not routed.
	hostOwner *types.NamespacedName
	// podProblems say which Secrets of the pods are missing or may not be used: then the workload is to stay as it is.
	podProblems []error
	// ring is the keyring of the rate providers, ringData how it stands in its Secret; nil when there is none.
	ring     rotation.Ring
	ringData []byte
	// pods that are the fleet's and not about to end.
	pods     []corev1.Pod
	workload workload
}

// joiner is one endpoint that names the fleet.
type joiner struct {
	endpoint  *v1alpha1.PostbackEndpoint
	permitted bool
	ring      rotation.Ring
	ringData  []byte
	// campaigns of the endpoint, the oldest first.
	campaigns []campaign
	// signing are the secrets that sign, none when the endpoint asks for no signature or they can't be read.
	signing []string
	// headers are the values of the forwards' secret headers, as far as they can be read.
	headers render.HeaderValues
}

// workload is the state of the Deployment or StatefulSet.
type workload struct {
	found bool
	// wanted, existing, updated and available receivers.
	wanted, existing, updated, available int32
	// observed: the numbers are about the current generation.
	observed bool
}

type observer struct {
	cache   client.Reader
	foreign client.Reader // namespaces' metadata; nil where they can't be read
	secrets *lookup.Secrets
}

func (o observer) observe(ctx context.Context, fleet *v1alpha1.ReceiverFleet) (*scope, error) {
	s := &scope{fleet: fleet}
	endpoints, err := index.EndpointsOfFleet(ctx, o.cache, client.ObjectKeyFromObject(fleet))
	if err != nil {
		return nil, fmt.Errorf("listing PostbackEndpoints: %w", err)
	}
	slices.SortFunc(endpoints, func(a, b v1alpha1.PostbackEndpoint) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	for i := range endpoints {
		endpoint := &endpoints[i]
		// Another's own fleet is no one else's, and what is being deleted is no longer served.
		if _, own := render.FleetOf(endpoint); endpoint.DeletionTimestamp != nil || own && !metav1.IsControlledBy(fleet, endpoint) {
			continue
		}
		j, err := o.joiner(ctx, fleet, endpoint)
		if err != nil {
			return nil, err
		}
		s.joiners = append(s.joiners, j)
	}
	if err := o.providers(ctx, s); err != nil {
		return nil, err
	}
	if err := o.podSecrets(ctx, s); err != nil {
		return nil, err
	}
	if err := o.host(ctx, s); err != nil {
		return nil, err
	}
	if s.ringData, err = o.field(ctx, resources.RatesKeyringSecretName(fleet), fleet.Namespace, v1alpha1.KeyringField); err != nil {
		return nil, err
	}
	if s.ring, err = rotation.Parse(s.ringData); err != nil {
		return nil, err
	}
	if s.former, err = o.former(ctx, fleet); err != nil {
		return nil, err
	}
	if s.pods, err = o.pods(ctx, fleet); err != nil {
		return nil, err
	}
	s.workload, err = o.workload(ctx, fleet)
	return s, err
}

func (o observer) joiner(ctx context.Context, fleet *v1alpha1.ReceiverFleet, endpoint *v1alpha1.PostbackEndpoint) (joiner, error) {
	j := joiner{endpoint: endpoint}
	var err error
	if j.permitted, err = o.permitted(ctx, fleet, endpoint.Namespace); err != nil {
		return j, err
	}
	name := resources.KeyringSecretName(endpoint)
	if j.ringData, err = o.field(ctx, name, endpoint.Namespace, v1alpha1.KeyringField); err != nil {
		return j, err
	}
	if j.ring, err = rotation.Parse(j.ringData); err != nil {
		return j, err
	}
	if j.campaigns, err = o.campaigns(ctx, endpoint); err != nil {
		return j, err
	}
	if j.headers, err = o.headers(ctx, endpoint.Namespace, fleet.Namespace, endpoint.ForwardSecrets()); err != nil {
		return j, err
	}
	signer := endpoint.Spec.Signer()
	if signer == nil {
		return j, nil
	}
	found, err := o.secrets.Read(ctx, types.NamespacedName{Namespace: endpoint.Namespace, Name: signer.Secret},
		lookup.Owner{Label: v1alpha1.LabelEndpoint, Name: endpoint.Name})
	if err == nil && found != nil && found.Readable && found.SharedWith(fleet.Namespace) {
		// What can't be read is the endpoint's to report; here it is as if it were missing.
		j.signing, _ = render.Secrets(found.Data, signer.Field)
	}
	return j, err
}

// headers leaves out what can't be read: that is for the declaration's own reconciler to report.
func (o observer) headers(ctx context.Context, namespace, to string, refs []v1alpha1.ForwardSecretKey) (render.HeaderValues, error) {
	values, _, err := render.ReadHeaders(refs, func(name string) (map[string][]byte, bool, error) {
		return o.secrets.Shared(ctx, types.NamespacedName{Namespace: namespace, Name: name}, to)
	})
	return values, err
}

func (o observer) permitted(ctx context.Context, fleet *v1alpha1.ReceiverFleet, namespace string) (bool, error) {
	var labels map[string]string
	if fleet.Spec.AllowedEndpoints.Namespaces == v1alpha1.NamespacesSelector && o.foreign != nil {
		metadata := lookup.NamespaceMetadata()
		if err := o.foreign.Get(ctx, types.NamespacedName{Name: namespace}, metadata); client.IgnoreNotFound(err) != nil {
			return false, fmt.Errorf("reading the Namespace: %w", err)
		}
		labels = metadata.Labels
	}
	return render.Permits(fleet, namespace, labels), nil
}

// field reads one field of a Secret of the operator's; nil when there is none.
func (o observer) field(ctx context.Context, name, namespace, field string) ([]byte, error) {
	var secret corev1.Secret
	err := o.cache.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a Secret of the operator's: %w", err)
	}
	return secret.Data[field], nil
}

func (o observer) providers(ctx context.Context, s *scope) error {
	s.providerKeys = map[string]string{}
	for _, provider := range s.fleet.Spec.Rates.Providers {
		ref := provider.KeySecretRef
		if ref == nil {
			continue
		}
		at := fmt.Sprintf("spec.rates.providers[%s].keySecretRef", provider.Name)
		data, problem, err := o.named(ctx, s.fleet, at, ref.Name)
		if err != nil {
			return err
		}
		if problem == nil {
			problem = render.KeyMayGo(&provider)
		}
		if problem != nil {
			s.missingKeys = append(s.missingKeys, problem)
			continue
		}
		values, err := render.Secrets(data, cmp.Or(ref.Key, v1alpha1.DefaultKeyField))
		if err == nil && len(values) != 1 {
			err = fmt.Errorf("%d keys instead of one", len(values))
		}
		if err != nil {
			s.missingKeys = append(s.missingKeys, fmt.Errorf("%s: Secret %s: %w", at, ref.Name, err))
			continue
		}
		s.providerKeys[provider.Name] = values[0]
	}
	return nil
}

// named reads a Secret that a field of the fleet names. The problem is the user's to repair.
func (o observer) named(ctx context.Context, fleet *v1alpha1.ReceiverFleet, at, name string) (data map[string][]byte, problem, err error) {
	found, err := o.secrets.Read(ctx, types.NamespacedName{Namespace: fleet.Namespace, Name: name}, lookup.Owner{})
	switch {
	case err != nil:
		return nil, nil, err
	case found == nil:
		return nil, fmt.Errorf("%s: there is no Secret %s", at, name), nil
	case !found.Readable:
		return nil, fmt.Errorf("%s: Secret %s: %w", at, name, render.ErrNotReadable), nil
	}
	return found.Data, nil, nil
}

// host finds the owner of the fleet's host: the oldest fleet to which it is routed.
func (o observer) host(ctx context.Context, s *scope) error {
	if !resources.RoutesHost(s.fleet) {
		return nil
	}
	fleets, err := index.FleetsOfHost(ctx, o.cache, s.fleet.Spec.Host)
	if err != nil {
		return fmt.Errorf("listing ReceiverFleets: %w", err)
	}
	oldest := s.fleet
	for i := range fleets {
		other := &fleets[i]
		if other.DeletionTimestamp == nil && cmp.Or(other.CreationTimestamp.Compare(oldest.CreationTimestamp.Time),
			strings.Compare(other.Namespace, oldest.Namespace), strings.Compare(other.Name, oldest.Name)) < 0 {
			oldest = other
		}
	}
	if name := client.ObjectKeyFromObject(oldest); name != client.ObjectKeyFromObject(s.fleet) {
		s.hostOwner = &name
	}
	return nil
}

// podSecrets checks the Secrets that the receivers' pods read: the kubelet asks nobody who declared that.
func (o observer) podSecrets(ctx context.Context, s *scope) error {
	for _, ref := range resources.PodSecrets(s.fleet) {
		_, problem, err := o.named(ctx, s.fleet, ref.At, ref.Name)
		if err != nil {
			return err
		}
		if problem != nil {
			s.podProblems = append(s.podProblems, problem)
		}
	}
	return nil
}

// former reads the shards as they are, also those of an update that was not finished: each endpoint in them is whole.
func (o observer) former(ctx context.Context, fleet *v1alpha1.ReceiverFleet) (func(types.NamespacedName) (config.Endpoint, bool), error) {
	var shards [][]byte
	// In the manifest's Secret stands what was whole; the others may be those of an update that was not finished.
	whole, err := o.field(ctx, resources.ManifestSecretName(fleet.Name), fleet.Namespace, shardFile(0))
	if err != nil {
		return nil, err
	}
	for i := range resources.MaxShards(fleet) {
		data, err := o.field(ctx, resources.ShardSecretName(fleet.Name, i), fleet.Namespace, shardFile(i))
		if err != nil {
			return nil, err
		}
		if data == nil {
			break
		}
		shards = append(shards, data)
	}
	if whole != nil {
		shards = append(shards, whole)
	}
	// Decoded only when somebody asks: hardly ever.
	var decoded map[types.NamespacedName]config.Endpoint
	return func(name types.NamespacedName) (config.Endpoint, bool) {
		if decoded == nil {
			decoded = map[types.NamespacedName]config.Endpoint{}
			for _, data := range shards {
				render.DecodeShard(data, decoded)
			}
		}
		endpoint, found := decoded[name]
		return endpoint, found
	}, nil
}

// shardFile is the name that the contract gives to a shard.
func shardFile(i int) string { return fmt.Sprintf("shard-%03d.json", i) }

func (o observer) pods(ctx context.Context, fleet *v1alpha1.ReceiverFleet) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := o.cache.List(ctx, &list, client.InNamespace(fleet.Namespace), client.MatchingLabels(resources.SelectorLabels(fleet.Name)))
	if err != nil {
		return nil, fmt.Errorf("listing Pods: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool {
		return pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
	}), nil
}

func (o observer) workload(ctx context.Context, fleet *v1alpha1.ReceiverFleet) (workload, error) {
	name := client.ObjectKeyFromObject(fleet)
	if postgres := fleet.Spec.Store.Postgres; postgres != nil && postgres.Spool != nil {
		var set appsv1.StatefulSet
		err := o.cache.Get(ctx, name, &set)
		w := workload{
			found: err == nil, existing: set.Status.Replicas, updated: set.Status.UpdatedReplicas,
			available: set.Status.AvailableReplicas, observed: set.Status.ObservedGeneration == set.Generation, wanted: 1,
		}
		if set.Spec.Replicas != nil {
			w.wanted = *set.Spec.Replicas
		}
		return w, client.IgnoreNotFound(err)
	}
	var deployment appsv1.Deployment
	err := o.cache.Get(ctx, name, &deployment)
	w := workload{
		found: err == nil, existing: deployment.Status.Replicas, updated: deployment.Status.UpdatedReplicas,
		available: deployment.Status.AvailableReplicas, observed: deployment.Status.ObservedGeneration == deployment.Generation, wanted: 1,
	}
	if deployment.Spec.Replicas != nil {
		w.wanted = *deployment.Spec.Replicas
	}
	return w, client.IgnoreNotFound(err)
}
