package resources

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// merged merges a template over the receivers' pod, as the operator's flags have it by default.
func merged(t *testing.T, template string, unrestricted bool) (string, error) {
	t.Helper()
	patch, err := yaml.YAMLToJSON([]byte(template))
	if err != nil {
		t.Fatal(err)
	}
	result, err := mergePodTemplate(builtPodTemplate(fleetOf(t, `{}`), everything), patch, unrestricted)
	if err != nil {
		return "", err
	}
	return asYAML(t, result), nil
}

func TestWhatAPodTemplateNeedsTheOperatorsFlagFor(t *testing.T) {
	side := func(field string) string {
		return `{spec: {containers: [{name: side, image: side, ` + field + `}]}}`
	}
	for name, test := range map[string]struct{ template, field string }{
		"the node's network":     {`{spec: {hostNetwork: true}}`, "spec.hostNetwork"},
		"the node's processes":   {`{spec: {hostPID: true}}`, "spec.hostPID"},
		"the node's memory":      {`{spec: {hostIPC: true}}`, "spec.hostIPC"},
		"another account":        {`{spec: {serviceAccountName: admin}}`, "spec.serviceAccountName"},
		"a node of one's choice": {`{spec: {nodeName: control-plane}}`, "spec.nodeName"},
		"another runtime":        {`{spec: {runtimeClassName: unsafe}}`, "spec.runtimeClassName"},
		"other names of hosts": {`{spec: {hostAliases: [{ip: 10.0.0.1, hostnames: [openexchangerates.org]}]}}`,
			"spec.hostAliases"},
		"root": {`{spec: {securityContext: {runAsUser: 0}}}`, "spec.securityContext"},
		"no demand to be no root": {`{spec: {securityContext: {runAsNonRoot: false}}}`,
			"spec.securityContext.runAsNonRoot"},
		"no seccomp profile": {`{spec: {securityContext: {seccompProfile: {type: Unconfined}}}}`,
			"spec.securityContext.seccompProfile"},
		"sysctls": {`{spec: {securityContext: {sysctls: [{name: a, value: b}]}}}`,
			"spec.securityContext.sysctls"},
		"no security context": {`{spec: {securityContext: null}}`, "spec.securityContext"},
		"a path of the node": {`{spec: {volumes: [{name: root, hostPath: {path: /}}]}}`,
			"spec.volumes[root].hostPath"},
		"a projected token": {`{spec: {volumes: [{name: token, projected: {sources: [{serviceAccountToken: {path: token}}]}}]}}`, "spec.volumes[token].projected"},
		"another claim": {`{spec: {volumes: [{name: other, persistentVolumeClaim: {claimName: other}}]}}`,
			"spec.volumes[other].persistentVolumeClaim"},
		"a share": {`{spec: {volumes: [{name: share, nfs: {server: s, path: /}}]}}`,
			"spec.volumes[share].nfs"},
		"a privileged receiver": {`{spec: {containers: [{name: receiver, securityContext: {privileged: true}}]}}`,
			"spec.containers[receiver].securityContext"},
		"a hook of the " +
			"receiver": {`{spec: {containers: [{name: receiver, lifecycle: {preStop: {exec: {command: [sh]}}}}]}}`,
			"spec.containers[receiver].lifecycle"},
		"a probe that runs " +
			"a program": {`{spec: {containers: [{name: receiver, livenessProbe: {httpGet: null, exec: {command: [sh]}}}]}}`,
			"spec.containers[receiver].livenessProbe"},
		"a privileged sidecar": {side(`securityContext: {privileged: true}`),
			"spec.containers[side].securityContext.privileged"},
		"a sidecar that may escalate": {side(`securityContext: {allowPrivilegeEscalation: true}`),
			"spec.containers[side].securityContext.allowPrivilegeEscalation"},
		"a sidecar with a capability": {side(`securityContext: {capabilities: {drop: [ALL], add: [SYS_ADMIN]}}`),
			"spec.containers[side].securityContext.capabilities"},
		"a sidecar that drops too few": {side(`securityContext: {capabilities: {drop: [KILL]}}`),
			"spec.containers[side].securityContext.capabilities"},
		"a sidecar as root": {side(`securityContext: {runAsUser: 0}`), "spec.containers[side].securityContext"},
		"a sidecar that may be root": {side(`securityContext: {runAsNonRoot: false}`),
			"spec.containers[side].securityContext.runAsNonRoot"},
		"a sidecar without seccomp": {side(`securityContext: {seccompProfile: {type: Unconfined}}`),
			"spec.containers[side].securityContext.seccompProfile"},
		"a sidecar's hook": {side(`lifecycle: {postStart: {exec: {command: [sh]}}}`),
			"spec.containers[side].lifecycle"},
		"a sidecar's exec probe": {side(`livenessProbe: {exec: {command: [sh]}}`), "spec.containers[side]"},
		"a port of the node":     {side(`ports: [{containerPort: 80, hostPort: 80}]`), "spec.containers[side].ports"},
		"a sidecar's raw device": {side(`volumeDevices: [{name: data, devicePath: /dev/x}]`),
			"spec.containers[side].volumeDevices"},
		"the configuration's secrets": {side(`volumeMounts: [{name: config, mountPath: /config}]`),
			"spec.containers[side].volumeMounts[/config]"},
		"a privileged init " +
			"container": {`{spec: {initContainers: [{name: first, image: i, securityContext: {privileged: true}}]}}`,
			"spec.initContainers[first].securityContext.privileged"},
		"the token of the read API": {side(`volumeMounts: [{name: ops-token, mountPath: /ops}]`),
			"spec.containers[side].volumeMounts[/ops]"},
		"the configuration's, " +
			"at first": {`{spec: {initContainers: [{name: first, image: i, volumeMounts: [{name: config, mountPath: /c}]}]}}`,
			"spec.initContainers[first].volumeMounts[/c]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := merged(t, test.template, false)
			if err == nil {
				t.Fatal("it is allowed")
			}
			if !strings.Contains(err.Error(), "spec.podTemplate."+test.field) ||
				!strings.Contains(err.Error(), "--allow-unrestricted-pod-templates") {
				t.Errorf("the error does not name %s and the flag: %v", test.field, err)
			}
			if _, err := merged(t, test.template, true); err != nil {
				t.Errorf("with the flag: %v", err)
			}
		})
	}
}

