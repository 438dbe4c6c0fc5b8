package charts

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Prometheus sends its token to the server that answers at the metrics, so it has to verify that server.
func TestPrometheusSendsItsTokenToTheOperatorAlone(t *testing.T) {
	const enabled = "metrics.serviceMonitor.enabled=true"
	for way, c := range map[string]struct {
		all             objects
		namespace, made string
	}{
		"the chart with an issuer": {template(t, enabled, "metrics.certificate.issuer.name=ca"), "ops",
			"postback-operator-metrics"},
		"the chart with a Secret": {template(t, enabled, "metrics.certificate.secretName=mine"), "ops", ""},
		"the kustomization": {overlay(t, `
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: postback-system
resources: [../config/default]
components: [../config/prometheus]
`), "postback-system", "postback-operator-metrics"},
	} {
		t.Run(way, func(t *testing.T) {
			monitor := c.all["ServiceMonitor/"+c.namespace+"/postback-operator"]
			endpoints, _, err := unstructured.NestedSlice(monitor.Object, "spec", "endpoints")
			if err != nil || len(endpoints) != 1 {
				t.Fatalf("endpoints: %v, %v", endpoints, err)
			}
			endpoint := endpoints[0].(map[string]any)
			serverName, _, _ := unstructured.NestedString(endpoint, "tlsConfig", "serverName")
			authority, _, _ := unstructured.NestedString(endpoint, "tlsConfig", "ca", "secret", "name")
			if endpoint["scheme"] != "https" || endpoint["bearerTokenFile"] == nil || authority == "" {
				t.Errorf("it scrapes by %v", endpoint)
			}
			served := certificateOf(t, typed[appsv1.Deployment](t, c.all, "Deployment/"+c.namespace+"/postback-operator"))
			if served != authority {
				t.Errorf("the operator serves the certificate of %q, verified is that of %q", served, authority)
			}
			if c.made == "" {
				return
			}
			certificate := c.all["Certificate/"+c.namespace+"/"+c.made]
			names, _, _ := unstructured.NestedStringSlice(certificate.Object, "spec", "dnsNames")
			into, _, _ := unstructured.NestedString(certificate.Object, "spec", "secretName")
			if into != served || !slices.Contains(names, serverName) {
				t.Errorf("the certificate is for %v and goes into %s; verified is the name %s", names, into, serverName)
			}
		})
	}
}

// certificateOf is the Secret in the folder that the operator's flag names.
func certificateOf(t *testing.T, deployment *appsv1.Deployment) string {
	t.Helper()
	pod := deployment.Spec.Template.Spec
	for _, mount := range pod.Containers[0].VolumeMounts {
		if !slices.Contains(pod.Containers[0].Args, "--metrics-cert-dir="+mount.MountPath) {
			continue
		}
		for _, volume := range pod.Volumes {
			if volume.Name == mount.Name && volume.Secret != nil {
				return volume.Secret.SecretName
			}
		}
	}
	t.Fatal("no certificate is mounted")
	return ""
}

func TestNothingSkipsTheVerificationOfACertificate(t *testing.T) {
	for way, all := range map[string]objects{
		"the chart":         template(t, "metrics.serviceMonitor.enabled=true", "metrics.certificate.secretName=mine"),
		"the open chart":    template(t, everything...),
		"the kustomization": kustomize(t, "default"),
	} {
		for name, object := range all {
			if strings.HasPrefix(name, "CustomResourceDefinition/") {
				continue
			}
			text, err := yaml.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(strings.ToLower(string(text)), "insecure") {
				t.Errorf("%s: %s:\n%s", way, name, text)
			}
		}
	}
}
