//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// fleetName is that of every fleet on PostgreSQL here.
const fleetName = "receivers"

// baseURL of that fleet, inside the cluster.
func baseURL(namespace string) string {
	return "http://" + fleetName + "." + namespace + ".svc.cluster.local"
}

// databases are those made so far, by namespace: their DSN for this machine.
var databases = map[string]string{}

// fleetManifest declares a fleet on a database of its own, whose Secret it makes. spec is more of its spec, like
// "replicas: 3".
func fleetManifest(t *testing.T, namespace string, spec ...string) string {
	t.Helper()
	makeDatabase(t, namespace)
	return fleetOnDatabase(spec...)
}

// makeDatabase makes a database and the Secret db that names it.
func makeDatabase(t *testing.T, namespace string) {
	t.Helper()
	pods, local, err := database.Create(t.Context(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	databases[namespace] = local
	apply(t, namespace, fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: db, labels: {postback.dev/readable: "true"}}
stringData: {dsn: %q}
`, pods))
}

func fleetOnDatabase(spec ...string) string {
	return fleetOnStore("postgres: {dsnSecretRef: {name: db}}", spec...)
}

func fleetOnStore(store string, spec ...string) string {
	return fmt.Sprintf(`
apiVersion: postback.dev/v1alpha1
kind: ReceiverFleet
metadata: {name: %s}
spec:
  store: {%s}
  rates: {providers: []}
  egress: {allowPrivate: true}
  %s
`, fleetName, store, strings.Join(spec, "\n  "))
}

// endpointManifest declares an endpoint of that fleet. spec is more of its spec.
func endpointManifest(name string, spec ...string) string {
	return fmt.Sprintf(`
apiVersion: postback.dev/v1alpha1
kind: PostbackEndpoint
metadata: {name: %s}
spec:
  fleetRef: {name: %s}
  currency: USD
  %s
`, name, fleetName, strings.Join(spec, "\n  "))
}

// endpointOn declares an endpoint, waits until it is served, and gives it the clicks that loads and tests use.
func endpointOn(t *testing.T, namespace, name string, spec ...string) target {
	t.Helper()
	apply(t, namespace, endpointManifest(name, spec...))
	endpointReady(t, namespace, name)
	to := target{namespace, name, postbackURL(t, namespace, name), databases[namespace]}
	clicks := make([]string, loadSubIDs)
	for i := range clicks {
		clicks[i] = fmt.Sprintf("load-%d", i)
	}
	addClicks(t, baseURL(namespace), secret(t, namespace, name+"-key", "clickToken"), clicks...)
	return to
}

// postbackURL is the endpoint's URL inside the cluster, by its active key.
func postbackURL(t *testing.T, namespace, name string) string {
	t.Helper()
	return baseURL(namespace) + "/" + secret(t, namespace, name+"-key", "key") + "/postback"
}
