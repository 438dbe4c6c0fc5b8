package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestThePagesHaveTheTablesOfTheKinds(t *testing.T) {
	err := eachPage("../..", func(path, current, generated string) error {
		if diff := cmp.Diff(generated, current); diff != "" {
			t.Errorf("make generate writes %s again (-generated +page):\n%s", path, diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

const kinds = `package v1alpha1

// ShopSpec declares a shop.
type ShopSpec struct {
	// Currency is the code, like USD | EUR.
	// +kubebuilder:validation:MaxLength=3
	// +required
	Currency string ` + "`json:\"currency\"`" + `
	// Rules in order, with a text that is
	// longer than a line.
	// +optional
	Rules []Rule ` + "`json:\"rules,omitempty\"`" + `
	// Receiver shapes receivers.
	Receiver *ReceiverSpec ` + "`json:\"receiver,omitempty\"`" + `
	Common ` + "`json:\",inline\"`" + `
}

// Rule is one.
type Rule struct {
	// Name of the rule.
	Name string ` + "`json:\"name\"`" + `
}

// Common is what all have.
type Common struct {
	// Wait: how long.
	// +kubebuilder:default="72h"
	Wait string ` + "`json:\"wait\"`" + `
}

type ReceiverSpec struct {
	// Image of it.
	Image string ` + "`json:\"image\"`" + `
}
`

func TestATableFollowsTheComments(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shop_types.go"), []byte(kinds), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := parse(dir)
	if err != nil {
		t.Fatal(err)
	}
	page := "# Shop\n\n<!-- fields of Shop: rules currency receiver wait -->\nold\n<!-- end of fields -->\n\nText.\n"
	want := "# Shop\n\n<!-- fields of Shop: rules currency receiver wait -->\n" +
		"| field | default | meaning |\n|---|---|---|\n" +
		"| `rules` | | in order, with a text that is longer than a line. |\n" +
		"| `rules[].name` | | of the rule. |\n" +
		"| `currency` | *required* | the code, like USD \\| EUR. |\n" +
		"| `receiver` | | shapes receivers. |\n" +
		"| `wait` | `72h` | how long. |\n" +
		"<!-- end of fields -->\n\nText.\n"
	got, err := generate(page, all, map[string]string{"Shop": "ShopSpec"})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, c := range map[string]struct{ page, says string }{
		"a field without a table":    {strings.Replace(page, " wait", "", 1), "spec.wait is in 0 tables"},
		"a field in two tables":      {page + page, "is in 2 tables"},
		"a field that there is none": {strings.Replace(page, " wait", " weight", 1), "no field weight"},
	} {
		_, err := generate(c.page, all, map[string]string{"Shop": "ShopSpec"})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
