package reach

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// Credentials are what senders of an endpoint have. None of it may be printed but URLs that somebody asks for.
type Credentials struct {
	// URL is the postback URL up to the question mark, key and all.
	URL string
	// ClickToken and ClientKey are empty where the endpoint has none.
	ClickToken, ClientKey string
	// InCluster: only the cluster can reach the URL's host.
	InCluster bool
}

// ClientURL is the postback URL for pages, false where the endpoint has no client key.
func (c Credentials) ClientURL() (string, bool) {
	u, err := url.Parse(c.URL)
	if err != nil || c.ClientKey == "" {
		return "", false
	}
	u.Path = "/" + c.ClientKey + "/postback"
	return u.String(), true
}

// Base is the address of the port for postbacks.
func (c Credentials) Base() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Files say where credentials are when there is no cluster.
type Files struct{ secrets, public string }

// Add adds the flags.
func (f *Files) Add(set *pflag.FlagSet) {
	set.StringVar(&f.secrets, "secrets", "", "with --server: secrets.yaml that `manager render` or `make run` wrote "+
		"(.run/config/secrets.yaml)")
	set.StringVar(&f.public, "public", "http://127.0.0.1:8080", "with --secrets: address of the port for postbacks")
}

// Credentials returns those of the endpoint "namespace/name", from its Secrets or from the files.
func (f *Flags) Credentials(ctx context.Context, endpoint string, files *Files) (Credentials, error) {
	if !f.Direct() && files.secrets == "" {
		cluster, err := f.Cluster()
		if err != nil {
			return Credentials{}, err
		}
		return cluster.credentials(ctx, endpoint)
	}
	if files.secrets == "" {
		return Credentials{}, exit.WithUsage(errors.New("the receiver does not know its keys: add --secrets " +
			".run/config/secrets.yaml, which `make run` wrote"))
	}
	return files.read(endpoint)
}

func (c *Cluster) credentials(ctx context.Context, name string) (Credentials, error) {
	endpoint, err := c.Endpoint(ctx, name)
	if err != nil {
		return Credentials{}, err
	}
	own, err := c.Secret(ctx, endpoint.Namespace, resources.URLSecretName(endpoint))
	if apierrors.IsNotFound(err) {
		return Credentials{}, plainly(err, "%s has no postback URL yet: `kubectl describe pbe -n %s %s` says why", name,
			endpoint.Namespace, endpoint.Name)
	}
	if err != nil {
		return Credentials{}, err
	}
	found := Credentials{URL: string(own[v1alpha1.URLField])}
	if u, err := url.Parse(found.URL); err == nil {
		found.InCluster = strings.HasSuffix(u.Hostname(), ".svc")
	}
	secret := resources.KeySecretName(endpoint)
	if ref := endpoint.Spec.Key.SecretRef; ref != nil {
		secret = ref.Name
	}
	// Without it there is still the URL: who needs the rest says so.
	if keys, err := c.Secret(ctx, endpoint.Namespace, secret); err == nil {
		found.ClickToken, found.ClientKey = string(keys[v1alpha1.ClickTokenField]), string(keys[v1alpha1.ClientKeyField])
	}
	return found, nil
}

// maxSecrets bounds a file with Secrets.
const maxSecrets = 64 << 20

// read finds the Secret with the endpoint's key in the file.
func (f *Files) read(endpoint string) (Credentials, error) {
	file, err := os.Open(f.secrets)
	if err != nil {
		return Credentials{}, exit.WithUsage(fmt.Errorf("--secrets: %w", err))
	}
	defer func() { _ = file.Close() }() // it was only read
	named := &v1alpha1.PostbackEndpoint{}
	named.Namespace, named.Name, _ = strings.Cut(endpoint, "/")
	reader := utilyaml.NewYAMLReader(bufio.NewReader(io.LimitReader(file, maxSecrets)))
	for {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return Credentials{}, fmt.Errorf("%s has no Secret %s/%s with the field %s", f.secrets, named.Namespace,
				resources.KeySecretName(named), v1alpha1.DefaultKeyField)
		}
		if err != nil {
			return Credentials{}, fmt.Errorf("--secrets %s: cannot be read as YAML", f.secrets) // the error may quote a key
		}
		var secret struct {
			Metadata   struct{ Name, Namespace string }
			Data       map[string][]byte
			StringData map[string]string
		}
		if yaml.Unmarshal(text, &secret) != nil || secret.Metadata.Name != resources.KeySecretName(named) ||
			cmp.Or(secret.Metadata.Namespace, "default") != named.Namespace {
			continue
		}
		value := func(field string) string { return cmp.Or(secret.StringData[field], string(secret.Data[field])) }
		if key := value(v1alpha1.DefaultKeyField); key != "" {
			return Credentials{
				URL:        strings.TrimSuffix(f.public, "/") + "/" + key + "/postback",
				ClickToken: value(v1alpha1.ClickTokenField),
				ClientKey:  value(v1alpha1.ClientKeyField),
			}, nil
		}
	}
}
