// Package schema judges declarations as an API server would that has this product's CustomResourceDefinitions: unknown
// fields, defaults, the OpenAPI schema, list types, names and CEL rules. It does so with the API server's own
// libraries, so that what is rendered offline is what a cluster would have taken.
//
// It imports no client, and judges only; what a declaration means is controllers/render.
package schema

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// Schemas are the compiled definitions by kind.
type Schemas map[runtimeschema.GroupVersionKind]*Schema

// Schema is one compiled definition.
type Schema struct {
	structural *schema.Structural
	openAPI    validation.SchemaValidator
	rules      *cel.Validator
}

// Load compiles every CustomResourceDefinition below files' folder bases.
func Load(files fs.FS) (Schemas, error) {
	names, err := fs.Glob(files, "bases/*.yaml")
	if err != nil {
		return nil, err
	}
	schemas := Schemas{}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(data, &definition); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for i := range definition.Spec.Versions {
			version := &definition.Spec.Versions[i]
			compiled, err := compile(version.Schema)
			if err != nil {
				return nil, fmt.Errorf("%s: version %s: %w", name, version.Name, err)
			}
			schemas[runtimeschema.GroupVersionKind{
				Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind,
			}] = compiled
		}
	}
	return schemas, nil
}

func compile(v1 *apiextensionsv1.CustomResourceValidation) (*Schema, error) {
	var internal apiextensions.CustomResourceValidation
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(v1, &internal,
		nil); err != nil {
		return nil, err
	}
	structural, err := structuralOf(v1)
	if err != nil {
		return nil, err
	}
	openAPI, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	return &Schema{
		structural: structural,
		openAPI:    openAPI,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, nil
}

// Decode reads one YAML or JSON document: no key may stand twice, and integers stay integers, as the rules need them.
// An empty document gives nil. apiVersion and kind may be missing.
func Decode(document []byte) (*unstructured.Unstructured, error) {
	data, err := yaml.YAMLToJSONStrict(document)
	if err != nil || string(data) == "null" {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal(data, &object.Object); err != nil {
		return nil, errors.New("is no Kubernetes object: it needs apiVersion, kind and metadata")
	}
	return object, nil
}

// Admit defaults object in place and judges it: as an update of old, or as a new one when old is nil. Its numbers are
// to be as [Decode] gives them. The error joins one sentence per problem, beginning with the path of the field.
func (s *Schema) Admit(ctx context.Context, object, old *unstructured.Unstructured) error {
	if err := s.unknownFields(object); err != nil {
		return err
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(object.Object, s.structural)
	defaulting.Default(object.Object, s.structural)
	found := apimachineryvalidation.ValidateObjectMetaAccessor(object, true, apimachineryvalidation.NameIsDNSSubdomain,
		field.NewPath("metadata"))
	found = append(found, objectmeta.Validate(ctx, nil, object.Object, s.structural, true)...)
	found = append(found, validation.ValidateCustomResource(nil, object.Object, s.openAPI)...)
	found = append(found, listtype.ValidateListSetsAndMaps(nil, s.structural, object.Object)...)
	if len(found) == 0 {
		var before any
		if old != nil {
			before = old.Object
		}
		found, _ = s.rules.Validate(ctx, nil, s.structural, object.Object, before, celconfig.RuntimeCELCostBudget)
	}
	return sentences(found)
}

// unknownFields refuses what the API server would drop with a warning, as kubectl's strict validation does.
func (s *Schema) unknownFields(object *unstructured.Unstructured) error {
	var errs []error
	options := schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	for _, path := range pruning.PruneWithOptions(object.Object, s.structural, true, options) {
		errs = append(errs, fmt.Errorf("%s: unknown field", path))
	}
	_, _, paths, err := objectmeta.GetObjectMetaWithOptions(object.Object, objectmeta.ObjectMetaOptions{
		ReturnUnknownFieldPaths: true, ParentPath: field.NewPath("metadata"),
	})
	for _, path := range paths {
		errs = append(errs, fmt.Errorf("%s: unknown field", path))
	}
	return errors.Join(append(errs, err)...)
}

// sentences leaves out the values, which the API server repeats and which may be long.
func sentences(found field.ErrorList) error {
	var errs []error
	for _, f := range found {
		detail := f.Detail
		if detail == "" || f.Type == field.ErrorTypeNotSupported || f.Type == field.ErrorTypeRequired {
			detail = strings.TrimSpace(f.Type.String() + " " + detail)
		}
		path := f.Field
		detail = strings.TrimPrefix(detail, path+" in body ")
		if path == "" || path == "<nil>" {
			errs = append(errs, errors.New(detail))
			continue
		}
		errs = append(errs, fmt.Errorf("%s: %s", path, detail))
	}
	return errors.Join(errs...)
}