func TestWhatAPodTemplateMaySet(t *testing.T) {
	result, err := merged(t, `
metadata: {labels: {team: sales}, annotations: {a: b}}
spec:
  nodeSelector: {pool: edge}
  tolerations: [{key: a, operator: Exists}]
  affinity: {nodeAffinity: {}}
  priorityClassName: high
  imagePullSecrets: [{name: registry}]
  securityContext: {runAsUser: null, fsGroup: null}
  volumes: [{name: map, configMap: {name: map}}, {name: tmp, emptyDir: {}}, {name: vault, csi: {driver: d}}, {name: ca, secret: {secretName: ca}}]
  containers:
  - name: receiver
    env: [{name: TZ, value: UTC}]
    resources: {limits: {memory: 1Gi}}
    volumeMounts: [{name: ca, mountPath: /ca}]
    readinessProbe: {periodSeconds: 9}
  - name: side
    image: side
    args: [x]
    readinessProbe: {httpGet: {path: /, port: 80}}
`, false)
	if err != nil {
		t.Fatal(err)
	}
	// What the sidecar did not say, the restricted standard demands.
	for _, want := range []string{"allowPrivilegeEscalation: false", "- ALL", "periodSeconds: 9", "team: sales"} {
		if !strings.Contains(result, want) {
			t.Errorf("%q is missing in\n%s", want, result)
		}
	}
	if strings.Count(result, "allowPrivilegeEscalation: false") != 2 {
		t.Errorf("the sidecar is not held to the standard:\n%s", result)
	}
}

