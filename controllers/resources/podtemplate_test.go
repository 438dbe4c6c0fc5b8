package resources

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func TestWhatAPodTemplateMayNotDo(t *testing.T) {
	const receiver = `{spec: {containers: [{name: receiver, %s}]}}`
	in := func(field string) string { return strings.Replace(receiver, "%s", field, 1) }
	for name, test := range map[string]struct{ template, field string }{
		"change a label of the selector": {`{metadata: {labels: {postback.dev/fleet: other}}}`,
			"metadata.labels[postback.dev/fleet]"},
		"remove a label of the selector": {`{metadata: {labels: {app.kubernetes.io/name: null}}}`,
			"metadata.labels[app.kubernetes.io/name]"},
		"remove all metadata": {`{metadata: null}`, "metadata.labels[app.kubernetes.io/name]"},
		"mount a service account token": {`{spec: {automountServiceAccountToken: true}}`,
			"spec.automountServiceAccountToken"},
		"leave the token to the account": {`{spec: {automountServiceAccountToken: null}}`,
			"spec.automountServiceAccountToken"},
		"cut a stop short": {`{spec: {terminationGracePeriodSeconds: 39}}`,
			"spec.terminationGracePeriodSeconds"},
		"change the image":    {in(`image: other`), "spec.containers[receiver].image"},
		"replace the program": {in(`command: [sh]`), "spec.containers[receiver].command"},
		"change the flags":    {in(`args: [--listen=:80]`), "spec.containers[receiver].args"},
		"change a port": {in(`ports: [{containerPort: 8081, name: admin}]`),
			"spec.containers[receiver].ports"},
		"add a port": {in(`ports: [{containerPort: 9090}]`), "spec.containers[receiver].ports"},
		"change the store's connection": {in(`env: [{name: POSTBACK_STORE, value: x}]`),
			"spec.containers[receiver].env[POSTBACK_STORE]"},
		"mount something else": {in(`volumeMounts: [{mountPath: /etc/postback/config, name: other}]`),
			"spec.containers[receiver].volumeMounts[/etc/postback/config]"},
		"remove the receiver": {`{spec: {containers: [{name: receiver, $patch: delete}]}}`,
			"spec.containers[receiver]"},
		"replace all containers": {`{spec: {containers: [{$patch: replace}, {name: other, image: other}]}}`,
			"spec.containers[receiver]"},
		"remove the configuration": {`{spec: {volumes: [{name: config, $patch: delete}]}}`,
			"spec.volumes[config]"},
		"put another volume in its place": {`{spec: {volumes: [{name: config, projected: null, emptyDir: {}}]}}`,
			"spec.volumes[config]"},
		"remove the ops token": {`{spec: {volumes: [{name: ops-token, $patch: delete}]}}`,
			"spec.volumes[ops-token]"},
		"mount another ops token": {in(`volumeMounts: [{mountPath: /etc/postback/ops, name: other}]`),
			"spec.containers[receiver].volumeMounts[/etc/postback/ops]"},
		"remove the whole spec":           {`{spec: null}`, "spec.containers[receiver]"},
		"misspell a field":                {`{spec: {nodeSelecter: {}}}`, `unknown field "spec.nodeSelecter"`},
		"misspell a field of a container": {in(`Image: x`), `unknown field "spec.containers[0].Image"`},
		"put a word in place of a number": {`{spec: {terminationGracePeriodSeconds: long}}`,
			"spec.podTemplate: Forbidden: a value in it has the wrong type"},
		"name no container": {`{spec: {containers: [{image: canary-value}]}}`,
			"every item of a list needs its key"},
		"put a map in place of a list":        {`{spec: {containers: {name: receiver}}}`, "spec.podTemplate"},
		"put a word in place of the template": {`"x"`, "spec.podTemplate"},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := fleetOf(t, `{store: {postgres: {dsnSecretRef: {name: database}}}}`)
			patch, err := yaml.YAMLToJSON([]byte(test.template))
			if err != nil {
				t.Fatal(err)
			}
			_, err = mergePodTemplate(builtPodTemplate(fleet, everything), patch, true)
			if err == nil {
				t.Fatal("it is allowed")
			}
			if !strings.Contains(err.Error(), test.field) || !strings.Contains(err.Error(), "spec.podTemplate") {
				t.Errorf("the error does not name %s: %v", test.field, err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error repeats a value: %v", err)
			}
		})
	}
}

func TestAnEmptyPodTemplateChangesNothing(t *testing.T) {
	fleet := fleetOf(t, `{}`)
	want := builtPodTemplate(fleet, everything)
	got, err := mergePodTemplate(want, []byte(`{}`), true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asYAML(t, want), asYAML(t, got)); diff != "" {
		t.Errorf("(-built +merged):\n%s", diff)
	}
}

// FuzzPodTemplate lets nothing a user writes bring the operator down or take what is the operator's.
func FuzzPodTemplate(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"spec":null}`, `{"metadata":{"labels":{"a":"b"}}}`,
		`{"spec":{"containers":[{"name":"receiver","args":["x"],"env":[{"name":"A","value":"b"}]},{"name":"sidecar","image":"i"}]}}`,
		`{"spec":{"$patch":"replace","containers":[{"name":"receiver"}]}}`,
		`{"spec":{"$retainKeys":["volumes"],"volumes":[{"name":"config","$retainKeys":["name"]}]}}`,
		`{"spec":{"$setElementOrder/containers":[{"name":"receiver"}],"containers":[{"name":"receiver","ports":[{"containerPort":1}]}]}}`,
		`{"spec":{"$deleteFromPrimitiveList/x":["a"],"topologySpreadConstraints":[{"topologyKey":"t","maxSkew":1,"whenUnsatisfiable":"DoNotSchedule"}]}}`,
	} {
		f.Add([]byte(seed))
	}
	fleet := fleetWithoutSchema()
	built := builtPodTemplate(fleet, everything)
	f.Fuzz(func(t *testing.T, patch []byte) {
		merged, err := mergePodTemplate(built, patch, len(patch)%2 == 0)
		if err != nil {
			return
		}
		data, err := json.Marshal(merged)
		if err != nil {
			t.Fatal(err)
		}
		var template corev1.PodTemplateSpec
		if err := json.Unmarshal(data, &template); err != nil {
			t.Fatalf("what was merged is no pod template: %v", err)
		}
		for key, value := range SelectorLabels(fleet.Name) {
			if template.Labels[key] != value {
				t.Fatalf("label %s became %q", key, template.Labels[key])
			}
		}
		if token := template.Spec.AutomountServiceAccountToken; token == nil || *token {
			t.Fatal("a token is mounted")
		}
		for _, c := range template.Spec.Containers {
			if c.Name == ContainerName && cmp.Equal(c.Args, args(fleet)) {
				return
			}
		}
		t.Fatal("the receiver is gone or has other flags")
	})
}
