package docs

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// permissionsOf returns "role | group | resource | verbs" of every rule in a file of roles.
func permissionsOf(t *testing.T, file string) (permissions []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return permissions
		}
		if err != nil {
			t.Fatal(err)
		}
		var role rbacv1.ClusterRole // a Role's rules are of the same type
		if err := yaml.Unmarshal(document, &role); err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			slices.Sort(rule.Verbs)
			verbs := strings.Join(rule.Verbs, ", ")
			for _, url := range rule.NonResourceURLs {
				permissions = append(permissions, row(role.Name, "", url, verbs))
			}
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					permissions = append(permissions, row(role.Name, cmp.Or(group, "core"), resource, verbs))
				}
			}
		}
	}
}

func row(cells ...string) string { return strings.Join(cells, " | ") }

// permissionsOnThePage reads the tables: those of the operator have the role in their heading, that of people in a
// column.
func permissionsOnThePage(t *testing.T) (permissions []string) {
	t.Helper()
	page, err := os.ReadFile("rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	var heading string
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			heading = title
		}
		if !strings.HasPrefix(line, "| `") && !strings.HasPrefix(line, "| core ") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "| "), " |") {
			cells = append(cells, strings.ReplaceAll(strings.TrimSpace(cell), "`", ""))
		}
		role := heading
		if strings.Contains(heading, " ") {
			role, cells = cells[0], cells[1:]
		}
		verbs := strings.Split(cells[2], ", ")
		slices.Sort(verbs)
		for resource := range strings.SplitSeq(cells[1], ", ") {
			permissions = append(permissions, row(role, cells[0], resource, strings.Join(verbs, ", ")))
		}
	}
	return permissions
}

func TestThePageOfPermissionsHasEachAndNoOther(t *testing.T) {
	var granted []string
	for _, file := range []string{
		"../config/rbac/role.yaml", "../config/rbac/users/roles.yaml", "../charts/postback-operator/files/console-role.yaml",
		"../charts/postback-operator/files/console-users.yaml",
	} {
		granted = append(granted, permissionsOf(t, file)...)
	}
	described := permissionsOnThePage(t)
	slices.Sort(granted)
	slices.Sort(described)
	if diff := gocmp.Diff(granted, described); diff != "" {
		t.Errorf("permissions (-granted +described):\n%s", diff)
	}
}
