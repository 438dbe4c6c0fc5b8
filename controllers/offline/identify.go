package offline

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// readKinds are the kinds that are rendered, or read for rendering others.
var readKinds = map[string]schema.GroupVersion{
	v1alpha1.KindPostbackEndpoint: v1alpha1.GroupVersion,
	v1alpha1.KindReceiverFleet:    v1alpha1.GroupVersion,
	v1alpha1.KindCampaign:         v1alpha1.GroupVersion,
	"Secret":                      corev1.SchemeGroupVersion,
	"Namespace":                   corev1.SchemeGroupVersion,
}

// identify says what keeps an object from being identified by kind and name.
func identify(object *unstructured.Unstructured) error {
	kind, version := object.GetKind(), object.GetAPIVersion()
	switch {
	case kind == "" && version == "":
		return fmt.Errorf("apiVersion and kind are missing: begin the document with apiVersion: %s and a kind like "+
			"PostbackEndpoint", v1alpha1.GroupVersion)
	case kind == "":
		return fmt.Errorf("kind is missing: write %s", strings.Join(kindsOf(version), ", "))
	case version == "" && readKinds[kind] != (schema.GroupVersion{}):
		return fmt.Errorf("apiVersion is missing: a %s has apiVersion: %s", kind, readKinds[kind])
	case version == "":
		return fmt.Errorf("apiVersion is missing, the kind is %.64q: the kinds of this product have apiVersion: %s", kind,
			v1alpha1.GroupVersion)
	}
	if _, known := readKinds[kind]; !known {
		ours := object.GroupVersionKind().Group == v1alpha1.GroupVersion.Group
		if near, far := nearest(kind, kindsOf(version)); far <= 2 || ours {
			return fmt.Errorf("there is no kind %.64q in apiVersion %.64s: write kind: %s", kind, version, near)
		}
		return nil
	}
	if object.GetName() == "" {
		return fmt.Errorf("metadata.name of a %s is missing", kind)
	}
	return nil
}

// kindsOf returns the kinds that a document of this apiVersion may have, sorted.
func kindsOf(version string) []string {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(readKinds)) {
		if group := readKinds[kind]; group.String() == version || group.Group == v1alpha1.GroupVersion.Group &&
			version != "v1" {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// nearest returns the candidate with the fewest letters changed, whatever their case, and how many those are.
func nearest(word string, candidates []string) (near string, far int) {
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); near == "" || d < far {
			near, far = candidate, d
		}
	}
	return near, far
}

// distance is Levenshtein's: letters added, dropped or replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// readSecret reads a Secret. The error names fields and shows no value.
func readSecret(object *unstructured.Unstructured) (*corev1.Secret, error) {
	if err := errors.Join(
		eachValue(object, "stringData", func(string) string { return "" }),
		eachValue(object, "data", func(value string) string {
			if _, err := base64.StdEncoding.DecodeString(value); err != nil {
				return "is no base64: plain text belongs in stringData"
			}
			return ""
		}),
	); err != nil {
		return nil, err
	}
	var secret corev1.Secret
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &secret,
		true); err != nil {
		return nil, errors.New("is no valid Secret: it has a field that Secrets do not have, or one of the wrong type")
	}
	return &secret, nil
}

// eachValue demands text of every value of a field.
func eachValue(object *unstructured.Unstructured, name string, wrong func(value string) string) error {
	held, found := object.Object[name]
	values, isMap := held.(map[string]any)
	if found && held != nil && !isMap {
		return fmt.Errorf("%s: must be fields with text", name)
	}
	var errs []error
	for _, field := range slices.Sorted(maps.Keys(values)) {
		text, isText := values[field].(string)
		says := wrong(text)
		if !isText {
			says = "is no text for YAML: write it in quotes"
			if values[field] == nil {
				says = "is empty"
			}
		}
		if says != "" {
			errs = append(errs, fmt.Errorf("%s.%.64s %s", name, field, says))
		}
	}
	return errors.Join(errs...)
}
