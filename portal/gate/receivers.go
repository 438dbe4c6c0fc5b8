package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/reach"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// foundFor is for how long the receivers of an endpoint are remembered.
const foundFor = 10 * time.Second

// receivers are those of one endpoint: where they listen, and the token of their fleet.
type receivers struct {
	addresses []string
	token     string
	until     time.Time
}

// scopesKey is the context's key of what the visitor may do, a []read.Scope.
type scopesKey struct{}

// line carries the requests of one endpoint's console to its receivers. Each has a token that is good for this endpoint
// and for what the visitor may do, and for nothing else.
type line struct {
	endpoint types.NamespacedName
	cluster  *reach.Cluster
	clock    func() time.Time
	// over carries requests to the receivers' addresses.
	over http.RoundTripper

	mu    sync.Mutex
	found receivers // guarded by mu
}

// RoundTrip implements [http.RoundTripper]. What only reads is asked of each receiver until one answers.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	to, err := l.receivers(r.Context())
	if err != nil {
		return nil, err
	}
	scopes, ok := r.Context().Value(scopesKey{}).([]read.Scope)
	if !ok {
		scopes = []read.Scope{read.ScopeRead} // The one reader of what is watched live, for all who may read.
	}
	token := read.Token(to.token, read.Grant{Endpoint: l.endpoint.String(), Scopes: scopes})
	var failed error
	for _, address := range to.addresses {
		asked := r.Clone(r.Context())
		asked.URL.Scheme, asked.URL.Host, asked.Host = "http", address, address
		asked.Header.Set("Authorization", "Bearer "+token)
		response, err := l.over.RoundTrip(asked)
		if err == nil {
			if response.StatusCode == http.StatusUnauthorized {
				l.forget() // The token of the fleet was changed.
			}
			return response, nil
		}
		l.forget()
		failed = errors.Join(failed, err)
		if r.Method != http.MethodGet || r.Context().Err() != nil {
			break
		}
	}
	return nil, failed
}

func (l *line) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found = receivers{}
}

// receivers finds out where the endpoint is served.
func (l *line) receivers(ctx context.Context) (receivers, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clock().Before(l.found.until) {
		return l.found, nil
	}
	endpoint, err := l.cluster.Endpoint(ctx, l.endpoint.String())
	if err != nil {
		return receivers{}, err
	}
	fleet := reach.FleetOf(endpoint)
	named := &v1alpha1.ReceiverFleet{}
	named.Name = fleet.Name
	secret, err := l.cluster.Secret(ctx, fleet.Namespace, resources.OpsSecretName(named))
	if err != nil {
		return receivers{}, fmt.Errorf("reading the token of the fleet %s, see console.fleets: %w", fleet, err)
	}
	found := receivers{token: string(secret[v1alpha1.OpsTokenField]), until: l.clock().Add(foundFor)}
	if found.token == "" {
		return receivers{}, fmt.Errorf("the fleet %s has no token", fleet)
	}
	pods, err := l.cluster.Pods(ctx, fleet)
	if err != nil {
		return receivers{}, err
	}
	for i := range pods {
		if address := opsAddress(&pods[i]); address != "" && reach.Ready(&pods[i]) {
			found.addresses = append(found.addresses, address)
		}
	}
	if len(found.addresses) == 0 {
		return receivers{}, fmt.Errorf("no pod of the fleet %s is ready", fleet)
	}
	l.found = found
	return found, nil
}

// opsAddress returns where a receiver answers the API; "" if it has no such port.
func opsAddress(pod *corev1.Pod) string {
	for i := range pod.Spec.Containers {
		for _, port := range pod.Spec.Containers[i].Ports {
			if port.Name == resources.OpsPortName && pod.Status.PodIP != "" {
				return net.JoinHostPort(pod.Status.PodIP, fmt.Sprint(port.ContainerPort))
			}
		}
	}
	return ""
}
