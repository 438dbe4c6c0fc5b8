package reach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// Resources of the product's kinds.
var (
	EndpointResource = v1alpha1.GroupVersion.WithResource("postbackendpoints")
	FleetResource    = v1alpha1.GroupVersion.WithResource("receiverfleets")
)

// Cluster is what commands ask a cluster for.
type Cluster struct {
	Core    kubernetes.Interface
	Dynamic dynamic.Interface
	// Context is its name in the kubeconfig, for messages.
	Context string
	config  *rest.Config
}

func newCluster(loader clientcmd.ClientConfig, name string) (*Cluster, error) {
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, explainKubeconfig(err)
	}
	c := &Cluster{config: config, Context: name}
	if raw, err := loader.RawConfig(); err == nil {
		c.Context = cmp.Or(c.Context, raw.CurrentContext)
	}
	if c.Core, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	c.Dynamic, err = dynamic.NewForConfig(config)
	return c, err
}

// Endpoint returns the endpoint "namespace/name".
func (c *Cluster) Endpoint(ctx context.Context, name string) (*v1alpha1.PostbackEndpoint, error) {
	namespace, name, _ := strings.Cut(name, "/")
	endpoint := &v1alpha1.PostbackEndpoint{}
	return endpoint, c.get(ctx, EndpointResource, namespace, name, endpoint)
}

// Fleet returns a fleet.
func (c *Cluster) Fleet(ctx context.Context, name types.NamespacedName) (*v1alpha1.ReceiverFleet, error) {
	fleet := &v1alpha1.ReceiverFleet{}
	return fleet, c.get(ctx, FleetResource, name.Namespace, name.Name, fleet)
}

func (c *Cluster) get(ctx context.Context, of schema.GroupVersionResource, namespace, name string, into any) error {
	object, err := c.Dynamic.Resource(of).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return c.explain(err, of.Resource, namespace, name)
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into)
}

// Endpoints lists the endpoints of a namespace, or of all if it is empty, by name.
func (c *Cluster) Endpoints(ctx context.Context, namespace string) ([]v1alpha1.PostbackEndpoint, error) {
	return list[v1alpha1.PostbackEndpoint](ctx, c, EndpointResource, namespace)
}

// Fleets lists the fleets of a namespace, by name.
func (c *Cluster) Fleets(ctx context.Context, namespace string) ([]v1alpha1.ReceiverFleet, error) {
	return list[v1alpha1.ReceiverFleet](ctx, c, FleetResource, namespace)
}

func list[T any](ctx context.Context, c *Cluster, of schema.GroupVersionResource, namespace string) ([]T, error) {
	found, err := c.Dynamic.Resource(of).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, c.explain(err, of.Resource, namespace, "")
	}
	items := make([]T, len(found.Items))
	for i := range found.Items {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found.Items[i].Object, &items[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// Patch merges a patch into an endpoint.
func (c *Cluster) Patch(ctx context.Context, name string, patch []byte) (*v1alpha1.PostbackEndpoint, error) {
	namespace, name, _ := strings.Cut(name, "/")
	object, err := c.Dynamic.Resource(EndpointResource).Namespace(namespace).
		Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "kubectl-postback"})
	if err != nil {
		return nil, c.explain(err, EndpointResource.Resource, namespace, name)
	}
	endpoint := &v1alpha1.PostbackEndpoint{}
	return endpoint, runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, endpoint)
}

// Secret returns the data of a Secret.
func (c *Cluster) Secret(ctx context.Context, namespace, name string) (map[string][]byte, error) {
	secret, err := c.Core.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, c.explain(err, "secrets", namespace, name)
	}
	return secret.Data, nil
}

// ConfigMaps lists the ConfigMaps of a namespace that have a label, by name.
func (c *Cluster) ConfigMaps(ctx context.Context, namespace, label string) ([]corev1.ConfigMap, error) {
	list, err := c.Core.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: label})
	if err != nil {
		return nil, c.explain(err, "configmaps", namespace, "")
	}
	return list.Items, nil
}

