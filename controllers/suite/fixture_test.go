package suite

import (
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

// newNamespace makes a namespace for one test. What is in it is deleted afterwards, so that later tests have less to
// wait for; there is no controller that would end the namespace itself.
func newNamespace(t *testing.T, labels map[string]string) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-", Labels: labels}}
	if err := admin.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

// declare creates an object from YAML and returns it as it is stored.
func declare[T any, P interface {
	*T
	client.Object
}](t *testing.T, namespace, document string) P {
	t.Helper()
	object := P(new(T))
	if err := yaml.UnmarshalStrict([]byte(document), object); err != nil {
		t.Fatal(err)
	}
	// As kubectl sends it: what the document doesn't say, a typed object might.
	content := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(document), content); err != nil {
		t.Fatal(err)
	}
	content.SetNamespace(namespace)
	if err := admin.Create(t.Context(), content); err != nil {
		t.Fatal(err)
	}
	object.SetNamespace(namespace)
	read(t, object)
	return object
}

func endpointOf(t *testing.T, namespace, name, spec string) *v1alpha1.PostbackEndpoint {
	t.Helper()
	return declare[v1alpha1.PostbackEndpoint](t, namespace, fmt.Sprintf(
		"apiVersion: postback.dev/v1alpha1\nkind: PostbackEndpoint\nmetadata: {name: %s, labels: {team: %[2]s}, "+
			"annotations: {note: %[2]s}}\nspec: %s", name, mark, spec))
}

func fleetOf(t *testing.T, namespace, name, spec string) *v1alpha1.ReceiverFleet {
	t.Helper()
	return declare[v1alpha1.ReceiverFleet](t, namespace, fmt.Sprintf(
		"apiVersion: postback.dev/v1alpha1\nkind: ReceiverFleet\nmetadata: {name: %s, labels: {team: %[2]s}, annotations: "+
			"{note: %[2]s}}\nspec: %s", name, mark, spec))
}

func campaignOf(t *testing.T, namespace, name, spec string) *v1alpha1.Campaign {
	t.Helper()
	return declare[v1alpha1.Campaign](t, namespace, fmt.Sprintf(
		"apiVersion: postback.dev/v1alpha1\nkind: Campaign\nmetadata: {name: %s, labels: {team: %[2]s}, annotations: "+
			"{note: %[2]s}}\nspec: %s", name, mark, spec))
}

// mark is in labels and annotations of every declaration.
const mark = "must-not-be-copied"

// secretOf makes a user's Secret that may be read and whose values must not show anywhere.
func secretOf(t *testing.T, namespace, name string, data map[string]string) *corev1.Secret {
	t.Helper()
	for _, value := range data {
		secret(value)
	}
	object := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, Labels: map[string]string{v1alpha1.LabelReadable: v1alpha1.LabelReadableValue},
	}, StringData: data}
	if err := admin.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	return object
}

func read(t *testing.T, object client.Object) {
	t.Helper()
	if err := admin.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		t.Fatalf("reading %T %s: %v", object, object.GetName(), err)
	}
}

// get reads an object by name.
func get[T any, P interface {
	*T
	client.Object
}](t *testing.T, namespace, name string) P {
	t.Helper()
	object := P(new(T))
	object.SetNamespace(namespace)
	object.SetName(name)
	read(t, object)
	return object
}

// change updates an object, again when somebody was faster.
func change[P client.Object](t *testing.T, object P, edit func(P)) {
	t.Helper()
	eventually(t, soon, func() error {
		read(t, object)
		edit(object)
		return admin.Update(t.Context(), object)
	})
}

// current waits until kstatus calls an object Current, about its latest generation.
func current(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		eventually(t, soon, func() error { return isCurrent(t, object) })
	}
}

// isCurrent reads an object, and says why it is not what current waits for.
func isCurrent(t *testing.T, object client.Object) error {
	t.Helper()
	if err := admin.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		return err
	}
	name, seen := readable(object)
	if state := kstatuscheck.Read(seen); state != kstatuscheck.Current {
		return fmt.Errorf("%s is %s: %v", name, state, seen.Conditions)
	}
	return nil
}

// says waits for a condition with a status and reason, and returns its message.
func says(t *testing.T, object client.Object, kind string, status metav1.ConditionStatus, reason string) string {
	t.Helper()
	var message string
	eventually(t, soon, func() error {
		if err := admin.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		_, seen := readable(object)
		c := meta.FindStatusCondition(seen.Conditions, kind)
		if c == nil || c.Status != status || c.Reason != reason || seen.ObservedGeneration != seen.Generation {
			return fmt.Errorf("%s is not %s %s: generation %d, observed %d, %v", kind, status, reason, seen.Generation,
				seen.ObservedGeneration, seen.Conditions)
		}
		message = c.Message
		return nil
	})
	return message
}

// noError fails the test on the first error.
func noError(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// items returns the objects of a list.
func items(t *testing.T, list client.ObjectList) []client.Object {
	t.Helper()
	extracted, err := meta.ExtractList(list)
	noError(t, err)
	var all []client.Object
	for _, item := range extracted {
		all = append(all, item.(client.Object))
	}
	return all
}

func untypedList(version, kind string) *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion(version)
	list.SetKind(kind + "List")
	return list
}

// untyped returns an empty object of a kind for which there are no Go types.
func untyped(version, kind string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(version)
	object.SetKind(kind)
	return object
}
