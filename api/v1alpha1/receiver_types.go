package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// ReceiverSpec shapes receivers: what a ReceiverFleet declares besides who may join it.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.replicas) && has(self.autoscaling))",message="set replicas or autoscaling, not both"
// +kubebuilder:validation:XValidation:rule="!has(self.store.embedded) || ((!has(self.replicas) || self.replicas <= 1) && !has(self.autoscaling))",message="the embedded store serves one receiver: leave replicas at 1 and autoscaling out, or declare store.postgres"
// +kubebuilder:validation:XValidation:rule="(!has(self.ingress) && !has(self.gateway)) || has(self.host)",message="ingress and gateway need host, the name under which networks reach the receivers"
// +kubebuilder:validation:XValidation:rule="!has(self.certificate) || has(self.host)",message="certificate needs host, the name that it is issued for"
// +kubebuilder:validation:XValidation:rule="!has(self.additionalHosts) || (has(self.host) && !self.additionalHosts.exists(h, h == self.host))",message="additionalHosts: declare host, the name in URLs, and only names besides it"
type ReceiverSpec struct {
	// Image of the receiver. Absent: the image that belongs to the operator.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Image string `json:"image,omitempty"`
	// Replicas is the number of receivers, 0 to 1000. Absent: 1. Not beside `autoscaling`.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`
	// Autoscaling scales the receivers by their CPU load, within bounds. It needs `store.postgres`.
	// +optional
	Autoscaling *Autoscaling `json:"autoscaling,omitempty"`
	// Store keeps clicks and conversions: `embedded`, which is the default and serves exactly one receiver, or `postgres`.
	// +kubebuilder:default={embedded: {}}
	// +optional
	Store Store `json:"store,omitzero"`
	// Retention is for how long the store keeps what it has. A change restarts the receivers one after the other.
	// +optional
	Retention Retention `json:"retention,omitzero"`
	// Host is the name under which networks reach the receivers, without scheme, like pb.example.com. `ingress`, `gateway`
	// and `certificate` need it.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="host: write a lower-case host name without scheme and path, like pb.example.com"
	// +optional
	Host string `json:"host,omitempty"`
	// AdditionalHosts are further names that `ingress`, `gateway` and `certificate` are for, like a former host while
	// networks still use it. URLs show `host`.
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +optional
	AdditionalHosts []HostName `json:"additionalHosts,omitempty"`
	// ExternalURL begins the URLs that networks and pages get, like https://pb.example.com, where something in front of
	// the receivers, a load balancer or a CDN, answers under it. Absent: `host`, with https if the declaration has TLS.
	// +kubebuilder:validation:MaxLength=300
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?$')",message="externalURL: write https:// and a lower-case host name, a port up to 65535 if any, without path, like https://pb.example.com"
	// +optional
	ExternalURL string `json:"externalURL,omitempty"`
	// Service in front of the receivers.
	// +kubebuilder:default={}
	// +optional
	Service ServiceSpec `json:"service,omitzero"`
	// Ingress routes `host` to the receivers.
	// +optional
	Ingress *IngressSpec `json:"ingress,omitempty"`
	// Gateway attaches an HTTPRoute for `host` to Gateways.
	// +optional
	Gateway *GatewaySpec `json:"gateway,omitempty"`
	// Certificate is requested from cert-manager for `host`, if the cluster has cert-manager.
	// +optional
	Certificate *CertificateSpec `json:"certificate,omitempty"`
	// Rates are the sources of exchange rates.
	// +kubebuilder:default={}
	// +optional
	Rates Rates `json:"rates,omitzero"`
	// AdminAPI serves Keitaro's Admin API, read-only, on a Service of its own, `NAME-admin`, to which your Ingress may
	// lead. It speaks plain HTTP. Absent: it is off.
	// +optional
	AdminAPI *AdminAPISpec `json:"adminAPI,omitempty"`
	// TrustedProxies are the networks whose X-Forwarded-For is believed. List the addresses of your proxies only: who is
	// in these networks chooses the address that `allowedCIDRs` checks.
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=49
	// +kubebuilder:validation:XValidation:rule="self.all(c, isCIDR(c))",message="trustedProxies: write networks like 192.0.2.0/24 or 2001:db8::/32; a single address is 192.0.2.1/32"
	// +optional
	TrustedProxies []string `json:"trustedProxies,omitempty"`
	// Egress limits where receivers may send requests.
	// +optional
	Egress EgressSpec `json:"egress,omitzero"`
	// PodTemplate is merged over the operator's pod template by strategic merge. Fields that the operator depends on are
	// protected, and others need the operator's permission. Without it the receiver requests 100m of CPU and 128Mi of
	// memory and is limited to 256Mi of memory; a higher request of memory raises that limit.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	PodTemplate *runtime.RawExtension `json:"podTemplate,omitempty"`
	// PodDisruptionBudget keeps receivers available while nodes are drained. It never blocks a drain.
	// +kubebuilder:default={enabled: true}
	// +optional
	PodDisruptionBudget Toggle `json:"podDisruptionBudget,omitzero"`
	// NetworkPolicy allows only the traffic that receivers serve.
	// +kubebuilder:default={enabled: false}
	// +optional
	NetworkPolicy Toggle `json:"networkPolicy,omitzero"`
	// PodMonitor makes the Prometheus operator scrape the receivers, with alerts.
	// +kubebuilder:default={enabled: false}
	// +optional
	PodMonitor Toggle `json:"podMonitor,omitzero"`
}

