package setup

import (
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// slim drops managed fields and lets equal strings share their memory: thousands of endpoints have the same labels,
// owners, reasons and messages, and each object is decoded by itself.
func slim(object any) (any, error) {
	object, err := cache.TransformStripManagedFields()(object)
	switch o := object.(type) {
	case *corev1.Secret:
		internMeta(&o.ObjectMeta)
		o.Type = corev1.SecretType(intern(string(o.Type)))
		o.Data = internKeys(o.Data)
	case *v1alpha1.PostbackEndpoint:
		internMeta(&o.ObjectMeta)
		internConditions(o.Status.Conditions)
		o.Spec.Currency, o.Status.URLTemplate = intern(o.Spec.Currency), intern(o.Status.URLTemplate)
		internReference(o.Spec.FleetRef)
		internReference(o.Status.Fleet)
		for i := range o.Spec.Training {
			o.Spec.Training[i].Type = intern(o.Spec.Training[i].Type)
			internAll(o.Spec.Training[i].Statuses)
		}
	case *v1alpha1.ReceiverFleet:
		internMeta(&o.ObjectMeta)
		internConditions(o.Status.Conditions)
	}
	return object, err
}

func intern(s string) string { return unique.Make(s).Value() }

func internAll(all []string) {
	for i := range all {
		all[i] = intern(all[i])
	}
}

func internMeta(meta *metav1.ObjectMeta) {
	meta.Namespace = intern(meta.Namespace)
	meta.Labels, meta.Annotations = internMap(meta.Labels), internMap(meta.Annotations)
	for i := range meta.OwnerReferences {
		o := &meta.OwnerReferences[i]
		o.APIVersion, o.Kind, o.Name = intern(o.APIVersion), intern(o.Kind), intern(o.Name)
	}
}

func internMap(m map[string]string) map[string]string {
	if m == nil {
		return nil
	}
	shared := make(map[string]string, len(m))
	for key, value := range m {
		shared[intern(key)] = intern(value)
	}
	return shared
}

func internKeys(m map[string][]byte) map[string][]byte {
	if m == nil {
		return nil
	}
	shared := make(map[string][]byte, len(m))
	for key, value := range m {
		shared[intern(key)] = value
	}
	return shared
}

func internConditions(conditions []metav1.Condition) {
	for i := range conditions {
		c := &conditions[i]
		c.Type, c.Status = intern(c.Type), metav1.ConditionStatus(intern(string(c.Status)))
		c.Reason, c.Message = intern(c.Reason), intern(c.Message)
	}
}

func internReference(reference *v1alpha1.FleetReference) {
	if reference != nil {
		reference.Name, reference.Namespace = intern(reference.Name), intern(reference.Namespace)
	}
}
