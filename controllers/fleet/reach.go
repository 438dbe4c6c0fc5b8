package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// reach reads what others' controllers say of the children through which networks reach the receivers.
func (o observer) reach(ctx context.Context, fleet *v1alpha1.ReceiverFleet,
	missing []schema.GroupVersionKind) (status.Finding, error) {
	for _, kind := range missing {
		if kind == resources.KindHTTPRoute || kind == resources.KindCertificate {
			return unreachable(v1alpha1.ReasonKindMissing, missingMessage(kind)), nil
		}
	}
	if fleet.Spec.Service.Type == string(corev1.ServiceTypeLoadBalancer) {
		var service corev1.Service
		err := o.cache.Get(ctx, client.ObjectKeyFromObject(fleet), &service)
		if says := balancerSays(&service); client.IgnoreNotFound(err) != nil || says != "" {
			return unreachable(v1alpha1.ReasonLoadBalancerPending, says), client.IgnoreNotFound(err)
		}
	}
	for _, route := range []struct {
		declared bool
		kind     schema.GroupVersionKind
		reason   string
		says     func(*unstructured.Unstructured, *v1alpha1.ReceiverFleet) string
	}{
		{fleet.Spec.Certificate != nil, resources.KindCertificate, v1alpha1.ReasonCertificateNotReady, certificateSays},
		{fleet.Spec.Gateway != nil, resources.KindHTTPRoute, v1alpha1.ReasonRouteNotAccepted, routeSays},
	} {
		if !route.declared {
			continue
		}
		child := &unstructured.Unstructured{}
		child.SetGroupVersionKind(route.kind)
		err := o.cache.Get(ctx, client.ObjectKeyFromObject(fleet), child)
		if err != nil && !apierrors.IsNotFound(err) {
			return status.Finding{}, fmt.Errorf("reading the %s: %w", route.kind.Kind, err)
		}
		if says := route.says(child, fleet); says != "" {
			return unreachable(route.reason, says), nil
		}
	}
	return status.True(v1alpha1.ConditionReachable, v1alpha1.ReasonReachable,
		"Nothing that leads to the receivers reports a problem."), nil
}

func unreachable(reason, message string) status.Finding {
	return status.False(v1alpha1.ConditionReachable, reason, message)
}

func missingMessage(kind schema.GroupVersionKind) string {
	return fmt.Sprintf("The cluster does not serve %s of %s: install it, or do not declare what needs it.", kind.Kind,
		kind.GroupVersion())
}

func balancerSays(service *corev1.Service) string {
	if len(service.Status.LoadBalancer.Ingress) > 0 {
		return ""
	}
	return "The Service waits for the address of its load balancer: its events say why if that takes long."
}

func certificateSays(certificate *unstructured.Unstructured, _ *v1alpha1.ReceiverFleet) string {
	conditions, _, _ := unstructured.NestedSlice(certificate.Object, "status", "conditions")
	for _, c := range conditions {
		c, _ := c.(map[string]any)
		if c["type"] != "Ready" {
			continue
		}
		if c["status"] == string(metav1.ConditionTrue) {
			return ""
		}
		return "The Certificate is not ready: " + says(c)
	}
	return "The Certificate was not looked at yet by cert-manager."
}

// routeSays goes by the Gateways that are declared: each of them must accept the route and find what it leads to.
func routeSays(route *unstructured.Unstructured, fleet *v1alpha1.ReceiverFleet) string {
	parents, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	var found []string
	for _, ref := range fleet.Spec.Gateway.ParentRefs {
		i := slices.IndexFunc(parents, func(p any) bool { return isParent(p, ref, fleet.Namespace) })
		if i < 0 {
			found = append(found, "Gateway "+ref.Name+" did not look at the HTTPRoute yet.")
			continue
		}
		conditions, _, _ := unstructured.NestedSlice(parents[i].(map[string]any), "conditions")
		for _, c := range conditions {
			c, _ := c.(map[string]any)
			if (c["type"] == "Accepted" || c["type"] == "ResolvedRefs") && c["status"] == string(metav1.ConditionFalse) {
				found = append(found, "Gateway "+ref.Name+" does not take the HTTPRoute: "+says(c))
			}
		}
	}
	return strings.Join(found, " ")
}

func isParent(parent any, ref v1alpha1.ParentRef, namespace string) bool {
	p, _ := parent.(map[string]any)
	text := func(field string) string {
		value, _, _ := unstructured.NestedString(p, "parentRef", field)
		return value
	}
	wanted, held := ref.Namespace, text("namespace")
	if wanted == "" {
		wanted = namespace
	}
	if held == "" {
		held = namespace
	}
	return text("name") == ref.Name && held == wanted && text("sectionName") == ref.SectionName
}

// says is what a condition of somebody else's object says, bounded.
func says(condition map[string]any) string {
	reason, _ := condition["reason"].(string)
	message, _ := condition["message"].(string)
	return short(reason + ": " + message)
}