// HostName is a lower-case host name without scheme and path, like pb.example.com.
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="additionalHosts: write lower-case host names without scheme and path, like pb.example.com"
type HostName string

// Hosts are all names under which a fleet is reached, host first.
func (r *ReceiverSpec) Hosts() []string {
	if r.Host == "" {
		return nil
	}
	hosts := []string{r.Host}
	for _, host := range r.AdditionalHosts {
		hosts = append(hosts, string(host))
	}
	return hosts
}

// Toggle switches an optional object on or off.
type Toggle struct {
	// Enabled creates the object; otherwise there is none.
	// +required
	Enabled bool `json:"enabled"`
}

// Autoscaling bounds a HorizontalPodAutoscaler.
//
// +kubebuilder:validation:XValidation:rule="self.minReplicas <= self.maxReplicas",message="autoscaling: minReplicas must not be above maxReplicas"
type Autoscaling struct {
	// MinReplicas is the lower bound, at least 1.
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	MinReplicas int32 `json:"minReplicas,omitempty"`
	// MaxReplicas is the upper bound, at most 1000.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +required
	MaxReplicas int32 `json:"maxReplicas"`
	// TargetCPUUtilization is the average load to aim for, in percent of the requested CPU.
	// +kubebuilder:default=70
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	TargetCPUUtilization int32 `json:"targetCPUUtilization,omitempty"`
}

// Store is where clicks and conversions are kept.
//
// +kubebuilder:validation:XValidation:rule="has(self.embedded) != has(self.postgres)",message="store: declare either embedded or postgres"
type Store struct {
	// Embedded keeps them in SQLite, on a volume of the only receiver.
	// +optional
	Embedded *Volume `json:"embedded,omitempty"`
	// Postgres keeps them in a PostgreSQL database that all receivers share.
	// +optional
	Postgres *PostgresStore `json:"postgres,omitempty"`
}

// Kinds of stores.
const (
	StoreEmbedded = "embedded"
	StorePostgres = "postgres"
)

// Kind is the kind of store that is declared.
func (s *Store) Kind() string {
	if s.Postgres != nil {
		return StorePostgres
	}
	return StoreEmbedded
}

// Volume is a persistent volume to claim.
//
// +kubebuilder:validation:XValidation:rule="has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)",message="storageClassName: a volume keeps its class: leave it as it was"
// +kubebuilder:validation:XValidation:rule="!has(self.size) || !has(oldSelf.size) || quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0",message="size: a volume never shrinks: write at least what it was"
type Volume struct {
	// Size of the volume. It can only be raised.
	// +kubebuilder:default="10Gi"
	// +optional
	Size *resource.Quantity `json:"size,omitempty"`
	// StorageClassName of the volume. Absent: the cluster's default class.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	StorageClassName *string `json:"storageClassName,omitempty"`
}