func TestWhatFleetsMayDeclare(t *testing.T) {
	const surroundings = `{host: pb.example.com, ingress: {annotations: {nginx.example/a: b}}, certificate: {issuerRef: {name: own, kind: Issuer}}, service: {annotations: {lb.example/x: z}}}`
	for name, c := range map[string]struct {
		permitted Permissions
		says      string
		missing   string // kinds that are not made
	}{
		"everything by default": {Permissions{}, "", ""},
		"what the lists have": {Permissions{AnnotationPrefixes: []string{"nginx.", "lb.example/"},
			HostSuffixes: []string{"example.com"}, Issuers: []string{"Issuer/own"}}, "", ""},
		"no other annotation": {Permissions{AnnotationPrefixes: []string{"lb.example/"}},
			"spec.ingress.annotations[nginx.example/a]: Forbidden: the operator's --allowed-annotation-prefixes", "Ingress"},
		"no other of a Service": {Permissions{AnnotationPrefixes: []string{"nginx."}},
			"spec.service.annotations[lb.example/x]", "Service"},
		"no other host": {Permissions{HostSuffixes: []string{"other.example", "xample.com"}},
			"spec.host: Forbidden: the operator's --allowed-host-suffixes", "Certificate HTTPRoute Ingress"},
		"no issuer of another kind": {Permissions{Issuers: []string{"ClusterIssuer/own"}},
			"spec.certificate.issuerRef: Forbidden: the operator's --allowed-issuers", "Certificate"},
		"a host that is the suffix": {Permissions{HostSuffixes: []string{"pb.example.com"}}, "", ""},
		"a suffix that has its dot": {Permissions{HostSuffixes: []string{".example.com"}}, "", ""},
		"nothing of two lists, both": {Permissions{HostSuffixes: []string{"a.example"}, Issuers: []string{"Issuer/a"}},
			"spec.host", "Certificate HTTPRoute Ingress"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := everything
			facts.Permitted = c.permitted
			children, err := Fleet(fleetOf(t, surroundings), facts)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says: %v", err)
			}
			made := map[string]bool{}
			for _, child := range children {
				made[child.Kind.Kind] = true
			}
			for _, kind := range []string{"Certificate", "HTTPRoute", "Ingress", "Service", "Deployment"} {
				if made[kind] == strings.Contains(c.missing, kind) {
					t.Errorf("%s: made %v", kind, made[kind])
				}
			}
		})
	}
}

func TestWhoMaySetPrivateEgress(t *testing.T) {
	fleet, modest := fleetOf(t, `{egress: {allowPrivate: true}}`), fleetOf(t, `{}`)
	for name, c := range map[string]struct {
		namespaces []string
		may        bool
	}{
		"nobody by default":     {nil, false},
		"a namespace listed":    {[]string{"other", "ads"}, true},
		"no namespace besides":  {[]string{"other"}, false},
		"everybody with a star": {[]string{"*"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := Permissions{PrivateEgress: c.namespaces}
			if err := p.Egress(fleet); (err == nil) != c.may || err != nil &&
				!strings.Contains(err.Error(), "--allow-private-egress") {
				t.Errorf("it says: %v", err)
			}
			if err := p.Egress(modest); err != nil {
				t.Errorf("a fleet that does not ask: %v", err)
			}
		})
	}
}

func TestAnExternalURLNeedsThePermissionToo(t *testing.T) {
	for name, c := range map[string]struct {
		suffixes []string
		says     string
	}{
		"everything is allowed": {nil, ""},
		"its host is allowed":   {[]string{"example.com"}, ""},
		"another one is": {[]string{"other.example"},
			"spec.externalURL: Forbidden: the operator's --allowed-host-suffixes does not permit it"},
		"its scheme and port don't count": {[]string{"com:8443"},
			"spec.externalURL: Forbidden: the operator's --allowed-host-suffixes does not permit it"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := everything
			facts.Permitted = Permissions{HostSuffixes: c.suffixes}
			children, err := Fleet(fleetOf(t, "{externalURL: 'https://pb.example.com:8443'}"), facts)
			if got := fmt.Sprint(err); err == nil && c.says != "" || err != nil && got != c.says {
				t.Errorf("it says %s, want %q", got, c.says)
			}
			if len(children) == 0 {
				t.Error("nothing is made")
			}
		})
	}
}

func TestAnAdditionalHostNeedsThePermissionToo(t *testing.T) {
	facts := everything
	facts.Permitted = Permissions{HostSuffixes: []string{"example.com"}}
	fleet := fleetOf(t, "{host: pb.example.com, additionalHosts: [old.example.com, pb.other.example], ingress: {}}")
	_, err := Fleet(fleet, facts)
	if err == nil || !strings.HasPrefix(err.Error(), "spec.additionalHosts[1]: Forbidden") {
		t.Errorf("it says: %v", err)
	}
}
