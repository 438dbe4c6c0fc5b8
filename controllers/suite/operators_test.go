package suite

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

// told waits for an event about an object, and returns what it says.
func told(t *testing.T, object client.Object, reason string) (note string) {
	t.Helper()
	eventually(t, soon, func() error {
		var all eventsv1.EventList
		if err := admin.List(t.Context(), &all, client.InNamespace(object.GetNamespace())); err != nil {
			return err
		}
		for _, event := range all.Items {
			if event.Regarding.UID == object.GetUID() && event.Reason == reason {
				note = event.Note
				return nil
			}
		}
		return errors.New("no event")
	})
	return note
}

// second starts another operator beside the one of the suite, which sees one namespace only.
func second(t *testing.T, namespace, id, class string) *process {
	t.Helper()
	permitIn(t, namespace, withRoles)
	p := newProcess(withRoles, namespace)
	p.options.ID, p.options.Class = id, class
	p.start()
	t.Cleanup(p.stop)
	return p
}

func TestASecondOperatorLeavesAloneWhatTheFirstOneMade(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	summer := campaignOf(t, namespace, "summer",
		"{endpointRef: {name: shop}, offerURL: 'https://offer.example/?s={subid}'}")
	current(t, fleet, shop, summer)
	operator.settle()
	written(namespace)
	other := second(t, namespace, "other", "")
	for _, object := range []client.Object{fleet, shop, summer} {
		if note := told(t, object, v1alpha1.ReasonManagedByOther); !strings.Contains(note, `the operator "suite" made`) {
			t.Errorf("it tells %q", note)
		}
	}
	other.settle()
	for _, write := range other.recorder.take() {
		if !strings.Contains(write, "/events") {
			t.Errorf("the second one writes: %s", write)
		}
	}
	if got := written(namespace); len(got) > 0 {
		t.Errorf("the first one writes: %v", got)
	}
	for _, object := range []client.Object{fleet, shop, summer} {
		noError(t, isCurrent(t, object))
	}
}

func TestTwoOperatorsShareOutWhatIsNew(t *testing.T) {
	namespace := newNamespace(t, nil)
	second(t, namespace, "other", "")
	var all []client.Object
	for i := range 5 {
		all = append(all, endpointOf(t, namespace, fmt.Sprintf("shop-%d", i), "{currency: USD}"))
	}
	// Each one is one operator's, or is said to be divided; nobody writes on and on.
	eventually(t, soon, func() error {
		for _, object := range all {
			if err := admin.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				return err
			}
			name, seen := readable(object)
			if isCurrent(t, object) != nil && kstatuscheck.Read(seen) != kstatuscheck.Failed {
				return fmt.Errorf("%s is %s: %v", name, kstatuscheck.Read(seen), seen.Conditions)
			}
		}
		return nil
	})
	operator.settle()
	for _, p := range processes {
		p.recorder.take()
	}
	time.Sleep(3 * time.Second)
	for _, p := range processes {
		for _, write := range p.recorder.take() {
			if strings.Contains(write, "/namespaces/"+namespace+"/") && !strings.Contains(write, "/events") {
				t.Errorf("%s goes on writing: %s", p.options.ID, write)
			}
		}
	}
	var secrets corev1.SecretList
	noError(t, admin.List(t.Context(), &secrets, client.InNamespace(namespace)))
	for _, held := range secrets.Items {
		if id := held.Annotations[v1alpha1.AnnotationOperator]; id != "suite" && id != "other" {
			t.Errorf("Secret %s is the operator %q's", held.Name, id)
		}
	}
	// An operator that starts again tells of what it leaves alone once more.
	noError(t, admin.DeleteAllOf(t.Context(), &v1alpha1.PostbackEndpoint{}, client.InNamespace(namespace)),
		admin.DeleteAllOf(t.Context(), &v1alpha1.ReceiverFleet{}, client.InNamespace(namespace)))
}

func TestWhatAnOperatorThatIsGoneHasLeftIsSaidWhenItChanges(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	operator.stop()
	defer operator.start()
	other := newProcess(clusterWide)
	other.options.ID = "other"
	var ahead atomic.Int64
	other.options.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	other.start()
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Currency = "EUR" })
	told(t, shop, v1alpha1.ReasonManagedByOther)
	state(t, shop, kstatuscheck.InProgress)
	ahead.Store(int64(2 * time.Minute))
	change(t, get[corev1.Secret](t, namespace, "shop-key"), func(s *corev1.Secret) { // so that it is looked at again
		s.Annotations["touched"] = "yes"
	})
	message := says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonManagedByOther)
	if !strings.Contains(message, "--operator-id=suite") {
		t.Errorf("it says %q", message)
	}
	state(t, shop, kstatuscheck.Failed)
	other.stop()
	other.options.ID = "suite"
	other.start()
	defer other.stop()
	current(t, shop)
}

func TestOperatorsOfClassesShareANamespace(t *testing.T) {
	namespace := newNamespace(t, nil)
	blue := second(t, namespace, "blue", "blue")
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	pool := declare[v1alpha1.PostbackEndpoint](t, namespace, `
apiVersion: postback.dev/v1alpha1
kind: PostbackEndpoint
metadata: {name: pool, labels: {postback.dev/class: blue}}
spec: {currency: USD}
`)
	current(t, pool)
	operator.settle()
	for name, want := range map[string]string{"shop": "suite", "pool": "blue"} {
		for _, held := range []client.Object{
			get[corev1.Secret](t, namespace, name+"-key"), get[corev1.Secret](t, namespace, name+"-config"),
			get[v1alpha1.ReceiverFleet](t, namespace, name),
		} {
			if id := held.GetAnnotations()[v1alpha1.AnnotationOperator]; id != want {
				t.Errorf("%T %s is the operator %q's", held, held.GetName(), id)
			}
		}
	}
	for _, write := range blue.recorder.take() {
		if strings.Contains(write, "/shop") {
			t.Errorf("the operator of another class writes: %s", write)
		}
	}
}

// Whoever fights over an object with the operator does not keep the API server busy.
func TestAChangeThatIsUndoneEachTimeIsSaid(t *testing.T) {
	namespace := newNamespace(t, nil)
	fleet := fleetOf(t, namespace, "shared", "{}")
	current(t, fleet)
	operator.settle()
	written(namespace)
	// The operator undoes it 20 times, and then no more for a while.
	eventually(t, soon, func() error {
		service := get[corev1.Service](t, namespace, "shared")
		if service.Spec.Selector["app"] != "mine" {
			service.Spec.Selector["app"] = "mine"
			return errors.Join(errors.New("it is undone"), admin.Update(t.Context(), service))
		}
		_, seen := readable(fleet)
		read(t, fleet)
		if c := meta.FindStatusCondition(seen.Conditions, v1alpha1.ConditionReady); c.Reason != v1alpha1.ReasonContested {
			return fmt.Errorf("it says %s", c.Reason)
		}
		return nil
	})
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonContested)
	if !strings.HasPrefix(message, "Service shared was written 20 times within a minute") {
		t.Errorf("it says %q", message)
	}
	told(t, fleet, v1alpha1.ReasonContested)
	var writes int
	for _, write := range written(namespace) {
		if write == "services/shared" {
			writes++
		}
	}
	if writes > 20 {
		t.Errorf("the Service was written %d times", writes)
	}
	noError(t, admin.Delete(t.Context(), fleet)) // it would be written again
}
