// Package resources builds what the operator creates for a ReceiverFleet or a PostbackEndpoint, one file per object, as
// apply configurations. It is pure: the same declaration gives the same bytes. Each builder returns nil for an object
// that was not asked for.
//
// It takes declarations with the schema's defaults. It imports no client but the types of client-go's apply
// configurations; writing is controllers/apply, and what is in the documents is controllers/render.
package resources

import (
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Facts are what a fleet's children depend on besides its declaration.
type Facts struct {
	// Image of receivers whose fleet declares none.
	Image string
	// Permitted is what fleets may declare.
	Permitted Permissions
	// Serves reports whether the cluster knows a kind that is not Kubernetes' own; nil means it knows none.
	Serves func(schema.GroupVersionKind) bool
}

// Child is one object that an owner should or should not have.
type Child struct {
	Kind      schema.GroupVersionKind
	Namespace string
	Name      string
	// Apply is the desired content of the object. When it is nil, an object of that name that the owner controls is to be
	// deleted.
	Apply runtime.ApplyConfiguration
}

// SecretChild is a Secret that an owner should have.
func SecretChild(secret *corev1ac.SecretApplyConfiguration) Child {
	return Child{Kind: KindSecret, Namespace: *secret.GetNamespace(), Name: *secret.GetName(), Apply: secret}
}

// IsWorkload reports whether the child is what makes the pods.
func (c Child) IsWorkload() bool { return c.Kind == KindDeployment || c.Kind == KindStatefulSet }

// RoutesHost reports whether a fleet has its host routed to itself.
func RoutesHost(fleet *v1alpha1.ReceiverFleet) bool {
	return fleet.Spec.Host != "" && (fleet.Spec.Ingress != nil || fleet.Spec.Gateway != nil ||
		fleet.Spec.Certificate != nil)
}

// IsRoute reports whether the child routes the fleet's host, or has a certificate made for it.
func (c Child) IsRoute() bool {
	return c.Kind == KindIngress || c.Kind == KindHTTPRoute || c.Kind == KindCertificate
}

// child keeps an apply configuration that is nil from becoming an interface that is not.
func child[T any, P interface {
	*T
	runtime.ApplyConfiguration
}](kind schema.GroupVersionKind, namespace, name string, apply P) Child {
	c := Child{Kind: kind, Namespace: namespace, Name: name}
	if apply != nil {
		c.Apply = apply
	}
	return c
}

// Fleet returns a fleet's children in the order in which they are to be written, all but its configuration, which is
// [ConfigSecrets]. An error is the user's to repair: it names the field of the fleet. The children that come with it
// leave out the workload, or what else the error is about, which is to stay as it is.
//
// The claim of the embedded store stands among the children only while it is wanted: the operator never deletes data.
func Fleet(fleet *v1alpha1.ReceiverFleet, facts Facts) ([]Child, error) {
	namespace, name := fleet.Namespace, fleet.Name
	children := []Child{
		child(KindServiceAccount, namespace, name, ServiceAccount(fleet)),
		child(KindService, namespace, name, Service(fleet)),
		child(KindService, namespace, AdminName(fleet), AdminService(fleet)),
	}
	if claim := DataClaim(fleet); claim != nil {
		children = append(children, child(KindPersistentVolumeClaim, namespace, *claim.GetName(), claim))
	}
	template, err := PodTemplate(fleet, facts)
	if err == nil {
		children = append(children,
			child(KindDeployment, namespace, name, Deployment(fleet, template)),
			child(KindStatefulSet, namespace, name, StatefulSet(fleet, template)))
	}
	children = append(children,
		child(KindHorizontalPodAutoscaler, namespace, name, HorizontalPodAutoscaler(fleet)),
		child(KindPodDisruptionBudget, namespace, name, PodDisruptionBudget(fleet)),
		child(KindNetworkPolicy, namespace, name, NetworkPolicy(fleet)),
		child(KindIngress, namespace, name, Ingress(fleet)))
	for _, c := range foreignChildren(fleet) {
		if facts.serves(c.Kind) {
			children = append(children, c)
		}
	}
	refused, kinds := facts.Permitted.refused(fleet)
	children = slices.DeleteFunc(children, func(c Child) bool { return slices.Contains(kinds, c.Kind) })
	return children, errors.Join(err, refused.ToAggregate())
}

func foreignChildren(fleet *v1alpha1.ReceiverFleet) []Child {
	namespace, name := fleet.Namespace, fleet.Name
	return []Child{
		child(KindCertificate, namespace, name, Certificate(fleet)),
		child(KindHTTPRoute, namespace, name, HTTPRoute(fleet)),
		child(KindPodMonitor, namespace, name, PodMonitor(fleet)),
		child(KindPrometheusRule, namespace, name, PrometheusRule(fleet)),
	}
}

func (f Facts) serves(kind schema.GroupVersionKind) bool { return f.Serves != nil && f.Serves(kind) }

// Missing returns the kinds that a fleet needs and the cluster does not serve.
func Missing(fleet *v1alpha1.ReceiverFleet, facts Facts) []schema.GroupVersionKind {
	var missing []schema.GroupVersionKind
	for _, c := range foreignChildren(fleet) {
		if c.Apply != nil && !facts.serves(c.Kind) {
			missing = append(missing, c.Kind)
		}
	}
	return missing
}
