package resources

import (
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Permissions are what the operator's flags permit fleets to declare. Who may write a fleet in a namespace has not for
// that the rights that these things would give.
type Permissions struct {
	// UnrestrictedPods takes every pod template. Otherwise see [restrict].
	UnrestrictedPods bool
	// PrivateEgress are the namespaces whose fleets may set egress.allowPrivate; "*" is all.
	PrivateEgress []string
	// AnnotationPrefixes begin the annotations that an Ingress and a Service may have; HostSuffixes end hosts; Issuers are
	// KIND/NAME of those that a Certificate may ask. Empty: all.
	AnnotationPrefixes, HostSuffixes, Issuers []string
}

// Everything is permitted where nobody but the user is concerned: on their own machine.
var Everything = Permissions{UnrestrictedPods: true, PrivateEgress: []string{"*"}}

// AllowsPrivateEgress reports whether a fleet may set egress.allowPrivate.
func (p Permissions) AllowsPrivateEgress(fleet *v1alpha1.ReceiverFleet) bool {
	return slices.Contains(p.PrivateEgress, "*") || slices.Contains(p.PrivateEgress, fleet.Namespace)
}

// Egress says that a fleet sets egress.allowPrivate and may not; nil when it does not or may.
func (p Permissions) Egress(fleet *v1alpha1.ReceiverFleet) error {
	if !fleet.Spec.Egress.AllowPrivate || p.AllowsPrivateEgress(fleet) {
		return nil
	}
	return field.Forbidden(field.NewPath("spec", "egress", "allowPrivate"),
		"the operator's --allow-private-egress does not list this namespace; private addresses stay out of reach")
}

// refused returns what a fleet declares of its surroundings and may not, and the kinds that are to stay as they are for
// it.
func (p Permissions) refused(fleet *v1alpha1.ReceiverFleet) (found field.ErrorList, kinds []schema.GroupVersionKind) {
	spec := field.NewPath("spec")
	refuse := func(at *field.Path, flag string, of ...schema.GroupVersionKind) {
		found, kinds = append(found, field.Forbidden(at, "the operator's "+flag+" does not permit it")), append(kinds, of...)
	}
	for i, host := range fleet.Spec.Hosts() {
		if p.permitsHost(host) {
			continue
		}
		at := spec.Child("host")
		if i > 0 {
			at = spec.Child("additionalHosts").Index(i - 1)
		}
		refuse(at, "--allowed-host-suffixes", KindIngress, KindHTTPRoute, KindCertificate)
	}
	// It is in the URLs that networks get, keys and all.
	if external, err := url.Parse(fleet.Spec.ExternalURL); err != nil || !p.permitsHost(external.Hostname()) {
		refuse(spec.Child("externalURL"), "--allowed-host-suffixes")
	}
	if ingress := fleet.Spec.Ingress; ingress != nil {
		p.annotations(ingress.Annotations, spec.Child("ingress", "annotations"), KindIngress, refuse)
	}
	p.annotations(fleet.Spec.Service.Annotations, spec.Child("service", "annotations"), KindService, refuse)
	if certificate := fleet.Spec.Certificate; certificate != nil && !permits(p.Issuers, func(issuer string) bool {
		return issuer == certificate.IssuerRef.Kind+"/"+certificate.IssuerRef.Name
	}) {
		refuse(spec.Child("certificate", "issuerRef"), "--allowed-issuers", KindCertificate)
	}
	return found, kinds
}

// permitsHost reports whether a host may be declared; none always may.
func (p Permissions) permitsHost(host string) bool {
	return host == "" || permits(p.HostSuffixes, func(suffix string) bool {
		suffix = strings.TrimPrefix(suffix, ".")
		return host == suffix || strings.HasSuffix(host, "."+suffix)
	})
}

func (p Permissions) annotations(
	declared map[string]string, at *field.Path, kind schema.GroupVersionKind,
	refuse func(*field.Path, string, ...schema.GroupVersionKind),
) {
	names := make([]string, 0, len(declared))
	for name := range declared {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !permits(p.AnnotationPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			refuse(at.Key(name), "--allowed-annotation-prefixes", kind)
		}
	}
}

// permits reports whether one of the allowed fits; an empty list allows everything.
func permits(allowed []string, fits func(string) bool) bool {
	return len(allowed) == 0 || slices.ContainsFunc(allowed, fits)
}
