package setup

import (
	"encoding/json"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// decoded returns an object as a watch makes it: no string shared with another.
func decoded[T any](t *testing.T, object T) *T {
	t.Helper()
	data, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	into := new(T)
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
	return into
}

var (
	meta = metav1.ObjectMeta{
		Name: "shop", Namespace: "ads", Labels: map[string]string{"a": "label"},
		Annotations:     map[string]string{"b": "annotation"},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Kind", Name: "owner", UID: "uid"}},
	}
	conditions = []metav1.Condition{{Type: "Ready", Status: "True", Reason: "Ready",
		Message: "Every ready receiver serves it."}}
)

func TestWhatIsCachedIsWhatWasRead(t *testing.T) {
	for _, object := range []any{
		decoded(t, corev1.Secret{ObjectMeta: meta, Type: "Opaque", Data: map[string][]byte{"key": []byte("value")}}),
		decoded(t, v1alpha1.PostbackEndpoint{
			ObjectMeta: meta, Spec: v1alpha1.PostbackEndpointSpec{
				Currency: "USD", FleetRef: &v1alpha1.FleetReference{Name: "shared"},
				Training: []v1alpha1.TrainingRule{{Type: "sale", Statuses: []string{"approved"}}},
			},
			Status: v1alpha1.PostbackEndpointStatus{Conditions: conditions, URLTemplate: "url",
				Fleet: &v1alpha1.FleetReference{Name: "shared"}},
		}),
		decoded(t, v1alpha1.ReceiverFleet{ObjectMeta: meta, Status: v1alpha1.ReceiverFleetStatus{Conditions: conditions}}),
	} {
		before, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := slim(object)
		if err != nil {
			t.Fatal(err)
		}
		after, err := json.Marshal(kept)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(before), string(after)); diff != "" {
			t.Errorf("%T (-read +cached):\n%s", object, diff)
		}
	}
}

func TestEqualStringsShareTheirMemory(t *testing.T) {
	of := func() string {
		kept, err := slim(decoded(t,
			v1alpha1.PostbackEndpoint{Status: v1alpha1.PostbackEndpointStatus{Conditions: conditions}}))
		if err != nil {
			t.Fatal(err)
		}
		return kept.(*v1alpha1.PostbackEndpoint).Status.Conditions[0].Message
	}
	if one, other := of(), of(); unsafe.StringData(one) != unsafe.StringData(other) {
		t.Error("two messages of the same text")
	}
}
