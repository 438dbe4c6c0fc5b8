package schema

import (
	"fmt"
	"io/fs"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"sigs.k8s.io/yaml"
)

// Defaults returns what gives an object, in place, the defaults of the only version of a definition. It compiles no
// rules.
func Defaults(files fs.FS, name string) (func(object map[string]any), error) {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(data, &definition); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	structural, err := structuralOf(definition.Spec.Versions[0].Schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return func(object map[string]any) { defaulting.Default(object, structural) }, nil
}

func structuralOf(v1 *apiextensionsv1.CustomResourceValidation) (*schema.Structural, error) {
	var internal apiextensions.CustomResourceValidation
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(v1, &internal,
		nil); err != nil {
		return nil, err
	}
	return schema.NewStructural(internal.OpenAPIV3Schema)
}