// PostgresStore is a PostgreSQL database.
//
// +kubebuilder:validation:XValidation:rule="!has(self.spool) || !has(oldSelf.spool) || !has(self.spool.size) || !has(oldSelf.spool.size) || quantity(string(self.spool.size)).compareTo(quantity(string(oldSelf.spool.size))) == 0",message="spool: the volumes of receivers keep their size: declare none, delete the claims data-FLEET-N once the receivers have ended, then declare another size"
type PostgresStore struct {
	// DSNSecretRef names the Secret with the connection string, `postgres://user:password@host/database`, in the field
	// `dsn` unless said otherwise.
	// +required
	DSNSecretRef SecretKeyReference `json:"dsnSecretRef"`
	// MaxConnections is the number of connections of each receiver, at least 2.
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=1000
	// +optional
	MaxConnections int32 `json:"maxConnections,omitempty"`
	// HoldFor is how long a request waits while the database is unavailable before it is answered 503. At most 5m.
	// +kubebuilder:default="20s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && duration(self) <= duration('5m')",message="holdFor: write a duration of at most 5m, like 20s"
	// +optional
	HoldFor *metav1.Duration `json:"holdFor,omitempty"`
	// RequireSynchronous makes receivers unready on a database that would lose commits in a failover.
	// +optional
	RequireSynchronous bool `json:"requireSynchronous,omitempty"`
	// Spool is a volume of each receiver on which postbacks wait durably while the database is unavailable.
	// +optional
	Spool *Volume `json:"spool,omitempty"`
}

