package resources

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// fleets are declarations by the name of their folder of goldens.
var fleets = map[string]string{
	"embedded": `{}`,
	"embedded-stopped": `
  replicas: 0
  store: {embedded: {size: 500Mi, storageClassName: fast}}
  podDisruptionBudget: {enabled: false}`,
	"postgres": `
  replicas: 3
  image: registry.example.com/receiver@sha256:aa
  store: {postgres: {dsnSecretRef: {name: database, key: uri}, maxConnections: 40, holdFor: 1m, requireSynchronous: true}}
  host: pb.example.com
  service: {type: LoadBalancer, annotations: {lb.example.com/internal: "false"}}
  ingress: {className: nginx, tlsSecretName: pb-tls, annotations: {cert-manager.io/cluster-issuer: letsencrypt}}
  networkPolicy: {enabled: true}
  podMonitor: {enabled: true}`,
	"autoscaled": `
  autoscaling: {maxReplicas: 9}
  store: {postgres: {dsnSecretRef: {name: database}}}
  host: pb.example.com
  additionalHosts: [old.example.com]
  gateway: {parentRefs: [{name: public, namespace: gateways, sectionName: https}, {name: partners}]}`,
	"certificate": `
  host: pb.example.com
  additionalHosts: [old.example.com, other.example.net]
  ingress: {className: nginx}
  certificate: {issuerRef: {name: letsencrypt, kind: ClusterIssuer}}`,
	"admin-api": `
  adminAPI: {}
  service: {type: LoadBalancer}
  networkPolicy: {enabled: true}`,
	"spool": `
  autoscaling: {minReplicas: 3, maxReplicas: 9, targetCPUUtilization: 50}
  store: {postgres: {dsnSecretRef: {name: database}, spool: {size: 20Gi, storageClassName: fast}}}
  retention: {clicks: 4320h, history: 0s, received: 720h}`,
	"pod-template": `
  store: {postgres: {dsnSecretRef: {name: database}}}
  podTemplate:
    metadata: {labels: {team: sales}, annotations: {sidecar.example.com/inject: "false"}}
    spec:
      nodeSelector: {pool: edge}
      priorityClassName: high
      terminationGracePeriodSeconds: 120
      securityContext: {runAsUser: null, fsGroup: null}
      containers:
      - name: receiver
        env: [{name: TZ, value: UTC}]
        resources: {limits: {memory: 0.5Gi}, requests: {cpu: "0.25"}}
        readinessProbe: {periodSeconds: 2}
        volumeMounts: [{name: certificates, mountPath: /etc/ssl/database}]
      volumes: [{name: certificates, secret: {secretName: database-ca}}]`,
}

func TestChildrenOfAFleet(t *testing.T) {
	for name, spec := range fleets {
		t.Run(name, func(t *testing.T) {
			children, err := Fleet(fleetOf(t, spec), everything)
			if err != nil {
				t.Fatal(err)
			}
			built := files(t, children)
			golden(t, name, built)
			for file, content := range built {
				if strings.Contains(content, foreignMark) {
					t.Errorf("%s has a label or annotation of the fleet", file)
				}
			}
		})
	}
}

func TestTheSameDeclarationGivesTheSameBytes(t *testing.T) {
	for name, spec := range fleets {
		fleet := fleetOf(t, spec)
		first, err := Fleet(fleet, everything)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			again, _ := Fleet(fleet, everything)
			if diff := cmp.Diff(files(t, first), files(t, again)); diff != "" {
				t.Fatalf("%s: built twice (-first +again):\n%s", name, diff)
			}
		}
	}
}

func TestPodsPassTheRestrictedPodSecurityStandard(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	evaluate := func(template *corev1.PodTemplateSpec) policy.AggregateCheckResult {
		return policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec))
	}
	for name, spec := range fleets {
		template := podOf(t, fleetOf(t, spec))
		if result := evaluate(template); !result.Allowed {
			t.Errorf("%s: %s", name, result.ForbiddenDetail())
		}
		template.Spec.SecurityContext.SeccompProfile = nil
		if evaluate(template).Allowed {
			t.Errorf("%s: the evaluation lets a pod without a seccomp profile pass, so it says nothing", name)
		}
	}
}

// podOf is the pod template as an API server would read it.
func podOf(t *testing.T, fleet *v1alpha1.ReceiverFleet) *corev1.PodTemplateSpec {
	t.Helper()
	built, err := PodTemplate(fleet, everything)
	if err != nil {
		t.Fatal(err)
	}
	var template corev1.PodTemplateSpec
	if err := yaml.UnmarshalStrict([]byte(asYAML(t, built)), &template); err != nil {
		t.Fatal(err)
	}
	return &template
}