// User returns who the API server takes the kubeconfig's user for; "" if it does not say.
func (c *Cluster) User(ctx context.Context) string {
	review, err := c.Core.AuthenticationV1().SelfSubjectReviews().
		Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return ""
	}
	return review.Status.UserInfo.Username
}

// FleetOf returns the fleet that serves an endpoint.
func FleetOf(endpoint *v1alpha1.PostbackEndpoint) types.NamespacedName {
	name, _ := render.FleetOf(endpoint)
	return name
}

// readingToken returns what reads an endpoint: its own token, else that of the fleet.
func (c *Cluster) readingToken(ctx context.Context, endpoint *v1alpha1.PostbackEndpoint, fleet types.NamespacedName,
) (string, error) {
	own, err := c.Secret(ctx, endpoint.Namespace, resources.URLSecretName(endpoint))
	if err == nil && len(own[v1alpha1.APITokenField]) > 0 {
		return string(own[v1alpha1.APITokenField]), nil
	}
	ops, opsErr := c.changingToken(ctx, endpoint, fleet)
	if opsErr != nil && err != nil && !apierrors.IsNotFound(err) {
		return "", err
	}
	return ops, opsErr
}

// changingToken returns what changes an endpoint: the token of the fleet. That of the endpoint only reads.
func (c *Cluster) changingToken(ctx context.Context, _ *v1alpha1.PostbackEndpoint, fleet types.NamespacedName,
) (string, error) {
	named := &v1alpha1.ReceiverFleet{}
	named.Name = fleet.Name
	ops, err := c.Secret(ctx, fleet.Namespace, resources.OpsSecretName(named))
	switch {
	case err != nil:
		return "", err
	case len(ops[v1alpha1.OpsTokenField]) == 0:
		return "", fmt.Errorf("the Secret %s/%s has no field %s: look at the operator's log", fleet.Namespace,
			resources.OpsSecretName(named), v1alpha1.OpsTokenField)
	}
	return string(ops[v1alpha1.OpsTokenField]), nil
}

// Receiver returns a receiver of an endpoint, to be read from, through the first ready pod of its fleet that answers.
func (c *Cluster) Receiver(ctx context.Context, name string) (*Receiver, error) {
	return c.receiver(ctx, name, c.readingToken)
}

// Changer is Receiver for who changes something. It takes the right to read the Secret of the fleet's token.
func (c *Cluster) Changer(ctx context.Context, name string) (*Receiver, error) {
	return c.receiver(ctx, name, c.changingToken)
}

func (c *Cluster) receiver(ctx context.Context, name string,
	tokenOf func(context.Context, *v1alpha1.PostbackEndpoint, types.NamespacedName) (string, error),
) (*Receiver, error) {
	endpoint, err := c.Endpoint(ctx, name)
	if err != nil {
		return nil, err
	}
	fleet := FleetOf(endpoint)
	token, err := tokenOf(ctx, endpoint, fleet)
	if err != nil {
		return nil, err
	}
	pods, err := c.Pods(ctx, fleet)
	if err != nil {
		return nil, err
	}
	var dead error
	for _, pod := range ready(pods) {
		tunnel, err := c.open(ctx, pod)
		if err == nil {
			return tunnel.receiver(fleet.String(), pod, token), nil
		}
		dead = errors.Join(dead, c.explain(err, "pods/portforward", pod.Namespace, pod.Name))
		if apierrors.IsForbidden(err) {
			return nil, dead // all of them are
		}
	}
	if dead != nil {
		return nil, firstOf(dead)
	}
	return nil, noneReady(fleet, pods)
}

// Pods lists the pods of a fleet, by name.
func (c *Cluster) Pods(ctx context.Context, fleet types.NamespacedName) ([]corev1.Pod, error) {
	selector := labels.SelectorFromSet(resources.SelectorLabels(fleet.Name)).String()
	list, err := c.Core.CoreV1().Pods(fleet.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, c.explain(err, "pods", fleet.Namespace, "")
	}
	slices.SortFunc(list.Items, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return list.Items, nil
}

// Ready reports whether a pod serves.
func Ready(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func ready(pods []corev1.Pod) []corev1.Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(pod corev1.Pod) bool { return !Ready(&pod) })
}
