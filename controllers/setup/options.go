package setup

import (
	"cmp"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"

	"github.com/postback-dev/postback-operator/controllers/resources"
)

// Options say how the operator runs.
type Options struct {
	// Image of receivers whose fleet declares none.
	Image string
	// Namespaces to work in; none means all. With some, Roles are enough.
	Namespaces []string
	// MetricsAddress and ProbeAddress to listen on, like :8443; "0" switches one off.
	MetricsAddress, ProbeAddress string
	// MetricsOpen serves metrics over plain HTTP to everybody. Otherwise it is HTTPS, and the API server is asked who
	// scrapes and whether they may, which takes cluster-wide permissions.
	MetricsOpen bool
	// MetricsCertDir holds the certificate of the metrics, tls.crt and tls.key, which may change at any time. When empty
	// the operator makes one at each start, which nobody can verify.
	MetricsCertDir string
	// LeaderElection lets one of several operators work while the others stand by with warm caches.
	// LeaderElectionNamespace has the Lease; empty means the pod's own.
	LeaderElection          bool
	LeaderElectionNamespace string
	// ID tells the operator from others, which leave alone what it made. Empty: the namespace of its Lease, and the class.
	ID string
	// Class of the declarations that it takes, as the label postback.dev/class has it; empty for those without one.
	Class string
	// Permitted is what fleets may declare.
	Permitted resources.Permissions
	// LogFormat is text or json, LogLevel debug, info, warn or error, as log/slog has them. Nothing is more verbose than
	// debug.
	LogFormat string
	LogLevel  slog.Level

	// Config reaches the API server; nil means as kubectl does, or the pod's service account.
	Config *rest.Config
	// Logs get the log.
	Logs io.Writer
	// Now is the clock, nil the system's.
	Now func() time.Time
	// DiscoverEvery is how often it is looked which kinds the cluster serves; 0 is every 30 seconds.
	DiscoverEvery time.Duration
	// Dial reaches receivers, nil over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Parse reads the flags of `manager run`.
func Parse(args []string, logs io.Writer) (Options, error) {
	o := Options{Logs: logs}
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	o.flags(flags)
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.Image == "":
		return o, fmt.Errorf("--receiver-image is missing: receivers of fleets that name no image need one")
	case o.MetricsOpen && o.MetricsCertDir != "":
		return o, fmt.Errorf("--metrics-cert-dir: with --metrics-open the metrics are served without TLS")
	case len(o.ID) > maxID || strings.ContainsFunc(o.ID, unicode.IsSpace):
		return o, fmt.Errorf("--operator-id: write at most %d characters without spaces", maxID)
	case o.Class != "" && len(validation.IsDNS1123Label(o.Class)) > 0:
		return o, fmt.Errorf("--operator-class: %q: write lower-case letters, digits and hyphens", o.Class)
	case o.LogFormat != "text" && o.LogFormat != "json":
		return o, fmt.Errorf("--log-format: %q is neither text nor json", o.LogFormat)
	}
	return o, nil
}

func (o *Options) flags(flags *flag.FlagSet) {
	flags.StringVar(&o.Image, "receiver-image", "", "image of receivers whose fleet names none")
	list(flags, &o.Namespaces, "watch-namespaces", "comma-separated namespaces to work in; all when absent")
	flags.StringVar(&o.MetricsAddress, "metrics-listen", ":8443", "address of /metrics; 0 switches it off")
	flags.BoolVar(&o.MetricsOpen, "metrics-open", false, "serve metrics over plain HTTP, to everybody")
	flags.StringVar(&o.MetricsCertDir, "metrics-cert-dir", "",
		"folder with tls.crt and tls.key for the metrics; without one the operator makes a certificate at each start")
	flags.StringVar(&o.ProbeAddress, "probe-listen", ":8081", "address of /livez and /readyz; 0 switches them off")
	flags.BoolVar(&o.LeaderElection, "leader-elect", false, "let one of several operators work")
	flags.StringVar(&o.LeaderElectionNamespace, "leader-elect-namespace", "",
		"namespace of the Lease; the pod's own when absent")
	flags.StringVar(&o.ID, "operator-id", "",
		"name of this operator on what it makes, which other operators leave alone; the namespace of its Lease when absent")
	flags.StringVar(&o.Class, "operator-class", "",
		"take declarations with this value of the label postback.dev/class only; those without the label when absent")
	flags.StringVar(&o.LogFormat, "log-format", "json", "text or json")
	flags.TextVar(&o.LogLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	flags.BoolVar(&o.Permitted.UnrestrictedPods, "allow-unrestricted-pod-templates", false,
		"take every podTemplate of a fleet, privileged containers, host paths, and service accounts included")
	list(flags, &o.Permitted.PrivateEgress, "allow-private-egress",
		"comma-separated namespaces whose fleets may set egress.allowPrivate, * for all")
	list(flags, &o.Permitted.AnnotationPrefixes, "allowed-annotation-prefixes",
		"comma-separated beginnings of annotations of Ingresses and Services; all when absent")
	list(flags, &o.Permitted.HostSuffixes, "allowed-host-suffixes",
		"comma-separated ends of the hosts of fleets, like example.com; all when absent")
	list(flags, &o.Permitted.Issuers, "allowed-issuers",
		"comma-separated issuers of certificates, like ClusterIssuer/letsencrypt; all when absent")
}

// checkCertificate fails where the metrics' certificate can't be loaded, instead of serving another one.
func (o *Options) checkCertificate() error {
	if o.MetricsCertDir == "" {
		return nil
	}
	_, err := tls.LoadX509KeyPair(filepath.Join(o.MetricsCertDir, "tls.crt"), filepath.Join(o.MetricsCertDir, "tls.key"))
	if err != nil {
		return fmt.Errorf("--metrics-cert-dir: %w", err)
	}
	return nil
}

// maxID leaves room in the name of a field manager, of which Kubernetes takes 128 characters.
const maxID = 100

// podNamespace is where a pod finds the name of its namespace.
const podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// id is the operator's, unless it is given: operators that wait for the same Lease are one to the others.
func (o *Options) id() string {
	if o.ID != "" {
		return o.ID
	}
	id := o.LeaderElectionNamespace
	if id == "" {
		inside, _ := os.ReadFile(podNamespace)
		id = cmp.Or(strings.TrimSpace(string(inside)), "outside-the-cluster")
	}
	if o.Class != "" {
		id += "/" + o.Class
	}
	return id
}

// list is a flag with comma-separated items, each of which counts once.
func list(flags *flag.FlagSet, into *[]string, name, usage string) {
	flags.Func(name, usage, func(value string) error {
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimSpace(item); item != "" && !slices.Contains(*into, item) {
				*into = append(*into, item)
			}
		}
		return nil
	})
}

// Usage describes the flags of `manager run`.
func Usage() string {
	var b strings.Builder
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(&b)
	new(Options).flags(flags)
	flags.PrintDefaults()
	return b.String()
}
