package charts

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
)

// generated reads the roles that make manifests generates from the code.
func generated(t *testing.T) objects {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "config", "rbac", "role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(data))
}

func rulesOf(t *testing.T, all objects, name string) []rbacv1.PolicyRule {
	t.Helper()
	return typed[rbacv1.ClusterRole](t, all, name).Rules // a Role's are of the same type
}

func TestEveryInstallationGrantsWhatTheCodeNeedsAndNothingMore(t *testing.T) {
	made := generated(t)
	const everywhere, cluster, lease = "ClusterRole/postback-operator", "ClusterRole/postback-operator-cluster",
		"Role/system/postback-operator-leader-election"
	for way, want := range map[string]struct {
		all            objects
		namespace      string
		serviceAccount string
		roles          map[string]string // by name, the generated one
	}{
		"the chart": {template(t), "ops", "postback-operator", map[string]string{
			"ClusterRole/postback-operator": everywhere, "ClusterRole/postback-operator-cluster": cluster,
			"Role/ops/postback-operator-leader-election": lease,
		}},
		"the chart with names of its own": {template(t, "fullnameOverride=pb", "serviceAccount.name=mine"), "ops", "mine",
			map[string]string{
				"ClusterRole/pb": everywhere, "ClusterRole/pb-cluster": cluster, "Role/ops/pb-leader-election": lease,
			}},
		"the chart for some namespaces": {template(t, "watchNamespaces={a,b}"), "ops", "postback-operator", map[string]string{
			"Role/a/postback-operator": everywhere, "Role/b/postback-operator": everywhere,
			"Role/ops/postback-operator-leader-election": lease,
		}},
		"the chart without roles": {template(t, "rbac.create=false"), "ops", "postback-operator", map[string]string{}},
		"the kustomization": {kustomize(t, "default"), "postback-system", "postback-operator", map[string]string{
			"ClusterRole/postback-operator": everywhere, "ClusterRole/postback-operator-cluster": cluster,
			"Role/postback-system/postback-operator-leader-election": lease,
		}},
		"the kustomization for a namespace": {kustomize(t, "namespaced"), "postback", "postback-operator", map[string]string{
			"Role/postback/postback-operator": everywhere, "Role/postback/postback-operator-leader-election": lease,
		}},
	} {
		t.Run(way, func(t *testing.T) {
			bound := boundRoles(t, want.all, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: want.namespace,
				Name: want.serviceAccount})
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want.roles)), bound); diff != "" {
				t.Fatalf("bound roles (-want +got):\n%s", diff)
			}
			for role, from := range want.roles {
				if diff := cmp.Diff(rulesOf(t, made, from), rulesOf(t, want.all, role)); diff != "" {
					t.Errorf("%s (-generated +granted):\n%s", role, diff)
				}
			}
		})
	}
}

// boundRoles returns the sorted names of the roles that are bound, all of which must be to the subject.
func boundRoles(t *testing.T, all objects, subject rbacv1.Subject) []string {
	t.Helper()
	var bound []string
	for name, object := range all {
		if kind := object.GetKind(); kind != "RoleBinding" && kind != "ClusterRoleBinding" {
			continue
		}
		binding := typed[rbacv1.RoleBinding](t, all, name)
		if diff := cmp.Diff([]rbacv1.Subject{subject}, binding.Subjects); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		words := strings.Fields(binding.RoleRef.Kind + " " + binding.Namespace + " " + binding.RoleRef.Name)
		bound = append(bound, strings.Join(words, "/"))
	}
	slices.Sort(bound)
	return bound
}

func TestPeopleGetTheSameRolesFromTheChartAndTheKustomization(t *testing.T) {
	chart, kustomization := template(t), kustomize(t, "default")
	for name, aggregated := range map[string]string{
		"view": "rbac.authorization.k8s.io/aggregate-to-view", "edit": "rbac.authorization.k8s.io/aggregate-to-edit",
		"reader":         "rbac.authorization.k8s.io/aggregate-to-edit",
		"corrector":      "rbac.authorization.k8s.io/aggregate-to-edit",
		"owner":          "rbac.authorization.k8s.io/aggregate-to-admin",
		"metrics-reader": "",
	} {
		name = "ClusterRole/postback-operator-" + name
		if diff := cmp.Diff(rulesOf(t, kustomization, name), rulesOf(t, chart, name)); diff != "" {
			t.Errorf("%s (-kustomization +chart):\n%s", name, diff)
		}
		for _, all := range []objects{chart, kustomization} {
			if aggregated != "" && all[name].GetLabels()[aggregated] != "true" {
				t.Errorf("%s lacks the label %s", name, aggregated)
			}
		}
	}
}
