package fleet

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/assembly"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/index"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// scope is what one reconcile has read.
type scope struct {
	fleet *v1alpha1.ReceiverFleet
	// endpoints want to be served, by name.
	endpoints []assembly.Endpoint
	// former returns the endpoint as it is in the configuration now; found is false when it doesn't.
	former func(name types.NamespacedName) (endpoint config.Endpoint, found bool)
	// providers are the keys of the rate providers, keyring is theirs.
	providers credential.Providers
	keyring   credential.Keyring
	// egress says that the fleet asks for private egress and may not have it; nil when it does not or may.
	egress error
	// hostOwner is the older fleet to which hostTaken, one of the fleet's hosts, is routed; nil when there is none.
	hostOwner *types.NamespacedName
	hostTaken string
	// storeKept says that another kind of store is declared than the receivers have, and may not be taken yet; nil if not.
	storeKept *storeError
	// podProblems say which Secrets of the pods are missing or may not be used: then the workload is to stay as it is.
	podProblems []error
	// opsToken of the receivers' read API; empty while there is none.
	opsToken string
	// adminKey of the Admin API that was generated; empty while there is none.
	adminKey string
	// pods that are the fleet's and not about to end.
	pods     []corev1.Pod
	workload workload
	// missing are the kinds that the fleet needs and the cluster does not serve; reach is the condition Reachable.
	missing []schema.GroupVersionKind
	reach   status.Finding
	// trouble is why receivers do not come up.
	trouble trouble
}

// workload is the state of the Deployment or StatefulSet.
type workload struct {
	found bool
	// wanted, existing, updated and available receivers.
	wanted, existing, updated, available int32
	// observed: the numbers are about the current generation.
	observed bool
	// conditions of a Deployment.
	conditions []appsv1.DeploymentCondition
}

type observer struct {
	cache   client.Reader
	foreign client.Reader // namespaces' metadata; nil where they can't be read
	secrets *lookup.Secrets
}

func (o observer) observe(ctx context.Context, fleet *v1alpha1.ReceiverFleet, facts resources.Facts) (*scope, error) {
	s := &scope{fleet: fleet, missing: resources.Missing(fleet, facts)}
	var err error
	if s.reach, err = o.reach(ctx, fleet, s.missing); err != nil {
		return nil, err
	}
	if s.endpoints, err = o.endpoints(ctx, fleet); err != nil {
		return nil, err
	}
	s.providers, err = credential.ReadProviders(fleet, func(name string) (credential.Secret, error) {
		return o.named(ctx, fleet, name)
	})
	if err != nil {
		return nil, err
	}
	if err := o.podSecrets(ctx, s); err != nil {
		return nil, err
	}
	if err := o.hosts(ctx, s); err != nil {
		return nil, err
	}
	if err := o.credentials(ctx, s); err != nil {
		return nil, err
	}
	if s.former, err = o.former(ctx, fleet); err != nil {
		return nil, err
	}
	if s.pods, err = o.pods(ctx, fleet); err != nil {
		return nil, err
	}
	s.storeKept = storeChange(fleet, s.endpoints)
	s.workload, err = o.workload(ctx, fleet)
	return s, err
}

// field reads one field of a Secret of the operator's; nil when there is none.
func (o observer) field(ctx context.Context, name, namespace, field string) ([]byte, error) {
	secret, err := lookup.Made(ctx, o.cache, namespace, name)
	if err != nil {
		return nil, err
	}
	return secret.Data[field], nil
}

// credentials reads what the operator keeps for the fleet itself: the keyring of its rate providers and the ops token.
func (o observer) credentials(ctx context.Context, s *scope) error {
	token, err := o.field(ctx, resources.OpsSecretName(s.fleet), s.fleet.Namespace, v1alpha1.OpsTokenField)
	if err != nil {
		return err
	}
	s.opsToken = string(bytes.TrimSpace(token))
	if resources.GeneratesAdminKey(s.fleet) {
		key, err := o.field(ctx, resources.AdminName(s.fleet), s.fleet.Namespace, v1alpha1.DefaultKeyField)
		if err != nil {
			return err
		}
		s.adminKey = string(bytes.TrimSpace(key))
	}
	s.keyring, err = o.keyring(ctx, s.fleet.Namespace, resources.RatesKeyringSecretName(s.fleet))
	return err
}

func (o observer) keyring(ctx context.Context, namespace, name string) (credential.Keyring, error) {
	data, err := o.field(ctx, name, namespace, v1alpha1.KeyringField)
	if err != nil {
		return credential.Keyring{}, err
	}
	return credential.ParseKeyring(data)
}

// named reads a Secret that a field of the fleet names.
func (o observer) named(ctx context.Context, fleet *v1alpha1.ReceiverFleet, name string) (credential.Secret, error) {
	return o.secrets.Named(ctx, types.NamespacedName{Namespace: fleet.Namespace, Name: name}, lookup.Owner{}, "")
}

// hosts finds a host of the fleet that is routed to an older one.
func (o observer) hosts(ctx context.Context, s *scope) error {
	if !resources.RoutesHost(s.fleet) {
		return nil
	}
	for _, host := range s.fleet.Spec.Hosts() {
		if err := o.host(ctx, s, host); err != nil || s.hostOwner != nil {
			return err
		}
	}
	return nil
}

// host finds the owner of a host: the oldest fleet to which it is routed.
func (o observer) host(ctx context.Context, s *scope, host string) error {
	fleets, err := index.FleetsOfHost(ctx, o.cache, host)
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
		s.hostOwner, s.hostTaken = &name, host
	}
	return nil
}

// podSecrets checks the Secrets that the receivers' pods read: the kubelet asks nobody who declared that.
func (o observer) podSecrets(ctx context.Context, s *scope) error {
	for _, ref := range resources.PodSecrets(s.fleet) {
		secret, err := o.named(ctx, s.fleet, ref.Name)
		if err != nil {
			return err
		}
		problem := secret.Unusable(ref.At)
		if problem == nil && ref.Check != nil {
			if wrong := ref.Check(secret.Data); wrong != nil {
				problem = fmt.Errorf("%s: Secret %s: %w", ref.At, ref.Name, wrong)
			}
		}
		if problem != nil {
			s.podProblems = append(s.podProblems, problem)
		}
	}
	return nil
}

// former reads the shards as they are, also those of an update that was not finished: each endpoint in them is whole.
func (o observer) former(ctx context.Context,
	fleet *v1alpha1.ReceiverFleet) (func(types.NamespacedName) (config.Endpoint, bool), error) {
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
	err := o.cache.List(ctx, &list, client.InNamespace(fleet.Namespace),
		client.MatchingLabels(resources.SelectorLabels(fleet.Name)))
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
		available: deployment.Status.AvailableReplicas,
		observed:  deployment.Status.ObservedGeneration == deployment.Generation, wanted: 1,
		conditions: deployment.Status.Conditions,
	}
	if deployment.Spec.Replicas != nil {
		w.wanted = *deployment.Spec.Replicas
	}
	return w, client.IgnoreNotFound(err)
}
