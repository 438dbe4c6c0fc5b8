// Package reach finds the receivers of an endpoint and speaks to them: directly by --server, or through the API server
// of a cluster by a port-forward. What goes wrong on the way becomes one line that says what to do.
package reach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/postback-dev/postback-operator/api/read/client"
	"github.com/postback-dev/postback-operator/cli/exit"
)

// maxToken bounds a token file, in bytes.
const maxToken = 4 << 10

// answerTimeout bounds the wait for the first byte of an answer. A query may take a minute.
const answerTimeout = 90 * time.Second

// Flags say how receivers are reached.
type Flags struct {
	// server is the address of a receiver's second port, tokenFile the file with its token.
	server, tokenFile string
	kubeconfig        string
	overrides         clientcmd.ConfigOverrides
	cluster           *Cluster // nil until it is needed
}

// New returns flags with nothing set.
func New() *Flags { return &Flags{} }

// Add adds the flags. Those of clusters are kubectl's own, but for the address of an API server, which the kubeconfig
// has: --server is that of a receiver.
func (f *Flags) Add(set *pflag.FlagSet) {
	set.StringVar(&f.server, "server", "",
		"address of a receiver's second port, such as http://127.0.0.1:8081: no cluster is asked")
	set.StringVar(&f.tokenFile, "token-file", "",
		"file with the token for --server; without it this machine's receiver only")
	set.StringVar(&f.kubeconfig, "kubeconfig", "", "path of the kubeconfig")
	names := clientcmd.RecommendedConfigOverrideFlags("")
	set.StringVar(&f.overrides.CurrentContext, names.CurrentContext.LongName, "", "context of the kubeconfig")
	set.StringVarP(&f.overrides.Context.Namespace, names.ContextOverrideFlags.Namespace.LongName, "n", "",
		"namespace of the endpoint")
	set.StringVar(&f.overrides.Context.Cluster, names.ContextOverrideFlags.ClusterName.LongName, "",
		"cluster of the kubeconfig")
	set.StringVar(&f.overrides.Context.AuthInfo, names.ContextOverrideFlags.AuthInfoName.LongName, "",
		"user of the kubeconfig")
	set.StringVar(&f.overrides.AuthInfo.Impersonate, names.AuthOverrideFlags.Impersonate.LongName, "",
		"user to act as")
	set.StringArrayVar(&f.overrides.AuthInfo.ImpersonateGroups, names.AuthOverrideFlags.ImpersonateGroups.LongName, nil,
		"group to act as; may be given several times")
	set.StringVar(&f.overrides.Timeout, names.Timeout.LongName, "", "bounds a request to the API server, such as 10s")
}

// loader reads the kubeconfig.
func (f *Flags) loader() clientcmd.ClientConfig {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &f.overrides)
}

// Direct reports whether --server was given.
func (f *Flags) Direct() bool { return f.server != "" }

// Check returns what is wrong with the flags.
func (f *Flags) Check() error {
	if f.server == "" {
		if f.tokenFile != "" {
			return exit.WithUsage(errors.New("--token-file is for --server; on a cluster the token is in a Secret"))
		}
		return nil
	}
	u, err := url.Parse(f.server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return exit.WithUsage(errors.New("--server: write an address such as http://127.0.0.1:8081"))
	}
	return nil
}

// Name returns an endpoint as "namespace/name". The argument may have the namespace; otherwise it is that of -n, of the
// kubeconfig, or with --server "default".
func (f *Flags) Name(argument string) (string, error) {
	if namespace, name, ok := strings.Cut(argument, "/"); ok {
		if namespace == "" || name == "" || strings.Contains(name, "/") {
			return "", exit.WithUsage(fmt.Errorf("%q: write NAME or NAMESPACE/NAME", argument))
		}
		return argument, nil
	}
	namespace, err := f.Namespace()
	return namespace + "/" + argument, err
}

// Namespace returns the namespace that commands are about.
func (f *Flags) Namespace() (string, error) {
	if f.overrides.Context.Namespace != "" {
		return f.overrides.Context.Namespace, nil
	}
	if f.Direct() {
		return "default", nil
	}
	namespace, _, err := f.loader().Namespace()
	return namespace, explainKubeconfig(err)
}

// Receiver is a receiver that can be asked.
type Receiver struct {
	*client.Client
	// Ops carries requests to the second port, below Base; Public carries those to the port for postbacks, nil with
	// --server: its address is not known.
	Ops, Public http.RoundTripper
	// Base is the address of the second port for Ops, Token what it wants to see.
	Base, Token string
	// Fleet is "namespace/name", empty with --server. Pod is the one that is asked.
	Fleet, Pod string
	// close ends the connection; nil if there is none to end.
	close func()
}

// Close ends the connection.
func (r *Receiver) Close() {
	if r.close != nil {
		r.close()
	}
}

// Receiver returns a receiver of the endpoint "namespace/name", to be read from. The caller closes it.
func (f *Flags) Receiver(ctx context.Context, endpoint string) (*Receiver, error) {
	return f.open(ctx, endpoint, (*Cluster).Receiver)
}

// Changer is Receiver for who changes something.
func (f *Flags) Changer(ctx context.Context, endpoint string) (*Receiver, error) {
	return f.open(ctx, endpoint, (*Cluster).Changer)
}

// Actor returns who the kubeconfig's user is, empty with --server.
func (f *Flags) Actor(ctx context.Context) (string, error) {
	if f.Direct() {
		return "", nil
	}
	cluster, err := f.Cluster()
	if err != nil {
		return "", err
	}
	return cluster.User(ctx), nil
}

func (f *Flags) open(ctx context.Context, endpoint string,
	through func(*Cluster, context.Context, string) (*Receiver, error)) (*Receiver, error) {
	if !f.Direct() {
		cluster, err := f.Cluster()
		if err != nil {
			return nil, err
		}
		return through(cluster, ctx, endpoint)
	}
	token, err := f.token()
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerTimeout
	carried := explained{transport, f.server}
	return &Receiver{
		Client: client.New(f.server, token, carried),
		Ops:    carried,
		Base:   strings.TrimSuffix(f.server, "/"),
		Token:  token,
		close:  transport.CloseIdleConnections,
	}, nil
}

func (f *Flags) token() (string, error) {
	if f.tokenFile == "" {
		return "", nil
	}
	file, err := os.Open(f.tokenFile)
	if err != nil {
		return "", exit.WithUsage(fmt.Errorf("--token-file: %w", err))
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	switch token := strings.TrimSpace(string(text)); {
	case err != nil:
		return "", fmt.Errorf("--token-file: %w", err)
	case len(text) > maxToken || token == "" || strings.ContainsAny(token, " \r\n"):
		return "", exit.WithUsage(fmt.Errorf("--token-file %s: one line with the token is expected", f.tokenFile))
	default:
		return token, nil
	}
}

// Cluster returns the cluster of the kubeconfig.
func (f *Flags) Cluster() (*Cluster, error) {
	if f.Direct() {
		return nil, exit.WithUsage(errors.New("this needs a cluster: leave out --server"))
	}
	if f.cluster == nil {
		cluster, err := newCluster(f.loader(), f.overrides.CurrentContext)
		if err != nil {
			return nil, err
		}
		f.cluster = cluster
	}
	return f.cluster, nil
}

// Complete offers the names of endpoints for the first argument.
func (f *Flags) Complete(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || f.Direct() {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
	defer cancel()
	cluster, err := f.Cluster()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	namespace, err := f.Namespace()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	endpoints, err := cluster.Endpoints(ctx, namespace)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]string, len(endpoints))
	for i := range endpoints {
		names[i] = endpoints[i].Name
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
