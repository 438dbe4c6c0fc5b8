package charts

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/config/crd"
	"github.com/postback-dev/postback-operator/controllers/setup"
)

// everything are values that leave no part of the chart out.
var everything = []string{
	"receiverImage.tag=sha256:0123", "imagePullSecrets[0].name=registry", "serviceAccount.annotations.a=b",
	"logs.level=debug",
	"metrics.access=Open", "metrics.serviceMonitor.enabled=true", "metrics.serviceMonitor.labels.team=ops",
	"networkPolicy.enabled=true",
	"podAnnotations.a=b", "podLabels.a=b", "nodeSelector.a=b", "tolerations[0].key=a",
	"affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key=a",
	"permissions.unrestrictedPodTemplates=true", "permissions.privateEgress={*}",
	"permissions.annotationPrefixes={a.example/,b}",
	"permissions.hostSuffixes={example.com}", "permissions.issuers={ClusterIssuer/letsencrypt}",
	"priorityClassName=high", "nameOverride=postback", "fullnameOverride=pb",
	"operator.id=pb-system", "operator.class=blue",
}

func TestBothHelmsFindNothingToSay(t *testing.T) {
	for _, helm := range helms {
		for _, values := range [][]string{nil, everything, withConsole, withProxy} {
			args := []string{"lint", "--strict", "--quiet", "--kube-version", kubeVersion, chart}
			for _, value := range values {
				args = append(args, "--set", value)
			}
			if said := must(t, helm, args...); strings.TrimSpace(said) != "" {
				t.Errorf("%s: %s", helm, said)
			}
		}
	}
}

func TestBothHelmsRenderTheSame(t *testing.T) {
	for _, values := range [][]string{nil, everything, withConsole, withProxy, {"watchNamespaces={a,b}"}} {
		three, four := parse(t, must(t, "helm3", templateArgs(values)...)),
			parse(t, must(t, "helm4", templateArgs(values)...))
		if diff := cmp.Diff(three, four); diff != "" || len(three) == 0 {
			t.Errorf("%v (-3 +4):\n%s", values, diff)
		}
	}
}

func TestValuesThatAreRefused(t *testing.T) {
	for values, says := range map[string]string{
		"replicas=two":                "replicas",
		"replica=2":                   "replica",
		"metrics.access=Maybe":        "access",
		"logs.level=loud":             "level",
		"watchNamespaces=a":           "watchNamespaces",
		"serviceAccount.create=false": "serviceAccount.name",
		"watchNamespaces={a},metrics.access=Authenticated":        "write Open or Off",
		"watchNamespaces={a},metrics.serviceMonitor.enabled=true": "nothing to scrape",
		"metrics.serviceMonitor.enabled=true":                     "metrics.certificate.issuer.name",
		"metrics.access=Open,metrics.certificate.secretName=a":    "only with metrics.access=Authenticated",
	} {
		t.Run(values, func(t *testing.T) {
			for _, helm := range helms {
				if _, stderr, err := try(t, "", helm, templateArgs([]string{values})...); err == nil ||
					!strings.Contains(stderr, says) {
					t.Errorf("%s: %v: %s", helm, err, stderr)
				}
			}
		})
	}
}

func TestPartsThatAreLeftOut(t *testing.T) {
	all := template(t)
	for values, without := range map[string][]string{
		"crds.enabled=false": {"CustomResourceDefinition/campaigns.postback.dev",
			"CustomResourceDefinition/postbackendpoints.postback.dev", "CustomResourceDefinition/receiverfleets.postback.dev"},
		"rbac.users=false": {"ClusterRole/postback-operator-corrector", "ClusterRole/postback-operator-edit",
			"ClusterRole/postback-operator-metrics-reader", "ClusterRole/postback-operator-owner",
			"ClusterRole/postback-operator-reader", "ClusterRole/postback-operator-view"},
		"guards.enabled=false":              guards("postback-operator"),
		"replicas=1":                        {"PodDisruptionBudget/ops/postback-operator"},
		"podDisruptionBudget.enabled=false": {"PodDisruptionBudget/ops/postback-operator"},
		"metrics.access=Off":                {"Service/ops/postback-operator-metrics"},
		"serviceAccount.create=false,serviceAccount.name=mine": {"ServiceAccount/ops/postback-operator"},
	} {
		rest := template(t, values)
		for _, name := range without {
			if all[name] == nil || rest[name] != nil {
				t.Errorf("%s: %s is there by default: %t, still there: %t", values, name, all[name] != nil, rest[name] != nil)
			}
		}
		if len(rest) != len(all)-len(without) {
			t.Errorf("%s leaves %v", values, slices.Sorted(maps.Keys(rest)))
		}
	}
}

