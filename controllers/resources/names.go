package resources

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Kinds of children.
var (
	KindSecret                  = corev1.SchemeGroupVersion.WithKind("Secret")
	KindService                 = corev1.SchemeGroupVersion.WithKind("Service")
	KindServiceAccount          = corev1.SchemeGroupVersion.WithKind("ServiceAccount")
	KindPersistentVolumeClaim   = corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim")
	KindDeployment              = appsv1.SchemeGroupVersion.WithKind("Deployment")
	KindStatefulSet             = appsv1.SchemeGroupVersion.WithKind("StatefulSet")
	KindHorizontalPodAutoscaler = autoscalingv2.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler")
	KindPodDisruptionBudget     = policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget")
	KindNetworkPolicy           = networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy")
	KindIngress                 = networkingv1.SchemeGroupVersion.WithKind("Ingress")
	KindReceiverFleet           = v1alpha1.GroupVersion.WithKind(v1alpha1.KindReceiverFleet)
	KindHTTPRoute               = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1",
		Kind: "HTTPRoute"}
	KindCertificate = schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}
	KindPodMonitor  = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1",
		Kind: "PodMonitor"}
	KindPrometheusRule = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1",
		Kind: "PrometheusRule"}
)

// Names inside the pod and the Service, by which other objects refer to them.
const (
	// ContainerName is the receiver's container.
	ContainerName = "receiver"
	// HTTPPortName and OpsPortName are the ports of pods, HTTPPortName also the Service's only one: the ops port is
	// reached at the pods.
	HTTPPortName = "http"
	OpsPortName  = "ops"
	// AdminPortName is the port of pods, and of a Service of its own, with Keitaro's Admin API.
	AdminPortName = "admin"
	// OpsPort is where pods answer /livez, /readyz, /configz and /metrics.
	OpsPort int32 = 8081

	httpPort    int32 = 8080
	adminPort   int32 = 8082
	servicePort int32 = 80
)

const (
	labelName      = "app.kubernetes.io/name"
	labelNameValue = "postback-receiver"
)

// SelectorLabels select a fleet's pods. A workload's selector can't be changed, so these two never will be.
func SelectorLabels(fleet string) map[string]string {
	return map[string]string{labelName: labelNameValue, v1alpha1.LabelFleet: fleet}
}

// FleetSelector is [SelectorLabels] as kubectl's -l takes it.
func FleetSelector(fleet string) string {
	return metav1.FormatLabelSelector(metav1.SetAsLabelSelector(SelectorLabels(fleet)))
}

func fleetLabels(fleet *v1alpha1.ReceiverFleet) map[string]string {
	labels := SelectorLabels(fleet.Name)
	labels[v1alpha1.LabelManagedBy] = v1alpha1.LabelManagedByValue
	return labels
}

func selector(fleet *v1alpha1.ReceiverFleet) *metav1ac.LabelSelectorApplyConfiguration {
	return metav1ac.LabelSelector().WithMatchLabels(SelectorLabels(fleet.Name))
}

// ownedByFleet makes the garbage collector delete a child with its fleet. blockOwnerDeletion stays unset: it would need
// the permission to set finalizers.
func ownedByFleet(fleet *v1alpha1.ReceiverFleet) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).WithKind(v1alpha1.KindReceiverFleet).
		WithName(fleet.Name).WithUID(fleet.UID).WithController(true)
}

func ownedByEndpoint(endpoint *v1alpha1.PostbackEndpoint) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).WithKind(v1alpha1.KindPostbackEndpoint).
		WithName(endpoint.Name).WithUID(endpoint.UID).WithController(true)
}

// maxName is the length of a DNS label.
const maxName = 63

// childName returns owner+suffix, or, where that is longer than a DNS label, a shortened owner, a digest of the whole
// and the suffix, so that two long owners never meet in one name.
func childName(owner, suffix string) string {
	name := owner + suffix
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	digest := "-" + hex.EncodeToString(sum[:4])
	return strings.TrimRight(owner[:maxName-len(digest)-len(suffix)], "-.") + digest + suffix
}

// KeySecretName names the Secret with an endpoint's generated credentials.
func KeySecretName(endpoint *v1alpha1.PostbackEndpoint) string {
	return childName(endpoint.Name, v1alpha1.KeySecretSuffix)
}

// KeyringSecretName names the Secret with an endpoint's keyring.
func KeyringSecretName(endpoint *v1alpha1.PostbackEndpoint) string {
	return childName(endpoint.Name, v1alpha1.KeyringSecretSuffix)
}

// URLSecretName names the Secret with an endpoint's postback URL.
func URLSecretName(endpoint *v1alpha1.PostbackEndpoint) string {
	return childName(endpoint.Name, v1alpha1.URLSecretSuffix)
}

// SnippetsSecretName names the Secret with an endpoint's snippets.
func SnippetsSecretName(endpoint *v1alpha1.PostbackEndpoint) string {
	return childName(endpoint.Name, v1alpha1.SnippetsSecretSuffix)
}

// TokenSecretName names the Secret with a campaign's generated token.
func TokenSecretName(campaign *v1alpha1.Campaign) string {
	return childName(campaign.Name, v1alpha1.TokenSecretSuffix)
}

// CampaignKeyringSecretName names the Secret with a campaign's keyring.
func CampaignKeyringSecretName(campaign *v1alpha1.Campaign) string {
	return childName(campaign.Name, v1alpha1.CampaignKeyringSecretSuffix)
}

// CampaignSnippetsSecretName names the Secret with a campaign's snippets.
func CampaignSnippetsSecretName(campaign *v1alpha1.Campaign) string {
	return childName(campaign.Name, v1alpha1.CampaignSnippetsSecretSuffix)
}

// RatesKeyringSecretName names the Secret with the keyring of a fleet's rate providers.
func RatesKeyringSecretName(fleet *v1alpha1.ReceiverFleet) string {
	return childName(fleet.Name, v1alpha1.RatesKeyringSecretSuffix)
}

// OpsSecretName names the Secret with the token of the read API of a fleet's receivers.
func OpsSecretName(fleet *v1alpha1.ReceiverFleet) string {
	return childName(fleet.Name, v1alpha1.OpsSecretSuffix)
}

// AdminName names the Secret with the generated key of a fleet's Admin API, and its Service.
func AdminName(fleet *v1alpha1.ReceiverFleet) string {
	return childName(fleet.Name, v1alpha1.AdminSuffix)
}

// ManifestSecretName names the Secret with the manifest of a fleet's configuration.
func ManifestSecretName(fleet string) string { return childName(fleet, "-config") }

// ShardSecretName names the Secret with one shard.
func ShardSecretName(fleet string, shard int) string {
	return childName(fleet, fmt.Sprintf("-config-%d", shard))
}

// ForeignKinds are those of children that are not Kubernetes' own. A cluster may lack them.
var ForeignKinds = []schema.GroupVersionKind{KindCertificate, KindHTTPRoute, KindPodMonitor, KindPrometheusRule}
