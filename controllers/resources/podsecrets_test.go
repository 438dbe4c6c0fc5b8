package resources

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheSecretsOfPodsAreFound(t *testing.T) {
	fleet := fleetOf(t, `{store: {postgres: {dsnSecretRef: {name: database}}}, podTemplate: {spec: {
  volumes: [{name: ca, secret: {secretName: certificates}}, {name: vault, csi: {driver: d, nodePublishSecretRef: {name: vault}}}, {name: tmp, emptyDir: {}}],
  initContainers: [{name: first, env: [{name: A, valueFrom: {secretKeyRef: {name: init, key: a}}}]}],
  containers: [
    {name: receiver, env: [{name: PLAIN, value: x}, {name: MAP, valueFrom: {configMapKeyRef: {name: map, key: a}}}]},
    {name: side, env: [{name: B, valueFrom: {secretKeyRef: {name: side, key: b}}}], envFrom: [{secretRef: {name: all}}, {configMapRef: {name: map}}]}]}}}`)
	want := []PodSecret{
		{At: "spec.store.postgres.dsnSecretRef", Name: "database"},
		{At: "spec.podTemplate.spec.containers[first].env[A]", Name: "init"},
		{At: "spec.podTemplate.spec.containers[side].env[B]", Name: "side"},
		{At: "spec.podTemplate.spec.containers[side].envFrom", Name: "all"},
		{At: "spec.podTemplate.spec.volumes[ca]", Name: "certificates"},
		{At: "spec.podTemplate.spec.volumes[vault]", Name: "vault"},
	}
	if diff := cmp.Diff(want, PodSecrets(fleet)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if found := PodSecrets(fleetOf(t, `{}`)); len(found) != 0 {
		t.Errorf("the embedded store's: %v", found)
	}
}