func TestTheChartHasTheDefinitionsOfTheCode(t *testing.T) {
	bases, err := crd.Files.ReadDir("bases")
	if err != nil || len(bases) != 3 {
		t.Fatal(err, bases)
	}
	for _, keep := range []bool{true, false} {
		all := template(t, fmt.Sprintf("crds.keep=%t", keep))
		for _, base := range bases {
			data, err := crd.Files.ReadFile("bases/" + base.Name())
			if err != nil {
				t.Fatal(err)
			}
			var want map[string]any
			if err := yaml.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			metadata := want["metadata"].(map[string]any)
			got := all["CustomResourceDefinition/"+metadata["name"].(string)]
			if got == nil {
				t.Fatalf("there is no %s", metadata["name"])
			}
			if kept := got.GetAnnotations()["helm.sh/resource-policy"] == "keep"; kept != keep {
				t.Errorf("it is kept: %t, it should be: %t", kept, keep)
			}
			if kept := got.GetAnnotations()["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"; kept != keep {
				t.Errorf("Argo CD keeps it: %t, it should: %t", kept, keep)
			}
			if diff := cmp.Diff(want["spec"], got.Object["spec"]); diff != "" {
				t.Errorf("%s is not what make manifests makes (-want +got):\n%s", metadata["name"], diff)
			}
		}
	}
}

// installation is a way to install the operator.
type installation struct {
	all        objects
	deployment string // its name among them
	want       settings
}

// settings are what the arguments of the operator say.
type settings struct {
	Image, Namespaces, Metrics, Probes string
	Open, Elect                        bool
}

func installations(t *testing.T) map[string]installation {
	const receiver = "ghcr.io/postback-dev/receiver:0.1.0"
	const name = "Deployment/ops/postback-operator"
	whole := settings{Image: receiver, Metrics: ":8443", Probes: ":8081", Elect: true}
	some := settings{Image: receiver, Namespaces: "a b", Metrics: "0", Probes: ":8081", Elect: true}
	one, open := some, whole
	one.Namespaces = "postback"
	open.Open, open.Image = true, "ghcr.io/postback-dev/receiver@sha256:0123"
	return map[string]installation{
		"the chart":                         {template(t), name, whole},
		"the chart with everything":         {template(t, everything...), "Deployment/ops/pb", open},
		"the chart for some namespaces":     {template(t, "watchNamespaces={a,b}"), name, some},
		"the kustomization":                 {kustomize(t, "default"), "Deployment/postback-system/postback-operator", whole},
		"the kustomization for a namespace": {kustomize(t, "namespaced"), "Deployment/postback/postback-operator", one},
	}
}

func TestTheOperatorUnderstandsItsArguments(t *testing.T) {
	for way, i := range installations(t) {
		t.Run(way, func(t *testing.T) {
			pod := typed[appsv1.Deployment](t, i.all, i.deployment).Spec.Template.Spec
			container := pod.Containers[0]
			args := expand(t, i.all[i.deployment].GetNamespace(), container)
			if args[0] != "run" {
				t.Fatalf("the command is %s", args[0])
			}
			o, err := setup.Parse(args[1:], io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			got := settings{o.Image, strings.Join(o.Namespaces, " "), o.MetricsAddress, o.ProbeAddress, o.MetricsOpen,
				o.LeaderElection}
			if diff := cmp.Diff(i.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			ports := map[string]string{"probes": o.ProbeAddress}
			if o.MetricsAddress != "0" {
				ports["metrics"] = o.MetricsAddress
			}
			declared := map[string]string{}
			for _, port := range container.Ports {
				declared[port.Name] = fmt.Sprintf(":%d", port.ContainerPort)
			}
			if diff := cmp.Diff(ports, declared); diff != "" {
				t.Errorf("ports (-listened to +declared):\n%s", diff)
			}
		})
	}
}

// expand puts the environment's variables into the arguments, as the kubelet does.
func expand(t *testing.T, namespace string, container corev1.Container) []string {
	t.Helper()
	var pairs []string
	for _, variable := range container.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			if from.FieldRef.FieldPath != "metadata.namespace" {
				t.Fatalf("%s comes from %s", variable.Name, from.FieldRef.FieldPath)
			}
			value = namespace
		}
		pairs = append(pairs, "$("+variable.Name+")", value)
	}
	return strings.Split(strings.NewReplacer(pairs...).Replace(strings.Join(container.Args, "\n")), "\n")
}

func TestTheOperatorsPodIsRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for way, i := range installations(t) {
		pod := typed[appsv1.Deployment](t, i.all, i.deployment).Spec.Template
		for _, result := range evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				t.Errorf("%s: %s: %s", way, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		if readOnly := pod.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem; readOnly == nil || !*readOnly {
			t.Errorf("%s: the root is writable", way)
		}
	}
}
