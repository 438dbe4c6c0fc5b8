package api

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/explain"
	work "github.com/postback-dev/postback-operator/receiver/operation"
)

// described returns the OpenAPI document of an API that has everything.
func described(t *testing.T) map[string]any {
	t.Helper()
	o := options(&fakeStore{})
	o.Explainer, o.Operator = &explain.Explainer{}, &work.Operator{}
	w := get(New(o), openAPIPath)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return decode(t, w.Body)
}

func TestTheDocumentDescribesWhatIsServed(t *testing.T) {
	a := &api{Options: options(&fakeStore{})}
	a.Explainer, a.Operator = &explain.Explainer{}, &work.Operator{}
	paths := described(t)["paths"].(map[string]any)
	count := 0
	for _, o := range a.operations() {
		described, ok := paths[o.path].(map[string]any)[strings.ToLower(o.method)].(map[string]any)
		if !ok || described["summary"] == "" {
			t.Errorf("%s %s is not described", o.method, o.path)
			continue
		}
		count++
		for _, name := range o.parameters {
			if parameterWords[name].text == "" {
				t.Errorf("%s %s: nothing says what %s means", o.method, o.path, name)
			}
		}
	}
	for _, path := range paths {
		count -= len(path.(map[string]any))
	}
	if count != 0 {
		t.Errorf("%d operations more than are described", count)
	}
}

func TestEveryReferenceOfTheDocumentIsDefined(t *testing.T) {
	doc := described(t)
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	var used []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				used = append(used, strings.TrimPrefix(ref, "#/components/schemas/"))
			}
			for _, member := range v {
				walk(member)
			}
		case []any:
			for _, member := range v {
				walk(member)
			}
		}
	}
	walk(doc)
	for _, name := range used {
		if schema, ok := schemas[name].(map[string]any); !ok || schema["type"] != "object" {
			t.Errorf("%s is not defined", name)
		}
	}
	for name := range schemas {
		if !slices.Contains(used, name) {
			t.Errorf("nothing uses %s", name)
		}
	}
	for _, name := range []string{"ConversionPage", "ExplainStep", "ClickDetails", "Error"} {
		if schemas[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestThePageOfTheAPINamesEveryResourceAndParameter(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	a := &api{Options: options(&fakeStore{})}
	a.Explainer, a.Operator = &explain.Explainer{}, &work.Operator{}
	for _, o := range a.operations() {
		if !strings.Contains(string(text), "`"+o.path+"`") && !strings.Contains(string(text), "`"+o.method+" "+o.path+"`") {
			t.Errorf("docs/api.md does not name %s", o.path)
		}
		for _, name := range o.parameters {
			if !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("docs/api.md does not name %s", name)
			}
		}
	}
}