// ServiceSpec shapes the Service.
type ServiceSpec struct {
	// Type of the Service: `ClusterIP`, `NodePort` or `LoadBalancer`.
	// +kubebuilder:default=ClusterIP
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer
	// +optional
	Type string `json:"type,omitempty"`
	// Annotations of the Service. The operator may be set up to allow some prefixes only.
	// +kubebuilder:validation:MaxProperties=64
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// IngressSpec shapes the Ingress.
type IngressSpec struct {
	// ClassName of the Ingress. Absent: the cluster's default class.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ClassName *string `json:"className,omitempty"`
	// TLSSecretName is the Secret with the certificate. Absent: that of `certificate` if there is one, otherwise plain
	// HTTP, or the TLS that the ingress controller arranges.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	TLSSecretName string `json:"tlsSecretName,omitempty"`
	// Annotations of the Ingress. The operator may be set up to allow some prefixes only.
	// +kubebuilder:validation:MaxProperties=64
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// GatewaySpec attaches the receivers to Gateways.
type GatewaySpec struct {
	// ParentRefs are the Gateways that the HTTPRoute attaches to.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +required
	ParentRefs []ParentRef `json:"parentRefs"`
}

// ParentRef names a Gateway.
type ParentRef struct {
	// Name of the Gateway.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`
	// Namespace of the Gateway. Absent: the fleet's.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// SectionName is one listener of the Gateway. Absent: all.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	SectionName string `json:"sectionName,omitempty"`
}

// CertificateSpec shapes cert-manager's Certificate. It ends in the Secret that ingress.tlsSecretName names, else in
// the fleet's name with -tls.
type CertificateSpec struct {
	// IssuerRef names the cert-manager issuer of the certificate.
	// +required
	IssuerRef IssuerRef `json:"issuerRef"`
}

// IssuerRef names an issuer of cert-manager.
type IssuerRef struct {
	// Name of the issuer.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`
	// Kind of the issuer: `Issuer`, in the fleet's namespace, `ClusterIssuer`, or a kind of an external issuer's group.
	// +kubebuilder:default=Issuer
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Kind string `json:"kind,omitempty"`
	// Group of the issuer. External issuers have groups of their own.
	// +kubebuilder:default=cert-manager.io
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Group string `json:"group,omitempty"`
}

// AdminAPISpec shapes Keitaro's Admin API.
type AdminAPISpec struct {
	// KeySecretRef names your Secret with the key that scripts send, in the field `key` unless said otherwise: 24
	// characters or more. It reads every endpoint of the fleet. Absent: the operator generates one into the Secret
	// `NAME-admin`.
	// +optional
	KeySecretRef *SecretKeyReference `json:"keySecretRef,omitempty"`
}

// EgressSpec bounds the requests that receivers make.
type EgressSpec struct {
	// AllowPrivate lets rate providers and S2S postbacks reach private addresses, if the operator's
	// `--allow-private-egress` lists the namespace.
	// +optional
	AllowPrivate bool `json:"allowPrivate,omitempty"`
}

// Rates says where exchange rates come from.
type Rates struct {
	// Providers in order of preference: the next one is asked when one fails, and for currencies that one lacks. The
	// default are the European Central Bank and open.er-api.com. An empty list asks nobody, so only the fixed rates are
	// known.
	// +kubebuilder:default={{name: ecb, type: ECB}, {name: open-er-api, type: OpenERAPI}}
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	// +optional
	Providers []RateProvider `json:"providers,omitzero"`
	// RefreshEvery is how often the providers are asked, at least 1m. It is varied by up to 10 %.
	// +kubebuilder:default="12h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(h|m|s))+$') && duration(self) >= duration('1m')",message="refreshEvery: write a duration of at least 1m, like 12h"
	// +optional
	RefreshEvery *metav1.Duration `json:"refreshEvery,omitempty"`
	// Fixed rates take precedence over every provider, and so do their inverses.
	// +listType=map
	// +listMapKey=from
	// +listMapKey=to
	// +kubebuilder:validation:MaxItems=256
	// +optional
	Fixed []FixedRate `json:"fixed,omitempty"`
}

// RateProviderOpenExchangeRates is the type of rate provider that takes a key.
const RateProviderOpenExchangeRates = "OpenExchangeRates"

// RateProvider is one source of exchange rates.
//
// +kubebuilder:validation:XValidation:rule="self.type != 'JSON' || has(self.url)",message="rates.providers: type JSON needs url, the address that answers {base, date, rates}"
// +kubebuilder:validation:XValidation:rule="self.type != 'OpenExchangeRates' || has(self.keySecretRef)",message="rates.providers: type OpenExchangeRates needs keySecretRef, the Secret with your app id"
// +kubebuilder:validation:XValidation:rule="self.type == 'OpenExchangeRates' || !has(self.keySecretRef)",message="rates.providers: only type OpenExchangeRates takes a key"
// +kubebuilder:validation:XValidation:rule="!has(self.keySecretRef) || !has(self.url) || self.url.startsWith('https://openexchangerates.org/')",message="rates.providers: a key goes to https://openexchangerates.org/ only: leave url out"
type RateProvider struct {
	// Name is shown as `rate_source` in conversions.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="name: use lower-case letters, digits and hyphens, like ecb"
	// +required
	Name string `json:"name"`
	// Type is the format that the provider answers in: `ECB`, `OpenERAPI`, `OpenExchangeRates`, or `JSON` for any address
	// that answers `{"base","date","rates"}`.
	// +kubebuilder:validation:Enum=ECB;OpenERAPI;OpenExchangeRates;JSON
	// +required
	Type string `json:"type"`
	// URL replaces the provider's public address. `JSON` needs it.
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([A-Za-z0-9._-]+|\\\\[[0-9a-fA-F:.]+\\\\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?([/?#].*)?$')",message="url: write http:// or https:// and a host name, a port up to 65535 if any"
	// +optional
	URL string `json:"url,omitempty"`
	// KeySecretRef names the Secret with the API key, in the field `key` unless said otherwise. `OpenExchangeRates` needs
	// it, other types refuse it. The key is sent to `https://openexchangerates.org/` only.
	// +optional
	KeySecretRef *SecretKeyReference `json:"keySecretRef,omitempty"`
}

// FixedRate declares that one unit of From is Rate units of To.
//
// +kubebuilder:validation:XValidation:rule="self.from != self.to",message="rates.fixed: from and to must differ"
type FixedRate struct {
	// From is a currency code: 3 to 10 capital letters and digits, also beyond ISO 4217.
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z0-9]{3,10}$')",message="from: write a currency code in upper case, like EUR or USDT"
	// +kubebuilder:validation:XValidation:rule="self != 'RUR'",message="from: RUR was replaced by RUB: write RUB"
	// +required
	From string `json:"from"`
	// To is another currency code, written like `from`.
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z0-9]{3,10}$')",message="to: write a currency code in upper case, like USD"
	// +kubebuilder:validation:XValidation:rule="self != 'RUR'",message="to: RUR was replaced by RUB: write RUB"
	// +required
	To string `json:"to"`
	// Rate is what one unit of `from` is worth in `to`: a decimal above 0, in quotes.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{1,15}([.][0-9]{1,18})?$') && self.matches('[1-9]')",message="rate: write a decimal above 0 in quotes, like \"1.0845\""
	// +required
	Rate string `json:"rate"`
}
