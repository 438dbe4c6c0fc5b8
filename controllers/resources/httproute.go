package resources

import "github.com/postback-dev/postback-operator/api/v1alpha1"

// HTTPRoute attaches the fleet's host to Gateways.
func HTTPRoute(fleet *v1alpha1.ReceiverFleet) *UntypedApplyConfiguration {
	if fleet.Spec.Gateway == nil {
		return nil
	}
	var parents []any
	for _, ref := range fleet.Spec.Gateway.ParentRefs {
		parent := map[string]any{"group": KindHTTPRoute.Group, "kind": "Gateway", "name": ref.Name}
		if ref.Namespace != "" {
			parent["namespace"] = ref.Namespace
		}
		if ref.SectionName != "" {
			parent["sectionName"] = ref.SectionName
		}
		parents = append(parents, parent)
	}
	return foreign(KindHTTPRoute, fleet, map[string]any{
		"parentRefs": parents,
		"hostnames":  hostsOf(fleet),
		"rules": []any{map[string]any{
			"backendRefs": []any{map[string]any{"name": fleet.Name, "port": int64(servicePort)}},
		}},
	})
}

// hostsOf returns the fleet's hosts as Kubernetes decodes a list.
func hostsOf(fleet *v1alpha1.ReceiverFleet) []any {
	var hosts []any
	for _, host := range fleet.Spec.Hosts() {
		hosts = append(hosts, host)
	}
	return hosts
}
