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
	"time"

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
	secrets   map[types.NamespacedName]*corev1.Secret
	// namespaces are the labels of those that were declared.
	namespaces map[string]map[string]string
	// rejected are the documents that were refused.
	rejected []rejection
	// unread: a document cannot be identified, so that it may be any of those that are missing.
	unread bool
}

// rejection is a document of a known kind and name that was refused.
type rejection struct {
	// at says where the document is.
	at, kind string
	name     types.NamespacedName
	created  time.Time
	err      error
}

func (d *declarations) isRejected(kind string, name types.NamespacedName) bool {
	return slices.ContainsFunc(d.rejected, func(r rejection) bool { return r.kind == kind && r.name == name })
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
		secrets:    map[types.NamespacedName]*corev1.Secret{},
		namespaces: map[string]map[string]string{},
	}}
}

// path reads a file, or every .yaml, .yml and .json below a folder but for the output folder and for kustomizations,
// which no cluster takes either.
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
		if !slices.Contains([]string{".yaml", ".yml", ".json"}, extension) ||
			strings.TrimSuffix(entry.Name(), extension) == "kustomization" {
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
		at := fmt.Sprintf("%s, document %d", source, number)
		if err := r.document(ctx, at, document); err != nil {
			r.out.unread = true
			r.problems = append(r.problems, fmt.Errorf("%s: %w (what was rendered before and is missing now is kept)", at, err))
		}
	}
}

// document returns an error when it cannot be identified. What is wrong with an identified one is a rejection.
func (r *reader) document(ctx context.Context, at string, document []byte) error {
	object, err := schema.Decode(document)
	if err != nil || object == nil {
		return err
	}
	if !object.IsList() {
		return r.object(ctx, at, object)
	}
	var errs []error
	err = object.EachListItem(func(item runtime.Object) error {
		errs = append(errs, r.object(ctx, at, item.(*unstructured.Unstructured)))
		return nil
	})
	return errors.Join(append(errs, err)...)
}

func (r *reader) object(ctx context.Context, at string, object *unstructured.Unstructured) error {
	if err := identify(object); err != nil {
		return err
	}
	kind := object.GetKind()
	if object.GetNamespace() == "" && kind != "Namespace" {
		object.SetNamespace("default")
	}
	name := types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}
	if err := r.take(ctx, object, name); err != nil {
		r.out.rejected = append(r.out.rejected, rejection{
			at: at, kind: kind, name: name, created: object.GetCreationTimestamp().Time, err: err,
		})
	}
	return nil
}

func (r *reader) take(ctx context.Context, object *unstructured.Unstructured, name types.NamespacedName) error {
	version, known := readKinds[object.GetKind()]
	switch {
	case !known:
		r.notice("ignored: %s %q is none of the kinds that are rendered", object.GetKind(), object.GetName())
		return nil
	case version.String() != object.GetAPIVersion():
		return fmt.Errorf("there is no such kind in apiVersion %.64s: write apiVersion: %s", object.GetAPIVersion(), version)
	}
	switch kind := object.GroupVersionKind(); kind.Kind {
	case v1alpha1.KindPostbackEndpoint:
		return admit(ctx, r.schemas[kind], object, name, r.out.endpoints)
	case v1alpha1.KindReceiverFleet:
		return admit(ctx, r.schemas[kind], object, name, r.out.fleets)
	case v1alpha1.KindCampaign:
		return admit(ctx, r.schemas[kind], object, name, r.out.campaigns)
	case "Namespace":
		r.out.namespaces[object.GetName()] = object.GetLabels()
		return nil
	}
	secret, err := readSecret(object)
	if err != nil {
		return err
	}
	return put(r.out.secrets, name, secret)
}

// admit judges an object as a cluster would and keeps it in its typed form.
func admit[T any](ctx context.Context, s *schema.Schema, object *unstructured.Unstructured, name types.NamespacedName,
	into map[types.NamespacedName]*T) error {
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

// secretData merges stringData into data, as the API server does; nil when there is no Secret.
func secretData(secret *corev1.Secret) map[string][]byte {
	if secret == nil {
		return nil
	}
	data := map[string][]byte{}
	for field, value := range secret.Data {
		data[field] = value
	}
	for field, value := range secret.StringData {
		data[field] = []byte(value)
	}
	return data
}
