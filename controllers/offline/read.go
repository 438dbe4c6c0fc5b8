package offline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/schema"
)

// maxFileBytes bounds one input file.
const maxFileBytes = 64 << 20

// declarations are the documents that were read and admitted.
type declarations struct {
	endpoints map[types.NamespacedName]*v1alpha1.PostbackEndpoint
	fleets    map[types.NamespacedName]*v1alpha1.ReceiverFleet
	campaigns map[types.NamespacedName]*v1alpha1.Campaign
	secrets   map[types.NamespacedName]map[string][]byte
	// namespaces are the labels of those that were declared.
	namespaces map[string]map[string]string
}

// reader reads files. What is wrong with one document is a problem and leaves the others alone.
type reader struct {
	schemas  schema.Schemas
	out      declarations
	notice   func(format string, args ...any)
	problems []error
}

func newReader(schemas schema.Schemas, notice func(string, ...any)) *reader {
	return &reader{schemas: schemas, notice: notice, out: declarations{
		endpoints:  map[types.NamespacedName]*v1alpha1.PostbackEndpoint{},
		fleets:     map[types.NamespacedName]*v1alpha1.ReceiverFleet{},
		campaigns:  map[types.NamespacedName]*v1alpha1.Campaign{},
		secrets:    map[types.NamespacedName]map[string][]byte{},
		namespaces: map[string]map[string]string{},
	}}
}

// path reads a file, or every .yaml, .yml and .json below a folder but for the output folder and for kustomizations, which
// no cluster takes either.
func (r *reader) path(ctx context.Context, path, output string) error {
	if info, err := os.Stat(path); err != nil {
		return err
	} else if !info.IsDir() {
		return r.file(ctx, path)
	}
	outputInfo, _ := os.Stat(output)
	return filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			info, err := entry.Info()
			if err == nil && outputInfo != nil && os.SameFile(info, outputInfo) {
				return filepath.SkipDir
			}
			return err
		}
		extension := filepath.Ext(name)
		if !slices.Contains([]string{".yaml", ".yml", ".json"}, extension) || strings.TrimSuffix(entry.Name(), extension) == "kustomization" {
			return nil
		}
		return r.file(ctx, name)
	})
}

func (r *reader) file(ctx context.Context, path string) error {
	file, err := os.Open(path) //nolint:gosec // the user names the files to read
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	return r.stream(ctx, path, file)
}

// stream reads YAML or JSON documents separated by "---".
func (r *reader) stream(ctx context.Context, source string, in io.Reader) error {
	limited := &io.LimitedReader{R: in, N: maxFileBytes + 1}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(limited))
	for number := 1; ; number++ {
		document, err := documents.Read()
		if limited.N <= 0 {
			return fmt.Errorf("%s: longer than %d bytes", source, maxFileBytes)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
		if err := r.document(ctx, document); err != nil {
			r.problems = append(r.problems, fmt.Errorf("%s, document %d: %w", source, number, err))
		}
	}
}

func (r *reader) document(ctx context.Context, document []byte) error {
	object, err := schema.Decode(document)
	if err != nil || object == nil {
		return err
	}
	if !object.IsList() {
		return r.object(ctx, object)
	}
	var errs []error
	err = object.EachListItem(func(item runtime.Object) error {
		errs = append(errs, r.object(ctx, item.(*unstructured.Unstructured)))
		return nil
	})
	return errors.Join(append(errs, err)...)
}

func (r *reader) object(ctx context.Context, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	if object.GetNamespace() == "" && kind.Kind != "Namespace" {
		object.SetNamespace("default")
	}
	name := types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}
	err := r.take(ctx, object, name)
	if err != nil {
		return fmt.Errorf("%s %s: %w", kind.Kind, name, err)
	}
	return nil
}

func (r *reader) take(ctx context.Context, object *unstructured.Unstructured, name types.NamespacedName) error {
	switch kind := object.GroupVersionKind(); kind {
	case v1alpha1.GroupVersion.WithKind(v1alpha1.KindPostbackEndpoint):
		return admit(ctx, r.schemas[kind], object, name, r.out.endpoints)
	case v1alpha1.GroupVersion.WithKind(v1alpha1.KindReceiverFleet):
		return admit(ctx, r.schemas[kind], object, name, r.out.fleets)
	case v1alpha1.GroupVersion.WithKind(v1alpha1.KindCampaign):
		return admit(ctx, r.schemas[kind], object, name, r.out.campaigns)
	case corev1.SchemeGroupVersion.WithKind("Secret"):
		var secret corev1.Secret
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &secret, true); err != nil {
			return errors.New("is no valid Secret: data must be base64, stringData text")
		}
		return put(r.out.secrets, name, secretData(&secret))
	case corev1.SchemeGroupVersion.WithKind("Namespace"):
		r.out.namespaces[object.GetName()] = object.GetLabels()
	default:
		if kind.Group == v1alpha1.GroupVersion.Group {
			return fmt.Errorf("there is no such kind in apiVersion %s", object.GetAPIVersion())
		}
		r.notice("ignored: %s %q is none of the kinds that are rendered", kind.Kind, object.GetName())
	}
	return nil
}

// admit judges an object as a cluster would and keeps it in its typed form.
func admit[T any](ctx context.Context, s *schema.Schema, object *unstructured.Unstructured, name types.NamespacedName, into map[types.NamespacedName]*T) error {
	if err := s.Admit(ctx, object, nil); err != nil {
		return err
	}
	typed := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed); err != nil {
		return err
	}
	return put(into, name, typed)
}

func put[T any](into map[types.NamespacedName]T, name types.NamespacedName, value T) error {
	if _, taken := into[name]; taken {
		return errors.New("is declared twice; the first one counts")
	}
	into[name] = value
	return nil
}

// secretData merges stringData into data, as the API server does.
func secretData(secret *corev1.Secret) map[string][]byte {
	data := map[string][]byte{}
	for field, value := range secret.Data {
		data[field] = value
	}
	for field, value := range secret.StringData {
		data[field] = []byte(value)
	}
	return data
}
