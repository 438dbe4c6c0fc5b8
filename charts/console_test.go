package charts

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// withConsole are values that serve the console, withProxy behind a proxy.
var (
	withConsole = []string{
		"console.enabled=true", "console.hosts={console.example}", "console.fleets[0].namespace=shops", "console.fleets[0].name=main",
		"console.ingress.enabled=true",
	}
	withProxy = append(slices.Clone(withConsole), "console.auth=proxy", "console.proxySecretName=oauth")
)

func TestTheConsoleMayDoLittle(t *testing.T) {
	without := template(t)
	for name, object := range template(t, withConsole...) {
		if without[name] != nil {
			continue
		}
		if _, of := object.GetLabels()["app.kubernetes.io/name"]; !of || !strings.Contains(name, "console") {
			t.Errorf("%s is not said to be the console's", name)
		}
		delete(without, name)
	}
	all := template(t, withConsole...)
	subject := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: "ops", Name: "postback-operator-console"}
	got := map[string][]rbacv1.PolicyRule{}
	for name, object := range all {
		if kind := object.GetKind(); kind != "RoleBinding" && kind != "ClusterRoleBinding" {
			continue
		}
		binding := typed[rbacv1.RoleBinding](t, all, name)
		if !slices.Contains(binding.Subjects, subject) {
			continue
		}
		role := binding.RoleRef.Kind + "/" + binding.RoleRef.Name
		if binding.Namespace != "" {
			role = binding.RoleRef.Kind + "/" + binding.Namespace + "/" + binding.RoleRef.Name
		}
		got[role] = rulesOf(t, all, role)
	}
	create, get := []string{"create"}, []string{"get"}
	want := map[string][]rbacv1.PolicyRule{
		"ClusterRole/postback-operator-console": {
			{APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"tokenreviews"}, Verbs: create},
			{APIGroups: []string{"authorization.k8s.io"}, Resources: []string{"subjectaccessreviews"}, Verbs: create},
			{APIGroups: []string{"postback.dev"}, Resources: []string{"postbackendpoints"}, Verbs: []string{"get", "list"}},
		},
		"Role/shops/postback-operator-console-main": {
			{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"main-ops"}, Verbs: get},
			{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +granted):\n%s", diff)
	}
	for name, verbs := range map[string][]string{"reader": get, "corrector": {"get", "update"}} {
		rules := rulesOf(t, all, "ClusterRole/postback-operator-console-"+name)
		if len(rules) != 1 || !slices.Equal(rules[0].Verbs, verbs) || rules[0].Resources[0] != "postbackendpoints/conversions" {
			t.Errorf("the %s may %v", name, rules)
		}
	}
}

func TestTheConsolesPodIsRestrictedAndReached(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const name = "postback-operator-console"
	for args, values := range map[string][]string{
		"--listen=:8080 --auth=token --host=console.example":                                                withConsole,
		"--listen=:8080 --auth=proxy --proxy-secret-file=/etc/postback/proxy/secret --host=console.example": withProxy,
	} {
		all := template(t, values...)
		pod := typed[appsv1.Deployment](t, all, "Deployment/ops/"+name).Spec.Template
		restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
		for _, result := range evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				t.Errorf("%s: %s", result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		if got := strings.Join(pod.Spec.Containers[0].Args, " "); got != args || pod.Spec.ServiceAccountName != name {
			t.Errorf("as %s: %s", pod.Spec.ServiceAccountName, got)
		}
		for object, path := range map[string][]string{
			"NetworkPolicy/ops/" + name: {"spec", "podSelector", "matchLabels"}, "Service/ops/" + name: {"spec", "selector"},
		} {
			if diff := cmp.Diff(pod.Labels, stringsAt(t, all[object], path...)); diff != "" {
				t.Errorf("%s (-pods +selected):\n%s", object, diff)
			}
		}
		operators := stringsAt(t, all["Deployment/ops/postback-operator"], "spec", "selector", "matchLabels")
		if maps.Equal(operators, pod.Labels) {
			t.Error("the operator's selectors select the console, too")
		}
		ingress := typed[networkingv1.Ingress](t, all, "Ingress/ops/"+name)
		if ingress.Spec.Rules[0].Host != "console.example" || ingress.Spec.TLS[0].SecretName != name+"-tls" {
			t.Errorf("the Ingress is %+v", ingress.Spec)
		}
	}
	for values, says := range map[string]string{
		"console.enabled=true": "console.hosts",
		"console.enabled=true,console.hosts={a},watchNamespaces={a}":       "none of with watchNamespaces",
		"console.enabled=true,console.hosts={a},console.auth=proxy":        "console.proxySecretName",
		"console.enabled=true,console.hosts={a},console.auth=none":         "auth",
		"console.enabled=true,console.hosts={a},console.fleets[0]=x":       "fleets",
		"console.enabled=true,console.hosts={a},console.proxySecretName=x": "is for console.auth=proxy",
	} {
		for _, helm := range helms {
			if _, stderr, err := try(t, "", helm, templateArgs([]string{values})...); err == nil || !strings.Contains(stderr, says) {
				t.Errorf("%s: %s: %v: %s", values, helm, err, stderr)
			}
		}
	}
}