func TestOnlyWhatReceiversCannotTakeUpRestartsThem(t *testing.T) {
	const store = `store: {postgres: {dsnSecretRef: {name: database}, maxConnections: 10, holdFor: 20s}}`
	before := podOf(t, fleetOf(t, "{"+store+"}"))
	for _, test := range []struct {
		name, spec string
		restarts   bool
	}{
		{"other rates", `{` + store + `, rates: {providers: [], refreshEvery: 1h}}`, false},
		{"trusted proxies", `{` + store + `, trustedProxies: [10.0.0.0/8]}`, false},
		{"egress to private addresses", `{` + store + `, egress: {allowPrivate: true}}`, false},
		{"another host", `{` + store + `, host: a.example.com, ingress: {}}`, false},
		{"more replicas", `{` + store + `, replicas: 5}`, false},
		{"a monitor", `{` + store + `, podMonitor: {enabled: true}, networkPolicy: {enabled: true}}`, false},
		{"other endpoints", `{` + store + `, allowedEndpoints: {namespaces: All}}`, false},
		{"another image", `{` + store + `, image: other}`, true},
		{"another store", `{}`, true},
		{"more connections", `{` + strings.Replace(store, "10", "20", 1) + `}`, true},
		{"a longer hold", `{` + strings.Replace(store, "20s", "30s", 1) + `}`, true},
		{"a pod template", `{` + store + `, podTemplate: {spec: {nodeSelector: {a: b}}}}`, true},
	} {
		if changed := cmp.Diff(before, podOf(t, fleetOf(t, test.spec))) != ""; changed != test.restarts {
			t.Errorf("%s: the pod template changed: %v, want %v", test.name, changed, test.restarts)
		}
	}
}

func TestTheSelectorIsFrozen(t *testing.T) {
	want := map[string]string{"app.kubernetes.io/name": "postback-receiver", "postback.dev/fleet": "shop"}
	for name, spec := range fleets {
		fleet := fleetOf(t, spec)
		template, err := PodTemplate(fleet, everything)
		if err != nil {
			t.Fatal(err)
		}
		var got *map[string]string
		if d := Deployment(fleet, template); d != nil {
			got = &d.Spec.Selector.MatchLabels
		} else {
			got = &StatefulSet(fleet, template).Spec.Selector.MatchLabels
		}
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for key, value := range want {
			if template.Labels[key] != value {
				t.Errorf("%s: pods lack %s", name, key)
			}
		}
	}
}

func TestKindsThatTheClusterDoesNotServeAreLeftOut(t *testing.T) {
	foreign := []runtimeschema.GroupVersionKind{KindCertificate, KindHTTPRoute, KindPodMonitor, KindPrometheusRule}
	fleet := fleetOf(t, fleets["postgres"])
	for _, test := range []struct {
		name   string
		serves func(runtimeschema.GroupVersionKind) bool
		want   []runtimeschema.GroupVersionKind
	}{
		{"nobody asked the cluster", nil, nil},
		{"the cluster knows Gateways only", func(k runtimeschema.GroupVersionKind) bool { return k == KindHTTPRoute },
			[]runtimeschema.GroupVersionKind{KindHTTPRoute}},
		{"the cluster knows all", everything.Serves, foreign},
	} {
		children, err := Fleet(fleet, Facts{Image: "image", Serves: test.serves})
		if err != nil {
			t.Fatal(err)
		}
		var got []runtimeschema.GroupVersionKind
		for _, c := range children {
			if slices.Contains(foreign, c.Kind) {
				got = append(got, c.Kind)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestAnInvalidPodTemplateLeavesTheWorkloadAlone(t *testing.T) {
	children, err := Fleet(fleetOf(t, `{podTemplate: {spec: {automountServiceAccountToken: true}}}`), everything)
	if err == nil {
		t.Fatal("no error")
	}
	built := map[string]bool{}
	for _, c := range children {
		built[c.Kind.Kind] = true
	}
	want := []string{"Certificate", "HTTPRoute", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy",
		"PersistentVolumeClaim",
		"PodDisruptionBudget", "PodMonitor", "PrometheusRule", "Service", "ServiceAccount"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(built))); diff != "" {
		t.Errorf("children (-want +got):\n%s", diff)
	}
}

// A child without an owner is never collected, so those are few and meant.
func TestOnlyDataOutlivesTheFleet(t *testing.T) {
	for name, spec := range fleets {
		children, err := Fleet(fleetOf(t, spec), everything)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range children {
			if c.Apply == nil {
				continue
			}
			var object metav1.PartialObjectMetadata
			if err := yaml.Unmarshal([]byte(asYAML(t, c.Apply)), &object); err != nil {
				t.Fatal(err)
			}
			owned := metav1.GetControllerOf(&object) != nil
			if owned == (c.Kind == KindPersistentVolumeClaim) {
				t.Errorf("%s: %s: owned is %v", name, c.Kind.Kind, owned)
			}
			if object.Name != c.Name || object.Namespace != c.Namespace || object.GroupVersionKind() != c.Kind {
				t.Errorf("%s: %v is applied as %v %s/%s", name, c, object.GroupVersionKind(), object.Namespace, object.Name)
			}
		}
	}
}
