package schema

import (
	"io/fs"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/config/crd"
)

// kubectl explain shows the descriptions of the definitions.
func TestKubectlExplainSaysSomethingAboutEveryField(t *testing.T) {
	files, err := fs.Glob(crd.Files, "bases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	fields := 0
	var walk func(path string, schema *apiextensionsv1.JSONSchemaProps)
	walk = func(path string, schema *apiextensionsv1.JSONSchemaProps) {
		for name, property := range schema.Properties {
			fields++
			if property.Description == "" && path+name != "metadata" { // which Kubernetes describes
				t.Errorf("%s%s has no description", path, name)
			}
			walk(path+name+".", &property)
		}
		if schema.Items != nil && schema.Items.Schema != nil {
			walk(path+"[].", schema.Items.Schema)
		}
	}
	for _, file := range files {
		data, err := crd.Files.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(data, &definition); err != nil {
			t.Fatal(err)
		}
		walk("", definition.Spec.Versions[0].Schema.OpenAPIV3Schema)
	}
	if fields < 300 {
		t.Errorf("only %d fields were found", fields)
	}
}
